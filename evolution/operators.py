"""How children are made from the archive, and how much credit each way has earned in this run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from domain.facets import Facets
from evolution.archive import Individual
from evolution.facets_ops import MUTABLE, Breeder, one
from evolution.selection import by_rank, draw, elites, tournament

PRIORS: Mapping[str, float] = {
    "cross": 3.0,
    "retain": 1.5,
    "vary:subtle": 2.0,
    "mutate:instruments": 1.2,
    "mutate:moods": 1.0,
    "mutate:genre": 1.0,
    "mutate:tempo": 0.8,
    **{
        f"mutate:{field}": 0.35
        for field in MUTABLE
        if field not in ("instruments", "moods", "genre", "tempo")
    },
}
"""How often an exploiting operator is used before anything is known about it, relative to the others."""
_ELITES = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A child that may become a proposal."""

    facets: Facets
    operator: str
    parents: tuple[int, ...] = ()


def credit(members: Sequence[Individual]) -> dict[str, float]:
    """Return the weight of every operator of ``PRIORS``: its prior times what its children gained over their parents.

    The gain is the mean of child minus parents, shrunk by three pretended children without gain, so that one lucky
    child moves little; a tenth of the prior is always kept.
    """
    fitness = {member.id: member.fitness for member in members}
    gains: dict[str, list[float]] = {name: [] for name in PRIORS}
    for member in members:
        parents = [fitness[parent] for parent in member.parents if parent in fitness]
        if parents and member.operator in gains:
            gains[member.operator].append(member.fitness - sum(parents) / len(parents))
    return {
        name: PRIORS[name] * max(float(np.exp(4 * sum(found) / (len(found) + 3))), 0.1)
        for name, found in gains.items()
    }


class Nursery:
    """Breeds drafts from an archive. Elites stay parents for ever; others take part by rank."""

    def __init__(
        self, breeder: Breeder, members: Sequence[Individual], rng: np.random.Generator
    ) -> None:
        self._breeder = breeder
        self._members = members
        self._rng = rng
        self._promise = [member.promise for member in members]
        self._elites = [members[index] for index in elites(self._promise, _ELITES)]
        weights = credit(members)
        self._names = list(weights)
        self._weights = list(weights.values())

    def parent(self) -> Individual:
        """Draw a parent: an elite, a winner by rank, or the winner of a small tournament."""
        chance = self._rng.random()
        if chance < 0.35:
            return one(self._elites, self._rng)
        if chance < 0.8:
            return self._members[by_rank(self._promise, self._rng, alpha=1.3)]
        return self._members[tournament(self._promise, 4, self._rng)]

    def exploit(self) -> Draft:
        """Make one child by an operator drawn by its credit."""
        operator = self._names[draw(self._weights, self._rng)]
        parent = self.parent()
        if operator == "cross":
            return self._cross(parent)
        if operator == "retain":
            parent = one(self._elites, self._rng)
            return Draft(facets=parent.facets, operator=operator, parents=(parent.id,))
        if operator == "vary:subtle":
            return vary(self._breeder, parent, 0.25, self._rng)
        field = operator.partition(":")[2]
        child = self._breeder.mutate(parent.facets, field, 0.35, self._rng)
        return Draft(facets=child, operator=operator, parents=(parent.id,))

    def _cross(self, parent: Individual) -> Draft:
        mate = self.parent()
        for _ in range(3):
            if mate.id != parent.id:
                break
            mate = self.parent()
        if mate.id == parent.id:
            return vary(self._breeder, parent, 0.25, self._rng)
        child = self._breeder.cross(parent.facets, mate.facets, self._rng)
        return Draft(facets=child, operator="cross", parents=(parent.id, mate.id))

    def explore(self, family: str) -> Draft:
        """Make something of ``family``: a liked parent carried over to it, or something new."""
        if self._rng.random() < 0.5:
            return Draft(facets=self._breeder.invent(family, self._rng), operator="novel")
        parent = self.parent()
        fresh = self._breeder.invent(family, self._rng)
        moved = Facets(
            genre=fresh.genre,
            family=fresh.family,
            moods=parent.facets.moods or fresh.moods,
            instruments=parent.facets.instruments or fresh.instruments,
            without=parent.facets.without,
            textures=parent.facets.textures,
            production=parent.facets.production,
            tempo=fresh.tempo,
            energy=parent.facets.energy,
            density=parent.facets.density,
            brightness=parent.facets.brightness,
            valence=parent.facets.valence,
        )
        return Draft(facets=moved, operator="expand", parents=(parent.id,))


def vary(breeder: Breeder, parent: Individual, strength: float, rng: np.random.Generator) -> Draft:
    """Change one or two small things of ``parent``, or more of them with more ``strength`` in [0, 1]."""
    count = 1 + int(rng.integers(0, 2)) + (strength >= 0.5)
    child = parent.facets
    fields = [field for field in MUTABLE if field not in ("genre", "uses", "era")]
    for field in rng.permutation(fields)[:count]:
        child = breeder.mutate(child, str(field), strength, rng)
    name = "vary:subtle" if strength < 0.5 else "vary:bold"
    return Draft(facets=child, operator=name, parents=(parent.id,))
