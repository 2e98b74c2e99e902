"""The first generation of a run: as different as can be, or around the vibe that somebody named."""

from __future__ import annotations

import asyncio
import dataclasses

import numpy as np

from domain.facets import Facets
from evolution.facets_ops import Breeder
from evolution.operators import Draft
from prompts.reader import read
from prompts.tidy import tidy

_LOOSE = 0.25
"""Share of a vibe's first generation that leaves its genre."""


class Founder:
    """Makes generations without parents."""

    def __init__(self, breeder: Breeder, vibe: str) -> None:
        self._breeder = breeder
        self._anchor = tidy(read(vibe, breeder.vocabulary), breeder.vocabulary)

    async def found(self, count: int, rng: np.random.Generator) -> list[Draft]:
        """Make ``count`` drafts; families repeat only after all have had their turn.

        With a vibe its facets are fixed and the rest varies; a quarter of the drafts moves to a related genre. A vibe
        that says no genre goes through the families.
        """
        families = self._breeder.families
        order = [families[index] for index in rng.permutation(len(families))]
        drafts = []
        for index in range(count):
            await asyncio.sleep(0)
            family = order[index % len(order)]
            if self._anchor == Facets():
                drafts.append(Draft(facets=self._breeder.invent(family, rng), operator="novel"))
            else:
                loose = (index + 1) % round(1 / _LOOSE) == 0
                drafts.append(self._around(family, rng, loose=loose))
        return drafts

    def _around(self, family: str, rng: np.random.Generator, *, loose: bool) -> Draft:
        anchor = self._anchor
        if anchor.family is None:
            genre = self._breeder.invent(family, rng)
            start = dataclasses.replace(anchor, genre=genre.genre, family=genre.family)
            return Draft(facets=self._breeder.dress(start, rng), operator="vibe")
        if loose:
            moved = self._breeder.regenre(anchor, rng, leave=rng.random() < 0.6)
            return Draft(facets=self._breeder.dress(moved, rng), operator="vibe:loose")
        return Draft(facets=self._breeder.dress(anchor, rng), operator="vibe")
