"""Measures of sound in which nothing happens: a frame that came to stand still, a tone, noise of any colour."""

from __future__ import annotations

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray
from scipy import fft

from scoring.spectra import Floats, Spectrogram, mel_filters

Doubles = NDArray[np.float64]

THIN_RATE = 4000
"""Hz to which a clip is thinned before its repetitions are looked for."""
STRETCH = 0.25
"""Seconds that must come again, and within which they must."""
SHORTEST_LAG = 0.008
ALIKE, SAME = 0.5, 3e-4
"""Power that is left of one stretch less the other, relative to both: where to look closely, and what is the same."""

BANDS, TOGETHER = 32, 8
"""Mel bands, and frames of a spectrogram that are averaged: noise comes to rest, and music does not."""
ALIVE = 99.0
"""Movement of a clip that is too short to tell."""


def frozen(mono: Floats, sample_rate: int) -> float:
    """Return the share of a clip that repeats itself to the sample, over and over, within a quarter of a second.

    A stuck frame and a steady tone do. A held chord does not, since its pitches share no such period, and neither does
    a loop, whose bars are longer.
    """
    step = max(1, round(sample_rate / THIN_RATE))
    thin = mono[: len(mono) // step * step].reshape(-1, step).mean(axis=1, dtype=np.float64)
    rate = sample_rate / step
    size, first = round(STRETCH * rate), max(2, round(SHORTEST_LAG * rate))
    if len(thin) < 3 * size:
        return 0.0
    searched = sliding_window_view(thin, 2 * size)[::size]
    stretches = searched[:, :size]
    length = fft.next_fast_len(3 * size, real=True)
    product = fft.irfft(fft.rfft(searched, length) * np.conj(fft.rfft(stretches, length)), length)
    power = np.cumsum(np.pad(np.square(searched), ((0, 0), (1, 0))), axis=1)
    lags = np.arange(first, size + 1)
    own = power[:, size : size + 1]
    later = power[:, size + lags] - power[:, lags]
    floor = 1e-4 * float(np.mean(np.square(thin))) * size + 1e-12
    left = (own + later - 2.0 * product[:, lags]) / (own + later + floor)
    close = np.flatnonzero((left.min(axis=1) < ALIKE) & (own[:, 0] > floor))
    same = [
        _left(mono, int(row) * size * step, size * step, int(lags[left[row].argmin()]), step) < SAME
        for row in close
    ]
    return sum(same) / len(stretches)


def _left(mono: Floats, start: int, size: int, lag: int, step: int) -> float:
    """Return what is left of a stretch less one about ``lag`` thinned samples later, at the best of the full lags."""
    stretch = mono[start : start + size]
    first = start + (lag - 1) * step
    later = sliding_window_view(mono[first : first + 2 * step + size], size)
    own, power = float(stretch @ stretch), np.einsum("ij,ij->i", later, later)
    return float(((own + power - 2.0 * (later @ stretch)) / (own + power + 1e-12)).min())


def movement(spectra: Spectrogram) -> float:
    """Return how far the colour of the sound moves over time, in dB: 0 for a tone, up to 0.7 for noise, 2 for music.

    The spread over time of the levels of mel bands, taken over a fifth of a second and less the whole level,
    so that noise is not brought to life by turning it up and down.
    """
    filters = mel_filters(
        len(spectra.frequencies), float(spectra.frequencies[-1]), BANDS, 60.0, 14000.0
    )
    bands = (spectra.magnitude**2 @ filters).astype(np.float64)
    count = len(bands) // TOGETHER
    bands = bands[: count * TOGETHER].reshape(count, TOGETHER, BANDS).mean(axis=1)
    total = bands.sum(axis=1)
    bands = bands[total > 1e-3 * total.max(initial=1e-20)]
    if len(bands) < 8:
        return ALIVE
    weight = np.sqrt(bands.mean(axis=0))
    weight /= weight.sum()
    level = 10 * np.log10(bands + 1e-7 * bands.max())
    colour = level - (level @ weight)[:, None]
    # Less the outermost frames: one moment that is cut in two brings no noise to life.
    return float(np.sort(colour, axis=0)[1:-1].std(axis=0) @ weight)
