"""Rewards as bytes for the database: float32, versioned, checksummed.

Layout, little endian: ``TR``, version, a CRC-32 of the rest; then members, columns, pairs, listeners, accuracy,
calibration error, the space id with its length, and the weights row by row.
"""

from __future__ import annotations

import struct
import zlib

import numpy as np

from domain.errors import ScoringError
from scoring.reward import Evidence, Reward

VERSION = 1
HEAD = struct.Struct("<2sBI")
BODY = struct.Struct("<HHIIffH")


def pack_reward(reward: Reward) -> bytes:
    """Return a reward as bytes: about 4 KB for 16 members of 61 columns."""
    name, evidence = reward.space_id.encode(), reward.evidence
    body = BODY.pack(
        *reward.weights.shape,
        evidence.pairs,
        evidence.listeners,
        evidence.accuracy,
        evidence.ece,
        len(name),
    )
    body += name + reward.weights.astype("<f4").tobytes()
    return HEAD.pack(b"TR", VERSION, zlib.crc32(body)) + body


def unpack_reward(payload: bytes) -> Reward:
    """Return the reward that ``pack_reward`` wrote, to float32 precision.

    Raises:
        ScoringError: These bytes are cut off, damaged, no reward or of a later version.
    """
    if len(payload) < HEAD.size + BODY.size or payload[:2] != b"TR":
        message = "A stored reward cannot be read: these bytes are not one. It can be learned again from the votes."
        raise ScoringError(message)
    _, version, checksum = HEAD.unpack_from(payload)
    if version != VERSION:
        message = f"A stored reward is of version {version}; this version reads version {VERSION}."
        raise ScoringError(message)
    body = bytes(payload[HEAD.size :])
    members, columns, pairs, listeners, accuracy, ece, length = BODY.unpack_from(body)
    if zlib.crc32(body) != checksum or len(body) != BODY.size + length + 4 * members * columns:
        message = "A stored reward is damaged or cut off. It can be learned again from the votes."
        raise ScoringError(message)
    weights = np.frombuffer(body, "<f4", members * columns, BODY.size + length).astype(np.float64)
    return Reward(
        space_id=body[BODY.size : BODY.size + length].decode(),
        weights=weights.reshape(members, columns),
        evidence=Evidence(pairs=pairs, listeners=listeners, accuracy=accuracy, ece=ece),
    )
