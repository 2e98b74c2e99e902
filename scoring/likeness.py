"""How like a track a clip is, from a track of any length.

A track is heard in windows about as long as a clip, and pooled by the median of each number, so that neither its length
nor a long intro shows and a window whose tempo was misheard does no harm. Distance in the taste space becomes likeness
in [0, 1]: 1 for the same place, a half at ``HALF``. The shares of kinds count less than in a taste, where one kind
against another is nearly all of the distance: towards a track, half the way should show.

Of the clips that the breeder invents two of different families are 0.25 alike in the middle (90 of 100 between 0.06 and
0.51), and two of one family 0.53: ``python bot.py bench likeness``.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from domain.errors import ScoringError
from scoring.beliefs import Doubles
from scoring.encoder import Encoder, Floats
from scoring.space import Form, TasteSpace

WINDOW = 10.0
"""Seconds of a track that are heard at a time: about a clip, so that both are measured alike."""
LEAST = 0.5
"""Share of a window below which what is left at the end is not heard apart."""
KIND_SHARE = 0.4
"""What the columns of kinds count here against their scale in a taste."""
HALF = 2.2
"""Distance at which two clips are half alike."""


def windows(frames: int, sample_rate: int) -> list[slice]:
    """Return the windows of a stretch of sound; what is left at its end counts if it is long enough to be heard."""
    length = round(WINDOW * sample_rate)
    starts = range(0, max(frames, 1), length)
    cut = [slice(start, min(start + length, frames)) for start in starts]
    return [one for one in cut if one.stop - one.start >= LEAST * length] or [slice(0, frames)]


def listen(samples: NDArray[Any], sample_rate: int, encoder: Encoder) -> list[Floats]:
    """Return the embedding (dimensions,) of each window of a stretch of sound; the last layer of many.

    Raises:
        ScoringError: The encoder cannot hear it.
    """
    return [
        encoder.encode(samples[part], sample_rate)[-1]
        for part in windows(len(samples), sample_rate)
    ]


def pool(heard: Sequence[Floats]) -> Floats:
    """Return one embedding (dimensions,) of all windows: the median of each number.

    Raises:
        ScoringError: There is no window.
    """
    if not heard:
        message = "There is no window of the track to listen to."
        raise ScoringError(message)
    out: Floats = np.median(np.stack(heard), axis=0).astype(np.float32)
    return out


def places(phi: NDArray[np.float64], space: TasteSpace) -> Doubles:
    """Return clips (n, k + 1) of the taste space as places (n, k) to be compared with a track's.

    A track is heard by the built-in encoder alone, so what a learned one hears in clips takes no part.
    """
    scale = np.array([KIND_SHARE if c.form is Form.KIND else 1.0 for c in space.columns])
    if space.learned is not None:
        scale[-space.learned.dimensions :] = 0.0
    out: Doubles = np.asarray(phi, dtype=np.float64)[:, :-1] * scale
    return out


def likeness(clips: NDArray[np.float64], target: NDArray[np.float64]) -> Doubles:
    """Return (n,) in [0, 1] how like a track clips are.

    Args:
        clips: (n, k) from ``places``.
        target: (k,) likewise.

    Raises:
        ScoringError: They are of different spaces.
    """
    rows, goal = np.asarray(clips, dtype=np.float64), np.asarray(target, dtype=np.float64)
    if rows.ndim != 2 or rows.shape[1:] != goal.shape:
        message = f"Clips of shape {rows.shape} cannot be compared with a track of {goal.shape}."
        raise ScoringError(message)
    squares = ((rows - goal) ** 2).sum(axis=1)
    out: Doubles = np.exp2(-squares / HALF**2)
    return out
