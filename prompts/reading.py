"""What a text asks for: facets that it states, and changes that it wants relative to something else."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Mapping
from dataclasses import dataclass, field

from domain.facets import Facets
from prompts.entries import Genre
from prompts.levels import AXES, FASTEST, SLOWEST, clamp
from prompts.vocabulary import DEFAULT_TEMPO, Vocabulary

LIMITS = {
    "moods": 6,
    "instruments": 8,
    "without": 8,
    "textures": 5,
    "production": 5,
    "uses": 3,
    "unknown": 24,
}
"""The most words of a kind that a reading keeps; the first ones stay."""
_TEMPO_POINTS = ((0.0, 44.0), (0.25, 72.0), (0.5, 104.0), (0.75, 140.0), (1.0, 178.0))


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """A text, read.

    Attributes:
        facets: What the text states.
        shifts: For "darker", "faster", "less busy": what to add to an axis of ``AXES``, in [-1, 1], or to ``"tempo"``
            as a fraction of it.
        removed: Field and word of what the text takes away without forbidding it: ("moods", "sad").
        tempo_level: "Slow" as a level in [0, 1], whose beats per minute depend on the genre.
        read_as: For a misspelt word the word that it was read as.
    """

    facets: Facets = field(default_factory=Facets)
    shifts: Mapping[str, float] = field(default_factory=dict)
    removed: frozenset[tuple[str, str]] = frozenset()
    tempo_level: float | None = None
    read_as: Mapping[str, str] = field(default_factory=dict)

    def stated(self, vocabulary: Vocabulary) -> Facets:
        """Return the facets of the text by itself: "slow" as beats per minute, "darker" as darker than usual."""
        genre = vocabulary.genres.get(self.facets.genre or "")
        values: dict[str, float] = {}
        if self.tempo_level is not None and self.facets.tempo is None:
            values["tempo"] = tempo_at(self.tempo_level, genre)
        for axis in AXES:
            if axis in self.shifts and getattr(self.facets, axis) is None:
                base = getattr(genre, axis) if genre else 0.5
                values[axis] = round(clamp(base + self.shifts[axis], 0.05, 0.95), 2)
        if "tempo" in self.shifts and self.facets.tempo is None:
            base = values.get("tempo") or (genre.usual_tempo if genre else DEFAULT_TEMPO)
            tempo = clamp(base * (1 + self.shifts["tempo"]), SLOWEST, FASTEST)
            values["tempo"] = float(round(tempo))
        return dataclasses.replace(self.facets, **values) if values else self.facets  # type: ignore[arg-type]


def tempo_at(level: float, genre: Genre | None) -> float:
    """Return the beats per minute of a tempo word: .25 is slow and .75 fast, for ``genre`` if there is one."""
    if genre is None:
        points: tuple[tuple[float, float], ...] = _TEMPO_POINTS
    else:
        low, high = genre.tempo
        points = ((0.0, low * 0.8), (0.25, low), (0.75, high), (1.0, high * 1.15))
    for (left, first), (right, last) in itertools.pairwise(points):
        if level <= right:
            share = (level - left) / (right - left)
            return float(round(clamp(first + share * (last - first), SLOWEST, FASTEST)))
    return float(round(clamp(points[-1][1], SLOWEST, FASTEST)))
