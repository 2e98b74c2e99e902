"""From a point in the space of words to the nearest words, so that what a search finds can be read.

The space is that of ``evolution.surrogate.FeatureMap``: a coordinate for each word, and the levels and the tempo.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from functools import lru_cache

import numpy as np

from domain.facets import Facets
from evolution.numeric.engine import Array
from evolution.surrogate import FeatureMap, level_of, similarity, tempo_of
from prompts.entries import Genre
from prompts.levels import AXES, quantise, quantise_tempo
from prompts.tidy import tidy
from prompts.vocabulary import Vocabulary

_MOST: Mapping[str, int] = {"instruments": 3, "moods": 2, "textures": 1, "production": 1}
"""Words of each kind that are said."""
_HEARD = 0.45
"""Share of a kind's strongest word that another word needs to be said as well."""
_LEAST = 0.2
"""Share of a whole word below which a word is not said at all."""
_CLEAR = 0.15
"""How far a level is from what is usual for the genre before it is said."""
_OTHER_TEMPO = 0.08
"""The same for tempo, in octaves."""


@lru_cache(maxsize=4)
def nearest_in(vocabulary: Vocabulary) -> Nearest:
    """Return what finds the words of a vocabulary; made once."""
    return Nearest(vocabulary)


class Nearest:
    """Finds the words for points."""

    def __init__(self, vocabulary: Vocabulary) -> None:
        self._features = FeatureMap(vocabulary)
        self._vocabulary = vocabulary
        self._genres = list(vocabulary.genres.values())
        rows = [Facets(genre=genre.name, family=genre.family) for genre in self._genres]
        manner = self._features.matrix(rows)
        self._manner = manner / np.linalg.norm(manner, axis=1, keepdims=True)

    def words(self, point: Array) -> tuple[Facets, float]:
        """Return the facets nearest to ``point`` of shape (size of a ``FeatureMap``,), and how far they are from it.

        The distance is that of cosines, limited to [0, 1].
        """
        found = self._facets(point)
        near = float(similarity(point[None, :], self._features.matrix([found]))[0, 0])
        return found, min(max(1 - near, 0.0), 1.0)

    def _facets(self, point: Array) -> Facets:
        """Choose the words.

        The genre is the one whose manner (family, levels, tempo) has the smallest angle to the point; of instruments,
        moods, textures and production the strongest are said; levels and tempo only where they differ from the genre's.
        """
        genre = self._genres[int(np.argmax(self._manner @ point))]
        values: dict[str, object] = {"genre": genre.name, "family": genre.family}
        for field, most in _MOST.items():
            values[field] = self._words(point, field, most)
        mode = self._words(point, "mode", 1)
        if mode and mode[0] != genre.modes[0]:
            values["mode"] = mode[0]
        values |= self._numbers(point, genre)
        return tidy(Facets(**values), self._vocabulary)  # type: ignore[arg-type]

    def _words(self, point: Array, field: str, most: int) -> tuple[str, ...]:
        """Return the strongest words of a field, the strongest first; none where none is strong."""
        columns, whole = self._features.columns(field)
        names = list(columns)
        values = point[[columns[name] for name in names]]
        order = np.argsort(-values, kind="stable")[:most]
        least = max(_LEAST * whole, _HEARD * float(values.max(initial=0.0)))
        return tuple(names[index] for index in order if values[index] >= least)

    def _numbers(self, point: Array, genre: Genre) -> dict[str, object]:
        values: dict[str, object] = {}
        for axis in AXES:
            level = level_of(point, axis)
            if abs(level - getattr(genre, axis)) >= _CLEAR:
                values[axis] = quantise(level)
        tempo = quantise_tempo(tempo_of(point))
        if abs(math.log2(tempo / genre.usual_tempo)) >= _OTHER_TEMPO:
            values["tempo"] = tempo
        return values
