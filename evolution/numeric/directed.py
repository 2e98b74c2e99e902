"""Children of named parents by their rows alone: near one, or between two."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from evolution.numeric.engine import Array, Child, Point, best_first
from evolution.numeric.operators import gaussian, two_point

_NEAR = (0.4, 1.2)
"""Range of a variation's step, in first steps of the genome."""
_STIRRED = 0.3
"""The same for a cross, so that two of the same parents differ."""
_MATES = 8
"""Best others that the only named parent is crossed with."""


def varied(
    parents: Sequence[Point], spread: Array, count: int, rng: np.random.Generator
) -> list[Child]:
    """Return ``count`` children near ``parents``, each in its turn."""
    out = []
    for number in range(count):
        parent = parents[number % len(parents)]
        step = rng.uniform(*_NEAR) * spread
        row = gaussian(parent.row, rng, deviation=step, rate=1.0)
        out.append(Child(row=row, parents=(parent.id,), how="vary"))
    return out


def crossed(
    parents: Sequence[Point],
    others: Sequence[Point],
    spread: Array,
    count: int,
    rng: np.random.Generator,
) -> list[Child]:
    """Return ``count`` children between ``parents``; between the only one and the best of ``others``."""
    mates = parents if len(parents) > 1 else best_first(others)[:_MATES]
    out = []
    for number in range(count):
        mother = parents[number % len(parents)]
        fathers = [one for one in mates if one.id != mother.id]
        if not fathers:
            return varied(parents, spread, count, rng)
        father = fathers[int(rng.integers(len(fathers)))]
        row = two_point(mother.row, father.row, rng)
        row = gaussian(row, rng, deviation=_STIRRED * spread, rate=1.0)
        out.append(Child(row=row, parents=(mother.id, father.id), how="cross"))
    return out
