"""The numbers of the bars: which of them a change makes stale, and how they are moved."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Collection, Iterable, Mapping
from typing import TypeVar

import numpy as np

from domain.description import BarDescription, Description

T = TypeVar("T")

RANGES: Mapping[str, tuple[float, float]] = {
    "density": (0.0, 48.0),
    "pitch": (0.0, 127.0),
    "velocity": (1.0, 127.0),
    "duration": (0.01, 64.0),
}
"""Lowest and highest value of each number of a bar."""
STALE: Mapping[str, tuple[str, ...]] = {
    "energy": ("density", "velocity"),
    "danceability": ("density", "duration"),
    "loudness": ("velocity",),
    "density": ("density", "duration"),
    "brightness": ("pitch",),
    "valence": (),
    "acousticness": (),
    "instrumentalness": (),
    "key": ("pitch",),
    "chords": ("pitch",),
    "instruments": ("pitch",),
    "tunes": ("density", "pitch", "duration"),
    "players": tuple(RANGES),
    "metre": ("density", "duration"),
}
"""What a change makes untrue: numbers that were measured before it would undo it, so they are left to the composer."""


def freed(
    bars: Iterable[BarDescription], changes: Iterable[str], voices: Collection[str] | None = None
) -> tuple[BarDescription, ...]:
    """Leave to the composer what ``changes`` (keys of ``STALE``) make untrue.

    Args:
        bars: The bars.
        changes: What was changed.
        voices: Only bars in which one of these plays, or all.
    """
    names = {name for change in changes for name in STALE[change]}
    return tuple(
        dataclasses.replace(bar, **dict.fromkeys(names))  # type: ignore[arg-type]
        if names and (voices is None or not set(voices).isdisjoint(bar.voices))
        else bar
        for bar in bars
    )


def nudged(
    bar: BarDescription, factors: Mapping[str, float], steps: Mapping[str, float]
) -> BarDescription:
    """Multiply and shift the numbers of a bar that are set, within their ranges."""
    values: dict[str, float] = {}
    for name, (low, high) in RANGES.items():
        value = getattr(bar, name)
        if value is not None:
            moved = value * factors.get(name, 1.0) + steps.get(name, 0.0)
            values[name] = round(min(max(moved, low), high), 6)
    return dataclasses.replace(bar, **values)  # type: ignore[arg-type]


def mean(bars: Iterable[BarDescription], name: str) -> float | None:
    """Return the mean of a number over the bars that set it."""
    found = [value for bar in bars if (value := getattr(bar, name)) is not None]
    return sum(found) / len(found) if found else None


def rounded(expected: float, rng: np.random.Generator) -> int:
    """Return a whole number next to ``expected`` whose mean it is: 2.3 is 2 seven times in ten, else 3."""
    low = math.floor(expected)
    return low + int(rng.random() < expected - low)


def reflected(value: float, low: float, high: float) -> float:
    """Return ``value`` thrown back at the ends of its range, so that a step is not lost there."""
    span = high - low
    place = (value - low) % (2 * span)
    return low + (place if place <= span else 2 * span - place)


def fresh_tune(rng: np.random.Generator) -> tuple[int, int]:
    """Draw a tune."""
    first, second = rng.integers(2**32, size=2)
    return int(first), int(second)


def without_idle(description: Description) -> Description:
    """Drop players that no bar has; the first stays when there is nobody else."""
    playing = {name for bar in description.bars for name in bar.voices}
    voices = tuple(voice for voice in description.voices if voice.name in playing)
    return dataclasses.replace(description, voices=voices or description.voices[:1])
