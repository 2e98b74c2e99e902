"""Short-time spectra and band energies, in numpy alone.

Windows and hops are given in seconds and bands in Hz, so that every sample rate yields the same picture without
resampling. Frame rates differ between sample rates by less than one part in a thousand.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

Floats = NDArray[np.float32]
FLOOR = 1e-7


@dataclass(frozen=True, slots=True, kw_only=True)
class Spectrogram:
    """Magnitudes over time.

    Attributes:
        magnitude: float32 (frames, bins).
        frequencies: Hz of each bin.
        frame_rate: Frames in a second.
    """

    magnitude: Floats
    frequencies: NDArray[np.float64]
    frame_rate: float


@lru_cache(maxsize=16)
def _window(size: int) -> Floats:
    window = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(size) / size)
    out: Floats = (window / window.sum() * 2.0).astype(np.float32)
    out.setflags(write=False)
    return out


def spectrogram(mono: Floats, sample_rate: int, *, window: float, hop: float) -> Spectrogram:
    """Return Hann-windowed magnitudes; a sine of amplitude a peaks at a.

    Args:
        mono: (frames,). Shorter than a window is padded with silence.
        sample_rate: In Hz.
        window: In seconds.
        hop: In seconds.
    """
    size = max(16, 2 * round(window * sample_rate / 2))
    step = max(1, round(hop * sample_rate))
    if len(mono) < size:
        mono = np.pad(mono, (0, size - len(mono)))
    frames = sliding_window_view(mono, size)[::step]
    magnitude = np.abs(np.fft.rfft(frames * _window(size), axis=1)).astype(np.float32)
    return Spectrogram(
        magnitude=magnitude,
        frequencies=np.fft.rfftfreq(size, 1 / sample_rate).astype(np.float64),
        frame_rate=sample_rate / step,
    )


def mel(hertz: NDArray[np.float64] | float) -> NDArray[np.float64]:
    """Return the mel scale (HTK's formula) of frequencies in Hz."""
    return np.asarray(2595.0 * np.log10(1.0 + np.asarray(hertz) / 700.0))


def hertz(mels: NDArray[np.float64] | float) -> NDArray[np.float64]:
    """Return the frequencies in Hz of points on the mel scale."""
    return np.asarray(700.0 * (10.0 ** (np.asarray(mels) / 2595.0) - 1.0))


@lru_cache(maxsize=16)
def mel_filters(bins: int, top: float, bands: int, low: float, high: float) -> Floats:
    """Return triangular filters (bins, bands) that cover ``low`` to ``high`` Hz; bands above ``top`` stay empty.

    A band narrower than a bin takes the bin nearest to its centre, so that low bands are never silent by accident.
    """
    frequencies = np.linspace(0.0, top, bins)
    edges = hertz(np.linspace(mel(low), mel(high), bands + 2))
    rising = (frequencies[:, None] - edges[:-2]) / (edges[1:-1] - edges[:-2])
    falling = (edges[2:] - frequencies[:, None]) / (edges[2:] - edges[1:-1])
    filters = np.maximum(0.0, np.minimum(rising, falling))
    for band in np.flatnonzero(filters.sum(axis=0) == 0):
        if edges[band + 1] <= top:
            filters[np.abs(frequencies - edges[band + 1]).argmin(), band] = 1.0
    out: Floats = filters.astype(np.float32)
    out.setflags(write=False)
    return out


@lru_cache(maxsize=16)
def cosines(size: int, count: int) -> Floats:
    """Return the first ``count`` columns of the orthonormal DCT-II of length ``size`` as (size, count)."""
    grid = np.pi / size * (np.arange(size)[:, None] + 0.5) * np.arange(count)[None, :]
    out: Floats = (np.cos(grid) * np.sqrt(2.0 / size)).astype(np.float32)
    out[:, 0] /= np.float32(np.sqrt(2.0))
    out.setflags(write=False)
    return out


def running_median(values: Floats, width: int, axis: int) -> Floats:
    """Return the median over an odd ``width`` along ``axis``, edges padded with their own value."""
    half = width // 2
    padding = [(0, 0)] * values.ndim
    padding[axis] = (half, half)
    stacked = sliding_window_view(np.pad(values, padding, mode="edge"), width, axis=axis)
    out: Floats = np.partition(stacked.copy(), half, axis=-1)[..., half]
    return out
