"""A genetic algorithm: tournaments among the best that were ever told, crossover, mutation, elites that never leave."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from evolution.numeric.engine import Array, Child, Point, best_first, matrix
from evolution.numeric.operators import (
    Crossover,
    cosyne,
    gaussian,
    multi_point,
    one_point,
    polynomial,
    simulated_binary,
    two_point,
)
from evolution.selection import tournament

CROSSOVERS: Mapping[str, Crossover] = {
    "one point": one_point,
    "two point": two_point,
    "multi point": multi_point,
    "simulated binary": simulated_binary,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Rates:
    """How a genetic algorithm breeds.

    Attributes:
        population: The best told that are parents; elites need no second hearing, they stay as long as they are among
            these.
        tournament: Entrants of a tournament for each parent.
        crossover: A key of ``CROSSOVERS``.
        crossed: Probability that a child has two parents.
        mutated: Probability that a number of a child gets Gaussian noise.
        deviation: Of that noise, relative to the spread of the genome.
        polynomial: Probability that a number is moved by polynomial mutation as well.
        permuted: Share of the children that CoSyNE's permutation makes of the population.
    """

    population: int = 24
    tournament: int = 4
    crossover: str = "simulated binary"
    crossed: float = 0.6
    mutated: float = 0.3
    deviation: float = 0.7
    polynomial: float = 0.05
    permuted: float = 0.1


class Genetic:
    """An ``Engine``; see the module."""

    def __init__(self, start: Array, spread: Array, rates: Rates | None = None) -> None:
        """Begin at ``start`` (n,); ``spread`` (n,) is the size of a step of each coordinate."""
        self._start = np.array(start, dtype=float)
        self._spread = np.array(spread, dtype=float)
        self._rates = rates or Rates()
        self._members: list[Point] = []

    def tell(self, points: Sequence[Point]) -> None:
        """Take the points of one step into the population; the best of old and new ones stay."""
        self._members = best_first([*self._members, *points])[: self._rates.population]

    def ask(self, count: int, rng: np.random.Generator) -> list[Child]:
        """Breed ``count`` rows; without members they are drawn around the start."""
        permuted = round(self._rates.permuted * count) if len(self._members) > 2 else 0
        children = self._permuted(permuted, rng)
        return [*children, *(self._bred(rng) for _ in range(count - permuted))]

    def _bred(self, rng: np.random.Generator) -> Child:
        rates = self._rates
        if not self._members:
            row = gaussian(self._start, rng, deviation=self._spread, rate=1.0)
            return Child(row=row, how="draw")
        mother = self._parent(rng)
        parents: tuple[int, ...] = (mother.id,)
        row, how = mother.row, "mutate"
        if len(self._members) > 1 and rng.random() < rates.crossed:
            father = self._parent(rng)
            if father.id != mother.id:
                row = CROSSOVERS[rates.crossover](mother.row, father.row, rng)
                parents, how = (mother.id, father.id), "cross"
        step = rates.deviation * self._spread
        moved = gaussian(row, rng, deviation=step, rate=rates.mutated)
        moved = polynomial(moved, rng, rate=rates.polynomial)
        if np.array_equal(moved, mother.row):  # a child is never its parent again
            moved = gaussian(moved, rng, deviation=step, rate=1.0)
        return Child(row=moved, parents=parents, how=how)

    def _parent(self, rng: np.random.Generator) -> Point:
        worth = [member.fitness for member in self._members]
        return self._members[tournament(worth, self._rates.tournament, rng)]

    def _permuted(self, count: int, rng: np.random.Generator) -> list[Child]:
        """Return the permuted rows of ``count`` members, evenly drawn."""
        if count < 1:
            return []
        fitness = np.array([member.fitness for member in self._members])
        rows = cosyne(matrix(self._members), fitness, rng)
        chosen = rng.choice(len(rows), size=min(count, len(rows)), replace=False)
        made = [
            Child(
                row=gaussian(rows[place], rng, deviation=0.3 * self._spread, rate=0.3),
                parents=(self._members[place].id,),
                how="permute",
            )
            for place in chosen
        ]
        return [*made, *(self._bred(rng) for _ in range(count - len(made)))]
