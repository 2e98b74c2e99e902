"""The seam between sound and taste: an encoder turns a clip into numbers that a listener's taste is learned over."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from domain.errors import ScoringError

Floats = NDArray[np.float32]

MAX_SECONDS = 600.0


@dataclass(frozen=True, slots=True, kw_only=True)
class EncoderInfo:
    """What an encoder is.

    Attributes:
        id: Name and version; embeddings of different ids are never compared.
        version: Changes whenever the same audio would give other numbers.
        licence: Licence of the weights, or of the code where there are none.
        dimensions: Numbers in a layer.
        layers: Layers in an embedding.
        names: A name for each dimension; empty where dimensions have no meaning of their own.
        device: Where it runs.
    """

    id: str
    version: str
    licence: str
    dimensions: int
    layers: int = 1
    names: tuple[str, ...] = ()
    device: str = "cpu"


class Kind(StrEnum):
    """What loads an encoder's weights."""

    MERT = "mert"
    CLAP = "clap"
    HUB = "hub"
    """Any network of the hub that reads waveforms, without code of its own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Weights:
    """Weights of an encoder on this machine. Picklable: it crosses to the processes that encode.

    Attributes:
        name: As the catalogue or the hub calls them.
        kind: What loads them.
        folder: Where they lie.
        licence: Under which they may be used.
        fingerprint: Changes with the weights; part of the encoder's id.
        dimensions: Numbers in a layer of what it gives; 0 where that is not known before it is loaded.
    """

    name: str
    kind: Kind
    folder: Path
    licence: str
    fingerprint: str
    dimensions: int = 0

    @property
    def encoder_id(self) -> str:
        """The id of the encoder that loads them, known without loading them."""
        return f"{self.name}-{LEARNED_VERSION}.{self.fingerprint}"


LEARNED_VERSION = "1"
"""Of how learned encoders listen (``scoring.learned``): changes when the same weights would give other numbers."""

Heard = Floats | ScoringError
"""An embedding, or what is wrong with the clip."""


@runtime_checkable
class TextEncoder(Protocol):
    """An encoder that puts words into the same space as sound, such as CLAP."""

    def encode_text(self, texts: Sequence[str]) -> Floats:
        """Return (n, dimensions) of texts, rows of length 1.

        Raises:
            ScoringError: A text is empty, or words cannot be read.
        """
        ...


class Encoder(Protocol):
    """Anything that embeds audio. What it says of a clip depends neither on its gain nor on the clips beside it."""

    @property
    def info(self) -> EncoderInfo:
        """What this encoder is."""
        ...

    def encode(self, samples: NDArray[Any], sample_rate: int) -> Floats:
        """Embed one clip.

        Args:
            samples: (frames,) or (frames, channels), nominally in [-1, 1].
            sample_rate: In Hz.

        Returns:
            Finite float32 of shape (layers, dimensions).

        Raises:
            ScoringError: The audio is empty, not finite or not audio at all.
        """
        ...

    def encode_batch(self, clips: Sequence[NDArray[Any]], sample_rate: int) -> list[Heard]:
        """Embed clips together, where that is faster.

        Args:
            clips: Each as for ``encode``; their lengths may differ.
            sample_rate: Of all of them, in Hz.

        Returns:
            For each clip its embedding, or the error that ``encode`` would raise: one bad clip costs no other.
        """
        ...


def checked(samples: NDArray[Any], sample_rate: int) -> Floats:
    """Return the clip as float32 (frames, channels), or raise a ``ScoringError`` that says what is wrong with it."""
    audio = np.asarray(samples)
    if audio.ndim == 1:
        audio = audio[:, None]
    if audio.ndim != 2 or not 1 <= audio.shape[1] <= 8:
        message = f"Audio must have the shape (frames, channels) with 1 to 8 channels, not {np.shape(samples)}."
        raise ScoringError(message)
    if not 2000 <= sample_rate <= 384_000:
        message = f"A sample rate of {sample_rate} Hz is outside 2,000 to 384,000 Hz."
        raise ScoringError(message)
    if len(audio) == 0:
        message = "The clip is empty: it has no samples to listen to."
        raise ScoringError(message)
    if len(audio) > MAX_SECONDS * sample_rate:
        message = f"The clip is longer than {MAX_SECONDS:.0f} seconds; cut it before scoring."
        raise ScoringError(message)
    if not (np.issubdtype(audio.dtype, np.floating) or np.issubdtype(audio.dtype, np.integer)):
        message = f"Audio must be numbers, not {audio.dtype}."
        raise ScoringError(message)
    if not np.isfinite(audio).all():
        message = "The clip holds samples that are not finite numbers; it cannot be scored."
        raise ScoringError(message)
    return np.ascontiguousarray(audio, dtype=np.float32)


def mono(audio: Floats) -> Floats:
    """Return the mean of the channels (frames,); of channels that cancel each other, the first."""
    out: Floats = audio.mean(axis=1)
    if audio.shape[1] > 1 and float(out @ out) < 1e-3 * float((audio[:, 0] ** 2).sum()):
        out = audio[:, 0]
    return out
