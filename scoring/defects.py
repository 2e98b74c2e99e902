"""Measures of what can be broken in a waveform. ``scoring.quality`` turns these raw amounts into penalties."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from scoring.spectra import Floats

Doubles = NDArray[np.float64]

LOUD_CLICK = 1.5
"""Second difference, relative to the RMS of the clip, above which a spike is no crackle any more."""
LONE = ((0.001, 8.0), (0.025, 1.5))
"""Seconds to each side of a click, and how many times it towers over all that is there."""
FULL_SCALE = 1.0001


def mixed(audio: Floats) -> Floats:
    """Return the mean of the channels, (frames,); twenty times as fast as ``mean``, whose rows are too short."""
    out: Floats = audio @ np.full(audio.shape[1], 1.0 / audio.shape[1], np.float32)
    return out


def clipping(audio: Floats) -> float:
    """Return the share of samples on cut-off tops: at the channel's peak, and flat over seven samples.

    What lies beyond full scale has no place in a file and will be cut off, so it counts as well.

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
        flat = int((straight & level_top).sum())
        worst = max(worst, max(flat, int((level > FULL_SCALE).sum())) / len(level))
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

    A click is a few samples long, so its second difference towers over the millisecond on both sides, where a drum
    stroke rings on. Nothing nearly as sharp comes within 25 ms, as the edges of a saw or square wave above 40 Hz do,
    and the crackle of a record stays far below the level of the music; none of these count.
    """
    size, skip = max(8, round(0.005 * sample_rate)), max(7, round(0.0002 * sample_rate))
    if len(mono) < 8 * size:
        return 0.0
    bend = np.abs(mono[2:] - 2.0 * mono[1:-1] + mono[:-2])
    cells = bend[: len(bend) // size * size].reshape(-1, size)
    rms = float(np.sqrt(np.mean(np.square(mono, dtype=np.float64)))) + 1e-9
    at = np.flatnonzero(cells.max(axis=1) > LOUD_CLICK * rms)
    at = at * size + cells[at].argmax(axis=1)
    # A click on the border of two blocks is one.
    at = at[np.diff(at, prepend=-skip - 1) > skip]
    for seconds, times in LONE:
        at = at[bend[at] > times * _beside(bend, at, skip, round(seconds * sample_rate))]
    return len(at) * sample_rate / len(mono)


def _beside(bend: Floats, at: NDArray[np.intp], skip: int, reach: int) -> Floats:
    """Return the greatest value within ``reach`` to both sides of these places, less ``skip`` next to them."""
    around = sliding_window_view(np.pad(bend, skip + reach), reach)
    out: Floats = np.maximum(around[at].max(axis=1), around[at + reach + 2 * skip + 1].max(axis=1))
    return out


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


def cancellation(audio: Floats, sample_rate: int) -> float:
    """Return how much of the sound is lost on one loudspeaker, in [0, 1]: 1 when the channels cancel each other.

    The bass is asked, where there is any: however wide the music, its bass is alike on both sides.
    """
    if audio.shape[1] < 2:
        return 0.0
    step = max(1, sample_rate // 600)
    cells = audio[: len(audio) // step * step].reshape(-1, step, audio.shape[1])
    low = (np.full((1, step), 1.0 / step, np.float32) @ cells)[:, 0]
    low = low - low.mean(axis=0) if len(low) else low
    enough = len(low) > 8 and _power(low) > 0.01 * _power(audio)
    return _lost(low if enough else audio)


def _power(audio: Floats) -> float:
    return float(np.mean(np.square(audio, dtype=np.float64)))


def _lost(audio: Floats) -> float:
    return max(0.0, 1.0 - _power(mixed(audio)) / (_power(audio) + 1e-20))


def quiet(mono: Floats, sample_rate: int) -> float:
    """Return how far the loudest 0.4 s lie below full scale, as RMS in dB."""
    loudest = float(blocks(mono, max(1, round(0.4 * sample_rate))).max())
    return float(-20 * np.log10(loudest + 1e-9))


def cut(audio: Floats, sample_rate: int) -> float:
    """Return the level in dB, relative to the clip, of its first or last half millisecond, whichever is louder.

    Sound that begins or dies away is far below the rest there, and so is one that was faded over 3 ms or more.
    """
    size = max(2, round(0.0005 * sample_rate))
    if len(audio) < 100 * size:
        return -99.0
    edge = max(_power(audio[:size]), _power(audio[-size:]))
    return float(10 * np.log10(edge / (_power(audio) + 1e-20) + 1e-10))
