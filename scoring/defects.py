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


def clipping(audio: Floats) -> float:
    """Return the share of samples in runs of three or more that stand at the channel's peak.

    A slow sine also lingers at its peak, so a sample counts only where the wave is as flat as a cut-off top: neighbours
    differ by less than a thousandth of the peak, and so does their bend.
    """
    worst = 0.0
    for channel in audio.T:
        level = np.abs(channel)
        peak = float(level.max())
        if peak <= 1e-4 or len(level) < 8:
            continue
        near = np.flatnonzero(level >= 0.97 * peak)
        near = near[(near > 1) & (near < len(level) - 2)]
        left, right = channel[near - 1], channel[near + 1]
        here = channel[near]
        flat = (np.abs(here - left) < 1e-3 * peak) & (np.abs(here - right) < 1e-3 * peak)
        bent = np.abs(left - 2.0 * here + right) < 2e-4 * peak
        worst = max(worst, float((flat & bent).sum()) / len(level))
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
    before, after = around[:, :3].max(axis=1), around[:, 6:].max(axis=1)
    near = np.minimum(around[:, 3], around[:, 5])
    quiet = np.maximum(np.maximum(before, after), near)
    rms = float(np.sqrt(np.mean(np.square(mono, dtype=np.float64)))) + 1e-9
    found = (high > 6.0 * quiet) & (high > 0.7 * rms)
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
    """Return the noise floor in dB below the clip and the clip's flatness.

    The floor is what stays in the quiet moments of each band above 5 kHz (the 10th percentile over time, put back to
    the mean that noise of such a percentile has), spread evenly over the whole spectrum. Cymbals come and go and leave
    no floor. The flatness is the median over time of geometric to arithmetic mean between 100 Hz and 12 kHz.
    """
    power = spectra.magnitude**2
    frequencies = spectra.frequencies
    total = float(power.sum(axis=1).mean()) + 1e-20
    top = 0.95 * float(frequencies[-1])
    high = (frequencies > min(5000.0, 0.5 * top)) & (frequencies < min(16000.0, top))
    floor = np.percentile(power[:, high], 10, axis=0)
    # Hiss fills every bin alike: the lower quartile over bins is no more than its level, and a steady whistle has none.
    level = float(np.percentile(floor, 25)) / 0.105 * len(frequencies) / total
    inside = (frequencies > 100) & (frequencies < min(12000.0, top))
    energy = power.sum(axis=1)
    loud = energy >= 1e-3 * max(float(energy.max()), 1e-20)
    part = power[loud][:, inside].astype(np.float64) + 1e-10 * total
    flat = np.exp(np.log(part).mean(axis=1)) / part.mean(axis=1)
    return float(10 * np.log10(level + 1e-12)), float(np.median(flat))


def hum(mono: Floats, sample_rate: int) -> float:
    """Return the level of mains hum in dB below the clip: a steady line at 50 or 60 Hz and at its double.

    A line counts if it rises out of its neighbourhood in both halves of the clip. No note of the equal temperament lies
    within 1 Hz of 50, 60, 100 or 120 Hz, so a bass note beside it is told apart.
    """
    half = len(mono) // 2
    if half < sample_rate:
        return ABSENT
    total = float(np.mean(np.square(mono, dtype=np.float64))) + 1e-20
    lines = [_lines(part, sample_rate, total) for part in (mono[:half], mono[half : 2 * half])]
    return max(min(line[base] for line in lines) for base in range(2))


def _lines(part: Floats, sample_rate: int, total: float) -> tuple[float, float]:
    # Only the lowest bins are wanted, so the clip is thinned by block means to about 1 kHz first.
    step = max(1, sample_rate // 1000)
    thin = part[: len(part) // step * step].reshape(-1, step).mean(axis=1, dtype=np.float64)
    rate = sample_rate / step
    window = np.blackman(len(thin))
    power = np.abs(np.fft.rfft((thin - thin.mean()) * window)) ** 2
    power *= 2.0 / (window.sum() ** 2)
    frequencies = np.fft.rfftfreq(len(thin), 1 / rate)
    found = []
    for base in (50.0, 60.0):
        levels = []
        for harmonic in (1, 2):
            away = np.abs(frequencies - base * harmonic)
            line = float(power[away < 0.35].max(initial=0.0))
            beside = float(power[(away > 0.8) & (away < 1.5)].max(initial=0.0))
            around = float(np.median(power[(away > 0.8) & (away < 8.0)]))
            clear = line > 4.0 * beside and line > 30.0 * around
            levels.append(10 * np.log10(line / total + 1e-10) if clear else ABSENT)
        found.append(float(levels[0]) if min(levels) > -60.0 else ABSENT)
    return found[0], found[1]


def cancellation(audio: Floats) -> float:
    """Return how much of the sound is lost on one loudspeaker, in [0, 1]: 1 when the channels cancel each other."""
    if audio.shape[1] < 2:
        return 0.0
    mono = audio.mean(axis=1)
    kept = float(np.mean(np.square(mono, dtype=np.float64)))
    there = float(np.mean(np.square(audio, dtype=np.float64)))
    return max(0.0, 1.0 - kept / (there + 1e-20))
