"""Embeddings of tokens as a genome: what is right about their scale, and how they are read as words.

For generators that take the embedding of a prompt in place of its text, such as MusicGen. Two faults of searching these
numbers plainly are put right here: a step of 1 where the numbers have a spread of 18 moves nothing and one of 20 moves
everything, so steps are measured in the table's own spread; and the word with the largest dot product is mostly the one
with the longest vector, so words are found by angle.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

_REACH = 3.0
"""Standard deviations of the table between the middle and the wall of the box [0, 1]."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class TokenTable:
    """The embeddings (words, dimensions) of a vocabulary; constant columns are allowed, NaN is not."""

    vectors: Array

    @property
    def scale(self) -> Array:
        """Standard deviation of each dimension, (dimensions,); 1 where the table does not vary."""
        found = self.vectors.std(axis=0)
        return np.asarray(np.where(found > 0, found, 1.0))

    def row(self, embeddings: Array) -> Array:
        """Return embeddings (tokens, dimensions) as a row (tokens * dimensions,) of the box, limited to it."""
        off = (embeddings - self.vectors.mean(axis=0)) / self.scale
        return np.asarray(np.clip(0.5 + off / (2 * _REACH), 0.0, 1.0)).ravel()

    def embeddings(self, row: Array) -> Array:
        """Return the embeddings (tokens, dimensions) of a row (tokens * dimensions,)."""
        off = (row.reshape(-1, self.vectors.shape[1]) - 0.5) * 2 * _REACH
        return np.asarray(self.vectors.mean(axis=0) + off * self.scale)

    def nearest(self, embeddings: Array) -> tuple[NDArray[np.int64], Array]:
        """Find the words of embeddings (tokens, dimensions).

        Returns:
            The number of the word with the smallest angle to each, (tokens,), and the cosines, (tokens,) in [-1, 1].
        """
        cosines = _units(embeddings) @ _units(self.vectors).T
        best = cosines.argmax(axis=1)
        return best, cosines[np.arange(len(best)), best]

    def far(self, embeddings: Array) -> float:
        """Return how far embeddings are from any words, from 0 (they are words) to 1: the distance-to-text penalty."""
        _, cosines = self.nearest(embeddings)
        return float(np.clip(1 - cosines.mean(), 0.0, 1.0))


def _units(rows: Array) -> Array:
    return np.asarray(rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-12))
