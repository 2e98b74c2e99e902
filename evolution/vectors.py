"""Descriptions as bounded vectors, for searches by numbers (genetic algorithms, CMA-ES, SNES).

Every coordinate lies in [0, 1]. In order:

- tempo: log2(tempo / 30) / 3, so an octave is a third;
- the eight levels, in the order of ``domain.description.LEVELS``;
- the key on the circle of fifths, (1 + cos) / 2 and (1 + sin) / 2 of its angle, so neighbours are near;
- the mode's place among all modes from dark to bright;
- swing / 0.5;
- for each section, in order: density as log2(1 + density) / log2(49), mean pitch / 127, mean velocity / 127, and mean
  duration as (2 + log2 of quarters) / 5 between a sixteenth and eight quarters. A number that no bar sets is .5.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from domain.description import LEVELS, TEMPO, BarDescription, Description
from domain.errors import DescriptionError
from domain.facets import TONICS
from evolution.keys import by_brightness
from evolution.mutating import in_mode, transposed
from evolution.numbers import RANGES, freed, mean
from evolution.timing import before_the_end, refitted, sections_of

Array = NDArray[np.float64]

_HEAD = 1 + len(LEVELS) + 2 + 1 + 1
_NAMES = tuple(RANGES)
_SAME = 1e-9
_OPEN = 0.5


def vector(description: Description) -> Array:
    """Return the vector of a piece, of shape (13 + 4 x sections,)."""
    angle = 2 * math.pi * (7 * TONICS.index(description.tonic) % 12) / 12
    modes = by_brightness()
    octaves = math.log2(TEMPO[1] / TEMPO[0])
    head = [
        math.log2(description.tempo / TEMPO[0]) / octaves,
        *(getattr(description.levels, name) for name in LEVELS),
        (1 + math.cos(angle)) / 2,
        (1 + math.sin(angle)) / 2,
        modes.index(description.mode) / (len(modes) - 1),
        2 * description.swing,
    ]
    for run in sections_of(description.bars):
        for name in _NAMES:
            value = mean(run, name)
            head.append(_OPEN if value is None else _coordinate(name, value))
    return np.asarray(np.clip(head, 0.0, 1.0), dtype=float)


def from_vector(values: Sequence[float] | Array, like: Description) -> Description:
    """Return ``like`` with the numbers of a vector; players, tunes, form, bars and what no coordinate says are kept.

    ``from_vector(vector(d), d)`` is ``d`` itself: only coordinates that differ from those of ``like`` change anything.
    A section's number moves all its bars together. Another tempo makes the clip longer or shorter.

    Args:
        values: As from ``vector`` of a piece of as many sections; limited to [0, 1].
        like: What the vector is about.

    Raises:
        DescriptionError: The vector has another size, or a value that is not a number.
    """
    old = vector(like)
    new = np.asarray(values, dtype=float)
    if new.shape != old.shape or not np.isfinite(new).all():
        raise DescriptionError(
            "vector", f"it must be {len(old)} finite numbers for {len(like.form)} sections"
        )
    new = np.clip(new, 0.0, 1.0)
    differs = np.abs(new - old) > _SAME
    out = _rekeyed(like, new, differs)
    levels = {name: float(new[place]) for place, name in enumerate(LEVELS, 1) if differs[place]}
    bars = freed(out.bars, levels)
    bars = _numbered(like, bars, new[_HEAD:], differs[_HEAD:])
    out = dataclasses.replace(
        out,
        levels=dataclasses.replace(like.levels, **levels),
        swing=float(new[_HEAD - 1] / 2) if differs[_HEAD - 1] else like.swing,
        bars=bars,
    )
    return _retimed(out, float(new[0])) if differs[0] else out


def _rekeyed(like: Description, new: Array, differs: NDArray[np.bool_]) -> Description:
    place = 1 + len(LEVELS)
    out = like
    if differs[place : place + 2].any():
        angle = math.atan2(2 * new[place + 1] - 1, 2 * new[place] - 1)
        fifths = round(angle / (2 * math.pi) * 12) % 12
        out = transposed(out, 7 * fifths % 12 - TONICS.index(out.tonic))
    if differs[place + 2]:
        modes = by_brightness()
        out = in_mode(out, modes[round(float(new[place + 2]) * (len(modes) - 1))])
    return out


def _numbered(
    like: Description,
    bars: tuple[BarDescription, ...],
    new: Array,
    differs: NDArray[np.bool_],
) -> tuple[BarDescription, ...]:
    """Move each section's numbers to where the vector wants their mean."""
    out = list(bars)
    start = 0
    for number, run in enumerate(sections_of(like.bars)):
        for offset, name in enumerate(_NAMES):
            place = 4 * number + offset
            if not differs[place]:
                continue
            goal = _value(name, float(new[place]))
            usual = mean(run, name)
            low, high = RANGES[name]
            for index, bar in enumerate(run, start):
                before = getattr(bar, name)
                moved = goal if usual is None or before is None else before + goal - usual
                value = round(min(max(moved, low), high), 6)
                out[index] = dataclasses.replace(out[index], **{name: value})  # type: ignore[arg-type]
        start += len(run)
    return tuple(out)


def _retimed(description: Description, coordinate: float) -> Description:
    tempo = TEMPO[0] * (TEMPO[1] / TEMPO[0]) ** coordinate
    rest = description.seconds - before_the_end(description)
    out = dataclasses.replace(description, tempo=min(max(tempo, TEMPO[0]), TEMPO[1]))
    seconds = before_the_end(out) + max(rest, 0.0)
    if 1.0 <= seconds <= 600.0:
        return dataclasses.replace(out, seconds=seconds)
    return refitted(out, min(max(seconds, 1.0), 600.0))


def _coordinate(name: str, value: float) -> float:
    if name == "density":
        return math.log2(1 + value) / math.log2(49)
    if name == "duration":
        return (2 + math.log2(value)) / 5
    return value / 127


def _value(name: str, coordinate: float) -> float:
    if name == "density":
        return float(49**coordinate - 1)
    if name == "duration":
        return float(2 ** (5 * coordinate - 2))
    return 127 * coordinate
