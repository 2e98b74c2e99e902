"""Whether a foretold liking of 70 % is liked in 70 of 100 cases."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from domain.errors import ScoringError
from scoring.intervals import Interval, share

BINS = 5
DRAWS = 400
BLOCK = 2**18
"""Numbers that are drawn at once: of a server with 50,000 votes all would be 160 MB, several times over."""
SEED = 20_240_101
"""Of the draws that give the intervals: the same votes always give the same figures."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bin:
    """Predictions that were about equal: their mean, and the share of likes that followed."""

    foretold: float
    actual: Interval


@dataclass(frozen=True, slots=True, kw_only=True)
class Calibration:
    """How predictions and votes agree.

    Attributes:
        bins: By rising prediction, about equally many in each.
        error: Expected calibration error: mean distance of foretold and actual over the bins, with a bootstrap
            interval.
        by_chance: The error that perfect predictions would show with as few votes.
        bias: Mean prediction less the share of likes: above 0 is too hopeful.
    """

    bins: tuple[Bin, ...]
    error: Interval
    by_chance: float
    bias: float


def calibration(foretold: Sequence[float], liked: Sequence[bool]) -> Calibration | None:
    """Compare predictions in [0, 1] with what was liked; ``None`` without any.

    Raises:
        ScoringError: The lengths differ, or a prediction is outside [0, 1].
    """
    chance = np.asarray(foretold, dtype=np.float64)
    truth = np.asarray(liked, dtype=np.float64)
    if chance.shape != truth.shape or not ((chance >= 0) & (chance <= 1)).all():
        message = "Each vote needs one prediction in [0, 1]."
        raise ScoringError(message)
    if not len(chance):
        return None
    order = np.argsort(chance, kind="stable")
    chance, truth = chance[order], truth[order]
    rng = np.random.default_rng(SEED)
    again = (np.sort(rng.integers(len(chance), size=one), axis=1) for one in _blocks(len(chance)))
    errors = np.concatenate([_errors(chance[rows], truth[rows]) for rows in again])
    perfect = np.concatenate(
        [
            _errors(np.broadcast_to(chance, one), (rng.random(one) < chance).astype(np.float64))
            for one in _blocks(len(chance))
        ]
    )
    error = float(_errors(chance[None], truth[None])[0])
    low, high = np.quantile(errors, [0.025, 0.975])
    return Calibration(
        bins=_bins(chance, truth),
        error=Interval(
            value=error, low=min(error, float(low)), high=max(error, float(high)), count=len(chance)
        ),
        by_chance=float(perfect.mean()),
        bias=float(chance.mean() - truth.mean()),
    )


def _blocks(count: int) -> list[tuple[int, int]]:
    """Return the shapes (draws, count) in which all draws are made, none larger than it must be."""
    size = max(1, min(DRAWS, BLOCK // count))
    return [(min(size, DRAWS - start), count) for start in range(0, DRAWS, size)]


def _edges(count: int) -> NDArray[np.int64]:
    return np.linspace(0, count, min(BINS, count) + 1).astype(np.int64)


def _errors(chance: NDArray[np.float64], truth: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return (draws,) the calibration error of each row of (draws, n) sorted predictions."""
    starts = _edges(chance.shape[1])[:-1]
    gaps = np.add.reduceat(chance - truth, starts, axis=1)
    out: NDArray[np.float64] = np.abs(gaps).sum(axis=1) / chance.shape[1]
    return out


def _bins(chance: NDArray[np.float64], truth: NDArray[np.float64]) -> tuple[Bin, ...]:
    edges = _edges(len(chance))
    out = []
    for start, end in itertools.pairwise(edges):
        actual = share(int(truth[start:end].sum()), int(end - start))
        if actual is not None:
            out.append(Bin(foretold=float(chance[start:end].mean()), actual=actual))
    return tuple(out)
