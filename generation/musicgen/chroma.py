"""A melody as the melody model hears it: for each moment the one pitch class that sounds most.

The features of Copet et al. 2023, section 2.3, with the numbers that transformers' ``MusicgenMelodyFeatureExtractor``
has, which needs torchaudio. The bank of filters is that of D. Ellis, "Chroma feature analysis and synthesis" (2007):
each frequency counts for the pitch classes near it, and the octaves around middle C count most.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from generation.audio import Audio, Floats, as_floats
from generation.resampling import resampled

RATE = 32_000
"""Samples per second."""
SIZE, HOP = 16_384, 4096
"""Samples of a window, and between the middles of two."""
CLASSES = 12
"""Pitch classes, from C."""
_A440 = 440.0
_CENTRE, _WIDTH = 5.0, 2.0
"""Octave above 16 times below A440 that counts most, and how fast others count less, in octaves."""
_AT_ONCE = 64
"""Windows transformed together."""


def melody(audio: Audio) -> Floats:
    """Return (moments, ``CLASSES``), 1 for the pitch class that sounds most at a moment and 0 for the others.

    Moments are ``HOP`` samples of ``RATE`` Hz apart. Silence is C.
    """
    return chroma(resampled(audio.samples, audio.sample_rate, RATE).mean(axis=1))


def chroma(samples: Floats) -> Floats:
    """Return the same of ``samples`` (frames,) at ``RATE`` Hz."""
    short = SIZE - len(samples)
    if short > 0:
        samples = np.pad(samples, (short // 2, short - short // 2))
    around = np.pad(samples, SIZE // 2, mode="reflect")
    windows = np.lib.stride_tricks.sliding_window_view(around, SIZE)[::HOP]
    shape = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(SIZE) / SIZE)
    found = [
        (np.abs(np.fft.rfft(windows[at : at + _AT_ONCE] * shape)) ** 2 @ _filters().T).argmax(
            axis=1
        )
        for at in range(0, len(windows), _AT_ONCE)
    ]
    return as_floats(np.eye(CLASSES)[np.concatenate(found)])


@lru_cache(maxsize=1)
def _filters() -> NDArray[np.float64]:
    """Return how much each frequency of a window counts for each pitch class, (``CLASSES``, ``SIZE`` / 2 + 1)."""
    bins = np.arange(1, SIZE // 2 + 2)
    places = CLASSES * np.log2(bins * RATE / SIZE / (_A440 / 16))
    # Frequency 0 has no pitch: it stands an octave and a half below the first one.
    places = np.concatenate([[places[0] - 1.5 * CLASSES], places])
    widths = np.maximum(np.diff(places), 1.0)
    places = places[:-1]
    away = places[None, :] - np.arange(CLASSES)[:, None]
    away = np.mod(away + CLASSES / 2, CLASSES) - CLASSES / 2
    counts = np.exp(-0.5 * (2 * away / widths) ** 2)
    counts /= np.linalg.norm(counts, axis=0)
    counts *= np.exp(-0.5 * ((places / CLASSES - _CENTRE) / _WIDTH) ** 2)
    return np.roll(counts, -3, axis=0)  # places are counted from A, rows from C
