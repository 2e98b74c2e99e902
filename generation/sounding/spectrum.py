"""Equaliser curves and loudness weighting as gains over frequency.

Curves are zero-phase and gentle, so that nothing rings audibly before it starts.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from generation.audio import SAMPLE_RATE, Floats, as_floats


@lru_cache(maxsize=8)
def frequencies(size: int) -> Floats:
    """Return the frequency in Hz of each bin of a real FFT of ``size`` at 44.1 kHz, never 0."""
    hertz = np.arange(size // 2 + 1, dtype=np.float32) * np.float32(SAMPLE_RATE / size)
    hertz[0] = hertz[1] * 0.5
    hertz.setflags(write=False)
    return hertz


@lru_cache(maxsize=48)
def high_pass(size: int, hertz: float) -> Floats:
    """12 dB an octave under ``hertz``."""
    ratio = np.float32(hertz) / frequencies(size)
    ratio *= ratio
    return as_floats(1 / np.sqrt(1 + ratio * ratio))


def low_pass(size: int, hertz: float) -> Floats:
    """12 dB an octave above ``hertz``."""
    ratio = frequencies(size) / np.float32(hertz)
    ratio *= ratio
    return as_floats(1 / np.sqrt(1 + ratio * ratio))


def high_shelf(size: int, hertz: float, decibels: float) -> Floats:
    """``decibels`` above ``hertz``, half of them at it, nothing below."""
    ratio = frequencies(size) / np.float32(hertz)
    share = ratio * ratio / (1 + ratio * ratio)
    return as_floats(np.exp(share * np.float32(decibels * np.log(10) / 20)))


def low_shelf(size: int, hertz: float, decibels: float) -> Floats:
    """``decibels`` below ``hertz``, half of them at it, nothing above."""
    ratio = np.float32(hertz) / frequencies(size)
    share = ratio * ratio / (1 + ratio * ratio)
    return as_floats(np.exp(share * np.float32(decibels * np.log(10) / 20)))


def bell(size: int, hertz: float, decibels: float) -> Floats:
    """``decibels`` at ``hertz``, an octave wide on either side."""
    octaves = np.log2(frequencies(size) / np.float32(hertz))
    share = np.exp(-(octaves * octaves) * np.float32(1.2))
    return as_floats(np.exp(share * np.float32(decibels * np.log(10) / 20)))


@lru_cache(maxsize=8)
def loudness_weight(size: int) -> Floats:
    """Magnitude of the K weighting of ITU-R BS.1770: a shelf of 4 dB above 1.7 kHz and a 38 Hz high-pass.

    Both are evaluated from their analogue prototypes; the bilinear originals differ by under 0.05 LU in music.
    """
    s = 1j * frequencies(size).astype(np.float64)
    f, gain, q = 1681.974450955533, 10 ** (3.999843853973347 / 20), 0.7071752369554196
    mid = gain**0.4996667741545416
    shelf = (gain * s * s + mid * f / q * s + f * f) / (s * s + f / q * s + f * f)
    f, q = 38.13547087602444, 0.5003270373238773
    cut = s * s / (s * s + f / q * s + f * f)
    return as_floats(np.abs(shelf * cut))
