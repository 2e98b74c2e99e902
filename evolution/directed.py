"""What a person asked for: children of named parents, near them, between them, or changed by words."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np

from domain.candidate import Brief, Directive
from evolution.archive import Individual
from evolution.facets_ops import Breeder
from evolution.operators import Draft, vary
from evolution.remix import remix
from evolution.screening import Screen
from evolution.selection import elites
from prompts.levels import AXES
from prompts.reader import interpret


class DirectedBreeding:
    """Breeds for ``VARY``, ``CROSS`` and ``REMIX``."""

    def __init__(self, breeder: Breeder, rng: np.random.Generator) -> None:
        self._breeder = breeder
        self._vocabulary = breeder.vocabulary
        self._rng = rng
        self._members: Sequence[Individual] = ()

    def breed(
        self,
        brief: Brief,
        parents: Sequence[Individual],
        members: Sequence[Individual],
        screen: Screen,
    ) -> list[Draft]:
        """Return ``brief.count`` drafts, shared out evenly among ``parents``.

        Args:
            brief: Any directive but ``NEXT``.
            parents: Who it is about; at least one, all different.
            members: The archive, for a mate where only one parent is named to be crossed.
            screen: Chooses, among three times as many drafts, what is promising and not the same.
        """
        self._members = members
        make = {
            Directive.VARY: self._varied,
            Directive.CROSS: self._crossed,
            Directive.REMIX: self._remixed,
        }[brief.directive]
        drafts = make(brief, parents)
        out: list[Draft] = []
        for index, parent in enumerate(parents[: brief.count]):
            share = len(range(index, brief.count, len(parents)))
            own = [draft for draft in drafts if draft.parents[0] == parent.id]
            chosen = screen.choose(own, share, self._rng, daring=0.5)
            rest = (draft for draft in own if draft not in chosen)
            out += [*chosen, *(next(rest, own[0]) for _ in range(share - len(chosen)))]
        return out

    def _varied(self, brief: Brief, parents: Sequence[Individual]) -> list[Draft]:
        return [
            vary(
                self._breeder,
                parents[index % len(parents)],
                0.5 if index % 4 == 3 else 0.25,
                self._rng,
            )
            for index in range(3 * brief.count)
        ]

    def _crossed(self, brief: Brief, parents: Sequence[Individual]) -> list[Draft]:
        pool = list(parents)
        if len(pool) == 1:
            order = elites([member.promise for member in self._members], 6)
            pool += [self._members[i] for i in order if self._members[i].id != pool[0].id]
        drafts = []
        for index in range(3 * brief.count):
            mother = pool[index % len(parents)]
            mates = [member for member in pool if member.id != mother.id]
            if not mates:
                drafts.append(vary(self._breeder, mother, 0.5, self._rng))
                continue
            father = mates[int(self._rng.integers(len(mates)))]
            child = self._breeder.cross(mother.facets, father.facets, self._rng)
            drafts.append(Draft(facets=child, operator="cross", parents=(mother.id, father.id)))
        return drafts

    def _remixed(self, brief: Brief, parents: Sequence[Individual]) -> list[Draft]:
        """Apply the words to each parent; beyond that only change what the words do not touch."""
        reading = interpret(brief.words, self._vocabulary)
        drafts = []
        for index in range(3 * brief.count):
            parent = parents[index % len(parents)]
            start = parent
            if index >= len(parents):
                # The words speak of the parent's levels: "less busy" is less busy than what was heard.
                levels = {name: getattr(parent.facets, name) for name in ("tempo", *AXES)}
                varied = vary(self._breeder, parent, 0.2, self._rng).facets
                start = dataclasses.replace(parent, facets=dataclasses.replace(varied, **levels))
            child = remix(start.facets, reading, self._vocabulary)
            drafts.append(Draft(facets=child, operator="remix", parents=(parent.id,)))
        return drafts
