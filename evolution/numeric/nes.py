"""Natural evolution strategies: SNES with a spread for each coordinate, XNES with all their relations.

Wierstra et al., "Natural Evolution Strategies", JMLR 15 (2014): algorithms 5 (xNES) and 6 (SNES), with the learning
rates of its table 1. Points that the distribution did not draw as it is now are limited in length, as in ``cma``.
"""

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
"""Standard deviations to which a coordinate of a point is limited."""
_SMALLEST, _LARGEST = 0.1, 2.0
"""Range of the spread relative to the first one."""


class SNES:
    """An ``Engine`` that learns a mean and a spread for each coordinate."""

    def __init__(self, start: Array, spread: Array) -> None:
        """Begin at ``start`` (n,) with a standard deviation ``spread`` (n,) of each coordinate."""
        self._mean = np.array(start, dtype=float)
        self._first = np.array(spread, dtype=float)
        self._spread = self._first.copy()

    def tell(self, points: Sequence[Point]) -> None:
        """Take the points of one step. One point alone moves nothing."""
        if len(points) < 2:
            return
        size = len(self._mean)
        worth = utilities(len(points))
        white = (matrix(best_first(points)) - self._mean) / self._spread
        white = np.clip(white, -_FAR, _FAR)
        rate = (3 + np.log(size)) / (5 * np.sqrt(size))
        self._mean = reflected(self._mean + self._spread * (worth @ white))
        spread = self._spread * np.exp(rate / 2 * (worth @ (white**2 - 1)))
        self._spread = np.clip(spread, _SMALLEST * self._first, _LARGEST * self._first)

    def ask(self, count: int, rng: np.random.Generator) -> list[Child]:
        """Draw ``count`` rows."""
        noise = rng.standard_normal((count, len(self._mean)))
        rows = reflected(self._mean + self._spread * noise)
        return [Child(row=row, how="draw") for row in rows]


class XNES:
    """An ``Engine`` that learns a mean, a spread and a shape; the shape in exponential coordinates."""

    def __init__(self, start: Array, spread: Array) -> None:
        """Begin at ``start`` (n,) with a standard deviation ``spread`` (n,) of each coordinate."""
        self._mean = np.array(start, dtype=float)
        self._first = np.array(spread, dtype=float)
        self._sigma = 1.0
        self._shape = np.eye(len(self._mean))

    def tell(self, points: Sequence[Point]) -> None:
        """Take the points of one step. One point alone moves nothing."""
        if len(points) < 2:
            return
        size = len(self._mean)
        worth = utilities(len(points))
        shifts = (matrix(best_first(points)) - self._mean) / self._first / self._sigma
        white = np.clip(np.linalg.solve(self._shape, shifts.T).T, -_FAR, _FAR)
        rate = 0.6 * (3 + np.log(size)) / (size * np.sqrt(size))
        self._mean = reflected(
            self._mean + self._sigma * (self._shape @ (worth @ white)) * self._first
        )
        turn = (
            white * worth[:, None]
        ).T @ white  # the utilities sum to 0, so the identity drops out
        growth = float(np.trace(turn)) / size
        self._sigma = float(np.clip(self._sigma * np.exp(rate / 2 * growth), _SMALLEST, _LARGEST))
        from scipy.linalg import expm  # noqa: PLC0415 - slow to import, and few runs search by XNES

        self._shape = self._shape @ np.asarray(expm(rate / 2 * (turn - growth * np.eye(size))))

    def ask(self, count: int, rng: np.random.Generator) -> list[Child]:
        """Draw ``count`` rows."""
        noise = rng.standard_normal((count, len(self._mean))) @ self._shape.T
        rows = reflected(self._mean + self._sigma * noise * self._first)
        return [Child(row=row, how="draw") for row in rows]
