"""The seam between a search by numbers and music: what a row of numbers means, in words and as a piece."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from evolution.archive import Individual
from evolution.numeric.engine import Array
from evolution.operators import Draft


class Genome(Protocol):
    """One run's search space, worked out afresh for every ``ask`` from what was told."""

    @property
    def start(self) -> Array:
        """Where the search begins, shape (n,) in [0, 1]."""

    @property
    def spread(self) -> Array:
        """How far it looks at first, one standard deviation for each coordinate, shape (n,)."""

    def row(self, member: Individual, place: Mapping[str, Any] | None) -> Array | None:
        """Return where a told candidate lies, shape (n,), or ``None`` where it is no point of this space.

        Args:
            member: The candidate.
            place: What ``place`` gave when it was proposed; ``None`` for candidates that others made.
        """

    def place(self, row: Array) -> dict[str, Any]:
        """Return what a candidate keeps of its row, JSON-safe."""

    def draft(self, row: Array) -> tuple[Draft, float]:
        """Return the music of a row: in words, as a piece where it is one, and the candidates that it is made of.

        Returns:
            The draft, and how far the row is from what words can say and players can play, from 0 (not at all) to 1.
        """
