"""Measures of what spoils a spectrum: hiss, white noise, mains hum, and the edge that a ruinous codec leaves."""

from __future__ import annotations

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from scoring.spectra import Floats, Spectrogram

Doubles = NDArray[np.float64]

ABSENT = -99.0
"""Level in dB of what is not there."""
HISS_BANDS = ((5000.0, 8000.0), (8000.0, 12000.0), (12000.0, 16000.0), (16000.0, 20000.0))
UNSTEADY, STEADY = 6.0, 0.5
"""dB that each dB of movement among the quiet moments, beyond the second figure, takes off the hiss."""
STILL = 1.2
"""Evidence of hum, at most 1 for each line. Measured in music: up to 0.3 in clips of 6 s and 1.5 in those of 3 s."""
EDGE_LOW, EDGE_HIGH = 1500.0, 7000.0
"""Hz between which a codec's edge is a ruin; a record of 1910 and a file at 16 kHz lie outside."""


def hiss(spectra: Spectrogram) -> float:
    """Return the level of white noise in dB relative to the clip, as the clearest of four high bands shows it.

    Hiss is what stays in the quiet moments, alike in every bin and steady: the 10th percentile over time, put back to
    the mean that noise of such a percentile has. Cymbals die away, so that their quiet moments differ among themselves,
    and every dB of that counts against its being hiss.
    """
    power = spectra.magnitude**2
    top = 0.95 * float(spectra.frequencies[-1])
    total = float(power.sum(axis=1).mean()) + 1e-20
    found = [ABSENT]
    bands = [(low, min(high, top)) for low, high in HISS_BANDS if low + 1000.0 < top]
    for low, high in bands or [(0.4 * top, top)]:
        band = power[:, (spectra.frequencies > low) & (spectra.frequencies < high)]
        floor = np.percentile(band, 10, axis=0)
        # The lower quartile over bins: hiss fills every bin alike, and a steady whistle only a few.
        level = float(np.percentile(floor, 25)) / 0.105 * power.shape[1] / total
        quiet, later = np.percentile(band.sum(axis=1), [5, 20]) + 1e-12 * total
        unsteady = 10 * np.log10(float(later) / float(quiet))
        steady = 10 * np.log10(level + 1e-12) - UNSTEADY * max(0.0, unsteady - STEADY)
        found.append(float(steady))
    return max(found)


def flatness(spectra: Spectrogram) -> float:
    """Return the median over time of geometric to arithmetic mean of the power between 100 Hz and 12 kHz."""
    power = spectra.magnitude**2
    energy = power.sum(axis=1)
    total = float(energy.mean()) + 1e-20
    top = 0.95 * float(spectra.frequencies[-1])
    inside = (spectra.frequencies > 100) & (spectra.frequencies < min(12000.0, top))
    part = power[energy >= 1e-3 * float(energy.max())][:, inside].astype(np.float64) + 1e-10 * total
    return float(np.median(np.exp(np.log(part).mean(axis=1)) / part.mean(axis=1)))


def edge(spectra: Spectrogram) -> float:
    """Return in dB how far the sound falls at a hard edge below 7 kHz above which there is nothing.

    What is dull on purpose fades away over octaves. Single partials do not count: the level below the edge is one that
    most of 400 Hz reach, and the level above it one that hardly anything up to the top exceeds.
    """
    power = np.square(spectra.magnitude, dtype=np.float64).mean(axis=0)
    level = 10 * np.log10(power / (power.max() + 1e-20) + 1e-12)
    step = float(spectra.frequencies[1])
    wide, gap = max(4, round(400.0 / step)), max(1, round(100.0 / step))
    last = round(0.95 * float(spectra.frequencies[-1]) / step)
    places = np.arange(round(EDGE_LOW / step), min(round(EDGE_HIGH / step), last - wide - gap))
    if len(places) == 0:
        return 0.0
    below = np.percentile(sliding_window_view(level, wide), 30, axis=1)[places - gap - wide]
    # Going down from the top, so that the part above a place is known for all places in one pass.
    beside = np.percentile(sliding_window_view(level, wide), 90, axis=1)[places + gap]
    above = np.array([np.percentile(level[place + gap : last], 95) for place in places[::4]])
    return float((below - np.maximum(beside, np.repeat(above, 4)[: len(places)])).max())


def hum(mono: Floats, sample_rate: int) -> float:
    """Return the level of mains hum in dB relative to the clip: what stands still at multiples of 50 or 60 Hz.

    Turned back by the frequency of a line, hum is the same complex number all the time, and no note of the equal
    temperament is, since none lies within 0.9 Hz of a line. The number that moments of 0.3 s cluster at is hum if those
    nearest to it are nearer than it is large. One line may be a drone; the evidence of two is asked. That takes 3 s.
    """
    if len(mono) < 3 * sample_rate:
        return ABSENT
    total = float(np.mean(np.square(mono, dtype=np.float64))) + 1e-20
    # Only the lowest frequencies are wanted, so the clip is thinned by block means to about 1.4 kHz first.
    step = max(1, sample_rate // 1400)
    thin = mono[: len(mono) // step * step].reshape(-1, step).mean(axis=1, dtype=np.float64)
    rate = sample_rate / step
    # Real mains drift: they hold their phase for seconds, not for half a minute.
    parts = np.array_split(thin, max(1, round(len(thin) / (8.0 * rate))))
    return max(
        float(np.median([_still(part, rate, base, total) for part in parts]))
        for base in (50.0, 60.0)
    )


def _still(thin: Doubles, rate: float, base: float, total: float) -> float:
    """Return the level in dB of seven multiples of ``base`` Hz that stand still, or that of what is not there."""
    size = round(0.3 * rate)
    window = np.hanning(size)
    window *= 2.0 / window.sum()
    moments = sliding_window_view(thin - thin.mean(), size)[:: size // 2]
    lines = -2j * np.pi * base * np.arange(1, 8) / rate
    begins = np.arange(len(moments)) * (size // 2)
    # (moments, size) by (size, lines), and each moment is turned on to where it begins.
    seen = (moments * window) @ np.exp(np.outer(np.arange(size), lines))
    seen *= np.exp(np.outer(begins, lines))
    centre = np.median(seen.real, axis=0) + 1j * np.median(seen.imag, axis=0)
    # Weiszfeld's steps towards the geometric median, which notes that come and go hardly move.
    for _ in range(5):
        near = 1.0 / (np.abs(seen - centre) + 1e-9)
        centre = (seen * near).sum(axis=0) / near.sum(axis=0)
    away = np.percentile(np.abs(seen - centre), 25, axis=0) + 1e-5 * np.sqrt(total)
    evidence = np.log(np.abs(centre) / away + 1e-12)
    if np.clip(evidence, 0.0, 1.0).sum() < STILL:
        return ABSENT
    power = np.square(np.abs(centre[evidence > 0.0])).sum() / 2.0
    return float(10 * np.log10(power / total + 1e-10))
