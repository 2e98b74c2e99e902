"""Tempo by ear: which beat would a foot tap to?

Onsets are heard in six bands. How well the whole repeats after one, two, three and four beats (a comb over the
autocorrelation) finds the pulse and its multiples. Which of them is the beat is decided as the literature on tempo
octaves does it: bars of three or four beats repeat, the middle register (snares, stabs) alternates from beat to beat,
the high one (hats, shakers) ticks on beats and their divisions, people tap near a resonance (van Noorden and Moelants
1999), and a beat holds neither many attacks nor hardly any, so that busy music is faster. Nothing is known of genres.
The weights were fitted on plain beats and on clips of an earlier version of the composer; families that were left out
were told nearly as well as those that were not.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bench.listening import HOP, RATE, Doubles, heard_at, onset_curves, peaks_of

SLOWEST, FASTEST = 40.0, 220.0
STEPS = 120
"""Tempi tried in each octave: 0.6 % apart."""
WEIGHTS = np.array([2.0, 1.0, 1.0, 1.0, 0.5, 0.5])
"""Of the bands, lowest first: beats are in the low ones, their divisions in the high ones."""
TEETH = (1, 2, 3, 4)
BAR, HALF, BACKBEAT, RESONANCE, BUSY = 0.6, -0.2, 0.23, 0.144, 0.097
RARE = 0.15
"""By how much bars of three beats must repeat better than bars of four."""
TICKS = ((1.0, 0.2), (0.5, 0.27), (0.25, 0.125))
"""Beats after which the high register should repeat, and what that is worth."""
PREFERRED, ATTACKS = 93.0, 1.25
"""Beats per minute, and attacks in a beat, that are most readily taken; each alone is low, together they meet."""
STILL = 0.2
"""dB: movement of a band that is no rhythm."""
SURE = 0.7
"""Share of a clip beyond which a lag rests on too few pairs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Beat:
    """A tempo that was heard.

    Attributes:
        tempo: Beats per minute in [40, 220].
        strength: How well the clip repeats after one to four beats, at most 1; near 0 where next to nothing moves.
    """

    tempo: float
    strength: float


def hear_tempo(samples: NDArray[np.floating], sample_rate: int) -> Beat:
    """Return the tempo of a clip (frames,) or (frames, channels) of 3 s or more."""
    curves = onset_curves(heard_at(samples, sample_rate))
    bands = curves / (curves.std(axis=0) + STILL)
    bands = np.apply_along_axis(lambda one: np.convolve(one, [0.25, 0.5, 0.25], "same"), 0, bands)
    whole = _repetition(bands @ WEIGHTS)
    middle = _repetition(bands[:, 2:5].sum(axis=1))
    high = _repetition(bands[:, 4:].sum(axis=1))
    busy = len(peaks_of(curves.mean(axis=1), RATE / HOP)) * RATE / HOP / len(curves)
    octaves = np.log2(FASTEST / SLOWEST)
    tempi = SLOWEST * 2 ** np.linspace(0, octaves, round(octaves * STEPS) + 1)
    beat = 60 * RATE / HOP / tempi
    comb = _comb(whole, beat)
    score = (
        comb
        + BAR * np.maximum(_at(whole, 4 * beat), _at(whole, 3 * beat) - RARE)
        + HALF * _at(whole, beat / 2)
        + BACKBEAT * (_at(middle, 2 * beat) - _at(middle, beat))
        + sum(worth * _at(high, part * beat) for part, worth in TICKS)
        - RESONANCE * np.log2(tempi / PREFERRED) ** 2
        - BUSY * np.log2(max(busy, 0.5) * 60 / tempi / ATTACKS) ** 2
    )
    best = int(np.argmax(score))
    moves = min(1.0, float(np.percentile(curves.mean(axis=1), 98)))
    return Beat(tempo=_refined(whole, float(tempi[best])), strength=moves * float(comb[best]))


def _repetition(curve: Doubles) -> Doubles:
    """Return the autocorrelation by lag, 1 at lag 0, made up for the shorter overlap of long lags."""
    flux = curve - curve.mean()
    size = len(flux)
    found = np.fft.irfft(np.abs(np.fft.rfft(flux, 2 * size)) ** 2)[:size]
    overlap = np.maximum(size - np.arange(size), 0.3 * size) / size
    out: Doubles = found / (found[0] + 1e-9) / overlap
    return out


def _at(repetition: Doubles, lag: Doubles) -> Doubles:
    """Return the highest value within one frame of each lag."""
    places = np.arange(len(repetition))
    near = [np.interp(lag + off, places, repetition) for off in (-1.0, -0.5, 0.0, 0.5, 1.0)]
    out: Doubles = np.max(near, axis=0)
    return out


def _comb(repetition: Doubles, beat: Doubles) -> Doubles:
    """Return the mean over one to four beats, as far as the clip is long enough."""
    values = np.stack([_at(repetition, tooth * beat) for tooth in TEETH])
    counts = np.stack([tooth * beat <= SURE * len(repetition) for tooth in TEETH])
    mean: Doubles = (values * counts).sum(axis=0) / np.maximum(1, counts.sum(axis=0))
    return np.where(counts.any(axis=0), mean, -1.0)


def _refined(repetition: Doubles, tempo: float) -> float:
    """Measure the tempo again at the farthest peak of the comb, where a frame weighs least."""
    frames = 60 * RATE / HOP / tempo
    tooth = max(1, min(8, int(SURE * len(repetition) / frames)))
    centre = tooth * frames
    low, high = int(centre * 0.985) - 1, int(np.ceil(centre * 1.015)) + 2
    if low < 1 or high >= len(repetition):
        return tempo
    peak = low + int(np.argmax(repetition[low:high]))
    before, here, after = repetition[peak - 1 : peak + 2]
    bend = before - 2 * here + after
    exact = peak + (0.5 * (before - after) / bend if bend < 0 else 0.0)
    found = 60 * RATE / HOP / (exact / tooth)
    return float(found if abs(found / tempo - 1) < 0.02 else tempo)
