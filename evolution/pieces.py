"""The pieces that an archive has heard: descriptions of told candidates, read when somebody breeds from them."""

from __future__ import annotations

from collections.abc import Hashable, Sequence

from domain.description import Description
from domain.errors import DescriptionError
from evolution.archive import Individual
from evolution.selection import ranking

MAX_PIECES = 48
"""Best told candidates whose pieces a next generation may come from, and that a searcher's state keeps."""


class Pieces:
    """Reads descriptions once. What is no description counts as none: the facets are there as well."""

    def __init__(self, members: Sequence[Individual] = ()) -> None:
        self._read: dict[int, Description | None] = {}
        described = [member for member in members if member.description is not None]
        order = ranking([member.promise for member in described])
        self.favourites = [described[index] for index in order[:MAX_PIECES]]
        """Members with a description, the most promising first."""

    def of(self, member: Individual) -> Description | None:
        """Return the piece of a told candidate, or ``None`` where there is none that can be read."""
        if member.description is None:
            return None
        if member.id not in self._read:
            try:
                self._read[member.id] = Description.from_json(member.description)
            except DescriptionError:
                self._read[member.id] = None
        return self._read[member.id]


def traits_of(description: Description) -> frozenset[Hashable]:
    """Return what makes a piece: its players' tunes and sounds, and the chords of its bars."""
    traits: list[Hashable] = []
    for voice in description.voices:
        traits += [(voice.role, voice.tune), (voice.role, voice.instrument)]
    traits += [(number, bar.chords) for number, bar in enumerate(description.bars)]
    return frozenset(traits)
