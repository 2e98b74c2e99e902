"""The track record of an operator: what its children gained over their parents, and what they cost."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from prompts.operators import applied
from storage.breeding_record import Tally

_QUANTILES = (
    *(12.71, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228),
    *(2.201, 2.179, 2.160, 2.145, 2.131, 2.120, 2.110, 2.101, 2.093, 2.086),
)
"""0.975 quantiles of Student's t with 1 to 20 degrees of freedom."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """What an operator has to show in a server.

    Attributes:
        children: Candidates that it made, alone or in a chain with others.
        rejected: Children whose audio failed the gate or was called broken.
        rated: Children that were rated and have a rated parent: what ``gain`` rests on.
        gain: Mean rating of those minus that of their parents, in [-2, 2]; ``None`` without any.
        margin: Half the width of its 95 % interval; ``None`` with fewer than two.
        asks: Requests to the language model.
        tokens: Tokens read and written for it.
        cost: Money, in the currency of the settings' prices.
    """

    children: int = 0
    rejected: int = 0
    rated: int = 0
    gain: float | None = None
    margin: float | None = None
    asks: int = 0
    tokens: int = 0
    cost: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Spent:
    """What requests for one task have cost."""

    asks: int = 0
    tokens: int = 0
    cost: float = 0.0


def record_of(name: str, tallies: Iterable[Tally], spent: Mapping[str, Spent]) -> Record:
    """Put together what is known of one operator."""
    children = rejected = rated = 0
    total = squares = 0.0
    for tally in tallies:
        if name not in applied(tally.operator):
            continue
        children += tally.children
        rejected += tally.rejected
        rated += tally.rated
        total += tally.total
        squares += tally.squares
    cost = spent.get(f"operator:{name}", Spent())
    return Record(
        children=children,
        rejected=rejected,
        rated=rated,
        gain=total / rated if rated else None,
        margin=margin(rated, total, squares),
        asks=cost.asks,
        tokens=cost.tokens,
        cost=cost.cost,
    )


def margin(count: int, total: float, squares: float) -> float | None:
    """Return half the width of the 95 % interval of a mean (Student's t), or ``None`` for fewer than two values.

    Args:
        count: How many values.
        total: Their sum.
        squares: The sum of their squares.
    """
    if count < 2:
        return None
    variance = max(0.0, (squares - total * total / count) / (count - 1))
    quantile = _QUANTILES[count - 2] if count - 2 < len(_QUANTILES) else 1.96 + 2.5 / count
    return quantile * math.sqrt(variance / count)
