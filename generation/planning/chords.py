"""Chords by name: the qualities a description may hold, as semitones, and the way back."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

from domain.chords import QUALITIES, ChordAt
from domain.facets import TONICS
from generation.planning.theory import Chord

INTERVALS: Mapping[str, tuple[int, ...]] = {
    "": (0, 4, 7),
    "m": (0, 3, 7),
    "dim": (0, 3, 6),
    "aug": (0, 4, 8),
    "5": (0, 7),
    "sus2": (0, 2, 7),
    "sus4": (0, 5, 7),
    "7": (0, 4, 7, 10),
    "maj7": (0, 4, 7, 11),
    "m7": (0, 3, 7, 10),
    "m(maj7)": (0, 3, 7, 11),
    "m7b5": (0, 3, 6, 10),
    "dim7": (0, 3, 6, 9),
    "6": (0, 4, 7, 9),
    "m6": (0, 3, 7, 9),
    "add9": (0, 4, 7, 14),
    "madd9": (0, 3, 7, 14),
    "9": (0, 4, 7, 10, 14),
    "maj9": (0, 4, 7, 11, 14),
    "m9": (0, 3, 7, 10, 14),
}
"""Semitones above the root of each of ``domain.description.QUALITIES``, lowest first."""
_WEIGHTS = {0: 8, 3: 5, 4: 5, 6: 3, 7: 3, 8: 3, 10: 2, 11: 2}
"""How much it matters to keep a tone of a chord that has no name; the third more than the fifth."""


@cache
def quality_of(intervals: tuple[int, ...]) -> str:
    """Return the quality with these tones, or the one that keeps what matters most of them.

    Args:
        intervals: Semitones above the root.
    """
    have = frozenset(i % 12 for i in intervals)

    def loss(quality: str) -> int:
        other = frozenset(i % 12 for i in INTERVALS[quality])
        return sum(_WEIGHTS.get(i, 1) for i in have ^ other)

    return min(QUALITIES, key=lambda q: (loss(q), QUALITIES.index(q)))


def settle(chord: Chord) -> Chord:
    """Return the nearest chord that has a name, spelt as that name is; most already are."""
    return Chord(chord.root, INTERVALS[quality_of(chord.intervals)])


def to_chord(chord: ChordAt) -> Chord:
    """Return what a described chord consists of."""
    return Chord(TONICS.index(chord.root), INTERVALS[chord.quality])


def from_chord(chord: Chord, beat: float) -> ChordAt:
    """Return the description of a chord that begins on a beat of the metre."""
    return ChordAt(beat=beat, root=TONICS[chord.root], quality=quality_of(chord.intervals))
