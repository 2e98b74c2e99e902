"""Equaliser curves, rooms and loudness weighting as gains over frequency.

Everything linear on the desk is a product of spectra, so a whole part needs one FFT and the mix one inverse.
Curves are zero-phase and gentle, so that nothing rings audibly before it starts.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import numpy.typing as npt

from generation.audio import SAMPLE_RATE, Floats, as_floats

Spectrum = npt.NDArray[np.complex64]


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


@lru_cache(maxsize=6)
def room(size: int, seconds: float) -> tuple[Spectrum, Spectrum]:
    """Return the spectra of a synthetic room for the left and right ear, each of unit energy.

    Noise that decays by 60 dB in ``seconds``, highs sooner than lows, after a short pre-delay.
    """
    length = min(int(seconds * 1.05 * SAMPLE_RATE), size)
    time = np.arange(length, dtype=np.float32) / SAMPLE_RATE
    rng = np.random.default_rng([71, int(seconds * 100)])
    out = []
    for _ in range(2):
        noise = rng.standard_normal((2, length)).astype(np.float32)
        dark = noise[0] * np.exp(-6.9 * time / np.float32(seconds))
        light = noise[1] * np.exp(-6.9 * time / np.float32(seconds * 0.45))
        pre = int((0.008 + 0.006 * min(seconds, 3)) * SAMPLE_RATE)
        spectra = []
        for wave in (dark, light):
            full = np.zeros(size, dtype=np.float32)
            full[pre : pre + length] = wave[: max(0, size - pre)]
            full[pre : pre + 400] *= np.linspace(0.3, 1, 400, dtype=np.float32)
            spectra.append(np.fft.rfft(full))
        hertz = frequencies(size)
        both = spectra[0] / (1 + (hertz / 2200) ** 2) + 0.5 * spectra[1] * (hertz / (hertz + 1500))
        both *= high_pass(size, 240.0) * low_pass(size, 8500.0)
        energy = float(np.sum(np.abs(both) ** 2)) * 2 / size
        out.append((both / np.sqrt(energy)).astype(np.complex64))
    return out[0], out[1]
