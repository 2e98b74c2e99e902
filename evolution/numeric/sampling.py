"""PGPE and CEM: two plain ways of moving a normal distribution towards what is worth more."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from evolution.numeric.engine import (
    Array,
    Child,
    Point,
    best_first,
    matrix,
    reflected,
    utilities,
)

_FAR = 3.0
_SMALLEST, _LARGEST = 0.1, 2.0
"""Limits of a point's coordinates in standard deviations, and of the spread relative to the first one."""


class PGPE:
    """An ``Engine`` after Sehnke et al., "Parameter-exploring policy gradients", Neural Networks 23 (2010).

    Children come in mirrored pairs. Which of a pair gets rated is not known beforehand, so the gradient is that of
    single points with the mean as baseline (its eq. 9 and 10), over ranks, in units of the spread.
    """

    def __init__(self, start: Array, spread: Array) -> None:
        """Begin at ``start`` (n,) with a standard deviation ``spread`` (n,) of each coordinate."""
        self._mean = np.array(start, dtype=float)
        self._first = np.array(spread, dtype=float)
        self._spread = self._first.copy()

    def tell(self, points: Sequence[Point]) -> None:
        """Take the points of one step. One point alone moves nothing."""
        if len(points) < 2:
            return
        worth = utilities(len(points))
        white = (matrix(best_first(points)) - self._mean) / self._spread
        white = np.clip(white, -_FAR, _FAR)
        self._mean = reflected(self._mean + self._spread * (worth @ white))
        spread = self._spread * (1 + 0.1 * (worth @ (white**2 - 1)))
        self._spread = np.clip(spread, _SMALLEST * self._first, _LARGEST * self._first)

    def ask(self, count: int, rng: np.random.Generator) -> list[Child]:
        """Draw ``count`` rows in mirrored pairs; of an odd number the last one is alone."""
        half = rng.standard_normal(((count + 1) // 2, len(self._mean)))
        noise = np.stack([half, -half], axis=1).reshape(-1, len(self._mean))[:count]
        rows = reflected(self._mean + self._spread * noise)
        return [Child(row=row, how="draw") for row in rows]


class CEM:
    """An ``Engine`` by the cross-entropy method, de Boer et al., Annals of Operations Research 134 (2005).

    Mean and spread of the best quarter of a step, half of the way each time so that a small step decides little.
    """

    _QUARTER = 0.25
    _SMOOTH = 0.5

    def __init__(self, start: Array, spread: Array) -> None:
        """Begin at ``start`` (n,) with a standard deviation ``spread`` (n,) of each coordinate."""
        self._mean = np.array(start, dtype=float)
        self._first = np.array(spread, dtype=float)
        self._spread = self._first.copy()

    def tell(self, points: Sequence[Point]) -> None:
        """Take the points of one step. One point alone moves nothing."""
        if len(points) < 2:
            return
        kept = matrix(best_first(points)[: max(2, round(self._QUARTER * len(points)))])
        self._mean = self._mean + self._SMOOTH * (kept.mean(axis=0) - self._mean)
        spread = self._spread + self._SMOOTH * (kept.std(axis=0) - self._spread)
        self._spread = np.clip(spread, 3 * _SMALLEST * self._first, _LARGEST * self._first)

    def ask(self, count: int, rng: np.random.Generator) -> list[Child]:
        """Draw ``count`` rows."""
        noise = rng.standard_normal((count, len(self._mean)))
        rows = reflected(self._mean + self._spread * noise)
        return [Child(row=row, how="draw") for row in rows]
