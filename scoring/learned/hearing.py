"""What a network gets to hear: mono, at its own sample rate, at one level, in windows of equal length."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.signal import resample_poly

from scoring.encoder import Floats, checked, mono
from scoring.windows import pieces

LEVEL = 0.1
"""RMS of what a network hears that does not standardise its input: -20 dBFS, about that of music on records."""
SILENT = 1e-7
MOST_WINDOWS = 12
"""Windows that a long clip is pooled over, spread evenly: two minutes of a song say what it is like."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hearing:
    """How a network listens.

    Attributes:
        sample_rate: In Hz.
        standardise: Whether each window gets mean 0 and variance 1; else the clip gets the RMS ``LEVEL``.
        window: Seconds of a window of a long clip.
        whole: Seconds up to which a clip is one window.
        shortest: Seconds to which a shorter clip is repeated.
    """

    sample_rate: int
    standardise: bool = True
    window: float = 10.0
    whole: float = 15.0
    shortest: float = 1.0

    def windows(self, samples: NDArray[Any], sample_rate: int) -> list[Floats]:
        """Return the windows of a clip, all of one length, each of shape (frames,).

        Raises:
            ScoringError: The audio is empty, not finite or not audio at all.
        """
        sound = resampled(mono(checked(samples, sample_rate)), sample_rate, self.sample_rate)
        fewest = math.ceil(self.shortest * self.sample_rate)
        if len(sound) < fewest:
            sound = np.tile(sound, -(-fewest // len(sound)))[:fewest]
        parts = pieces(
            len(sound), self.sample_rate, MOST_WINDOWS, window=self.window, whole=self.whole
        )
        if self.standardise:
            return [_standardised(sound[part]) for part in parts]
        sound = _levelled(sound)
        return [sound[part] for part in parts]


def resampled(sound: Floats, rate: int, wanted: int) -> Floats:
    """Return sound (frames,) at another sample rate, through a polyphase filter."""
    if rate == wanted:
        return sound
    common = math.gcd(rate, wanted)
    out: Floats = resample_poly(sound, wanted // common, rate // common).astype(np.float32)
    return out


def _standardised(sound: Floats) -> Floats:
    centred = sound.astype(np.float64) - sound.mean(dtype=np.float64)
    deviation = float(np.sqrt(np.mean(centred**2)))
    out: Floats = (centred / deviation if deviation > SILENT else 0.0 * centred).astype(np.float32)
    return out


def _levelled(sound: Floats) -> Floats:
    rms = float(np.sqrt(np.mean(sound.astype(np.float64) ** 2)))
    out: Floats = (sound * (LEVEL / rms) if rms > SILENT else 0.0 * sound).astype(np.float32)
    return out
