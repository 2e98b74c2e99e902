"""Noises that lie under music: crackle, hiss, rain, waves, wind, fire, a street, birds."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from generation.audio import SAMPLE_RATE, Floats
from generation.sounding.blocks import SIZE, equalise, hops, ride, wander
from generation.sounding.effects import BEDS, Effects
from generation.sounding.spectrum import frequencies, high_pass, low_pass

_LEVELS = {
    "vinyl": -30.0, "hiss": -38.0, "rain": -21.0, "waves": -20.0, "wind": -27.0, "fire": -27.0,
    "city": -25.0, "birds": -26.0,
}  # fmt: skip
"""Decibels under the music at full strength."""


def lay(music: Floats, effects: Effects, rng: np.random.Generator) -> Floats:
    """Put the wanted noises under the music, in place.

    Args:
        music: Shape (2, frames), also what is returned.
        effects: How much of each.
        rng: Scatters drops, clicks and gusts.
    """
    level = _rms(music)
    frames = music.shape[1]
    for name in BEDS:
        amount = float(getattr(effects, name))
        if amount <= 0.02:
            continue
        bed = _MAKERS[name](frames, rng)
        bed *= np.float32(level / _rms(bed) * 10 ** (_LEVELS[name] / 20) * min(1.0, amount))
        music += bed
    return music


def _rms(samples: Floats) -> float:
    return float(np.sqrt(np.vdot(samples, samples) / samples.size)) + 1e-9


def _noise(
    frames: int, rng: np.random.Generator, low: float, high: float, slope: float = 0.0
) -> Floats:
    """Stereo noise between two frequencies that falls by ``slope`` dB an octave."""
    curve = frequencies(SIZE) ** np.float32(-slope / 6.02)
    curve *= _band(low, high)
    out = rng.standard_normal((2, frames), dtype=np.float32)
    for channel in out:
        equalise(channel, curve)
    out /= np.float32(_rms(out))
    return out


def _band(low: float, high: float) -> Floats:
    return high_pass(SIZE, low) * low_pass(SIZE, high)


def _gusts(frames: int, rng: np.random.Generator, seconds: float, depth: float) -> Floats:
    """A slowly wandering gain around 1, one value per hop."""
    points = max(4, int(frames / SAMPLE_RATE / seconds) + 3)
    values = 1 + depth * rng.uniform(-1, 1, points)
    at = np.linspace(0, points - 1, hops(frames) + 1)
    return np.interp(at, np.arange(points), values).astype(np.float32)


def _clicks(frames: int, rng: np.random.Generator, per_second: float, length: int) -> Floats:
    """Short damped clicks of very different strength at random places."""
    out = np.zeros((2, frames + length), dtype=np.float32)
    count = rng.poisson(per_second * frames / SAMPLE_RATE)
    decay = np.exp(-np.arange(length) / (length / 6)).astype(np.float32)
    for _ in range(int(count)):
        at = int(rng.integers(frames))
        grain = rng.standard_normal(length).astype(np.float32) * decay
        side = rng.uniform(0.25, 0.75)
        strength = np.float32(rng.lognormal(0, 0.8))
        out[0, at : at + length] += grain * strength * np.float32(1 - side)
        out[1, at : at + length] += grain * strength * np.float32(side)
    return out[:, :frames]


def _vinyl(frames: int, rng: np.random.Generator) -> Floats:
    return _over(_clicks(frames, rng, 14, 60), _noise(frames, rng, 200, 6000, 3), 0.018)


def _hiss(frames: int, rng: np.random.Generator) -> Floats:
    return _noise(frames, rng, 1500, 11_000)


def _rain(frames: int, rng: np.random.Generator) -> Floats:
    drops = _clicks(frames, rng, 90, 180)
    out = _noise(frames, rng, 500, 9000, 2)
    ride(out, _gusts(frames, rng, 1.5, 0.25))
    drops *= np.float32(0.8)
    out += drops
    return out


def _waves(frames: int, rng: np.random.Generator) -> Floats:
    swell = (0.5 + 0.5 * wander(frames, 1 / 6.5, rng.uniform(0, 6.28))) ** 2 + 0.12
    out = _noise(frames, rng, 120, 5000, 3)
    ride(out, swell)
    return out


def _wind(frames: int, rng: np.random.Generator) -> Floats:
    out = _noise(frames, rng, 180, 1600, 3)
    ride(out, _gusts(frames, rng, 1.2, 0.7))
    return out


def _fire(frames: int, rng: np.random.Generator) -> Floats:
    return _over(_clicks(frames, rng, 22, 220), _noise(frames, rng, 60, 700, 3), 0.05)


def _over(out: Floats, noise: Floats, level: float) -> Floats:
    noise *= np.float32(level)
    out += noise
    return out


def _city(frames: int, rng: np.random.Generator) -> Floats:
    out = _noise(frames, rng, 70, 900, 4)
    ride(out, _gusts(frames, rng, 2.0, 0.6))
    return out


def _birds(frames: int, rng: np.random.Generator) -> Floats:
    out = np.zeros((2, frames), dtype=np.float32)
    for _ in range(max(1, round(1.1 * frames / SAMPLE_RATE))):
        at = int(rng.integers(frames))
        base, side = rng.uniform(2600, 4800), rng.uniform(0.15, 0.85)
        for chirp in range(int(rng.integers(2, 5))):
            start = at + chirp * int(0.11 * SAMPLE_RATE)
            time = np.arange(int(0.075 * SAMPLE_RATE), dtype=np.float32) / SAMPLE_RATE
            bend = base * time + rng.uniform(-5000, 7000) * time**2
            tone = np.sin(2 * np.pi * bend) * np.sin(np.pi * time / 0.075) ** 2
            stop = min(frames, start + time.size)
            if stop > start:
                out[0, start:stop] += (tone * (1 - side))[: stop - start].astype(np.float32)
                out[1, start:stop] += (tone * side)[: stop - start].astype(np.float32)
    return out


_MAKERS: dict[str, Callable[[int, np.random.Generator], Floats]] = {
    "vinyl": _vinyl, "hiss": _hiss, "rain": _rain, "waves": _waves, "wind": _wind, "fire": _fire,
    "city": _city, "birds": _birds,
}  # fmt: skip
