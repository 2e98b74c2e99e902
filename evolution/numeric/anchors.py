"""The genome of a mixture: how much of each anchor, a prompt that people have heard, goes into a new one.

Eight to sixteen anchors; the weights are positive and sum to 1. A child is blended in the space of words and then said
in the nearest words, so its lineage reads "60 % of this, 30 % of that".
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from evolution.archive import Individual
from evolution.numeric.engine import Array
from evolution.numeric.nearest import Nearest
from evolution.operators import Draft
from evolution.selection import ranking, softmax
from evolution.surrogate import FeatureMap

FEWEST, MOST = 8, 16
_RANGE = 5.0
"""Log of the largest ratio of two weights: the row 0 has e**-5 of the weight of the row 1."""
_LOST = 0.34
"""Share of a mixture that may come from prompts that are anchors no more."""
_NAMED = 0.2
"""Weight from which on an anchor counts as a parent."""


class AnchorGenome:
    """A ``Genome`` over mixtures; a row has a number in [0, 1] for each anchor."""

    def __init__(
        self, anchors: Sequence[Individual], features: FeatureMap, nearest: Nearest
    ) -> None:
        """Mix ``anchors``, at least two."""
        self._ids = [anchor.id for anchor in anchors]
        self._rows = features.matrix([anchor.facets for anchor in anchors])
        self._nearest = nearest
        self.start = np.full(len(anchors), 0.4)
        self.spread = np.full(len(anchors), 0.35)

    @classmethod
    def of(
        cls, heard: Sequence[Individual], features: FeatureMap, nearest: Nearest
    ) -> AnchorGenome | None:
        """Return the genome over the best of what was heard, or ``None`` while that is too little.

        Args:
            heard: Told candidates that are no mixtures themselves.
            features: The space of words.
            nearest: Finds words.
        """
        if len(heard) < FEWEST:
            return None
        best = ranking([member.promise for member in heard])[:MOST]
        return cls([heard[index] for index in sorted(best)], features, nearest)

    def weights(self, row: Array) -> Array:
        """Return the share of each anchor, shape (anchors,)."""
        return softmax(row, 1 / _RANGE)

    def row(self, member: Individual, place: Mapping[str, Any] | None) -> Array | None:
        """Return an anchor as itself alone, and the kept weights of a mixture of anchors of today."""
        if member.id in self._ids:
            return np.array([float(one == member.id) for one in self._ids])
        known = place.get("weights") if place is not None else None
        if not isinstance(known, Mapping):
            return None
        shares = np.array([max(float(known.get(str(one), 0.0)), 0.0) for one in self._ids])
        if shares.sum() < 1 - _LOST:
            return None
        logs = np.log(np.maximum(shares / shares.max(), np.exp(-_RANGE)))
        return np.asarray(1 + logs / _RANGE)

    def place(self, row: Array) -> dict[str, Any]:
        """Return the weights by the id of the anchor."""
        shares = zip(self._ids, self.weights(row), strict=True)
        return {"weights": {str(one): round(float(share), 4) for one, share in shares}}

    def draft(self, row: Array) -> tuple[Draft, float]:
        """Return the nearest words of the mixture, and how far they are from it."""
        shares = self.weights(row)
        order = ranking(shares)
        parents = [order[0], *(one for one in order[1:3] if shares[one] >= _NAMED)]
        facets, far = self._nearest.words(shares @ self._rows)
        return Draft(
            facets=facets, operator="", parents=tuple(self._ids[one] for one in parents)
        ), far
