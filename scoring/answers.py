"""What ratings and comparisons say about a liking, as answers about thresholds.

The four grades are an ordered logit: love lies above the upper threshold, good between that and the middle one, and
whatever is above the middle is a like. Its likelihood is that of independent answers, "above the lower one" and "not
above the upper one", so that the mathematics of plain logistic regression serve.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from functools import lru_cache
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from domain.errors import ScoringError
from domain.vote import Grade
from scoring.beliefs import Doubles, Pair, Rated
from scoring.laplace import Evidence

DECAY = 0.98
"""What is left of the evidence of a rating when its listener has given one more."""
PAIR_WEIGHT = 1.0
APART = 1.5
"""Log odds between the thresholds of neighbouring grades."""
ANSWERS: Mapping[Grade, tuple[tuple[float, int], ...]] = {
    Grade.LOVE: ((APART, 1),),
    Grade.GOOD: ((0.0, 1), (APART, 0)),
    Grade.MEH: ((0.0, 0), (-APART, 1)),
    Grade.AWFUL: ((-APART, 0),),
}
"""(threshold, above) of what each grade says about a liking in log odds."""
_AT_APART = 1.0 / (1.0 + math.exp(APART))


def check(item: Rated, rows: int) -> None:
    """Raise a ``ScoringError`` where a rating names no row or holds a number out of range."""
    if not 0 <= item.clip < rows:
        message = f"A rating names clip row {item.clip}, but there are only {rows} rows."
        raise ScoringError(message)
    if not -1.0 <= item.rating <= 1.0:
        message = f"A rating of {item.rating} is outside -1 to 1."
        raise ScoringError(message)
    if not (0.0 <= item.weight < np.inf and 0.0 <= item.age < np.inf):
        message = "The weight and the age of a rating must be numbers of 0 or more."
        raise ScoringError(message)


def check_pair(pair: Pair, rows: int) -> None:
    """Raise a ``ScoringError`` where a pair names no two rows or holds a number out of range."""
    if not (0 <= pair.better < rows and 0 <= pair.worse < rows) or pair.better == pair.worse:
        message = f"A pair compares clip rows {pair.better} and {pair.worse}; there are {rows} rows, and it needs two."
        raise ScoringError(message)
    if not (0.0 < pair.weight < np.inf and 0.0 <= pair.age < np.inf):
        message = "The weight of a pair must be a number above 0, and its age one of 0 or more."
        raise ScoringError(message)


def favourites(ordered: Sequence[Rated]) -> list[tuple[int, int, float]]:
    """Return (better, worse, weight): each favourite against the clips of its round that are no favourites.

    Silence is no comparison: nobody knows whether the clip was heard before the star was given.
    """
    rounds: dict[str | int, dict[int, float]] = {}
    stars: dict[str | int, dict[int, float]] = {}
    for item in ordered:
        if item.silent:
            continue
        fresh = DECAY**item.age
        rounds.setdefault(item.round, {})
        rounds[item.round][item.clip] = max(fresh, rounds[item.round].get(item.clip, 0.0))
        if item.favourite:
            stars.setdefault(item.round, {})[item.clip] = fresh
    return [
        (star, other, PAIR_WEIGHT * fresh)
        for key, clips in stars.items()
        for star, fresh in clips.items()
        for other in rounds[key]
        if other not in clips
    ]


def answers(phi: Doubles, own: Sequence[Rated]) -> tuple[Evidence, NDArray[np.intp]]:
    """Return what ratings answer about the thresholds of grades, and the rating that each answer belongs to.

    A rating between two grades, such as the mean of two reactions, counts partly as each.
    """
    found = [
        (place, item.clip, threshold, target, share * item.weight * DECAY**item.age)
        for place, item in enumerate(own)
        for grade, share in _grades(item.rating)
        for threshold, target in ANSWERS[grade]
    ]
    owner, clips, threshold, target, weight = (
        np.array(column) for column in (zip(*found, strict=True) if found else [[]] * 5)
    )
    rows = phi[clips.astype(np.intp)]
    evidence = Evidence(
        rows=rows,
        threshold=threshold.astype(np.float64),
        target=target.astype(np.float64),
        weight=weight.astype(np.float64),
    )
    return evidence, owner.astype(np.intp)


def liked(rating: float) -> float:
    """Return how much of a rating is a like: 1 from good on, 0 up to meh, a share between."""
    return sum(share for grade, share in _grades(rating) if grade >= Grade.GOOD)


def chance(rating: float) -> float:
    """Return the probability in (0, 1) of liking a clip that was rated so, to be set beside what a taste foretells.

    A grade says that the probability lies between those of its thresholds; the middle is taken. So a love is 0.91, a
    good 0.66, a meh 0.34 and an awful 0.09, and what lies between two grades lies between their numbers.
    """
    edges = (0.0, _AT_APART, 0.5, 1.0 - _AT_APART, 1.0)
    return sum(share * (edges[grade] + edges[grade + 1]) / 2.0 for grade, share in _grades(rating))


@lru_cache(maxsize=256)
def _grades(rating: float) -> tuple[tuple[Grade, float], ...]:
    """Return the grade that a rating is, or the two that it lies between, with the share of each."""
    for low, high in pairwise(Grade):
        if rating <= high.rating:
            share = (rating - low.rating) / (high.rating - low.rating)
            parts = ((low, 1 - share), (high, share))
            return tuple((grade, part) for grade, part in parts if part > 0)
    return ((Grade.LOVE, 1.0),)


def with_pairs(
    evidence: Evidence, phi: Doubles, pairs: Sequence[tuple[int, int, float]]
) -> Evidence:
    """Add comparisons: the difference of two clips lies above 0."""
    if not pairs:
        return evidence
    better, worse, weight = zip(*pairs, strict=True)
    return Evidence(
        rows=np.concatenate([evidence.rows, phi[list(better)] - phi[list(worse)]]),
        threshold=np.concatenate([evidence.threshold, np.zeros(len(pairs))]),
        target=np.concatenate([evidence.target, np.ones(len(pairs))]),
        weight=np.concatenate([evidence.weight, np.array(weight)]),
    )
