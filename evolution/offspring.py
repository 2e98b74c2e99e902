"""Children of pieces: a description and the words that tell the same."""

from __future__ import annotations

import dataclasses

import numpy as np

from domain.description import Description
from domain.facets import Facets
from evolution.archive import Individual
from evolution.descriptions import (
    Pattern,
    Variation,
    facets_of,
    follow,
    splice,
    splice_bars,
    takes_turns,
    vary,
)
from evolution.ensembles import words_of
from evolution.facets_ops import Breeder
from evolution.operators import Draft
from evolution.pieces import Pieces, traits_of
from prompts.levels import AXES
from prompts.tidy import CAPS

_TOLD = ("lead", "counter", "chords", "bass", "pad", "drums")
"""Roles whose instruments a prompt names first."""


class Offspring:
    """Makes drafts that keep tunes of their parents. Every method returns ``None`` where a parent has no piece.

    Crossing also returns it where nothing new would come of it: of near relatives, or of a clip of a single bar.
    """

    def __init__(self, breeder: Breeder, pieces: Pieces, rng: np.random.Generator) -> None:
        self.pieces = pieces
        self._breeder = breeder
        self._rng = rng

    def vary(self, parent: Individual, how: Variation) -> Draft | None:
        """Vary one piece; the lead keeps its tune."""
        piece = self.pieces.of(parent)
        if piece is None:
            return None
        child = vary(piece, how, self._rng)
        return Draft(
            facets=facets_of(child, parent.facets, self._breeder.vocabulary, piece),
            operator="vary:subtle" if how is Variation.SUBTLE else "vary:bold",
            parents=(parent.id,),
            description=child,
        )

    def splice(self, mother: Individual, father: Individual) -> Draft | None:
        """Put one parent's groove, by chance whose, under the other's melody."""
        groove, melody = (mother, father) if self._rng.random() < 0.5 else (father, mother)
        below, above = self.pieces.of(groove), self.pieces.of(melody)
        if below is None or above is None:
            return None
        child = splice(below, above)
        if _is_old(child, below, above):
            return None
        facets = self._told(child, groove.facets, melody.facets)
        return Draft(
            facets=dataclasses.replace(facets, moods=melody.facets.moods or facets.moods),
            operator="splice",
            parents=(mother.id, father.id),
            description=child,
        )

    def splice_bars(self, mother: Individual, father: Individual) -> Draft | None:
        """Let both parents' bars take turns in the tempo and key of the first."""
        first, second = self.pieces.of(mother), self.pieces.of(father)
        if first is None or second is None:
            return None
        patterns = [pattern for pattern in Pattern if takes_turns(first, pattern)]
        if not patterns:
            return None
        child = splice_bars(first, second, patterns[int(self._rng.integers(len(patterns)))])
        if _is_old(child, first, second):
            return None
        return Draft(
            facets=self._told(child, mother.facets, father.facets),
            operator="splice:bars",
            parents=(mother.id, father.id),
            description=child,
        )

    def remix(self, parent: Individual, before: Draft, after: Facets) -> Draft:
        """Change ``before``, a draft near to its parent, to ``after``, with the same tune where the words allow it."""
        piece = before.description
        child = None
        if piece is not None:
            child = follow(piece, before.facets, after, self._breeder.vocabulary)
        if child is not None:
            after = facets_of(child, after, self._breeder.vocabulary)
        return Draft(facets=after, operator="remix", parents=(parent.id,), description=child)

    def itself(self, parent: Individual) -> Draft:
        """Return a draft that is the parent."""
        return Draft(
            facets=parent.facets,
            operator="retain",
            parents=(parent.id,),
            description=self.pieces.of(parent),
        )

    def _told(self, child: Description, first: Facets, second: Facets) -> Facets:
        """Return words for a child of two: the genre and colours of the first with a flavour of the second."""
        vocabulary = self._breeder.vocabulary
        other = vocabulary.families.get(second.family or "")
        flavour = (other.flavour,) if other is not None and second.family != first.family else ()
        said = {
            axis: getattr(child.levels, axis)
            for axis in AXES
            if getattr(first, axis) is not None or getattr(second, axis) is not None
        }
        base = dataclasses.replace(
            first,
            **said,
            instruments=words_of(child, _TOLD, vocabulary)[: CAPS["instruments"] - 1],
            without=tuple(word for word in first.without if word in second.without),
            textures=tuple(dict.fromkeys([*flavour, *first.textures])),
            tempo=child.tempo,
            tonic=child.tonic,
            mode=child.mode,
            metre=child.metre if child.metre != (4, 4) else None,
        )
        return facets_of(child, base, vocabulary)


def _is_old(child: Description, *parents: Description) -> bool:
    """Tell whether a child is one of its parents again, but for words."""
    return any(
        (child.tempo, child.tonic, child.mode) == (parent.tempo, parent.tonic, parent.mode)
        and traits_of(child) == traits_of(parent)
        for parent in parents
    )
