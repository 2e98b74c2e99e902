"""The next generation of a run: most of it bred from what is liked, some of it to look elsewhere."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Sequence

import numpy as np

from evolution.archive import Individual
from evolution.facets_ops import Breeder
from evolution.nursery import Nursery
from evolution.operators import Draft, vary
from evolution.pieces import Pieces
from evolution.screening import Screen
from prompts.levels import clamp

BREED_FACTOR = 8
"""Texts bred for each one that is proposed."""
MIN_FAMILIES = 3
"""Families that every generation of at least as many proposals has."""
_SATISFIED = 0.5
"""Where the best are thought to be worth this much, nothing more is in doubt."""


async def breed_next(
    count: int,
    breeder: Breeder,
    members: Sequence[Individual],
    pieces: Pieces,
    screen: Screen,
    rng: np.random.Generator,
) -> list[Draft]:
    """Breed ``count`` drafts from an archive that is not empty.

    A quarter of the slots explores, three quarters while nothing is liked: what is liked is what the best three told
    are thought to be worth, so a run that finds nothing keeps looking around. At most a third of what exploits keeps
    tunes of its parents; the rest is composed afresh from words, so that sound is searched broadly. The event loop gets
    its turn after every draft.
    """
    doubt = clamp((_SATISFIED - screen.level) / 0.25)
    wanted = round(count * (0.25 + 0.5 * doubt))
    exploring = min(max(wanted, MIN_FAMILIES - 1), max(count - 1, 0))
    exploiting = count - exploring
    nursery = Nursery(breeder, members, pieces, rng)
    bred = []
    for _ in range(BREED_FACTOR * exploiting):
        bred.append(nursery.exploit())
        screen.prepare(bred[-1].facets)
        await asyncio.sleep(0)
    chosen = screen.choose(bred, exploiting, rng, daring=0.2, pieces=round(exploiting / 3))
    await asyncio.sleep(0)
    while len(chosen) < exploiting:  # too many were alike
        chosen.append(vary(breeder, nursery.parent(), 0.5, rng))
    told = Counter(member.facets.family or "" for member in members)
    seen = Counter(draft.facets.family or "" for draft in chosen)
    for _ in range(exploring):
        families = _open_families(breeder.families, seen)
        if rng.random() < doubt:  # nothing is liked: first see what has been seen least
            families = _open_families(families, told)
        drafts = []
        for index in rng.permutation(len(families))[:BREED_FACTOR]:
            drafts.append(nursery.explore(families[index]))
            screen.prepare(drafts[-1].facets)
            await asyncio.sleep(0)
        # A draw from the posterior: what might be liked comes first, what failed comes back now and then.
        best = screen.choose(drafts, 1, rng, daring=1.0)[0]
        seen[best.facets.family or ""] += 1
        chosen.append(best)
    return chosen


def _open_families(families: Sequence[str], seen: Counter[str]) -> list[str]:
    """Return the families that were seen least."""
    least = min(seen[family] for family in families)
    return [family for family in families if seen[family] == least]
