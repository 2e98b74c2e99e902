"""The votes behind a reason: which clips somebody rated made their taste speak for or against a property.

How much a vote moved a property is found by learning the taste again without it. That is a plain question with an exact
answer, whatever the learner is made of: what would be thought of this clip if you had not said that?
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from scoring.beliefs import Prior, Reason, Taste
from scoring.explain import parts_of
from scoring.space import TasteSpace
from scoring.taste import explain
from service.evidence import Evidence

FOR, AGAINST = 3, 2
"""Reasons that are told."""
FAINT = 0.03
"""Log odds below which a property is not worth a line."""
LATEST = 30
"""Votes that are asked after, the latest: each takes about two milliseconds."""
SHARE, LEAST = 3, 3
"""A clip is alike if it is among the nearest third (or three), and nearer than a clip of which nothing is known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Behind:
    """A reason and the votes behind it.

    Attributes:
        reason: The property, and what it adds.
        alike: Rows of the rated clips that are nearest to the clip in this property.
        movers: Rows of the rated clips whose votes moved it most in the direction that it has, strongest first.
    """

    reason: Reason
    alike: tuple[int, ...]
    movers: tuple[int, ...]


def reasons_behind(
    said: Evidence, prior: Prior, space: TasteSpace, phi_row: NDArray[np.float64]
) -> list[Behind]:
    """Return what speaks for a clip, then what speaks against it, the strongest first. Keep it off the event loop.

    Args:
        said: All that the listener said.
        prior: Where their taste starts.
        space: Of the taste.
        phi_row: (k + 1,) of the clip.
    """
    taste = said.taste(prior)
    told = [one for one in explain(taste, phi_row, space) if abs(one.contribution) >= FAINT]
    chosen = [one for one in told if one.contribution > 0][:FOR]
    chosen += [one for one in told if one.contribution < 0][:AGAINST]
    mine = {name: part[0] for name, part in parts_of(space, phi_row[None]).items()}
    theirs = parts_of(space, said.phi)
    rated = sorted({one.clip for one in said.rated if one.counts})
    asked = _latest(said)
    without = {row: _without(said, row, prior) for row in asked}
    return [
        Behind(
            reason=one,
            alike=_alike(theirs[one.label], mine[one.label], rated),
            movers=_movers(taste, without, mine[one.label], one.contribution),
        )
        for one in chosen
    ]


def _latest(said: Evidence) -> list[int]:
    ages: dict[int, float] = {}
    for one in said.rated:
        if one.counts:
            ages[one.clip] = min(one.age, ages.get(one.clip, one.age))
    return sorted(ages, key=lambda row: (ages[row], row))[:LATEST]


def _without(said: Evidence, row: int, prior: Prior) -> Taste:
    return replace(
        said,
        rated=[one for one in said.rated if one.clip != row],
        pairs=[pair for pair in said.pairs if row not in (pair.better, pair.worse)],
    ).taste(prior)


def _alike(
    theirs: NDArray[np.float64], mine: NDArray[np.float64], rated: Sequence[int]
) -> tuple[int, ...]:
    apart = {row: float(np.linalg.norm(theirs[row] - mine)) for row in rated}
    order = sorted(rated, key=lambda row: (apart[row], row))[: max(LEAST, len(rated) // SHARE)]
    typical = float(np.linalg.norm(mine))  # phi is centred: what is usual has 0 in every property
    return tuple(row for row in order if apart[row] < typical)


def _movers(
    taste: Taste, without: dict[int, Taste], mine: NDArray[np.float64], contribution: float
) -> tuple[int, ...]:
    sign = 1.0 if contribution > 0 else -1.0
    moved = {row: sign * float(mine @ (taste.mean - less.mean)) for row, less in without.items()}
    order = sorted((row for row in moved if moved[row] > 0), key=lambda row: (-moved[row], row))
    return tuple(order[:2])
