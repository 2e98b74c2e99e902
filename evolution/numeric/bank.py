"""The genome of a direction: where a prompt lies along the main directions in which prompts differ.

A bank of prompts of every family, the same for every run, is laid out by its words; its first principal components
are the coordinates. Whatever was told, whoever made it, is a point of this space.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np

from domain.facets import Facets
from evolution.archive import Individual
from evolution.facets_ops import Breeder
from evolution.numeric.engine import Array
from evolution.numeric.nearest import Nearest
from evolution.operators import Draft
from evolution.surrogate import FeatureMap
from prompts.vocabulary import Vocabulary

_EACH = 8
"""Prompts of the bank for each family."""
COMPONENTS = 16
_REACH = 2.5
"""Standard deviations of the bank between the middle and the wall of the box."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Directions:
    """The main directions of a bank.

    Attributes:
        mean: (features,) of the bank.
        axes: (components, features), orthonormal.
        scale: (components,) standard deviation of the bank along each.
    """

    mean: Array
    axes: Array
    scale: Array


@lru_cache(maxsize=4)
def directions(vocabulary: Vocabulary) -> Directions:
    """Return the directions of the bank that is invented with a vocabulary; always the same for the same one."""
    breeder, features = Breeder(vocabulary), FeatureMap(vocabulary)
    rng = np.random.default_rng(0)
    prompts = [breeder.invent(family, rng) for family in breeder.families for _ in range(_EACH)]
    rows = features.matrix(prompts)
    mean = rows.mean(axis=0)
    values, columns = np.linalg.eigh((rows - mean) @ (rows - mean).T)  # far fewer rows than words
    chosen = np.argsort(-values)[: min(COMPONENTS, len(rows) - 1)]
    axes = columns[:, chosen].T @ (rows - mean)
    axes /= np.linalg.norm(axes, axis=1, keepdims=True)
    signs = np.sign(axes[np.arange(len(axes)), np.abs(axes).argmax(axis=1)])
    scale = np.sqrt(values[chosen] / len(rows))
    return Directions(mean=mean, axes=axes * signs[:, None], scale=scale)


class BankGenome:
    """A ``Genome`` over the directions of a bank."""

    def __init__(self, known: Directions, features: FeatureMap, nearest: Nearest) -> None:
        self._known = known
        self._features = features
        self._nearest = nearest
        self.start = np.full(len(known.scale), 0.5)
        self.spread = np.full(len(known.scale), 0.5 / _REACH)

    def row(self, member: Individual, place: Mapping[str, Any] | None) -> Array | None:
        """Return the kept row, or where the words of a candidate lie."""
        kept = np.asarray(place.get("row"), dtype=float) if place is not None else None
        if kept is not None and kept.shape == self.start.shape:
            return kept
        return self.at(member.facets)

    def at(self, facets: Facets) -> Array:
        """Return where words lie, limited to the box."""
        known = self._known
        off = known.axes @ (self._features.matrix([facets])[0] - known.mean)
        return np.asarray(np.clip(0.5 + off / known.scale / (2 * _REACH), 0.0, 1.0))

    def place(self, row: Array) -> dict[str, Any]:
        """Return the row."""
        return {"row": [round(float(value), 4) for value in row]}

    def draft(self, row: Array) -> tuple[Draft, float]:
        """Return the nearest words of the point, and how far they are from it."""
        known = self._known
        point = known.mean + (known.scale * (row - 0.5) * 2 * _REACH) @ known.axes
        facets, far = self._nearest.words(point)
        return Draft(facets=facets, operator=""), far
