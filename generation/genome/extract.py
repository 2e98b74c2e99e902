"""Reads from notes alone what a piece is: tempo, metre, and each bar's numbers, instruments and chords.

It knows nothing of plans and styles, so it can judge whether a composition is what was asked, and read MIDI files of
anybody. It follows FIGARO's extraction (von Rütte et al. 2023) with these corrections: durations are in quarter notes
and never in ticks, drums have no pitch and no duration, density is per quarter note, a note that is played a little
before a bar line belongs to the bar that it opens, and an empty bar has no mean instead of the lowest.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from domain.chords import ChordAt
from generation.generator import Score
from generation.genome.measure import EARLY
from generation.genome.recognise import Heard, recognise
from generation.planning.gm import instrument_name


@dataclass(frozen=True, slots=True, kw_only=True)
class Sound:
    """A note: times in quarter notes from the beginning of bar 0, MIDI key, velocity."""

    instrument: str
    percussion: bool
    start: float
    length: float
    pitch: int
    velocity: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """A piece as notes.

    Attributes:
        quarter_bpm: Quarter notes per minute.
        metre: Beats in a bar and note value.
        sounds: In order of their start.
        key: Key signature as MIDI writes it, such as ``"F#m"``, or ``""``.
        sections: Quarter and name of each section that is marked.
    """

    quarter_bpm: float
    metre: tuple[int, int]
    sounds: tuple[Sound, ...]
    key: str = ""
    sections: tuple[tuple[float, str], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class BarFound:
    """What was found in a bar; ``None`` and ``()`` where there is nothing to find.

    Attributes:
        instruments: Names of ``generation.planning.gm``, sorted, of those that begin a note here.
        chords: As ``generation.genome.recognise`` names them, beats of the metre.
        density: Notes for each quarter note, drums included.
        velocity: Mean.
        pitch: Mean key of the pitched notes.
        duration: Mean length of the pitched notes in quarters.
    """

    instruments: tuple[str, ...]
    chords: tuple[ChordAt, ...]
    density: float
    velocity: float | None
    pitch: float | None
    duration: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What was found in a piece.

    Attributes:
        tempo: Beats per minute, of the note value that ``generation.planning.grid.Grid`` counts in the metre.
        metre: As in ``Piece``.
        bars: In order, up to the last in which a note begins.
    """

    tempo: float
    metre: tuple[int, int]
    bars: tuple[BarFound, ...]


def read_score(score: Score) -> Piece:
    """Return a score as notes."""
    quarter = 60 / score.quarter_bpm
    sounds = [
        Sound(
            instrument=instrument_name(part.program, percussion=part.percussion),
            percussion=part.percussion,
            start=(note.start - score.downbeat) / quarter,
            length=note.seconds / quarter,
            pitch=note.pitch,
            velocity=note.velocity,
        )
        for part in score.parts
        for note in part.notes
    ]
    return Piece(quarter_bpm=score.quarter_bpm, metre=score.metre, sounds=in_order(sounds))


def extract(piece: Piece) -> Found:
    """Return tempo, metre and bars of a piece."""
    beats, value = piece.metre
    quarters = beats * 4 / value
    bars: dict[int, list[Sound]] = defaultdict(list)
    sounding: dict[int, list[Heard]] = defaultdict(list)
    for sound in piece.sounds:
        number = max(0, math.floor((sound.start + EARLY / 4) / quarters))
        bars[number].append(sound)
        if sound.percussion:
            continue
        last = max(number, math.floor((sound.start + sound.length - 0.05) / quarters))
        for bar in range(number, last + 1):
            start = _settled(sound.start - bar * quarters, quarters)
            sounding[bar].append(
                Heard(
                    start * value / 4,
                    (sound.start + sound.length - bar * quarters) * value / 4,
                    sound.pitch,
                    sound.velocity / 127,
                )
            )
    count = max(bars) + 1
    return Found(
        tempo=tempo_of(piece.quarter_bpm, piece.metre),
        metre=piece.metre,
        bars=tuple(_bar(bars[n], sounding[n], quarters, beats) for n in range(count)),
    )


def tempo_of(quarter_bpm: float, metre: tuple[int, int]) -> float:
    """Return the tempo of the beat that a metre is counted in: half, quarter or dotted quarter."""
    beats, value = metre
    if value == 8 and beats % 3 == 0:
        return round(quarter_bpm / 1.5, 2)
    return round(quarter_bpm / 2 if value == 2 else quarter_bpm, 2)


def _settled(start: float, quarters: float) -> float:
    """Bring a start that is a little early to its beat, so that it counts for that chord alone."""
    near = math.ceil(start * 4) / 4
    return near if near - start < EARLY / 4 and near < quarters else start


def _bar(sounds: list[Sound], heard: list[Heard], quarters: float, beats: int) -> BarFound:
    pitched = [s for s in sounds if not s.percussion]
    return BarFound(
        instruments=tuple(sorted({s.instrument for s in sounds})),
        chords=recognise(heard, beats),
        density=len(sounds) / quarters,
        velocity=_mean(s.velocity for s in sounds),
        pitch=_mean(s.pitch for s in pitched),
        duration=_mean(s.length for s in pitched),
    )


def _mean(values: Iterable[float]) -> float | None:
    every = list(values)
    return math.fsum(every) / len(every) if every else None


def in_order(sounds: Iterable[Sound]) -> tuple[Sound, ...]:
    """Return notes by their start, drums first, then by instrument and key."""
    return tuple(sorted(sounds, key=lambda s: (s.start, not s.percussion, s.instrument, s.pitch)))
