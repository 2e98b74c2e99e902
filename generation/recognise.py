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
from generation.chords import INTERVALS

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
_HEARD = 0.035
"""Share of the sounding time from which a tone is heard fully."""
_BASS = 0.45
"""Worth of having the root in the bass."""
_CHANGE = 0.35
"""Cost of another chord within a bar, in beats."""
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
    chroma, bass = _by_beat(notes, beats)
    best = np.full(beats + 1, -np.inf)
    best[0] = _CHANGE
    came: list[tuple[int, int]] = [(0, -1)] * (beats + 1)
    for end in range(1, beats + 1):
        for start in range(end):
            row, score = _judge(chroma[start:end].sum(axis=0), bass[start:end].sum(axis=0))
            total = best[start] + score * (end - start) - _CHANGE
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


def _by_beat(notes: Sequence[Heard], beats: int) -> tuple[Doubles, Doubles]:
    """Return for each beat how much each pitch class sounds and how much it is the lowest."""
    chroma = np.zeros((beats, 12))
    bass = np.zeros((beats, 12))
    for beat in range(beats):
        here = [(n, min(n.end, beat + 1) - max(n.start, beat)) for n in notes]
        sounding = [(n, length) for n, length in here if length > 0.02]
        for note, length in sounding:
            chroma[beat, note.pitch % 12] += length * (0.3 + note.loudness)
        edges = sorted({beat, *(max(n.start, beat) for n, _ in sounding)})
        for start, end in zip(edges, [*edges[1:], beat + 1], strict=True):
            low = min(
                (n.pitch for n, _ in sounding if n.start < end and n.end > start + 0.01),
                default=None,
            )
            if low is not None:
                bass[beat, low % 12] += end - start
    return chroma, bass


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
