"""What is new against the archive, by meaning: distances of facets, not of letters."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from evolution.archive import Individual
from evolution.herd import Herd
from evolution.language.drafting import Written
from evolution.selection import draw, softmax
from evolution.surrogate import similarity

Array = NDArray[np.float64]

_WEIGHT = 0.5
"""Fitness that being wholly new is worth, where something new is looked for."""


def novelty(rows: Array, told: Array) -> Array:
    """Return how far each row is from the nearest told one, in [0, 1]: 1 is unlike everything. Shape (rows,)."""
    if not len(told) or not len(rows):
        return np.ones(len(rows))
    return np.asarray(np.clip(1 - similarity(rows, told).max(axis=1), 0, 1))


def newest(
    drafts: Sequence[Written], count: int, herd: Herd, rng: np.random.Generator
) -> list[Written]:
    """Choose up to ``count`` drafts for being new, against the archive and each other, and for what may be liked."""
    if not drafts or count < 1:
        return []
    rows = herd.features.matrix([draft.facets for draft in drafts])
    seen = herd.features.matrix([member.facets for member in herd.members])
    worth = np.array([value or 0.0 for value in herd.screen.predict(drafts)])
    worth = worth + 0.05 * rng.standard_normal(len(drafts))
    chosen: list[int] = []
    while len(chosen) < min(count, len(drafts)):
        scores = worth + _WEIGHT * novelty(rows, seen)
        scores[chosen] = -np.inf
        chosen.append(int(np.argmax(scores)))
        seen = np.vstack([seen, rows[chosen[-1]]])
    return [drafts[index] for index in chosen]


def starting_points(herd: Herd, count: int, rng: np.random.Generator) -> list[str]:
    """Return ``count`` genre words to begin from, of the families that were seen least."""
    families = list(herd.breeder.families)
    seen = Counter(member.facets.family or "" for member in herd.members)
    order = [families[index] for index in rng.permutation(len(families))]
    order.sort(key=lambda family: seen[family])
    out = []
    for index in range(count):
        genres = herd.breeder.vocabulary.genres_of(order[index % len(order)])
        if genres:
            weights = np.arange(1, len(genres) + 1, dtype=float) ** -0.5
            out.append(genres[draw(weights, rng)].name)
    return out


def mate(
    mother: Individual, others: Sequence[Individual], herd: Herd, rng: np.random.Generator
) -> Individual:
    """Choose a mate that is good and means something else: fitness and distance of facets count alike."""
    rows = herd.features.matrix([member.facets for member in others])
    own = herd.features.matrix([mother.facets])
    apart = 1 - similarity(rows, own)[:, 0]
    worth = np.array([member.promise for member in others])
    return others[draw(softmax(worth + 0.5 * apart, 0.08), rng)]
