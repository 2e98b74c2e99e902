"""How sure a share, a mean or a difference is. Every interval is one of 95 %.

Shares get Wilson's interval and their differences Newcombe's, which stay honest with few votes; means get Student's;
clips are ranked by a Beta posterior whose prior is what clips here usually get, so that a single like does not win.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import betaincinv, stdtrit

from domain.errors import ScoringError

Z = 1.959963984540054
LEVEL = 0.95
LEAST_STRENGTH, MOST_STRENGTH = 2.0, 20.0
"""Votes that the prior of a clip may be worth."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Interval:
    """An estimate with its interval.

    Attributes:
        value: The estimate.
        low: Lower end.
        high: Upper end.
        count: What it rests on: votes, or units such as rounds.
    """

    value: float
    low: float
    high: float
    count: int

    @property
    def above_zero(self) -> bool:
        """Whether all of it is above 0."""
        return self.low > 0.0

    @property
    def below_zero(self) -> bool:
        """Whether all of it is below 0."""
        return self.high < 0.0


def share(hits: int, count: int) -> Interval | None:
    """Return a share with Wilson's interval, or ``None`` of nothing.

    Raises:
        ScoringError: There are more hits than tries, or fewer than none.
    """
    if not 0 <= hits <= count:
        message = f"{hits} of {count} is no share."
        raise ScoringError(message)
    if not count:
        return None
    rate, square = hits / count, Z * Z
    centre = (rate + square / (2 * count)) / (1 + square / count)
    half = Z / (1 + square / count) * math.sqrt(rate * (1 - rate) / count + square / (4 * count**2))
    # At 0 and at all of them the ends are exact; rounding must not put the value outside.
    low = 0.0 if hits == 0 else centre - half
    high = 1.0 if hits == count else centre + half
    return Interval(value=rate, low=low, high=high, count=count)


def difference(first: Interval | None, second: Interval | None) -> Interval | None:
    """Return the first share less the second with Newcombe's interval; ``count`` is the smaller one's."""
    if first is None or second is None:
        return None
    gap = first.value - second.value
    below = math.hypot(first.value - first.low, second.high - second.value)
    above = math.hypot(first.high - first.value, second.value - second.low)
    return Interval(
        value=gap, low=gap - below, high=gap + above, count=min(first.count, second.count)
    )


def mean(
    values: Sequence[float], *, least: float = -math.inf, most: float = math.inf
) -> Interval | None:
    """Return the mean with Student's interval; ``None`` of nothing, and no bounds but the given ones for one value.

    Args:
        values: Independent of each other.
        least: What a mean cannot be below.
        most: What it cannot be above.
    """
    count = len(values)
    if not count:
        return None
    numbers = np.asarray(values, dtype=np.float64)
    centre = float(numbers.mean())
    if count == 1:
        return Interval(value=centre, low=least, high=most, count=1)
    half = (
        float(stdtrit(count - 1, 0.5 + LEVEL / 2)) * float(numbers.std(ddof=1)) / math.sqrt(count)
    )
    return Interval(
        value=centre, low=max(least, centre - half), high=min(most, centre + half), count=count
    )


def units_needed(values: Sequence[float], least: float) -> int:
    """Return about how many more values would tell a mean from 0 if it is as large as it looks, ``least`` at least.

    Args:
        values: What there is, in [-1, 1].
        least: The smallest difference that matters.
    """
    count = len(values)
    # With few values their spread is a guess: it is blended with that of four values half a unit off.
    squares = float(np.var(values)) * count if count else 0.0
    spread = math.sqrt((squares + 4 * 0.25) / (count + 4))
    size = max(least, abs(float(np.mean(values))) if count else least)
    return max(0, math.ceil((Z * spread / size) ** 2) + 1 - count)


@dataclass(frozen=True, slots=True, kw_only=True)
class BetaPrior:
    """What like rates clips usually have: Beta(likes, dislikes)."""

    likes: float
    dislikes: float


def usual(counts: Sequence[tuple[int, int]]) -> BetaPrior:
    """Return what like rates clips have, by the method of moments, from (likes, votes) of each.

    The wider clips differ, the fewer votes the prior is worth; it is always worth between 2 and 20. One like and one
    dislike are added, so that a handful of clips proves little.
    """
    rated = np.array([(k, n) for k, n in counts if n > 0], dtype=np.float64).reshape(-1, 2)
    likes, votes = rated[:, 0], rated[:, 1]
    rate = float((likes.sum() + 1.0) / (votes.sum() + 2.0))
    strength = LEAST_STRENGTH
    many = votes >= 2
    if many.sum() >= 5:
        shares, sizes = likes[many] / votes[many], votes[many]
        noise = rate * (1 - rate)
        seen = float(np.average((shares - rate) ** 2, weights=sizes))
        sampling = noise * float(len(sizes) / sizes.sum())
        between = max(1e-6, (seen - sampling) / max(1e-6, 1.0 - len(sizes) / sizes.sum()))
        strength = float(np.clip(noise / between - 1.0, LEAST_STRENGTH, MOST_STRENGTH))
    return BetaPrior(likes=strength * rate, dislikes=strength * (1.0 - rate))


def shrunk(hits: int, count: int, prior: BetaPrior) -> Interval:
    """Return a clip's like rate as the prior and its votes tell it, with the posterior's interval."""
    good, bad = prior.likes + hits, prior.dislikes + count - hits
    tail = (1.0 - LEVEL) / 2
    return Interval(
        value=good / (good + bad),
        low=float(betaincinv(good, bad, tail)),
        high=float(betaincinv(good, bad, 1.0 - tail)),
        count=count,
    )
