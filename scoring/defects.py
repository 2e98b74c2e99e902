"""Measures of what can be broken in audio. ``scoring.quality`` turns these raw amounts into penalties."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from scoring.spectra import Floats, Spectrogram

Doubles = NDArray[np.float64]

ABSENT = -99.0
"""Level in dB of what is not there."""
LOUD_CLICK = 5.0
"""Second difference, relative to the RMS of the clip, above which a spike is no crackle any more."""
UNSTEADY = 9.0
"""dB that each dB of movement among the quiet moments takes off the hiss."""


def clipping(audio: Floats) -> float:
    """Return the share of samples on cut-off tops: at the channel's peak, and flat over seven samples.

    A bass note lingers at its peak too, but bends: over three samples to each side a 40 Hz sine at 48 kHz falls off by
    2.5e-4 of its peak, which is above both the limit and the steps of 16 bits.
    """
    worst = 0.0
    for channel in audio.T:
        level = np.abs(channel)
        peak = float(level.max())
        if peak <= 1e-4 or len(level) < 8:
            continue
        near = np.flatnonzero(level >= 0.97 * peak)
        near = near[(near > 2) & (near < len(level) - 3)]
        left, here, right = channel[near - 3], channel[near], channel[near + 3]
        straight = np.abs(left - 2.0 * here + right) < 1.2e-4 * peak
        level_top = np.abs(right - left) < 2e-3 * peak
        worst = max(worst, float((straight & level_top).sum()) / len(level))
    return worst


def blocks(mono: Floats, size: int) -> Doubles:
    """Return the RMS (n,) of consecutive blocks; a clip shorter than one block is one block."""
    if len(mono) < size:
        return np.array([float(np.sqrt(np.mean(np.square(mono, dtype=np.float64))))])
    whole = mono[: len(mono) // size * size].reshape(-1, size)
    out: Doubles = np.sqrt(np.einsum("ij,ij->i", whole, whole, dtype=np.float64) / size)
    return out


def silence(mono: Floats, sample_rate: int) -> float:
    """Return the share of 50 ms blocks more than 60 dB below the loudest one, or below -70 dBFS."""
    level = blocks(mono, max(1, sample_rate // 20))
    return float((level < max(1e-3 * float(level.max()), 3e-4)).mean())


def offset(mono: Floats) -> float:
    """Return the mean of the clip relative to its RMS around that mean, in [0, 1)."""
    mean = abs(float(mono.mean(dtype=np.float64)))
    return mean / (mean + float(mono.std(dtype=np.float64)) + 1e-9)


def clicks(mono: Floats, sample_rate: int) -> float:
    """Return lone spikes in a second.

    A click is a few samples long: the second difference towers over the 5 ms blocks on both sides. A drum stroke rings
    on into the next blocks, the edges of a square wave come in every block, and the crackle of a record stays far below
    the level of the music; none of these count.
    """
    size = max(8, round(0.005 * sample_rate))
    if len(mono) < 8 * size:
        return 0.0
    bend = np.abs(mono[2:] - 2.0 * mono[1:-1] + mono[:-2])
    high = bend[: len(bend) // size * size].reshape(-1, size).max(axis=1)
    wide = np.pad(high, 4, mode="reflect")
    around = sliding_window_view(wide, 9)
    # The two blocks next to a click may hold its other half, so the quieter of each pair is asked.
    # The median of the blocks further off, so that another click among them hides none.
    before, after = np.median(around[:, :3], axis=1), np.median(around[:, 6:], axis=1)
    near = np.minimum(around[:, 3], around[:, 5])
    quiet = np.maximum(np.maximum(before, after), near)
    rms = float(np.sqrt(np.mean(np.square(mono, dtype=np.float64)))) + 1e-9
    found = (high > 6.0 * quiet) & (high > LOUD_CLICK * rms)
    return float(found.sum()) * sample_rate / len(mono)


def gaps(mono: Floats, sample_rate: int) -> float:
    """Return the share of the time that is cut out: silence entered and left within 2 ms from the middle of sound."""
    size = max(4, round(0.002 * sample_rate))
    level = blocks(mono, size)
    if len(level) < 8:
        return 0.0
    usual = float(np.percentile(level, 75))
    dead = level < 1e-3 * usual
    edges = np.flatnonzero(np.diff(dead.astype(np.int8)))
    total = 0
    for start, stop in pairwise(edges.tolist()):
        length = stop - start
        if not dead[start + 1] or length > 0.5 * sample_rate / size:
            continue
        # The block at an edge may be half dead; the one before it is still at full level when sound was cut.
        before = float(level[max(start - 1, 0) : start + 1].max())
        after = float(level[stop + 1 : stop + 3].max())
        if min(before, after) > 0.1 * usual:
            total += int(length)
    return total / len(level)


def noise(spectra: Spectrogram) -> tuple[float, float]:
    """Return the level of hiss in dB relative to the clip, and the clip's flatness.

    Hiss is what stays above 5 kHz in the quiet moments, alike in every bin and steady: the 10th percentile over time,
    put back to the mean that noise of such a percentile has. Cymbals die away, so that their quiet moments differ among
    themselves, and every dB of that counts against its being hiss. The flatness is the median over time of geometric
    to arithmetic mean between 100 Hz and 12 kHz.
    """
    power = spectra.magnitude**2
    frequencies = spectra.frequencies
    energy = power.sum(axis=1)
    total = float(energy.mean()) + 1e-20
    top = 0.95 * float(frequencies[-1])
    high = (frequencies > min(5000.0, 0.5 * top)) & (frequencies < min(16000.0, top))
    upper = power[:, high]
    floor = np.percentile(upper, 10, axis=0)
    # The lower quartile over bins: hiss fills every bin alike, and a steady whistle only a few.
    level = float(np.percentile(floor, 25)) / 0.105 * len(frequencies) / total
    quiet, later = np.percentile(upper.sum(axis=1), [5, 20])
    unsteady = 10 * np.log10((float(later) + 1e-12 * total) / (float(quiet) + 1e-12 * total))
    steady = 10 * np.log10(level + 1e-12) - UNSTEADY * max(0.0, unsteady - 0.8)
    inside = (frequencies > 100) & (frequencies < min(12000.0, top))
    part = power[energy >= 1e-3 * float(energy.max())][:, inside].astype(np.float64) + 1e-10 * total
    flat = np.exp(np.log(part).mean(axis=1)) / part.mean(axis=1)
    return float(steady), float(np.median(flat))


def hum(mono: Floats, sample_rate: int) -> float:
    """Return the level of mains hum in dB relative to the clip: a steady line at 50 or 60 Hz and a harmonic.

    A line counts if it rises out of its neighbourhood and is there all the time. No note of the equal temperament lies
    within 0.9 Hz of these lines and their harmonics, so a bass note beside it is told apart; that takes 3 s.
    """
    if len(mono) < 3 * sample_rate:
        return ABSENT
    total = float(np.mean(np.square(mono, dtype=np.float64))) + 1e-20
    # Only the lowest bins are wanted, so the clip is thinned by block means to about 1 kHz first.
    step = max(1, sample_rate // 1000)
    thin = mono[: len(mono) // step * step].reshape(-1, step).mean(axis=1, dtype=np.float64)
    rate = sample_rate / step
    window = np.hanning(len(thin))
    power = np.abs(np.fft.rfft((thin - thin.mean()) * window)) ** 2 * 2.0 / window.sum() ** 2
    frequencies = np.fft.rfftfreq(len(thin), 1 / rate).astype(np.float64)
    worst = ABSENT
    for base in (50.0, 60.0):
        first = _line(power, frequencies, base, clear=10.0)
        upper = max(_line(power, frequencies, base * k, clear=6.0) for k in (2, 3))
        if min(first, upper) > 1e-6 * total and _steady(thin, base / rate):
            worst = max(worst, float(10 * np.log10(first / total)))
    return worst


def _line(power: Doubles, frequencies: Doubles, at: float, *, clear: float) -> float:
    """Return the power of a narrow line, or 0 if its neighbourhood is about as strong."""
    away = np.abs(frequencies - at)
    line = float(power[away < 0.35].max(initial=0.0))
    beside = float(power[(away > 0.75) & (away < 1.5)].max(initial=0.0))
    around = float(np.median(power[(away > 0.75) & (away < 8.0)]))
    return line if line > 0.3 * clear * beside and line > clear * around else 0.0


def _steady(thin: Doubles, cycles: float) -> bool:
    """Return whether a line, in cycles for each sample, is there in every quarter of the clip."""
    turned = thin * np.exp(-2j * np.pi * cycles * np.arange(len(thin)))
    quarters = np.abs(turned[: len(turned) // 4 * 4].reshape(4, -1).mean(axis=1))
    return bool(quarters.min() > 0.5 * quarters.mean())


def cancellation(audio: Floats) -> float:
    """Return how much of the sound is lost on one loudspeaker, in [0, 1]: 1 when the channels cancel each other."""
    if audio.shape[1] < 2:
        return 0.0
    mono = audio.mean(axis=1)
    kept = float(np.mean(np.square(mono, dtype=np.float64)))
    there = float(np.mean(np.square(audio, dtype=np.float64)))
    return max(0.0, 1.0 - kept / (there + 1e-20))
