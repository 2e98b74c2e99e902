"""Tastes and priors as bytes for the database: float32, versioned, checksummed.

Layout, little endian: ``TB``, kind (``T`` or ``P``), version, then a CRC-32 of the rest; then the number of weights,
evidence or members, gain, the space id with its length, the mean and the upper triangle of the covariance.
"""

from __future__ import annotations

import struct
import zlib

import numpy as np
from numpy.typing import NDArray

from domain.errors import ScoringError
from scoring.beliefs import Prior, Taste

VERSION = 1
HEAD = struct.Struct("<2scBI")
BODY = struct.Struct("<HIfH")
RIDGE = 1e-6


def pack(taste: Taste) -> bytes:
    """Return a taste as bytes: about 1.5 KB for 24 weights."""
    return _pack(b"T", taste, taste.evidence, taste.gain)


def unpack(payload: bytes) -> Taste:
    """Return the taste that ``pack`` wrote, to float32 precision.

    Raises:
        ScoringError: These bytes are cut off, damaged, of another kind or of a later version.
    """
    space_id, mean, covariance, count, gain = _unpack(b"T", payload)
    return Taste(space_id=space_id, mean=mean, covariance=covariance, evidence=count, gain=gain)


def pack_prior(prior: Prior) -> bytes:
    """Return a prior as bytes."""
    return _pack(b"P", prior, prior.members, 0.0)


def unpack_prior(payload: bytes) -> Prior:
    """Return the prior that ``pack_prior`` wrote; raises like ``unpack``."""
    space_id, mean, covariance, count, _ = _unpack(b"P", payload)
    return Prior(space_id=space_id, mean=mean, covariance=covariance, members=count)


def _pack(kind: bytes, belief: Taste | Prior, count: int, gain: float) -> bytes:
    name = belief.space_id.encode()
    size = len(belief.mean)
    upper = belief.covariance[np.triu_indices(size)]
    body = BODY.pack(size, count, gain, len(name)) + name
    body += belief.mean.astype("<f4").tobytes() + upper.astype("<f4").tobytes()
    return HEAD.pack(b"TB", kind, VERSION, zlib.crc32(body)) + body


def _unpack(
    kind: bytes, payload: bytes
) -> tuple[str, NDArray[np.float64], NDArray[np.float64], int, float]:
    if len(payload) < HEAD.size + BODY.size or payload[:2] != b"TB":
        message = "A stored taste cannot be read: these bytes are not one. It can be learned again from the votes."
        raise ScoringError(message)
    _, found, version, checksum = HEAD.unpack_from(payload)
    if found != kind or version != VERSION:
        message = (
            f"A stored taste is of kind {found!r}, version {version};"
            f" this version reads kind {kind!r}, version {VERSION}."
        )
        raise ScoringError(message)
    body = bytes(payload[HEAD.size :])
    size, count, gain, length = BODY.unpack_from(body)
    numbers = size + size * (size + 1) // 2
    if zlib.crc32(body) != checksum or len(body) != BODY.size + length + 4 * numbers:
        message = "A stored taste is damaged or cut off. It can be learned again from the votes."
        raise ScoringError(message)
    name = body[BODY.size : BODY.size + length].decode()
    values = np.frombuffer(body, "<f4", numbers, BODY.size + length).astype(np.float64)
    covariance = np.zeros((size, size))
    covariance[np.triu_indices(size)] = values[size:]
    covariance += np.triu(covariance, 1).T
    # Rounding to float32 may cost the smallest eigenvalues their sign.
    covariance[np.diag_indices(size)] += RIDGE
    return name, values[:size], covariance, count, float(gain)
