"""The seam of the aligners: a table of listeners and a tower for music, both ending in the same space.

How well a listener and a piece of music go together is the cosine of their vectors; times ``scale`` it is the log odds
of the model, up to a constant for each listener. ``scoring.aligner.folder.load`` reads the real ones.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from domain.errors import ScoringError
from scoring.encoder import Floats

LARGEST_LOG_SCALE = 20.0


class AlignerKind(StrEnum):
    """Which network it is."""

    SEED = "alignerv2"
    COMPACT = "compact"


@dataclass(frozen=True, slots=True, kw_only=True)
class AlignerInfo:
    """What an aligner is.

    Attributes:
        id: Kind and fingerprint of the weights; vectors of different ids are never compared.
        kind: Its network.
        encoder_id: The encoder whose embeddings it takes; empty where a checkpoint does not say.
        layers: Layers of an embedding.
        dimensions: Numbers in a layer.
        width: Numbers in a vector of the shared space.
        users: Rows of the table of listeners.
        parameters: Learned numbers.
        scale: What a cosine is multiplied by to be log odds; above 0.
    """

    id: str
    kind: AlignerKind
    encoder_id: str
    layers: int
    dimensions: int
    width: int
    users: int
    parameters: int
    scale: float


class Aligner(Protocol):
    """Anything that puts listeners and music into one space."""

    @property
    def info(self) -> AlignerInfo:
        """What this aligner is."""
        ...

    @property
    def centre(self) -> Floats:
        """(width,): the mean vector of the music it learned from; zeros where nobody knows."""
        ...

    def users(self) -> Floats:
        """Return the table of listeners, (users, width), rows of length 1."""
        ...

    def music(self, embeddings: NDArray[Any]) -> Floats:
        """Return vectors of music, (n, width), rows of length 1.

        Args:
            embeddings: (n, layers, dimensions), or (n, layers * dimensions) as they are stored.

        Raises:
            ScoringError: They are of another encoder or not finite.
        """
        ...


def shaped(embeddings: NDArray[Any], info: AlignerInfo) -> Floats:
    """Return embeddings as finite float32 (n, layers, dimensions).

    Args:
        embeddings: (n, layers, dimensions) or (n, layers * dimensions).
        info: Of the aligner that shall read them.

    Raises:
        ScoringError: They are of another encoder or not finite.
    """
    given = np.asarray(embeddings, dtype=np.float32)
    layers, dimensions = info.layers, info.dimensions
    if given.ndim == 2 and given.shape[1] == layers * dimensions:
        given = given.reshape(-1, layers, dimensions)
    if given.ndim != 3 or given.shape[1:] != (layers, dimensions):
        message = (
            f"Embeddings of shape {given.shape} are not what aligner {info.id} reads, which is (clips, {layers}, "
            f"{dimensions}) of encoder {info.encoder_id or 'unknown'}; encode the clips again."
        )
        raise ScoringError(message)
    if not np.isfinite(given).all():
        message = "An embedding holds numbers that are not finite; encode the clip again."
        raise ScoringError(message)
    return given


def check(weights: Mapping[str, NDArray[Any]]) -> None:
    """Raise a ``ScoringError`` that names a weight which holds numbers that are not finite."""
    for name, values in weights.items():
        if not np.isfinite(values).all():
            message = (
                f"The weights of the aligner are damaged: {name} holds numbers that are not finite."
            )
            raise ScoringError(message)


def scale_of(log_scale: float) -> float:
    """Return what a cosine is multiplied by to be log odds.

    Raises:
        ScoringError: It is beyond what any training ends with.
    """
    if not abs(log_scale) <= LARGEST_LOG_SCALE:
        message = (
            f"The weights of the aligner are damaged: the logarithm of its scale is {log_scale:g}."
        )
        raise ScoringError(message)
    return math.exp(log_scale)


def unit(vectors: NDArray[Any]) -> Floats:
    """Return rows of length 1; a row of zeros stays one."""
    found = np.asarray(vectors, dtype=np.float32)
    length = np.linalg.norm(found, axis=-1, keepdims=True)
    out: Floats = found / np.maximum(length, np.float32(1e-6))
    return out


def fingerprint(weights: Mapping[str, NDArray[Any]]) -> str:
    """Return eight hexadecimal digits that other weights will not have."""
    total = hashlib.sha256()
    for name, values in sorted(weights.items()):
        total.update(name.encode())
        total.update(np.ascontiguousarray(values).tobytes())
    return total.hexdigest()[:8]
