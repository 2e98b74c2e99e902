"""Levels as a broadcaster measures them: loudness, true peak, clipped runs, silence, and the floor of noise."""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bench.listening import TINY, Floats, spectrogram, to_mono

OVERSAMPLING = 8
RUN = 4
"""Equal samples in a row, near the top, that make a clipped run."""
NEAR = 0.7
"""Share of the highest sample beside which the wave may be higher still."""
STEADY = 0.8
"""dB by which quiet moments of hiss may differ."""
NO_FLOOR = -99.0
"""Floor in dB of a clip in which nothing is steady noise."""
SILENT = -60.0
"""dBFS below which a block of 50 ms is silent."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Levels:
    """Levels of a clip.

    Attributes:
        loudness: Integrated, in LUFS (BS.1770).
        true_peak: Of the wave between the samples, in dBTP.
        clipped: Number of clipped runs.
        silence: Longest silence in seconds.
        floor: Steady noise above 4 kHz in the quietest moments against the clip's mean power, in dB.
    """

    loudness: float
    true_peak: float
    clipped: int
    silence: float
    floor: float


def levels(samples: NDArray[np.floating], sample_rate: int) -> Levels:
    """Measure a clip (frames,) or (frames, channels) of at least 0.4 s, full scale 1."""
    audio = np.asarray(samples, dtype=np.float32)
    audio = audio[:, None] if audio.ndim == 1 else audio
    return Levels(
        loudness=_loudness(audio, sample_rate),
        true_peak=_true_peak(audio),
        clipped=sum(_clipped(channel) for channel in audio.T),
        silence=_silence(audio, sample_rate),
        floor=noise_floor(to_mono(audio), sample_rate),
    )


def _loudness(audio: Floats, sample_rate: int) -> float:
    import pyloudnorm  # noqa: PLC0415  # slow to import

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of a clip that is silent
        return float(pyloudnorm.Meter(sample_rate).integrated_loudness(audio.astype(np.float64)))


def _true_peak(audio: Floats) -> float:
    """Oversample eight times around the highest samples; between low ones there is no peak."""
    from scipy.signal import resample_poly  # noqa: PLC0415

    top = float(np.abs(audio).max())
    best = top
    for channel in audio.T:
        near = np.flatnonzero(np.abs(channel) > NEAR * top)
        if not len(near):
            continue
        edges = np.flatnonzero(np.diff(near) > 64)
        starts = np.concatenate([[near[0]], near[edges + 1]])
        stops = np.concatenate([near[edges], [near[-1]]])
        for start, stop in zip(starts, stops, strict=True):
            piece = channel[max(0, start - 48) : stop + 49].astype(np.float64)
            best = max(
                best, float(np.abs(resample_poly(piece, OVERSAMPLING, 1, padtype="edge")).max())
            )
    return float(20 * np.log10(best + TINY))


def _clipped(channel: Floats) -> int:
    """Count runs of equal samples above half of the peak."""
    level = np.abs(channel)
    flat = (np.abs(np.diff(channel)) < 1e-6) & (level[1:] > 0.5 * max(float(level.max()), 1e-4))
    inside = np.convolve(flat.astype(np.int8), np.ones(RUN - 1, dtype=np.int8), "valid") == RUN - 1
    return int((np.diff(inside.astype(np.int8), prepend=0) == 1).sum())


def _silence(audio: Floats, sample_rate: int) -> float:
    size = max(1, sample_rate // 20)
    whole = audio[: max(1, len(audio) // size) * size].reshape(
        -1, min(size, len(audio)), audio.shape[1]
    )
    quiet = 10 * np.log10((whole.astype(np.float64) ** 2).mean(axis=(1, 2)) + TINY) < SILENT
    longest = run = 0
    for one in quiet:
        run = run + 1 if one else 0
        longest = max(longest, run)
    return longest * size / sample_rate


def noise_floor(mono: Floats, sample_rate: int) -> float:
    """Return the level of what fills every bin in the quietest moments and does not move.

    Hiss lies between all tones and stays when they end: the quietest fiftieth of the moments is then hardly quieter
    than the quietest tenth. Where those differ by more than ``STEADY`` it is music that is heard there (cymbals that
    die away, saws, reverb), and any hiss lies below it. The first and last moments, which may be faded, are left out.
    """
    inner = mono[int(0.02 * len(mono)) : int(0.86 * len(mono))]
    power = spectrogram(inner, 2048, 1024) ** 2
    pitch = np.fft.rfftfreq(2048, 1 / sample_rate)
    high = power[:, (pitch > 4000) & (pitch < min(16_000, 0.45 * sample_rate))]
    between = np.convolve(np.percentile(high, 25, axis=1), np.ones(4) / 4, "valid") + TINY**2
    quiet, later = np.percentile(between, [2, 10])
    if 10 * np.log10(later / quiet) > STEADY:
        return NO_FLOOR
    # The lower quartile of the power of noise is 0.288 of its mean.
    steady = float(quiet) / 0.288 * high.shape[1] / (float(power.sum(axis=1).mean()) + TINY)
    return max(NO_FLOOR, float(10 * np.log10(steady + TINY)))
