"""The genome of a piece: its tempo, levels, key, swing and the numbers of its sections, around one piece of the run.

Players, tunes and form are those of the root, the piece that the search began with; see ``evolution.vectors`` for the
coordinates. A run may change its root when another piece turns out to be liked better.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from domain.description import LEVELS, Description
from domain.errors import DescriptionError
from evolution.archive import Individual
from evolution.numeric.engine import Array
from evolution.operators import Draft
from evolution.telling import facets_of
from evolution.timing import refitted
from evolution.vectors import from_vector, vector
from prompts.vocabulary import Vocabulary

_SPREAD_HEAD = (0.08, *(0.16 for _ in LEVELS), 0.1, 0.1, 0.12, 0.08)
"""First step of tempo (a sixth of it), levels, the two coordinates of the key, mode and swing."""
_SPREAD_SECTION = (0.08, 0.03, 0.08, 0.08)
"""First step of a section's density, pitch (four semitones), velocity and duration."""
_FREE = (0.0, 1.0)
_HEAD = ((0.14, 0.91), *(_FREE for _ in range(len(LEVELS) + 4)))
_SECTION = ((0.14, 0.91), (0.35, 0.57), (0.27, 0.84), (0.0, 0.76))
"""Where the coordinates of 234 compositions of all families lie: nothing outside is music that anybody wrote here."""
_KEPT = 0.5
"""Seconds by which a piece may miss the length of its root."""


class PieceGenome:
    """A ``Genome`` around one piece; rows are its vectors."""

    def __init__(self, root: Individual, piece: Description, vocabulary: Vocabulary) -> None:
        """Search around ``piece``, which is what was played of ``root``."""
        self.root = root
        self._piece = piece
        self._vocabulary = vocabulary
        self.start = vector(piece)
        sections = (len(self.start) - len(_HEAD)) // len(_SECTION)
        self.spread = np.array([*_SPREAD_HEAD, *_SPREAD_SECTION * sections])
        ranges = np.array([*_HEAD, *_SECTION * sections])
        self._low = np.minimum(ranges[:, 0], self.start)
        self._high = np.maximum(ranges[:, 1], self.start)

    def row(self, member: Individual, place: Mapping[str, Any] | None) -> Array | None:
        """Return the root's own vector, and the kept row of those that were bred from it."""
        if member.id == self.root.id:
            return self.start
        if place is None or place.get("root") != self.root.id:
            return None
        row = np.asarray(place.get("row"), dtype=float)
        return row if row.shape == self.start.shape else None

    def place(self, row: Array) -> dict[str, Any]:
        """Return the root and the row."""
        return {"root": self.root.id, "row": [round(float(value), 4) for value in row]}

    def draft(self, row: Array) -> tuple[Draft, float]:
        """Return the root with the numbers of ``row``, kept within what music has.

        How far the row is outside of that is the mean excess of its coordinates, times ten.
        """
        inside = np.clip(row, self._low, self._high)
        far = min(10 * float(np.abs(row - inside).mean()), 1.0)
        try:
            child = from_vector(inside, self._piece)
            if abs(child.seconds - self._piece.seconds) > _KEPT:
                child = refitted(child, self._piece.seconds)
        except DescriptionError:  # such a tempo leaves no room for a bar
            child = from_vector(self._without_tempo(inside), self._piece)
        facets = facets_of(child, self.root.facets, self._vocabulary, self._piece)
        made = Draft(facets=facets, operator="", parents=(self.root.id,), description=child)
        return made, far

    def _without_tempo(self, row: Array) -> Array:
        return np.array([self.start[0], *row[1:]])
