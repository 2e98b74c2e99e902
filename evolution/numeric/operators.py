"""Genetic operators on rows in [0, 1]. Pure functions: parents in, child out, chance from the generator passed in.

Deb and Agrawal, "Simulated Binary Crossover for Continuous Search Space", Complex Systems 9 (1995); Deb and Goyal, "A
Combined Genetic Adaptive Search (GeneAS)", 1996, for the polynomial mutation; Gomez et al., "Accelerated Neural
Evolution through Cooperatively Coevolved Synapses", JMLR 9 (2008), for the permutation of CoSyNE.
"""

from __future__ import annotations

from typing import Protocol

import numpy as np

from evolution.numeric.engine import Array, reflected


class Crossover(Protocol):
    """Makes a child of two rows."""

    def __call__(self, mother: Array, father: Array, rng: np.random.Generator) -> Array:
        """Return a row (n,) in [0, 1] of two rows (n,)."""


def one_point(mother: Array, father: Array, rng: np.random.Generator) -> Array:
    """Take the mother's numbers up to a place, the father's after it."""
    return multi_point(mother, father, rng, points=1)


def two_point(mother: Array, father: Array, rng: np.random.Generator) -> Array:
    """Take the father's numbers between two places, the mother's elsewhere."""
    return multi_point(mother, father, rng, points=2)


def multi_point(
    mother: Array, father: Array, rng: np.random.Generator, *, points: int = 4
) -> Array:
    """Change from one parent to the other at ``points`` places, fewer in a short row."""
    places = np.arange(1, len(mother))
    cuts = rng.choice(places, size=min(points, len(places)), replace=False)
    turns = np.zeros(len(mother), dtype=int)
    turns[cuts] = 1
    return np.where(np.cumsum(turns) % 2 == 0, mother, father)


def simulated_binary(
    mother: Array, father: Array, rng: np.random.Generator, *, eta: float = 10.0
) -> Array:
    """Draw each number near one parent or the other, as far away as the parents are apart allows.

    Args:
        mother: One parent.
        father: The other one.
        rng: Chance.
        eta: The larger, the nearer to the parents; above 0.
    """
    chance = rng.random(len(mother))
    inner = (2 * chance) ** (1 / (eta + 1))
    outer = (1 / np.maximum(2 * (1 - chance), 1e-12)) ** (1 / (eta + 1))
    beta = np.where(chance <= 0.5, inner, outer)
    beta = np.where(rng.random(len(mother)) < 0.5, beta, -beta)  # either of the two children
    return reflected(0.5 * ((1 + beta) * mother + (1 - beta) * father))


def gaussian(row: Array, rng: np.random.Generator, *, deviation: Array, rate: float) -> Array:
    """Add normal noise of ``deviation`` (n,) to each number with the probability ``rate``."""
    chosen = rng.random(len(row)) < rate
    return reflected(row + chosen * deviation * rng.standard_normal(len(row)))


def polynomial(
    row: Array, rng: np.random.Generator, *, eta: float = 20.0, rate: float = 0.1
) -> Array:
    """Move each number with the probability ``rate`` by a step that is mostly small and never leaves the box."""
    chosen = rng.random(len(row)) < rate
    chance = rng.random(len(row))
    power = 1 / (eta + 1)
    down = (2 * chance + (1 - 2 * chance) * (1 - row) ** (eta + 1)) ** power - 1
    up = 1 - (2 * (1 - chance) + (2 * chance - 1) * row ** (eta + 1)) ** power
    return np.clip(row + chosen * np.where(chance < 0.5, down, up), 0.0, 1.0)


def cosyne(rows: Array, fitness: Array, rng: np.random.Generator) -> Array:
    """Shuffle each column among the rows; the better a row, the more of its numbers stay.

    A number of row i moves with the probability 1 - ((f_i - min) / (max - min)) ** (1 / n).

    Args:
        rows: (count, n), at least two.
        fitness: (count,).
        rng: Chance.
    """
    span = fitness.max() - fitness.min()
    share = (fitness - fitness.min()) / span if span > 0 else np.zeros(len(fitness))
    moving = rng.random(rows.shape) < (1 - share ** (1 / rows.shape[1]))[:, None]
    out = rows.copy()
    for column in range(rows.shape[1]):
        places = np.flatnonzero(moving[:, column])
        out[places, column] = rows[rng.permutation(places), column]
    return out
