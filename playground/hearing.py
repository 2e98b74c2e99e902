"""What a synthetic listener hears: a few properties of sound, measured by the playground's own means.

On purpose this shares nothing with ``scoring``: a listener whose taste were defined over the learner's own features
would prove nothing.
"""

from __future__ import annotations

from dataclasses import astuple, dataclass, fields

import numpy as np
from numpy.typing import NDArray

WINDOW = 1024
HOP = 256
SHORTEST = 8 * WINDOW
"""Samples to which scraps are filled up with silence."""
RATE = 22050
"""Sample rate in Hz at which listeners hear."""
SLOWEST, FASTEST = 55.0, 210.0
"""Range of tempi in beats per minute that are heard as a beat."""
EPSILON = 1e-10


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """Properties of a clip.

    Attributes:
        tempo: Octave-tolerant tempo as log2 of beats per minute.
        pulse: Strength of the beat, from 0 (none) to 1 (a metronome).
        busyness: Attacks per second.
        brightness: Centre of the spectrum as log2 of Hz.
        bass: Level below 160 Hz against the whole, in dB.
        punch: Range between loud and quiet moments of 50 ms, in dB.
        noisiness: How much the spectrum is noise rather than tones, in dB (0 is white noise).
        body: Level from 250 to 1000 Hz against the whole, in dB.
        air: Level above 5 kHz against the whole, in dB.
        sustain: How much of the sound goes on from one moment to the next, from 0 (clicks) to 1 (one held chord).
        seconds: Length.
    """

    tempo: float
    pulse: float
    busyness: float
    brightness: float
    bass: float
    punch: float
    noisiness: float
    body: float
    air: float
    sustain: float
    seconds: float

    def vector(self) -> NDArray[np.float64]:
        """Return the properties (p,) in the order of ``PROPERTIES``."""
        return np.array(astuple(self)[: len(PROPERTIES)], dtype=np.float64)


PROPERTIES = tuple(field.name for field in fields(Heard) if field.name != "seconds")
"""What a taste may be about; the length is not."""


def hear(samples: NDArray[np.float32], sample_rate: int) -> Heard:
    """Measure a clip.

    Args:
        samples: Shape (frames,) or (frames, channels).
        sample_rate: In Hz, at least 8,000.
    """
    mono = samples.mean(axis=1) if samples.ndim == 2 else samples
    step = max(1, round(sample_rate / RATE))
    usable = len(mono) // step * step
    sound = mono[:usable].reshape(-1, step).mean(axis=1)
    rate = sample_rate / step
    if len(sound) < SHORTEST:
        sound = np.pad(sound, (0, SHORTEST - len(sound)))
    frames = np.lib.stride_tricks.sliding_window_view(sound, WINDOW)[::HOP] * np.hanning(WINDOW)
    power = np.abs(np.fft.rfft(frames, axis=1)) ** 2 + EPSILON
    pitch = np.fft.rfftfreq(WINDOW, 1 / rate)
    mean = power.mean(axis=0)
    onsets = _onsets(power)
    tempo, pulse = _beat(onsets, rate / HOP)
    levels = 10 * np.log10(power.sum(axis=1))
    middle = (pitch > 100) & (pitch < 10000)
    flatness = np.log(power[:, middle]).mean(axis=1) - np.log(power[:, middle].mean(axis=1))
    loud = levels > levels.max() - 40
    return Heard(
        tempo=float(np.log2(tempo)),
        pulse=pulse,
        busyness=_attacks(onsets, rate / HOP),
        brightness=float(np.log2((mean * pitch).sum() / mean.sum() + 1.0)),
        bass=_share(mean, pitch < 160),
        punch=float(np.percentile(levels[loud], 95) - np.percentile(levels[loud], 15)),
        noisiness=float(10 / np.log(10) * np.median(flatness[loud])),
        body=_share(mean, (pitch >= 250) & (pitch < 1000)),
        air=_share(mean, pitch >= 5000),
        sustain=_sustain(power),
        seconds=len(mono) / sample_rate,
    )


def _share(mean: NDArray[np.float64], band: NDArray[np.bool_]) -> float:
    """Return the level of a band against the whole, in dB."""
    return float(10 * np.log10(mean[band].sum() / mean.sum() + EPSILON))


def _sustain(power: NDArray[np.float64]) -> float:
    """Return the mean likeness of the spectrum's shape to the one about 0.1 s before."""
    loudness = np.log1p(1000 * power / power.max())
    now, before = loudness[8:], loudness[:-8]
    shared = np.minimum(now, before).sum(axis=1)
    return float(np.mean(shared / (np.maximum(now, before).sum(axis=1) + EPSILON)))


def _onsets(power: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the rise of the compressed spectrum from frame to frame."""
    shape = np.log1p(1000 * power / power.max())
    rise: NDArray[np.float64] = np.maximum(0.0, np.diff(shape, axis=0)).mean(axis=1)
    return rise


def _beat(onsets: NDArray[np.float64], rate: float) -> tuple[float, float]:
    """Return tempo in beats per minute and strength in [0, 1], by autocorrelation of the onsets."""
    flux = onsets - onsets.mean()
    size = 2 * len(flux)
    correlation = np.fft.irfft(np.abs(np.fft.rfft(flux, size)) ** 2)[: len(flux)]
    if correlation[0] <= EPSILON:
        return 100.0, 0.0
    correlation = correlation / correlation[0]
    lags = np.arange(1, len(correlation))
    bpm = 60 * rate / lags
    allowed = (bpm >= SLOWEST) & (bpm <= FASTEST)
    if not allowed.any():
        return 100.0, 0.0
    prior = np.exp(-0.5 * (np.log2(bpm / 110) / 0.8) ** 2)
    best = int(np.argmax(np.where(allowed, correlation[1:] * prior, -1.0)))
    return float(bpm[best]), float(np.clip(correlation[1:][best], 0.0, 1.0))


def _attacks(onsets: NDArray[np.float64], rate: float) -> float:
    """Count clear peaks of the onsets per second."""
    threshold = np.median(onsets) + 0.5 * onsets.std()
    inner = onsets[1:-1]
    peaks = (inner > onsets[:-2]) & (inner >= onsets[2:]) & (inner > threshold)
    return float(peaks.sum() * rate / max(1, len(onsets)))
