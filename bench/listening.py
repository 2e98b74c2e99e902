"""An independent ear: what a finished clip is, measured on its samples alone.

It shares no code with ``generation`` or ``scoring``, so that a fault there cannot hide itself here. Tempo is in
``bench.listening_tempo``, key in ``bench.listening_key``, levels in ``bench.listening_level``; this module holds the
spectrogram that they share and plain correlates of how music feels.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

Doubles = NDArray[np.float64]
Floats = NDArray[np.float32]

RATE = 22_050
"""Frames a second at which rhythm and harmony are heard."""
WINDOW, HOP = 1024, 256
TINY = 1e-12
BANDS = (30.0, 150.0, 400.0, 1000.0, 2500.0, 6000.0, 11_000.0)
"""Edges in Hz of the bands in which onsets are heard."""
GAP = 0.05
"""Seconds within which two attacks are one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Feel:
    """Plain correlates of how a clip feels.

    Attributes:
        onsets: Attacks a second.
        strength: Mean height of the attacks in dB.
        centroid: Centre of the magnitude spectrum in octaves above 100 Hz.
        bass: Level below 150 Hz against the whole, in dB.
        dynamics: 90th to 10th percentile of the level over half seconds, in dB.
        crest: Peak against RMS, in dB.
        pulse: Share of the onset curve that repeats at the best lag, in [0, 1].
        tonal: Share of the power in narrow spectral peaks, in [0, 1].
        air: Level above 6 kHz against the whole, in dB.
    """

    onsets: float
    strength: float
    centroid: float
    bass: float
    dynamics: float
    crest: float
    pulse: float
    tonal: float
    air: float


def to_mono(samples: NDArray[np.floating]) -> Floats:
    """Return the middle of the channels of a clip (frames,) or (frames, channels)."""
    return np.asarray(samples.mean(axis=1) if samples.ndim == 2 else samples, dtype=np.float32)


def heard_at(samples: NDArray[np.floating], sample_rate: int, rate: int = RATE) -> Floats:
    """Return the clip in mono at another rate, low-passed as it must be."""
    from scipy.signal import resample_poly  # noqa: PLC0415

    mono = to_mono(samples)
    if sample_rate == rate:
        return mono
    common = math.gcd(sample_rate, rate)
    return np.asarray(resample_poly(mono, rate // common, sample_rate // common), dtype=np.float32)


def spectrogram(mono: Floats, window: int = WINDOW, hop: int = HOP) -> Doubles:
    """Return magnitudes (frames, window // 2 + 1); a full-scale sine is about 1. Short sounds are padded."""
    if len(mono) < window:
        mono = np.pad(mono, (0, window - len(mono)))
    shape = np.hanning(window).astype(np.float32)
    frames = np.lib.stride_tricks.sliding_window_view(mono, window)[::hop] * shape
    return np.asarray(np.abs(np.fft.rfft(frames, axis=1)) * (2 / shape.sum()), dtype=np.float64)


def onset_curves(mono: Floats, rate: int = RATE) -> Doubles:
    """Return how much each of the bands of ``BANDS`` rises from frame to frame, in dB, shape (frames, bands).

    Levels are compressed with a floor 50 dB below the band's loudest moment and 60 dB below the clip's, so that
    neither noise between notes nor the splatter of a released tone is an onset.
    """
    magnitude = spectrogram(mono)
    pitch = np.fft.rfftfreq(WINDOW, 1 / rate)
    loudest = float((magnitude**2).sum(axis=1).max())
    out = []
    for low, high in pairwise(BANDS):
        inside = (pitch >= low) & (pitch < high)
        part = magnitude[:, inside] ** 2
        floor = max(1e-5 * float(part.sum(axis=1).max()), 1e-6 * loudest, 1e-14) / inside.sum()
        level = 10 * np.log10(part + floor)
        rise = np.maximum(0.0, level[2:] - level[:-2]).mean(axis=1)
        out.append(np.concatenate([[0.0, 0.0], rise]))
    return np.stack(out, axis=1)


def peaks_of(curve: Doubles, frame_rate: float) -> NDArray[np.int64]:
    """Return the frames at which a curve of onsets has an attack: a clear local maximum above its surroundings."""
    reach = max(1, round(GAP * frame_rate))
    wide = np.lib.stride_tricks.sliding_window_view(
        np.pad(curve, reach, mode="edge"), 2 * reach + 1
    )
    slow = max(3, round(0.5 * frame_rate))
    around = np.convolve(np.pad(curve, slow, mode="reflect"), np.ones(2 * slow + 1), "valid")
    around /= 2 * slow + 1
    found = (curve >= wide.max(axis=1)) & (curve > 1.5 * around) & (curve > 0.12 * curve.max())
    places = np.flatnonzero(found)
    return places[np.diff(places, prepend=-reach - 1) > reach] if len(places) else places


def feel(samples: NDArray[np.floating], sample_rate: int) -> Feel:
    """Measure the plain correlates of a clip of at least half a second."""
    mono = heard_at(samples, sample_rate)
    curves = onset_curves(mono)
    whole = curves.mean(axis=1)
    frame_rate = RATE / HOP
    attacks = peaks_of(whole, frame_rate)
    magnitude = spectrogram(mono)
    pitch = np.fft.rfftfreq(WINDOW, 1 / RATE)
    power = (magnitude**2).sum(axis=0) + TINY
    half = max(1, round(0.5 * frame_rate))
    level = 10 * np.log10((magnitude**2).sum(axis=1) + TINY)
    blocks = level[: max(1, len(level) // half) * half]
    blocks = 10 * np.log10((10 ** (blocks / 10)).reshape(-1, min(half, len(blocks))).mean(axis=1))
    mean = magnitude.mean(axis=0) + TINY
    flux = whole - whole.mean()
    correlation = np.fft.irfft(np.abs(np.fft.rfft(flux, 2 * len(flux))) ** 2)[: len(flux)]
    lags = correlation[round(0.25 * frame_rate) : round(2.0 * frame_rate)] / (correlation[0] + TINY)
    rms = float(np.sqrt(np.mean(mono.astype(np.float64) ** 2))) + TINY
    return Feel(
        onsets=len(attacks) * RATE / max(1, len(mono)),
        strength=float(whole[attacks].mean()) if len(attacks) else 0.0,
        centroid=float(np.log2((mean * pitch).sum() / mean.sum() / 100 + TINY)),
        bass=_level(power, pitch < 150),
        dynamics=float(np.percentile(blocks, 90) - np.percentile(blocks, 10)),
        crest=float(20 * np.log10(float(np.abs(mono).max()) / rms + TINY)),
        pulse=float(np.clip(lags.max(initial=0.0), 0, 1)),
        tonal=_tonal(mono),
        air=_level(power, pitch >= 6000),
    )


def _level(power: Doubles, band: NDArray[np.bool_]) -> float:
    return float(10 * np.log10(power[band].sum() / power.sum() + TINY))


def _tonal(mono: Floats) -> float:
    """Share of the power that stands in peaks of a fine spectrum, both neighbours at 27 Hz being lower by 12 dB."""
    fine = spectrogram(mono, 4096, 2048)[:, 20:1500] ** 2
    beside = np.maximum(np.roll(fine, 5, axis=1), np.roll(fine, -5, axis=1))
    return float(fine[fine > 16 * beside].sum() / (fine.sum() + TINY))
