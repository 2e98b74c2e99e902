"""CMA-ES: a normal distribution that learns where to look, how far, and in which directions.

Hansen, "The CMA Evolution Strategy: A Tutorial" (arXiv 1604.00772), with the default constants of its table 1 for the
number of points that each step really has. Beyond ``FULL`` coordinates only their spreads are learned, not how they
belong together: Ros and Hansen, "A Simple Modification in CMA-ES Achieving Linear Time and Space Complexity" (2008).
Points that the distribution did not draw as it is now (rated late, or under another taste) are limited in length as in
Hansen, "Injecting External Solutions Into CMA-ES" (arXiv 1110.4181).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from evolution.numeric.covariance import Covariance, Diagonal, Full
from evolution.numeric.engine import (
    Array,
    Child,
    Point,
    best_first,
    matrix,
    recombination,
    reflected,
)

FULL = 256
"""Coordinates up to which all their relations are learned."""
_SMALLEST, _LARGEST = 0.1, 2.0
"""Range of the step size relative to the first one: people's votes are noisy, so it never quite dies."""


class CMAES:
    """An ``Engine``; see the module."""

    def __init__(self, start: Array, spread: Array) -> None:
        """Begin.

        Args:
            start: (n,) where the search begins.
            spread: (n,) standard deviation of each coordinate in the beginning, above 0.
        """
        self._mean = np.array(start, dtype=float)
        self._spread = np.array(spread, dtype=float)
        size = len(self._mean)
        self._size = size
        self._sigma = 1.0
        self._covariance: Covariance = Full(size) if size <= FULL else Diagonal(size)
        self._path = np.zeros(size)
        self._sigma_path = np.zeros(size)
        self._steps = 0
        self._expected = np.sqrt(size) * (1 - 1 / (4 * size) + 1 / (21 * size**2))

    def tell(self, points: Sequence[Point]) -> None:
        """Take the points of one step. One point alone says nothing about the others and moves nothing."""
        if len(points) < 2:
            return
        order = best_first(points)
        weights = recombination(len(order))
        shifts = (matrix(order[: len(weights)]) - self._mean) / self._spread / self._sigma
        white = self._covariance.whitened(shifts)
        lengths = np.linalg.norm(white, axis=1, keepdims=True)
        longest = np.sqrt(self._size) + 2 * self._size / (self._size + 2)
        limit = np.minimum(1.0, longest / np.maximum(lengths, 1e-12))
        shifts, white = shifts * limit, white * limit
        mass = 1 / float((weights**2).sum())
        lost = self._move(weights @ shifts, self._covariance.turned(weights @ white), mass)
        self._learn(shifts, weights, mass, lost)

    def _move(self, shift: Array, white: Array, mass: float) -> float:
        """Move the mean by ``shift`` and adapt the step size to how long its path is.

        Returns:
            What the covariance would lose of itself because a path that grows too fast is held, relative to the rate of
            rank one; 0 while it is not held.
        """
        size = self._size
        rate = (mass + 2) / (size + mass + 5)
        damping = 1 + 2 * max(0.0, np.sqrt((mass - 1) / (size + 1)) - 1) + rate
        self._mean = reflected(self._mean + self._sigma * shift * self._spread)
        self._sigma_path = (1 - rate) * self._sigma_path + np.sqrt(rate * (2 - rate) * mass) * white
        length = float(np.linalg.norm(self._sigma_path))
        self._steps += 1
        settled = np.sqrt(1 - (1 - rate) ** (2 * self._steps))
        held = length / settled >= (1.4 + 2 / (size + 1)) * self._expected
        factor = np.exp(min(1.0, rate / damping * (length / self._expected - 1)))
        self._sigma = float(np.clip(self._sigma * factor, _SMALLEST, _LARGEST))
        slow = (4 + mass / size) / (size + 4 + 2 * mass / size)
        push = 0.0 if held else np.sqrt(slow * (2 - slow) * mass) * shift
        self._path = (1 - slow) * self._path + push
        return slow * (2 - slow) if held else 0.0

    def _learn(self, shifts: Array, weights: Array, mass: float, lost: float) -> None:
        """Adapt the covariance to the path (rank one) and to the chosen shifts (rank mu)."""
        size = self._size
        faster = self._covariance.faster
        one = faster * 2 / ((size + 1.3) ** 2 + mass)
        many = min(1 - one, faster * 2 * (mass - 2 + 1 / mass) / ((size + 2) ** 2 + mass))
        self._covariance.scale(1 - one - many + one * lost)
        self._covariance.add(one, self._path[None, :])
        self._covariance.add(many, shifts * np.sqrt(weights)[:, None])

    def ask(self, count: int, rng: np.random.Generator) -> list[Child]:
        """Draw ``count`` rows."""
        noise = self._covariance.drawn(rng.standard_normal((count, self._size)))
        rows = reflected(self._mean + self._sigma * noise * self._spread)
        return [Child(row=row, how="draw") for row in rows]
