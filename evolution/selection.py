"""Choosing parents and survivors. Pure functions of numbers and an RNG."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


def ranking(values: Sequence[float] | Array) -> list[int]:
    """Return the indices of ``values`` from best to worst; equal ones keep their order."""
    return [int(index) for index in np.argsort(-np.asarray(values, dtype=float), kind="stable")]


def elites(values: Sequence[float] | Array, count: int) -> list[int]:
    """Return the indices of the ``count`` highest values, best first."""
    return ranking(values)[: max(count, 0)]


def tournament(values: Sequence[float] | Array, size: int, rng: np.random.Generator) -> int:
    """Return the best of ``size`` different random indices (all of them if there are fewer)."""
    entrants = rng.choice(len(values), size=min(max(size, 1), len(values)), replace=False)
    return int(max(entrants, key=lambda index: (values[index], -index)))


def by_rank(
    values: Sequence[float] | Array, rng: np.random.Generator, *, alpha: float = 1.0
) -> int:
    """Draw an index with probability proportional to (rank + 1) ** -alpha, as ShinkaEvolve chooses parents."""
    order = ranking(values)
    weights = np.arange(1, len(order) + 1, dtype=float) ** -alpha
    return order[int(rng.choice(len(order), p=weights / weights.sum()))]


def softmax(values: Sequence[float] | Array, temperature: float) -> Array:
    """Return probabilities proportional to exp(value / temperature), safe against overflow.

    Args:
        values: Any finite numbers.
        temperature: Above 0; small is greedy.
    """
    scaled = np.asarray(values, dtype=float) / max(temperature, 1e-9)
    weights = np.exp(scaled - scaled.max())
    return np.asarray(weights / weights.sum())


def draw(weights: Sequence[float] | Array, rng: np.random.Generator) -> int:
    """Draw an index with probability proportional to its weight; evenly where no weight is above 0."""
    shares = np.clip(np.nan_to_num(np.asarray(weights, dtype=float)), 0, None)
    total = shares.sum()
    return int(rng.choice(len(shares), p=shares / total if total > 0 else None))
