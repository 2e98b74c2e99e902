"""Mastering: integrated loudness to a target and true peak under a ceiling, as ITU-R BS.1770-4 defines both."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
import numpy.typing as npt

from generation.audio import SAMPLE_RATE, Floats
from generation.sounding.blocks import SIZE, STRIDE, inside, spectra
from generation.sounding.spectrum import loudness_weight

TARGET = -16.0
"""Integrated loudness in LUFS."""
CEILING = -1.0
"""True peak in dBTP that is never passed."""

_HOP = 32
_REACH = 6
"""Hops by which the limiter looks ahead and holds: 4.4 ms."""
_MARGIN = 0.25
"""Decibels kept for what interpolation between hops and our short oversampling filter miss."""
_CLOSE = 0.02
"""LU within which the target counts as met."""
_ROUNDS = 24
_SATURATIONS = 3
"""Times that peaks are rounded when the limiter alone cannot make so little sound so loud."""
_FAINT = 1e-12

Doubles = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Mastered:
    """Shape (2, frames) at the target loudness, and the loudness measured in LUFS."""

    samples: Floats
    loudness: float


def master(samples: Floats, *, overwrite: bool = False) -> Mastered:
    """Bring a stereo mix to the target loudness under the ceiling.

    The gain of the look-ahead limiter and the loudness it leaves are solved for on short hops, before a single
    sample is touched. Silence stays silent. The ceiling is never passed, so what is nearly all silence, such as a
    single click, ends as loud as the ceiling lets it.

    Args:
        samples: Shape (2, frames), any level.
        overwrite: Whether ``samples`` may be used for the result, which saves a copy.
    """
    out = samples if overwrite else samples.copy()
    _remove_offset(out)
    power = _weighted_power(out)
    if float(power.max(initial=0.0)) < _FAINT:
        return Mastered(samples=np.zeros_like(samples), loudness=-70.0)
    for attempt in range(_SATURATIONS + 1):
        peaks = _hop_peaks(out)
        curve, error = _solve(power, peaks)
        if abs(error) < 0.1 or attempt == _SATURATIONS:
            break
        _round_off(out, float(peaks.max()), curve)
        power = _weighted_power(out)
    _apply(out, curve)
    # A gain that moves within a period leaves some of it as an offset.
    _remove_offset(out)
    excess = true_peak(out) / _ceiling(CEILING - 0.02)
    if excess > 1:
        out /= np.float32(excess)
    return Mastered(samples=out, loudness=integrated_loudness(out))


def _ceiling(decibels: float) -> float:
    return float(10 ** (decibels / 20))


def _solve(power: Doubles, peaks: Doubles) -> tuple[Doubles, float]:
    """Return the gain of each hop, and by how many LU the target is missed."""
    ceiling = _ceiling(CEILING - _MARGIN)
    gain = 10 ** ((TARGET - _integrated(power)) / 20)
    # Past that nothing gets louder: every hop is at the ceiling already.
    most = 100 * ceiling / float(peaks[peaks > 0].min(initial=peaks.max()))
    best: tuple[float, Doubles] | None = None
    for _ in range(_ROUNDS):
        curve = gain * _limiter(peaks * gain, ceiling)
        error = TARGET - _integrated(power * curve**2)
        if best is None or abs(error) < abs(best[0]):
            best = (error, curve)
        if abs(error) < _CLOSE or gain > most:
            break
        # A limiter gives back less than was asked of it, so more is asked.
        gain *= 10 ** (error * (1.0 if error < 1 else 1.5) / 20)
    error, curve = best or (0.0, np.ones_like(power))
    return curve, error


def _round_off(out: Floats, peak: float, curve: Doubles) -> None:
    """Round the peaks in place as far as the limiter would have pressed them: less crest, more loudness."""
    pressed = float(curve.max() / max(float(curve.min()), 1e-9))
    push = np.float32(min(12.0, max(2.0, pressed)) / peak)
    for start in range(0, out.shape[1], STRIDE):
        block = out[:, start : start + STRIDE]
        block *= push
        np.tanh(block, out=block)


def _remove_offset(out: Floats) -> None:
    """Take away what is constant, in place, where it is more than a trace."""
    for index, channel in enumerate(out):
        offset = float(channel.mean(dtype=np.float64))
        level = float(np.sqrt(np.dot(channel, channel) / max(1, channel.size)))
        if abs(offset) > 0.005 * level:
            out[index] -= np.float32(offset)


def integrated_loudness(samples: Floats) -> float:
    """Return the gated loudness in LUFS of shape (channels, frames) at 44.1 kHz, -70 for silence."""
    return _integrated(_weighted_power(samples))


def true_peak(samples: Floats) -> float:
    """Return the largest magnitude between and on samples, fourfold oversampled, linear."""
    return float(_hop_peaks(samples).max())


def _weighted_power(samples: Floats) -> Doubles:
    """Mean square of the K-weighted channels' sum for each hop."""
    frames = samples.shape[1]
    power = np.zeros(-(-frames // _HOP), dtype=np.float64)
    weight = loudness_weight(SIZE)
    for channel in samples:
        for place, spectrum in spectra(channel):
            wave = inside(spectrum * weight, place)
            if wave.size % _HOP:
                wave = np.pad(wave, (0, -wave.size % _HOP))
            rows = wave.reshape(-1, _HOP)
            first = place.start // _HOP
            power[first : first + len(rows)] += np.einsum("ij,ij->i", rows, rows)
    power /= _HOP
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
    peaks = np.zeros(-(-frames // _HOP), dtype=np.float64)
    for channel in samples:
        for start in range(0, frames, STRIDE):
            stop = min(frames, start + STRIDE)
            first, last = max(0, start - 8), min(frames, stop + 8)
            level = _between(channel[first:last])[start - first : stop - first]
            level = np.pad(level, (0, -level.size % _HOP)).reshape(-1, _HOP).max(axis=1)
            place = slice(start // _HOP, start // _HOP + level.size)
            np.maximum(peaks[place], level, out=peaks[place])
    return peaks


def _between(channel: Floats) -> Floats:
    """Largest magnitude at and after each sample, up to the next."""
    level = np.abs(channel)
    if channel.size > 16:
        for taps in _phases():
            np.maximum(level, np.abs(np.convolve(channel, taps, mode="same")), out=level)
    return level


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


def _apply(out: Floats, curve: Doubles) -> None:
    """Multiply in place by gains that belong to the middle of hops, interpolated."""
    edges = np.concatenate([curve[:1], (curve[:-1] + curve[1:]) / 2, curve[-1:]]).astype(np.float32)
    step = (np.arange(_HOP, dtype=np.float32) / _HOP)[None, :]
    for start in range(0, out.shape[1], STRIDE):
        stop = min(out.shape[1], start + STRIDE)
        ends = edges[start // _HOP : -(-stop // _HOP) + 1]
        gain = ends[:-1, None] + (ends[1:] - ends[:-1])[:, None] * step
        out[:, start:stop] *= gain.reshape(-1)[: stop - start]
