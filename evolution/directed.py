"""What a person asked for: children of named parents, near them, between them, or changed by words."""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import Iterator, Sequence

import numpy as np

from domain.candidate import Brief, Directive
from evolution.archive import Individual
from evolution.descriptions import Variation
from evolution.facets_ops import Breeder
from evolution.offspring import Offspring
from evolution.operators import Draft, vary
from evolution.pieces import Pieces
from evolution.remix import remix
from evolution.screening import Screen
from evolution.selection import elites
from prompts.reader import interpret


class DirectedBreeding:
    """Breeds for ``VARY``, ``CROSS`` and ``REMIX``.

    Children of parents whose pieces are known keep tunes: all of a variation, half of a cross, and a remix as far as
    its words allow. Others are bred by facets.
    """

    def __init__(self, breeder: Breeder, rng: np.random.Generator) -> None:
        self._breeder = breeder
        self._vocabulary = breeder.vocabulary
        self._rng = rng

    async def breed(
        self,
        brief: Brief,
        parents: Sequence[Individual],
        members: Sequence[Individual],
        pieces: Pieces,
        screen: Screen,
    ) -> list[Draft]:
        """Return ``brief.count`` drafts, shared out evenly among ``parents``.

        Args:
            brief: Any directive but ``NEXT``.
            parents: Who it is about; at least one, all different.
            members: The archive, for a mate where only one parent is named to be crossed.
            pieces: What they sound like.
            screen: Chooses, among three times as many drafts, what is promising and not the same.
        """
        offspring = Offspring(self._breeder, pieces, self._rng)
        if brief.directive is Directive.VARY:
            making = self._varied(brief, parents, offspring)
        elif brief.directive is Directive.CROSS:
            making = self._crossed(brief, parents, members, offspring)
        else:
            making = self._remixed(brief, parents, offspring)
        drafts = []
        for draft in making:
            drafts.append(draft)
            screen.prepare(draft.facets)
            await asyncio.sleep(0)
        out: list[Draft] = []
        for index, parent in enumerate(parents[: brief.count]):
            share = len(range(index, brief.count, len(parents)))
            own = [draft for draft in drafts if draft.parents[0] == parent.id]
            if brief.directive is Directive.CROSS:
                wanted, first = (share + (index + 1) % 2) // 2, _is_spliced
            else:
                wanted, first = share // 4, _is_bold
            some = self._chosen([draft for draft in own if first(draft)], wanted, screen)
            others = [draft for draft in own if not first(draft)] or own
            out += [*some, *self._chosen(others, share - len(some), screen)]
            await asyncio.sleep(0)
        return out

    def _chosen(self, drafts: Sequence[Draft], count: int, screen: Screen) -> list[Draft]:
        """Return ``count`` drafts, alike ones only where there are no others; none of none."""
        chosen = screen.choose(drafts, count, self._rng, daring=0.5)
        rest = (draft for draft in drafts if not any(draft is one for one in chosen))
        missing = range(count - len(chosen)) if drafts else ()
        return [*chosen, *(next(rest, drafts[0]) for _ in missing)]

    def _varied(
        self, brief: Brief, parents: Sequence[Individual], offspring: Offspring
    ) -> Iterator[Draft]:
        for index in range(3 * brief.count):
            parent = parents[index % len(parents)]
            bold = index // len(parents) % 4 == 3
            how = Variation.STRONG if bold else Variation.SUBTLE
            yield offspring.vary(parent, how) or vary(
                self._breeder, parent, 0.5 if bold else 0.25, self._rng
            )

    def _crossed(
        self,
        brief: Brief,
        parents: Sequence[Individual],
        members: Sequence[Individual],
        offspring: Offspring,
    ) -> Iterator[Draft]:
        pool = list(parents)
        if len(pool) == 1:
            order = elites([member.promise for member in members], 6)
            pool += [members[i] for i in order if members[i].id != pool[0].id]
        for index in range(3 * brief.count):
            mother = pool[index % len(parents)]
            mates = [member for member in pool if member.id != mother.id]
            if not mates:
                alone = offspring.vary(mother, Variation.STRONG)
                yield alone or vary(self._breeder, mother, 0.5, self._rng)
                continue
            father = mates[int(self._rng.integers(len(mates)))]
            turn = index // len(parents) % 6
            spliced = None
            if turn % 2 == 0:
                splice = offspring.splice_bars if turn == 4 else offspring.splice
                spliced = splice(mother, father)
            child = self._breeder.cross(mother.facets, father.facets, self._rng)
            yield spliced or Draft(facets=child, operator="cross", parents=(mother.id, father.id))

    def _remixed(
        self, brief: Brief, parents: Sequence[Individual], offspring: Offspring
    ) -> Iterator[Draft]:
        """Apply the words to each parent; beyond that only change what the words do not touch."""
        reading = interpret(brief.words, self._vocabulary)
        for index in range(3 * brief.count):
            parent = parents[index % len(parents)]
            before = offspring.itself(parent)
            if index >= len(parents):
                near = offspring.vary(parent, Variation.SUBTLE)
                before = near or vary(self._breeder, parent, 0.2, self._rng)
            # "Darker" starts from what the parent is, however it was varied.
            moved = {name: getattr(parent.facets, name) for name in reading.shifts}
            if reading.tempo_level is not None:
                moved["tempo"] = parent.facets.tempo
            start = dataclasses.replace(before.facets, **moved)
            after = remix(start, reading, self._vocabulary)
            yield offspring.remix(parent, before, after)


def _is_spliced(draft: Draft) -> bool:
    return draft.description is not None


def _is_bold(draft: Draft) -> bool:
    return draft.operator == "vary:bold"
