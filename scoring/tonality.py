"""Tuned chroma, key, mode, harmonic movement and roughness from the peaks of long spectra.

Peaks are refined by parabolic interpolation and folded onto pitch classes with weights for the first harmonics of the
pitch they may belong to (the harmonic pitch class profile of Gómez 2006). Key profiles are those of Albrecht and
Shanahan (2013), measured on scores; the key of a clip is the one that its segments agree on.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from scoring.spectra import Spectrogram

Doubles = NDArray[np.float64]

MAJOR = np.array(
    [0.238, 0.006, 0.111, 0.006, 0.137, 0.094, 0.016, 0.214, 0.009, 0.080, 0.008, 0.081]
)
MINOR = np.array(
    [0.220, 0.006, 0.104, 0.123, 0.019, 0.103, 0.012, 0.214, 0.062, 0.022, 0.061, 0.052]
)
HARMONICS = ((1, 1.0), (3, 0.3), (5, 0.15))
"""Harmonic and weight; the 2nd and 4th fall on the pitch class of the 1st."""
LOWEST, HIGHEST = 55.0, 2200.0
PEAKS = 24


@dataclass(frozen=True, slots=True, kw_only=True)
class Tonality:
    """What was heard of the harmony.

    Attributes:
        major: Evidence for major over minor, about [-1, 1]; 0 where no key is heard.
        key_strength: How well the best key fits, in [0, 1].
        harmonic_change: Distance between the chroma of neighbouring half seconds, in [0, 1].
        roughness: Beating of neighbouring partials relative to their energy (Sethares 1993), about [0, 1].
        register: Middle of the pitched energy, octaves above 55 Hz.
        focus: How few pitch classes carry the energy, in [0, 1].
        profile: (12,) mean chroma from the tonic of the best key upwards; sums to 1.
    """

    major: float
    key_strength: float
    harmonic_change: float
    roughness: float
    register: float
    focus: float
    profile: Doubles


def peaks(spectra: Spectrogram) -> tuple[Doubles, Doubles]:
    """Return frequencies in Hz and amplitudes, each (frames, 24), of the strongest peaks; missing ones are 0."""
    frequencies = spectra.frequencies
    inside = np.flatnonzero((frequencies >= LOWEST) & (frequencies <= 2 * HIGHEST))
    if len(inside) < 4:
        return np.ones((len(spectra.magnitude), 1)), np.zeros((len(spectra.magnitude), 1))
    low, high = max(int(inside[0]), 1), int(inside[-1])
    part = spectra.magnitude[:, low - 1 : high + 2].astype(np.float64)
    middle, left, right = part[:, 1:-1], part[:, :-2], part[:, 2:]
    is_peak = (middle > left) & (middle >= right)
    heights = np.where(is_peak, middle, 0.0)
    count = min(PEAKS, heights.shape[1])
    index = np.argpartition(-heights, count - 1, axis=1)[:, :count]
    take = np.take_along_axis
    amplitude = take(heights, index, 1)
    a, b, c = (np.log(take(side, index, 1) + 1e-12) for side in (left, middle, right))
    bend = a - 2 * b + c
    shift = np.clip(
        np.where(np.abs(bend) > 1e-9, 0.5 * (a - c) / np.where(bend == 0, 1, bend), 0.0), -0.5, 0.5
    )
    step = float(frequencies[1] - frequencies[0])
    return (index + low + shift) * step, amplitude


def _tuning(pitch: Doubles, weight: Doubles) -> float:
    """Return the offset of the clip from concert pitch in semitones, in [-0.5, 0.5]."""
    angle = np.angle((weight * np.exp(2j * np.pi * pitch)).sum() + 1e-12)
    return float(angle / (2 * np.pi))


def chroma(frequency: Doubles, amplitude: Doubles) -> Doubles:
    """Return (frames, 12) pitch class energy, C first, tuned and with harmonics folded back.

    A peak speaks for its own pitch class and, less and less, for the pitches whose 2nd to 5th harmonic it may be.
    """
    weight = np.sqrt(amplitude)
    pitch = 69.0 + 12.0 * np.log2(np.maximum(frequency, 1.0) / 440.0)
    pitch = pitch - _tuning(pitch, amplitude)
    out = np.zeros((len(pitch), 12))
    frames = np.repeat(np.arange(len(pitch)), pitch.shape[1])
    for harmonic, share in HARMONICS:
        below = pitch - 12.0 * np.log2(harmonic)
        nearest = np.round(below)
        near = np.cos(np.pi * (below - nearest)) ** 2
        index = (nearest.astype(int) % 12).ravel()
        np.add.at(out, (frames, index), (share * weight * near).ravel())
    return out


def _correlations(profile: Doubles) -> tuple[Doubles, Doubles]:
    """Return the correlation of (n, 12) chroma with the 12 major and the 12 minor keys, each (n, 12)."""
    centred = profile - profile.mean(axis=1, keepdims=True)
    centred /= np.linalg.norm(centred, axis=1, keepdims=True) + 1e-9
    found = []
    for template in (MAJOR, MINOR):
        shape = template - template.mean()
        shape /= np.linalg.norm(shape)
        keys = np.stack([np.roll(shape, tonic) for tonic in range(12)], axis=1)
        found.append(centred @ keys)
    return found[0], found[1]


def _roughness(frequency: Doubles, amplitude: Doubles) -> float:
    order = np.argsort(-amplitude, axis=1)[:, :12]
    f = np.take_along_axis(frequency, order, 1)
    a = np.take_along_axis(amplitude, order, 1)
    upper, lower = np.triu_indices(f.shape[1], 1)
    gap = np.abs(f[:, upper] - f[:, lower])
    scale = 0.24 / (0.021 * np.minimum(f[:, upper], f[:, lower]) + 19.0)
    beat = np.exp(-3.5 * scale * gap) - np.exp(-5.75 * scale * gap)
    rough = (a[:, upper] * a[:, lower] * beat).sum(axis=1)
    energy = (a**2).sum(axis=1)
    return float(rough.sum() / (energy.sum() + 1e-12))


def listen(spectra: Spectrogram) -> Tonality:
    """Hear the harmony of a magnitude spectrogram with windows of about 0.2 s."""
    frequency, amplitude = peaks(spectra)
    total = float(amplitude.sum())
    if total <= 1e-9:
        flat = np.full(12, 1 / 12)
        return Tonality(
            major=0.0,
            key_strength=0.0,
            harmonic_change=0.0,
            roughness=0.0,
            register=2.0,
            focus=0.0,
            profile=flat,
        )
    frames = chroma(frequency, amplitude)
    segments = _segments(frames, spectra.frame_rate)
    whole = frames.sum(axis=0, keepdims=True)
    stacked = np.concatenate([whole / (whole.sum() + 1e-9), segments])
    major, minor = _correlations(stacked)
    # The whole clip decides the key; its segments are asked for the mode at that key and at the relative one.
    score = np.concatenate([major, minor], axis=1)
    agreed = 0.5 * score[0] + 0.5 * score[1:].mean(axis=0)
    best = int(agreed.argmax())
    tonic = best % 12
    margin = float(agreed[:12].max() - agreed[12:].max())
    turned = np.roll(stacked[0], -tonic)
    octaves = np.log2(np.maximum(frequency, LOWEST) / LOWEST)
    unit = segments / (np.linalg.norm(segments, axis=1, keepdims=True) + 1e-9)
    change = 1.0 - (unit[1:] * unit[:-1]).sum(axis=1) if len(unit) > 1 else np.zeros(1)
    return Tonality(
        major=float(np.tanh(6.0 * margin)),
        key_strength=float(np.clip(agreed[best], 0.0, 1.0)),
        harmonic_change=float(change.mean()),
        roughness=_roughness(frequency, amplitude),
        register=float((octaves * amplitude).sum() / total),
        focus=float(1.0 + (turned * np.log(turned + 1e-9)).sum() / np.log(12.0)),
        profile=turned,
    )


def _segments(frames: Doubles, frame_rate: float) -> Doubles:
    """Return chroma summed over half seconds, each summing to 1, silent ones left out."""
    length = max(1, round(0.5 * frame_rate))
    starts = np.arange(0, max(len(frames) - length // 2, 1), length)
    out: Doubles = np.add.reduceat(frames, starts, axis=0)
    loud = out.sum(axis=1)
    out = out[loud > 0.02 * loud.max()]
    out /= out.sum(axis=1, keepdims=True) + 1e-9
    return out
