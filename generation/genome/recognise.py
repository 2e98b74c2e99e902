"""Names the chords of a bar from its notes: chroma by beats and the best division into chords.

The idea is that of the chord analysis of FIGARO (von Rütte et al. 2023): the pitch classes that sound in each beat,
candidate chords for stretches of one to four beats, and dynamic programming over their scores. What differs:

- chords are the twenty qualities of a description, not seven;
- the bass is the lowest key that sounds, not the lowest number of a pitch class;
- a pitch class counts by how long and how loudly it sounds, not by a threshold of presence;
- ties are settled by the bass and then by the simpler chord;
- stretches end with the bar, and each new chord has to be worth its change.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from domain.chords import QUALITIES, ChordAt
from domain.facets import TONICS
from generation.planning.chords import INTERVALS

_OUTSIDE = 1.6
"""Cost of sounding time that the chord does not explain."""
_MISSING = {
    0: 0.5,
    3: 0.35,
    4: 0.35,
    2: 0.35,
    5: 0.35,
    6: 0.3,
    7: 0.14,
    8: 0.3,
    9: 0.3,
    10: 0.3,
    11: 0.3,
}
"""Cost of a tone that is hardly heard, by its interval."""
_FIFTH = 0.45
"""The same for the fifth of a chord that has nothing else."""
_HEARD = 0.035
"""Share of the sounding time from which a tone is heard fully."""
_BASS, _OPENING = 0.4, 0.2
"""Worth of a root that is the lowest key struck, and of one that opens the stretch as its lowest."""
_CHANGE = 0.08
"""Cost of another chord within a bar, as a share of the bar."""
_SIMPLE = 0.004
"""Cost of each place further down the list of qualities."""

Doubles = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Heard:
    """A pitched note: start and end in beats after the bar line, key and loudness in (0, 1]."""

    start: float
    end: float
    pitch: int
    loudness: float


@dataclass(frozen=True, slots=True)
class _Templates:
    inside: Doubles
    missing: Doubles
    worth: Doubles


@cache
def _templates() -> _Templates:
    inside = np.zeros((12 * len(QUALITIES), 12))
    missing = np.zeros_like(inside)
    worth = np.zeros(len(inside))
    for root in range(12):
        for place, quality in enumerate(QUALITIES):
            row = root * len(QUALITIES) + place
            worth[row] = -_SIMPLE * place
            for interval in INTERVALS[quality]:
                column = (root + interval) % 12
                inside[row, column] = 1
                # A ninth is a second as far as classes go, but counts less than that of a sus2.
                cost = 0.3 if interval == 14 else _MISSING[interval]
                if quality == "5" and interval == 7:
                    cost = _FIFTH
                missing[row, column] = cost
    return _Templates(inside, missing, worth)


def recognise(notes: Sequence[Heard], beats: int) -> tuple[ChordAt, ...]:
    """Return the chords of a bar, none when nothing sounds.

    Args:
        notes: What sounds in the bar, also what sounds on from before.
        beats: Its length.
    """
    if not notes:
        return ()
    chroma = _by_beat(notes, beats)
    change = _CHANGE * beats
    best = np.full(beats + 1, -np.inf)
    best[0] = change
    came: list[tuple[int, int]] = [(0, -1)] * (beats + 1)
    for end in range(1, beats + 1):
        for start in range(end):
            row, score = _judge(chroma[start:end].sum(axis=0), _bass(notes, start, end))
            total = best[start] + score * (end - start) - change
            if total > best[end] + 1e-9:
                best[end], came[end] = total, (start, row)
    out: list[tuple[int, int]] = []
    end = beats
    while end > 0:
        start, row = came[end]
        out.append((start, row))
        end = start
    return _named(out[::-1])


def _named(path: list[tuple[int, int]]) -> tuple[ChordAt, ...]:
    chords: list[tuple[int, int]] = []
    for start, row in path:
        if row >= 0 and (not chords or chords[-1][1] != row):
            chords.append((start if chords else 0, row))
    return tuple(
        ChordAt(
            beat=float(start),
            root=TONICS[row // len(QUALITIES)],
            quality=QUALITIES[row % len(QUALITIES)],
        )
        for start, row in chords
    )


def _by_beat(notes: Sequence[Heard], beats: int) -> Doubles:
    """Return how much each pitch class sounds in each beat."""
    chroma = np.zeros((beats, 12))
    for note in notes:
        first, last = max(0, int(note.start)), min(beats - 1, int(note.end))
        for beat in range(first, last + 1):
            length = min(note.end, beat + 1) - max(note.start, beat)
            if length > 0.02:
                chroma[beat, note.pitch % 12] += length * (0.3 + note.loudness)
    return chroma


def _bass(notes: Sequence[Heard], start: int, end: int) -> Doubles:
    """Return what speaks for each pitch class as root because it is lowest."""
    out = np.zeros(12)
    struck = [n for n in notes if start - 1e-6 <= n.start < end - 1e-6]
    struck = struck or [n for n in notes if n.start < end and n.end > start + 0.02]
    if struck:
        opening = min(n.start for n in struck) + 0.25
        out[min(n.pitch for n in struck) % 12] += _BASS
        out[min(n.pitch for n in struck if n.start <= opening) % 12] += _OPENING
    return out


def _judge(chroma: Doubles, bass: Doubles) -> tuple[int, float]:
    """Return the best chord for a stretch and its score; no chord where nothing sounds."""
    total = chroma.sum()
    if total <= 0:
        return -1, 0.0
    share = chroma / total
    made = _templates()
    within = made.inside @ share
    lack = np.clip(1 - share / _HEARD, 0, 1)
    lowest = np.repeat(bass / max(1e-9, bass.sum()), len(QUALITIES))
    score = within - _OUTSIDE * (1 - within) - made.missing @ lack + _BASS * lowest + made.worth
    row = int(np.argmax(score))
    return row, float(score[row])
