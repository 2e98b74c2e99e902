"""The seam between a search by numbers and the genome it searches: rows of numbers in [0, 1], asked and told.

An engine keeps nothing between rounds. It is made afresh for every ``ask`` and told the run's steps in order, under
today's fitness; so what people say late counts as if they had said it at once, and no fitness is ever stale. A step may
hold fewer points than were asked for, or others: whatever was rated.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Point:
    """A told candidate as an engine sees it.

    Attributes:
        id: Of the candidate.
        row: (n,) in [0, 1].
        fitness: What it is worth today; any finite number, more is better.
    """

    id: int
    row: Array
    fitness: float


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Child:
    """A row that is proposed.

    Attributes:
        row: (n,) in [0, 1].
        parents: Ids of the points that it was made of; empty where it was drawn from a distribution.
        how: What made it, in a word.
    """

    row: Array
    parents: tuple[int, ...] = ()
    how: str


class Engine(Protocol):
    """Searches the box [0, 1]^n for what is worth most."""

    def tell(self, points: Sequence[Point]) -> None:
        """Take the points of one step, in any order and any number."""

    def ask(self, count: int, rng: np.random.Generator) -> list[Child]:
        """Return ``count`` children; changes nothing but ``rng``."""


def reflected(rows: Array) -> Array:
    """Return rows thrown back at the walls of the box, so that no coordinate sticks to one."""
    place = np.mod(rows, 2.0)
    return np.asarray(np.where(place > 1.0, 2.0 - place, place))


def best_first(points: Sequence[Point]) -> list[Point]:
    """Return points by fitness, the best first; equal ones keep their order."""
    return sorted(points, key=lambda point: -point.fitness)


def matrix(points: Sequence[Point]) -> Array:
    """Return the rows of points, shape (points, n)."""
    return np.array([point.row for point in points], dtype=float)


def recombination(count: int) -> Array:
    """Return the weights of CMA-ES for the best half of ``count`` points, the best first; their sum is 1.

    log(count / 2 + 1 / 2) - log(rank): Hansen, "The CMA Evolution Strategy: A Tutorial" (arXiv 1604.00772), eq. 49.
    """
    kept = max(count // 2, 1)
    weights = np.log((count + 1) / 2) - np.log(np.arange(1, kept + 1))
    if weights.sum() <= 0:  # a single point
        weights = np.ones(kept)
    return np.asarray(weights / weights.sum())


def utilities(count: int) -> Array:
    """Return what ranks are worth in natural evolution strategies, the best first; their sum is 0.

    max(0, log(count / 2 + 1) - log(rank)), made to sum to 1, less 1 / count: Wierstra et al., "Natural Evolution
    Strategies", JMLR 15 (2014), section 3.1.
    """
    raw = np.maximum(0.0, np.log(count / 2 + 1) - np.log(np.arange(1, count + 1)))
    return np.asarray(raw / raw.sum() - 1 / count)
