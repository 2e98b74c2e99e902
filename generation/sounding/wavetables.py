"""Waves whose spectrum moves: filter sweeps, FM and bells, made band-limited once and played as recordings."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from generation.audio import SAMPLE_RATE, Floats, as_floats

Doubles = npt.NDArray[np.float64]
Amplitudes = npt.NDArray[np.inexact[Any]]
"""Real or complex, shape (times, harmonics)."""
Spectra = Callable[[Doubles, Doubles], Amplitudes]
Loop = tuple[int, int]

TOP = 15_000.0
"""Hertz above which a recording has nothing, so that it can be transposed by a minor third without folding."""
_GRID = 512
_STEP = 0.004


def hertz_of(key: float) -> float:
    """Return the frequency of a MIDI key in equal temperament."""
    return float(440 * 2 ** ((key - 69) / 12))


def evolving(key: int, seconds: float, spectra: Spectra) -> tuple[Floats, Loop, float]:
    """Return a wave, the loop at its end, and the samples per second at which it sounds at ``key``.

    A few periods at a time are blended into the next, whose harmonics are computed afresh.

    Args:
        key: MIDI key.
        seconds: Length before the loop.
        spectra: Complex or real amplitudes of shape (times, harmonics), given times in a column of seconds and
            harmonic numbers in a row.
    """
    base = hertz_of(key)
    period = round(SAMPLE_RATE / base)
    count = max(1, min(int(TOP / base), period // 2 - 1))
    # Harmonics are computed every few periods, and at least every 4 ms.
    each = max(1, round(_STEP * base))
    turns = max(2, round(seconds * base / each))
    times = (np.arange(turns + 1) * each / base)[:, None]
    levels = spectra(times, np.arange(1.0, count + 1)[None, :])
    # From the last but one on nothing moves, so that the last period can loop.
    levels[-2:] = levels[-2]
    spectrum = np.zeros((turns + 1, period // 2 + 1), dtype=np.complex64)
    spectrum[:, 1 : count + 1] = levels if np.iscomplexobj(levels) else -1j * levels
    tables = np.fft.irfft(spectrum, period, axis=1) * np.float32(period / 2)
    tables = np.tile(tables, (1, each))
    blend = np.arange(period * each, dtype=np.float32)[None, :] / np.float32(period * each)
    wave = (tables[:-1] + (tables[1:] - tables[:-1]) * blend).reshape(-1)
    return as_floats(wave), (wave.size - period, wave.size), base * period


def resonant(cutoff: Callable[[Doubles], Doubles], base: float, q: float) -> Spectra:
    """Return the harmonics of a saw through a resonant 24 dB low-pass.

    Args:
        cutoff: Hertz at each time.
        base: Hertz of the first harmonic.
        q: How much the harmonics at the cutoff stand out, 0.7 for not at all.
    """

    def spectra(times: Doubles, numbers: Doubles) -> Amplitudes:
        ratio = numbers * base / cutoff(times)
        peak = 1 / np.sqrt((1 - ratio**2) ** 2 + (ratio / q) ** 2)
        out: Amplitudes = peak / np.sqrt(1 + ratio**4) / numbers
        return out

    return spectra


def operators(
    ratio: int, index: Callable[[Doubles], Doubles], level: Callable[[Doubles], Doubles]
) -> Spectra:
    """Return the harmonics of one FM pair with a whole-number ratio, after Chowning (1973).

    Args:
        ratio: Frequency of the modulator over that of the carrier.
        index: Depth of modulation at each time.
        level: Amplitude at each time.
    """
    phase = 2 * np.pi * np.arange(_GRID)[None, :] / _GRID

    def spectra(times: Doubles, numbers: Doubles) -> Amplitudes:
        wave = level(times) * np.sin(phase + index(times) * np.sin(ratio * phase))
        full = np.fft.rfft(wave, axis=1) * (2 / _GRID)
        wanted = full[:, 1 : numbers.shape[1] + 1]
        if wanted.shape[1] < numbers.shape[1]:
            wanted = np.pad(wanted, ((0, 0), (0, numbers.shape[1] - wanted.shape[1])))
        out: Amplitudes = wanted
        return out

    return spectra


def struck(key: int, seconds: float, partials: tuple[tuple[float, float, float], ...]) -> Floats:
    """Return a struck bar or bell.

    Args:
        key: MIDI key of the partial whose ratio is 1.
        seconds: Length.
        partials: Ratio, amplitude and seconds to a third of each partial at middle C; higher keys ring shorter.
    """
    base = hertz_of(key)
    time = np.arange(int(seconds * SAMPLE_RATE)) / SAMPLE_RATE
    shorter = float(np.clip((261.6 / base) ** 0.5, 0.4, 1.6))
    out = np.zeros(time.size)
    for ratio, level, ring in partials:
        if ratio * base < TOP:
            out += (
                level * np.sin(2 * np.pi * ratio * base * time) * np.exp(-time / (ring * shorter))
            )
    out *= np.minimum(1, time / 0.0015)
    out[-512:] *= np.linspace(1, 0, 512)
    return as_floats(out)
