"""What a learned encoder hears, as a few columns of a taste space: x = unit(PCA(e - mean)), fitted on embeddings.

A learned embedding has hundreds of numbers without a meaning of their own, too many to learn from a few votes. Its
first principal axes over what a bot has rendered hold what differs between its clips. Of 256 dimensions, 64 were as
good as all and better than 16 (a simulation with 300 listeners).
"""

from __future__ import annotations

import hashlib
import struct
import zlib
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from domain.errors import ScoringError
from scoring.beliefs import Doubles

AXES = 64
FEWEST = 200
"""Clips below which axes would be chance."""
TINY = 1e-9
HEAD = struct.Struct("<4sBI")
BODY = struct.Struct("<IIIH")
MAGIC, VERSION = b"TBPJ", 1


class Axes(Protocol):
    """A few columns that are made of one encoder's embeddings: a ``Projection``, or an aligner's space."""

    @property
    def id(self) -> str:
        """Names them; columns of different ones are never compared."""
        ...

    @property
    def encoder_id(self) -> str:
        """Whose embeddings they take."""
        ...

    @property
    def dimensions(self) -> int:
        """Columns that they give."""
        ...

    def project(self, embeddings: NDArray[Any]) -> Doubles:
        """Return columns (n, k) of embeddings (n, layers * dim), flattened as stored.

        Raises:
            ScoringError: They are of another encoder.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Projection:
    """Axes fitted on the embeddings of one encoder.

    Attributes:
        encoder_id: Whose embeddings it takes.
        clips: How many it was fitted on.
        mean: (dim,).
        axes: (k, dim), the greatest spread first.
    """

    encoder_id: str
    clips: int
    mean: Doubles
    axes: Doubles

    @property
    def id(self) -> str:
        """Names the projection; columns of different ones are never compared."""
        return f"{self.encoder_id}/pca-{hashlib.sha256(pack(self)).hexdigest()[:8]}"

    @property
    def dimensions(self) -> int:
        """Columns that it gives."""
        return len(self.axes)

    def project(self, embeddings: NDArray[Any]) -> Doubles:
        """Return (n, k) rows of length 1.

        Args:
            embeddings: (n, layers * dim), flattened as stored.

        Raises:
            ScoringError: They are of another encoder, or not finite.
        """
        given = np.asarray(embeddings, dtype=np.float64)
        if given.ndim != 2 or given.shape[1] % len(self.mean) or not given.shape[1]:
            message = (
                f"Embeddings of shape {given.shape} are not of {self.encoder_id}, which has"
                f" {len(self.mean)} numbers in a layer; encode the clips again."
            )
            raise ScoringError(message)
        if not np.isfinite(given).all():
            raise ScoringError(
                "An embedding holds numbers that are not finite; encode the clip again."
            )
        rows = (pooled(given, len(self.mean)) - self.mean) @ self.axes.T
        out: Doubles = rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), TINY)
        return out


def pooled(embeddings: NDArray[Any], dimensions: int) -> Doubles:
    """Return (n, dim): the mean of an embedding's layers, each of length 1 first, so that none drowns the others."""
    layers = np.asarray(embeddings, np.float64).reshape(len(embeddings), -1, dimensions)
    lengths = np.linalg.norm(layers, axis=2, keepdims=True)
    out: Doubles = (layers / np.maximum(lengths, TINY)).mean(axis=1)
    return out


def fit(embeddings: NDArray[Any], encoder_id: str, dimensions: int) -> Projection:
    """Fit axes.

    Args:
        embeddings: (n, layers * dim) of at least ``FEWEST`` clips.
        encoder_id: Whose they are.
        dimensions: Numbers in a layer.

    Raises:
        ScoringError: They are too few, not finite, or of another shape.
    """
    given = np.asarray(embeddings, dtype=np.float64)
    if given.ndim != 2 or dimensions < 1 or given.shape[1] % dimensions or not given.shape[1]:
        message = f"Embeddings of shape {given.shape} have no layers of {dimensions} numbers."
        raise ScoringError(message)
    if len(given) < FEWEST:
        raise ScoringError(f"Axes need {FEWEST} clips, not {len(given)}.")
    if not np.isfinite(given).all():
        raise ScoringError("An embedding holds numbers that are not finite; encode the clip again.")
    points = pooled(given, dimensions)
    mean = points.mean(axis=0)
    _, spread, axes = np.linalg.svd(points - mean, full_matrices=False)
    real = int((spread > 1e-6 * max(float(spread[0]), TINY)).sum())
    kept = axes[: min(AXES, real)]
    # An axis may point either way: the same clips must give the same signs on every machine.
    signs = np.sign(kept[np.arange(len(kept)), np.abs(kept).argmax(axis=1)])
    return Projection(
        encoder_id=encoder_id,
        clips=len(given),
        mean=_rounded(mean),
        axes=_rounded(kept * signs[:, None]),
    )


def _rounded(values: Doubles) -> Doubles:
    """Return values as they come back from storage."""
    return values.astype(np.float32).astype(np.float64)


def pack(projection: Projection) -> bytes:
    """Return a projection as bytes: about 200 KB for 64 axes of 768 numbers."""
    name = projection.encoder_id.encode()
    body = BODY.pack(len(projection.mean), len(projection.axes), projection.clips, len(name)) + name
    body += projection.mean.astype("<f4").tobytes() + projection.axes.astype("<f4").tobytes()
    return HEAD.pack(MAGIC, VERSION, zlib.crc32(body)) + body


def unpack(payload: bytes) -> Projection:
    """Return the projection that ``pack`` wrote.

    Raises:
        ScoringError: These bytes are cut off, damaged or of another version.
    """
    body = bytes(payload[HEAD.size :])
    if len(payload) < HEAD.size + BODY.size or payload[: len(MAGIC)] != MAGIC:
        raise ScoringError("A stored projection cannot be read; it is fitted again.")
    _, version, checksum = HEAD.unpack_from(payload)
    size, count, clips, length = BODY.unpack_from(body)
    whole = len(body) == BODY.size + length + 4 * size * (1 + count)
    if version != VERSION or zlib.crc32(body) != checksum or not whole:
        raise ScoringError(
            "A stored projection is damaged or of another version; it is fitted again."
        )
    start = BODY.size + length
    values = np.frombuffer(body, "<f4", size * (1 + count), start).astype(np.float64)
    return Projection(
        encoder_id=body[BODY.size : start].decode(),
        clips=clips,
        mean=values[:size],
        axes=values[size:].reshape(count, size),
    )
