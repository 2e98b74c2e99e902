"""One number from many: components in [0, 1], their weights, and a gate that no component can buy its way past.

Fitness is the weighted mean of what could be measured, times the gate. The gate is the clip's quality, and 0 below
what may be posted: whatever the weights, broken audio never wins against a clip that anything speaks for. A copy of
what the run has made already is stopped by the same gate, since likeness to a liked clip is else the cheapest way up.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from domain.fitness import Component, Weights
from scoring.beliefs import Doubles
from scoring.laplace import sigmoid
from scoring.quality import BROKEN

NEUTRAL = 0.5
"""Fitness of a clip about which nothing is known."""
CAUTION = 1.0
"""Standard deviations of a reward that are taken off it, so that what the model has never seen is not sought out."""
COPY = 0.2
"""Distance in the taste space below which a clip begins to count as a copy. The same take is at 0, at whatever level;
the nearest subtle variation and the nearest other take of a prompt that were measured are at 0.3 and 0.4."""


class Reward(Protocol):
    """A model of what people prefer, with its doubt; ``scoring.reward`` has one."""

    def of(self, phi: Doubles) -> tuple[Doubles, Doubles]:
        """Return the mean reward (n,) in log odds over a usual clip, and its standard deviation (n,).

        Args:
            phi: (n, k + 1) in the space that it was learned in.
        """
        ...


def preference(reward: Reward, phi: NDArray[np.float64]) -> Doubles:
    """Return (n,) in [0, 1] how probably a clip is preferred to a usual one, as a careful model would bet."""
    mean, deviation = reward.of(phi)
    doubt = np.abs(np.asarray(deviation, dtype=np.float64))
    return sigmoid(np.asarray(mean, dtype=np.float64) - CAUTION * doubt)


def combine(
    components: Mapping[Component, NDArray[np.float64]],
    weights: Weights,
    gate: NDArray[np.float64],
) -> Doubles:
    """Return the fitness in [0, 1] of clips.

    Args:
        components: Each (n,) or (L, n) in [0, 1]. NaN takes no part: a clip is judged by what is known of it.
        weights: Where none of a clip's components counts, its fitness before the gate is ``NEUTRAL``.
        gate: (n,) in [0, 1], from ``gated``.

    Returns:
        (n,), or (L, n) where a component is.
    """
    passed = np.nan_to_num(np.clip(np.asarray(gate, dtype=np.float64), 0.0, 1.0), nan=0.0)
    total, weight = np.zeros_like(passed), np.zeros_like(passed)
    # Only proportions matter: against the largest, tiny weights do not vanish in the sum.
    largest = max((weights.of(name) for name in components), default=0.0) or 1.0
    for name, values in components.items():
        known = np.asarray(values, dtype=np.float64)
        counted = weights.of(name) / largest * np.isfinite(known)
        total = total + counted * np.clip(np.nan_to_num(known), 0.0, 1.0)
        weight = weight + counted
    neutral = np.full(np.broadcast_shapes(total.shape, weight.shape), NEUTRAL)
    out: Doubles = np.divide(total, weight, out=neutral, where=weight > 0) * passed
    return out


def share_of(
    name: Component, components: Mapping[Component, NDArray[np.float64]], weights: Weights
) -> Doubles:
    """Return (n,) the share in [0, 1] of one component in the weights of each clip."""
    counted = {one: weights.of(one) * np.isfinite(values) for one, values in components.items()}
    total = np.sum(list(counted.values()), axis=0)
    out: Doubles = np.divide(counted[name], total, out=np.zeros_like(total), where=total > 0)
    return out


def gated(quality: NDArray[np.float64], near: NDArray[np.float64] | None = None) -> Doubles:
    """Return the gate (n,) in [0, 1].

    Args:
        quality: (n,) from ``scoring.quality``; below what may be posted the gate is shut.
        near: (n, m) distances to clips that must not be repeated; ``None`` where repeats are no matter.
    """
    whole = np.nan_to_num(np.asarray(quality, dtype=np.float64), nan=0.0)
    gate: Doubles = np.where(whole >= BROKEN, np.clip(whole, 0.0, 1.0), 0.0)
    if near is not None and near.shape[1]:
        gate = gate * originality(near.min(axis=1))
    return gate


def originality(nearest: NDArray[np.float64]) -> Doubles:
    """Return (n,) in [0, 1]: 0 for a copy, 1 from ``COPY`` on, from the distance to the nearest clip."""
    share = np.clip(np.asarray(nearest, dtype=np.float64) / COPY, 0.0, 1.0)
    out: Doubles = share * share * (3.0 - 2.0 * share)
    return out
