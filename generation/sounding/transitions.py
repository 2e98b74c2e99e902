"""Transitions that electronic music is built with: risers, impacts and downlifters where sections meet."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from generation.audio import SAMPLE_RATE, Floats, as_floats
from generation.generator import Score
from generation.planning.plan import Plan
from generation.sounding.blocks import HOP, hops, stretched
from generation.sounding.desk import acousticness
from generation.sounding.zones import fast_length

_BANDS = 10
_LOWEST, _HIGHEST = 250.0, 11_000.0
_RISE_BARS = 2
_FALL_BARS = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Something between two sections: ``"riser"``, ``"impact"`` or ``"downlifter"``, and its place in seconds."""

    kind: str
    start: float
    seconds: float


def events(plan: Plan, score: Score) -> tuple[Event, ...]:
    """Return the transitions of a piece: none in acoustic music, and none without a build, drop or break."""
    if acousticness(plan) > 0.5 or plan.style.drums is None:
        return ()
    found = []
    bar = plan.grid.bar_seconds
    for index in range(1, len(score.sections)):
        before, here = score.sections[index - 1], score.sections[index]
        if before == here:
            continue
        at = plan.grid.time(index, 0)
        room = min(_RISE_BARS * bar, at)
        if here == "drop" or before == "build":
            if room > 0.5:
                found.append(Event(kind="riser", start=at - room, seconds=room))
            found.append(Event(kind="impact", start=at, seconds=1.6))
        elif here == "break":
            found.append(Event(kind="downlifter", start=at, seconds=_FALL_BARS * bar))
    return tuple(event for event in found if event.start < plan.seconds - 0.1)


def render(found: Sequence[Event], frames: int, rng: np.random.Generator) -> Floats:
    """Return the transitions as sound, shape (2, frames)."""
    out = np.zeros((2, frames), dtype=np.float32)
    made: dict[tuple[str, int], Floats] = {}
    for event in found:
        start = max(0, round(event.start * SAMPLE_RATE))
        size = min(frames - start, round(event.seconds * SAMPLE_RATE))
        if size < HOP:
            continue
        wave = made.get((event.kind, size))
        if wave is None:
            wave = made[event.kind, size] = _made(event.kind, size, rng)
        out[:, start : start + size] += wave
    return out


def _made(kind: str, size: int, rng: np.random.Generator) -> Floats:
    long = fast_length(size)
    match kind:
        case "riser":
            wave = _sweep(long, rng, rising=True)[:, long - size :]
        case "downlifter":
            wave = _sweep(long, rng, rising=False)[:, :size]
        case _:
            wave = _impact(long, rng)[:, :size]
    edge = min(size // 4, 4000)
    wave[:, size - edge :] *= np.linspace(1, 0, edge, dtype=np.float32)
    return wave


def _sweep(size: int, rng: np.random.Generator, *, rising: bool) -> Floats:
    """Noise whose band moves over five octaves; a riser grows, a downlifter dies away."""
    count = hops(size) + 1
    place = np.linspace(0, 1, count)
    centre = (place**1.3 if rising else (1 - place) ** 1.3) * (_BANDS - 1)
    growth = place**2 + 0.02 if rising else (1 - place) ** 1.5
    hertz = np.fft.rfftfreq(size, 1 / SAMPLE_RATE).astype(np.float32) + 1
    octaves = np.log2(hertz / _LOWEST) / np.log2(_HIGHEST / _LOWEST) * (_BANDS - 1)
    out = np.zeros((2, size), dtype=np.float32)
    for side in (0, 1):
        noise = np.fft.rfft(rng.standard_normal(size, dtype=np.float32))
        for band in range(_BANDS):
            bell = np.exp(-((octaves - band) ** 2)) / np.sqrt(hertz)
            gain = np.exp(-((centre - band) ** 2) / 2) * growth
            wave = as_floats(np.fft.irfft(noise * bell, size))
            out[side] += wave * stretched(gain, 0, size)
    return out * np.float32(0.3 / (np.abs(out).max() + 1e-9))


def _impact(size: int, rng: np.random.Generator) -> Floats:
    """A low boom that falls in pitch under a burst of dark noise."""
    time = np.arange(size, dtype=np.float32) / SAMPLE_RATE
    boom = np.sin(2 * np.pi * (38 * time + 3.2 * (1 - np.exp(-time / 0.09)))) * np.exp(-time / 0.35)
    noise = np.fft.rfft(rng.standard_normal((2, size)).astype(np.float32), axis=1)
    hertz = np.fft.rfftfreq(size, 1 / SAMPLE_RATE)
    noise *= 1 / np.sqrt((1 + (200 / (hertz + 1)) ** 4) * (1 + (hertz / 2500) ** 2))
    burst = as_floats(np.fft.irfft(noise, size, axis=1))
    burst *= np.exp(-time / 0.22) * (0.25 / (np.abs(burst).max() + 1e-9))
    return as_floats((0.5 * boom + burst) * np.minimum(1, time / 0.002))
