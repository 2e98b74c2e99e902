"""The genome of an embedding: the states of a text encoder themselves, in place of words that anybody wrote.

What EvoMusic searched (``max_seq_len`` x 768 numbers), but on the states' own scale, begun at a prompt that says the
vibe, with a price for being far from words. The first children are real prompts; a child is said in the nearest words,
so its lineage can be read.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from domain.facets import Facets
from evolution.archive import Individual
from evolution.numeric.engine import Array
from evolution.numeric.genetic import Rates
from evolution.numeric.nearest import Nearest
from evolution.numeric.states import StateTable, kept
from evolution.operators import Draft
from evolution.selection import softmax
from evolution.surrogate import FeatureMap, similarity

_FIRST = 0.5 / 6
"""First step of a number: half a standard deviation of the table, in the box."""
_SHARP = 0.06
"""Difference of likeness that makes a prompt count e times as much in the words of a point."""
_AROUND = 16
"""Prompts of the table that are near enough to a vibe to begin with."""
_CELLS = 255
RATES = Rates(crossover="two point", mutated=0.5, deviation=1.0, polynomial=0.0, permuted=0.0)
"""Of a genetic algorithm: parents change places between states, since half of the numbers of each of two states is no
state of either; and noise is a third of a standard deviation of the table in all."""


class EmbeddingGenome:
    """A ``Genome`` over the states of a text encoder; a row has a number for each number of each state."""

    def __init__(
        self, table: StateTable, features: FeatureMap, nearest: Nearest, vibe: Facets
    ) -> None:
        """Search ``table`` from its prompt that is nearest to ``vibe``, or without one from its most usual prompt."""
        self._table = table
        self._nearest = nearest
        self._words = features.matrix(table.facets)
        self._near = np.arange(len(table.prompts))
        begin = table.usual
        if vibe != Facets():
            like = similarity(features.matrix([vibe]), self._words)[0]
            self._near = np.argsort(-like, kind="stable")[:_AROUND]
            begin = int(self._near[0])
        self.start = table.row(table.states[begin])
        self.spread = np.full(table.size, _FIRST)

    def row(self, member: Individual, place: Mapping[str, Any] | None) -> Array | None:
        """Return the kept row; what others made of words is no point of this space."""
        cells = place.get("cells") if place is not None else None
        if not isinstance(cells, str):
            return None
        try:
            row = np.frombuffer(base64.b64decode(cells, validate=True), dtype=np.uint8) / _CELLS
        except (binascii.Error, ValueError):
            return None
        return np.asarray(row) if len(row) == self._table.size else None

    def place(self, row: Array) -> dict[str, Any]:
        """Return nothing: the candidate's genome has the embedding itself."""
        return {}

    def draft(self, row: Array) -> tuple[Draft, float]:
        """Return the nearest words of the row and its states, and how far these are from any words."""
        return self._said(self._table.at(row), "")

    async def found(self, count: int, rng: np.random.Generator) -> list[tuple[Draft, float]]:
        """Return ``count`` prompts of the table, those around the vibe; none twice before all were chosen."""
        order: list[int] = []
        while len(order) < count:
            order += [int(one) for one in rng.permutation(self._near)]
        out = []
        for one in order[:count]:
            out.append(self._said(kept(self._table.states[one]), "novel"))
            await asyncio.sleep(0)
        return out

    def _said(self, states: NDArray[np.float32], operator: str) -> tuple[Draft, float]:
        shares = softmax(self._table.likeness(states), _SHARP)
        facets, _ = self._nearest.words(shares @ self._words)
        draft = Draft(facets=facets, operator=operator, embedding=states.tobytes())
        return draft, self._table.far(states)


def cells_of(table: StateTable, states: NDArray[np.float32] | None) -> str | None:
    """Return what a search keeps of told states, a byte a number; ``None`` where they are none of this table."""
    if states is None or states.shape != table.states.shape[1:]:
        return None
    cells = np.round(table.row(states) * _CELLS).astype(np.uint8)
    return base64.b64encode(cells.tobytes()).decode()
