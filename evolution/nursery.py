"""Breeds drafts from an archive: operators by their credit, parents by what they promise."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from domain.facets import Facets
from evolution.archive import Individual
from evolution.descriptions import Variation
from evolution.facets_ops import Breeder, one
from evolution.offspring import Offspring
from evolution.operators import WITH_PIECES, Draft, credit, vary
from evolution.pieces import Pieces
from evolution.selection import by_rank, draw, elites, tournament
from prompts.levels import AXES

_ELITES = 5


class Nursery:
    """Breeds drafts from an archive. Elites stay parents for ever; others take part by rank."""

    def __init__(
        self,
        breeder: Breeder,
        members: Sequence[Individual],
        pieces: Pieces,
        rng: np.random.Generator,
    ) -> None:
        self._breeder = breeder
        self._members = members
        self._offspring = Offspring(breeder, pieces, rng)
        self._rng = rng
        self._promise = [member.promise for member in members]
        self._elites = [members[index] for index in elites(self._promise, _ELITES)]
        weights = credit(members)
        self._described = pieces.favourites
        if not self._described:
            weights = {name: weight for name, weight in weights.items() if name not in WITH_PIECES}
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
        if operator.startswith(("vary", "splice")):
            return self._from_pieces(operator) or vary(self._breeder, parent, 0.25, self._rng)
        field = operator.partition(":")[2]
        child = self._breeder.mutate(parent.facets, field, 0.35, self._rng)
        return Draft(facets=child, operator=operator, parents=(parent.id,))

    def _from_pieces(self, operator: str) -> Draft | None:
        """Make a child that keeps a tune, of the favourites whose pieces are known."""
        if not self._described:
            return None
        favourites = self._described
        mother = favourites[self._by_rank(len(favourites))]
        if operator == "vary:subtle":
            return self._offspring.vary(mother, Variation.SUBTLE)
        if operator == "vary:bold":
            return self._offspring.vary(mother, Variation.STRONG)
        mates = [member for member in favourites if member.id != mother.id]
        if not mates:
            return None
        father = mates[self._by_rank(len(mates))]
        if operator == "splice":
            return self._offspring.splice(mother, father)
        return self._offspring.splice_bars(mother, father)

    def _by_rank(self, count: int) -> int:
        return by_rank(-np.arange(count, dtype=float), self._rng, alpha=1.3)

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
            **{axis: getattr(parent.facets, axis) for axis in AXES},
        )
        return Draft(facets=moved, operator="expand", parents=(parent.id,))
