"""Ways to break a clip, each with a severity in [0, 1]: 0 leaves it alone, 1 is what nobody would post."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

Clip = NDArray[Any]
Damage = Callable[[Clip, int, float, np.random.Generator], Clip]


def _rms(clip: Clip) -> float:
    return float(np.sqrt(np.mean(np.square(clip, dtype=np.float64))))


def hiss(clip: Clip, rate: int, severity: float, rng: np.random.Generator) -> Clip:
    snr = 50.0 - 50.0 * severity
    noise = rng.normal(size=clip.shape) * _rms(clip) * 10 ** (-snr / 20)
    return (clip + (noise if severity > 0 else 0.0)).astype(np.float32)


def overdrive(clip: Clip, rate: int, severity: float, rng: np.random.Generator) -> Clip:
    ceiling = float(np.abs(clip).max()) * (1.0 - 0.85 * severity)
    return np.clip(clip, -ceiling, ceiling).astype(np.float32)


def mute(clip: Clip, rate: int, severity: float, rng: np.random.Generator) -> Clip:
    out = clip.copy()
    out[int(len(clip) * (1.0 - severity)) :] = 0.0
    return out


def shift(clip: Clip, rate: int, severity: float, rng: np.random.Generator) -> Clip:
    return (clip + 1.0 * severity * _rms(clip)).astype(np.float32)


def mains(clip: Clip, rate: int, severity: float, rng: np.random.Generator) -> Clip:
    t = np.arange(len(clip)) / rate
    wave = sum(np.sin(2 * np.pi * 50 * k * t) / k for k in (1, 2, 3))
    level = 0.0 if severity == 0 else _rms(clip) * 10 ** (-(45.0 - 45.0 * severity) / 20)
    return (clip + level * np.asarray(wave)[:, None]).astype(np.float32)


def spikes(clip: Clip, rate: int, severity: float, rng: np.random.Generator) -> Clip:
    out = clip.copy()
    count = round(12 * severity * len(clip) / rate)
    at = np.linspace(0, len(clip) - 10, 200).astype(int)
    for place in np.random.default_rng(7).permutation(at)[:count]:
        out[place : place + 2] = 0.95
    return out


def dropouts(clip: Clip, rate: int, severity: float, rng: np.random.Generator) -> Clip:
    out = clip.copy()
    starts = np.linspace(0, len(clip) - rate // 5, 24).astype(int)
    for start in np.random.default_rng(7).permutation(starts)[: round(24 * severity)]:
        out[start : start + int(0.03 * rate)] = 0.0
    return out


def antiphase(clip: Clip, rate: int, severity: float, rng: np.random.Generator) -> Clip:
    out = clip.copy()
    mono = clip.mean(axis=1)
    flipped = np.stack([mono, -mono], axis=1)
    return ((1 - severity) * out + severity * flipped).astype(np.float32)


DAMAGE: dict[str, Damage] = {
    "hiss": hiss,
    "overdrive": overdrive,
    "mute": mute,
    "shift": shift,
    "mains": mains,
    "spikes": spikes,
    "dropouts": dropouts,
    "antiphase": antiphase,
}
