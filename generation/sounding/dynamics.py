"""Gain that follows the sound: compression, transients and ducking, one value per hop, without a loop over samples.

Release is a line in decibels, so the running maximum of "level plus a rising line" is the whole detector; attack is
a short average of the gain. Both are vectorised and exact.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from generation.audio import SAMPLE_RATE
from generation.generator import Note
from generation.sounding.blocks import HOP

Doubles = npt.NDArray[np.float64]
_FLOOR = 1e-10


def decibels(power: npt.ArrayLike) -> Doubles:
    """Return a power in decibels, at least -100."""
    level: Doubles = 10 * np.log10(np.asarray(power, dtype=np.float64) + _FLOOR)
    return level


def follow(level: Doubles, release: float) -> Doubles:
    """Return a level that rises at once and falls by ``release`` dB a second at most."""
    line = np.arange(level.size) * (release * HOP / SAMPLE_RATE)
    out: Doubles = np.maximum.accumulate(level + line) - line
    return out


def smooth(values: Doubles, seconds: float) -> Doubles:
    """Average each value with those of the last ``seconds``."""
    width = max(1, round(seconds * SAMPLE_RATE / HOP))
    total = np.cumsum(np.concatenate([np.full(width, values[:1]), values]))
    out: Doubles = (total[width:] - total[:-width]) / width
    return out


def compress(power: npt.ArrayLike, amount: float, *, attack: float, release: float) -> Doubles:
    """Return the gain of a feed-forward compressor for each hop.

    Args:
        power: Mean square of each hop.
        amount: In [0, 1]: 0 leaves everything, 1 takes 4:1 from well under the average.
        attack: Seconds until a rise is answered.
        release: Decibels a second by which the detector falls.
    """
    level = decibels(power)
    loud = level[level > level.max() - 40]
    threshold = float(decibels(np.mean(10 ** (loud / 10)))) - 1 - 5 * amount
    held = follow(level, release)
    over = np.maximum(0, held - threshold)
    # A soft knee of 6 dB.
    over = np.where(over < 6, over * over / 12, over - 3)
    gain: Doubles = 10 ** (smooth(-over * (0.75 * amount), attack) / 20)
    return gain


def punch(power: npt.ArrayLike, boost: float) -> Doubles:
    """Return gain that lifts the first milliseconds of each stroke by up to ``boost`` dB over what rings on."""
    level = np.maximum(decibels(power), float(np.max(decibels(power))) - 60)
    fast = follow(level, 250.0)
    rise = np.clip(fast - smooth(fast, 0.03), 0, 12) / 12
    gain: Doubles = 10 ** (boost * smooth(rise, 0.0015) / 20)
    return gain


def make_up(power: npt.ArrayLike, gain: Doubles) -> float:
    """Return the factor that gives back the energy that a gain took."""
    before = np.asarray(power, dtype=np.float64)
    after = float(np.sum(before * gain * gain))
    return float(np.sqrt(before.sum() / after)) if after > 0 else 1.0


def ducking(kicks: Sequence[Note], depth: float, beat: float, count: int) -> Doubles | None:
    """Return gain that dips at every bass drum and recovers within a beat.

    Args:
        kicks: Strokes of the bass drum.
        depth: How far it dips, 0 to 1.
        beat: Seconds.
        count: Hops wanted.
    """
    if depth < 0.05 or not kicks:
        return None
    length = max(4, int(0.85 * min(0.6, beat) * SAMPLE_RATE / HOP))
    shape = np.linspace(0, 1, length) ** 1.6
    # Two hops of way down, so that the dip itself is no click.
    dip = np.concatenate([[0.6, 0.25], shape])
    gain = np.ones(count)
    for kick in kicks:
        start = max(0, int(kick.start * SAMPLE_RATE / HOP) - 1)
        stop = min(count, start + dip.size)
        if start < count:
            gain[start:stop] = np.minimum(gain[start:stop], 1 - depth * (1 - dip[: stop - start]))
    return gain
