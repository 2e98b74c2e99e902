"""The shape of a normal distribution that CMA-ES learns: with all relations of its coordinates, or their spreads."""

from __future__ import annotations

from typing import Protocol

import numpy as np

from evolution.numeric.engine import Array

_LEAST = 1e-8
"""Smallest variance along an axis."""


class Covariance(Protocol):
    """A covariance of n coordinates; the identity at first."""

    @property
    def faster(self) -> float:
        """How much faster it learns than a covariance with all relations."""

    def whitened(self, shifts: Array) -> Array:
        """Return shifts (count, n) along the axes of the distribution, in standard deviations."""

    def turned(self, white: Array) -> Array:
        """Return a step (n,) along the axes in the directions of the coordinates, its length as it is."""

    def drawn(self, noise: Array) -> Array:
        """Return standard normal numbers (count, n) as points of the distribution."""

    def scale(self, factor: float) -> None:
        """Multiply it."""

    def add(self, weight: float, rows: Array) -> None:
        """Add ``weight`` times the sum of the outer products of rows (count, n) with themselves."""


class Full:
    """All of it; its axes are worked out when they are first needed after a change."""

    faster = 1.0

    def __init__(self, size: int) -> None:
        self._matrix = np.eye(size)
        self._known: tuple[Array, Array] | None = None

    def _axes(self) -> tuple[Array, Array]:
        """Return the lengths (n,) and directions (n, n), in columns, of the axes."""
        if self._known is None:
            values, axes = np.linalg.eigh(self._matrix)
            self._known = np.sqrt(np.maximum(values, _LEAST)), np.asarray(axes)
        return self._known

    def whitened(self, shifts: Array) -> Array:
        """See ``Covariance``."""
        scale, axes = self._axes()
        return np.asarray(shifts @ axes / scale)

    def turned(self, white: Array) -> Array:
        """See ``Covariance``."""
        return np.asarray(white @ self._axes()[1].T)

    def drawn(self, noise: Array) -> Array:
        """See ``Covariance``."""
        scale, axes = self._axes()
        return np.asarray(noise * scale @ axes.T)

    def scale(self, factor: float) -> None:
        """See ``Covariance``."""
        self._matrix = factor * self._matrix
        self._known = None

    def add(self, weight: float, rows: Array) -> None:
        """See ``Covariance``."""
        self._matrix = self._matrix + weight * rows.T @ rows
        self._known = None


class Diagonal:
    """The variances alone, which take far fewer points to learn."""

    def __init__(self, size: int) -> None:
        self._variances = np.ones(size)
        self.faster = (size + 2) / 3

    def _spread(self) -> Array:
        return np.asarray(np.sqrt(np.maximum(self._variances, _LEAST)))

    def whitened(self, shifts: Array) -> Array:
        """See ``Covariance``."""
        return np.asarray(shifts / self._spread())

    def turned(self, white: Array) -> Array:
        """See ``Covariance``."""
        return white

    def drawn(self, noise: Array) -> Array:
        """See ``Covariance``."""
        return np.asarray(noise * self._spread())

    def scale(self, factor: float) -> None:
        """See ``Covariance``."""
        self._variances = factor * self._variances

    def add(self, weight: float, rows: Array) -> None:
        """See ``Covariance``."""
        self._variances = self._variances + weight * (rows**2).sum(axis=0)
