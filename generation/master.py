"""Mastering: integrated loudness to a target and true peak under a ceiling, as ITU-R BS.1770-4 defines both."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
import numpy.typing as npt

from generation.audio import SAMPLE_RATE, Floats, as_floats
from generation.spectrum import loudness_weight
from generation.zones import fast_length

TARGET = -16.0
"""Integrated loudness in LUFS."""
CEILING = -1.0
"""True peak in dBTP that is never passed."""

_HOP = 32
_REACH = 6
"""Hops by which the limiter looks ahead and holds: 4.4 ms."""
_MARGIN = 0.25
"""Decibels kept for what interpolation between hops and our short oversampling filter miss."""

Doubles = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Mastered:
    """Shape (2, frames) at the target loudness, and the loudness measured in LUFS."""

    samples: Floats
    loudness: float


def master(samples: Floats) -> Mastered:
    """Bring a stereo mix to the target loudness under the ceiling.

    The gain of the look-ahead limiter and the loudness it leaves are solved for on short hops, before a single
    sample is touched. Silence stays silent.

    Args:
        samples: Shape (2, frames), any level.
    """
    frames = samples.shape[1]
    power = _weighted_power(samples)
    if float(power.max(initial=0.0)) < 1e-12:
        return Mastered(samples=np.zeros_like(samples), loudness=-70.0)
    peaks = _hop_peaks(samples)
    ceiling = 10 ** ((CEILING - _MARGIN) / 20)
    gain = 10 ** ((TARGET - _integrated(power)) / 20)
    for _ in range(8):
        limit = _limiter(peaks * gain, ceiling)
        error = TARGET - _integrated(power * (gain * limit) ** 2)
        gain *= 10 ** (error / 20)
        if abs(error) < 0.02:
            break
    curve = gain * _limiter(peaks * gain, ceiling)
    out = samples * _to_frames(curve, frames)
    return Mastered(samples=out, loudness=integrated_loudness(out))


def integrated_loudness(samples: Floats) -> float:
    """Return the gated loudness in LUFS of shape (channels, frames) at 44.1 kHz, -70 for silence."""
    return _integrated(_weighted_power(samples))


def true_peak(samples: Floats) -> float:
    """Return the largest magnitude between and on samples, fourfold oversampled, linear."""
    return float(_hop_peaks(samples).max())


def _weighted_power(samples: Floats) -> Doubles:
    """Mean square of the K-weighted channels' sum for each hop."""
    frames = samples.shape[1]
    hops = -(-frames // _HOP)
    size = fast_length(hops * _HOP + 4096)
    weight = loudness_weight(size)
    total = np.zeros(hops * _HOP, dtype=np.float32)
    for channel in samples:
        wave = np.fft.irfft(np.fft.rfft(channel, size) * weight, size)[: total.size]
        total += wave * wave
    power: Doubles = total.reshape(hops, _HOP).mean(axis=1, dtype=np.float64)
    return power


def _integrated(power: Doubles) -> float:
    """BS.1770: blocks of 400 ms every 100 ms, those under -70 LUFS and 10 LU under the rest left out."""
    block, step = round(0.4 * SAMPLE_RATE / _HOP), round(0.1 * SAMPLE_RATE / _HOP)
    if power.size < block:
        return float(-0.691 + 10 * np.log10(power.mean() + 1e-12))
    total = np.concatenate([[0.0], np.cumsum(power)])
    starts = np.arange(0, power.size - block + 1, step)
    blocks = (total[starts + block] - total[starts]) / block
    loud = blocks[blocks > 10 ** ((-70 + 0.691) / 10)]
    if loud.size == 0:
        return -70.0
    loud = loud[loud > loud.mean() / 10]
    return float(-0.691 + 10 * np.log10(loud.mean()))


@cache
def _phases() -> tuple[Floats, ...]:
    """Windowed-sinc filters for the three points between two samples."""
    taps = np.arange(-8, 8)
    out = []
    for shift in (0.25, 0.5, 0.75):
        x = taps + shift
        wave = np.sinc(x) * np.cos(np.pi * x / 17) ** 2
        out.append((wave / wave.sum()).astype(np.float32))
    return tuple(out)


def _hop_peaks(samples: Floats) -> Doubles:
    """Largest fourfold oversampled magnitude of each hop."""
    frames = samples.shape[1]
    hops = -(-frames // _HOP)
    level = np.zeros(hops * _HOP, dtype=np.float32)
    for channel in samples:
        np.maximum(level[:frames], np.abs(channel), out=level[:frames])
        for taps in _phases():
            between = np.abs(np.convolve(channel, taps, mode="same"))
            np.maximum(level[:frames], between, out=level[:frames])
    peaks: Doubles = level.reshape(hops, _HOP).max(axis=1).astype(np.float64)
    return peaks


def _limiter(peaks: Doubles, ceiling: float) -> Doubles:
    """Gain for each hop that keeps every peak under the ceiling, ahead of it and after it, without corners."""
    needed = np.minimum(1.0, ceiling / np.maximum(peaks, 1e-9))
    if needed.min() >= 1.0:
        return needed
    held = _windowed(needed, _REACH + 1)
    padded = np.concatenate([np.repeat(held[:1], _REACH), held, np.repeat(held[-1:], _REACH)])
    total = np.concatenate([[0.0], np.cumsum(padded)])
    width = 2 * _REACH + 1
    smooth: Doubles = (total[width:] - total[:-width]) / width
    return smooth


def _windowed(values: Doubles, reach: int) -> Doubles:
    """Minimum over ``reach`` neighbours on both sides."""
    padded = np.concatenate([np.ones(reach), values, np.ones(reach)])
    windows = np.lib.stride_tricks.sliding_window_view(padded, 2 * reach + 1)
    lowest: Doubles = windows.min(axis=1)
    return lowest


def _to_frames(curve: Doubles, frames: int) -> Floats:
    """Interpolate gains that belong to the middle of hops to frames."""
    edges = np.concatenate([curve[:1], (curve[:-1] + curve[1:]) / 2, curve[-1:]]).astype(np.float32)
    step = (np.arange(_HOP, dtype=np.float32) / _HOP)[None, :]
    full = edges[:-1, None] + (edges[1:] - edges[:-1])[:, None] * step
    return as_floats(full.reshape(-1)[:frames])
