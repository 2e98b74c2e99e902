"""From what a model gives to a clip: brought to one rate, without clicks at its ends, mastered."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from domain.clip import ClipFailure
from generation.audio import LOUDEST, SAMPLE_RATE, Audio, Floats
from generation.generator import Composition
from generation.resampling import resampled
from generation.sounding.master import TARGET, master

FADE_IN, FADE_OUT = 0.005, 0.05
"""Seconds."""


def finished(
    samples: Floats, rate: int, description: Mapping[str, Any]
) -> Composition | ClipFailure:
    """Return a clip of a model's sound.

    Args:
        samples: (frames, channels), one or two channels, at any level. What is shorter than its fades is no sound.
        rate: Frames per second.
        description: What lineage and ``Why`` are to know; JSON-safe.
    """
    if len(samples) <= (FADE_IN + FADE_OUT) * rate or not np.isfinite(samples).all():
        return ClipFailure(reason="The model gave no sound; another seed may.")
    loudest = float(np.abs(samples).max())
    if loudest > LOUDEST:
        return ClipFailure(
            reason=f"The model gave sound that cannot be used: a sample is {loudest:.0e}, and full scale is 1."
        )
    there = resampled(samples, rate, SAMPLE_RATE).T
    done = master(_faded(np.broadcast_to(there, (2, there.shape[1]))))
    return Composition(
        audio=Audio(samples=np.ascontiguousarray(done.samples.T), sample_rate=SAMPLE_RATE),
        loudness=round(done.loudness, 2),
        description={"loudness_target": TARGET, **description},
        notes=None,
    )


def _faded(samples: Floats) -> Floats:
    """Return (2, frames) that begin and end without a click: models stop in the middle of sound."""
    out = np.ascontiguousarray(samples - samples.mean(axis=1, keepdims=True))
    rise, fall = round(FADE_IN * SAMPLE_RATE), round(FADE_OUT * SAMPLE_RATE)
    out[:, :rise] *= np.linspace(0, 1, rise, dtype=np.float32)
    out[:, -fall:] *= np.linspace(1, 0, fall, dtype=np.float32)
    return out
