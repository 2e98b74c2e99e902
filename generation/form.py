"""Form and harmony: sections, how full each of them is, and the chords of every bar."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from generation.chords import settle
from generation.grid import Grid
from generation.styles import Style
from generation.theory import MINOR_MODES, Chord, build_chord

Chords = tuple[tuple[int, Chord], ...]
"""Step at which each chord of a bar begins, and the chord."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """One bar of the form, as ``dress`` makes it.

    Attributes:
        section: One of ``domain.description.SECTIONS``.
        intensity: How many of the layers play, in [0, 1].
        chords: Step at which each chord begins, and the chord.
        place: Bars since the section began.
        first: Whether a section begins here.
        fill: Whether the drums lead over into the next bar.
        phrase: Place in a phrase of four bars, in [0, 3]; 3 where it closes.
        closing: Whether the phrase ends here, so that a melody should come to rest.
        source: Number of the bar for which the music was written. Players draw what is particular to this bar by
            it and never by the bar's place in the piece, so that a bar that is moved keeps its music.
    """

    section: str
    intensity: float
    chords: Chords
    place: int
    first: bool = False
    fill: bool = False
    phrase: int = 0
    closing: bool = False
    source: int = 0

    def chord_at(self, step: float) -> Chord:
        """Return the chord that sounds at a step of the bar."""
        current = self.chords[0][1]
        for start, chord in self.chords:
            if start <= step:
                current = chord
        return current


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """All bars in order; the last one holds only the final chord."""

    bars: tuple[Bar, ...]

    @property
    def upbeat(self) -> bool:
        """Whether bar 0 is only its last beats."""
        return self.bars[0].section == "upbeat"

    @property
    def sections(self) -> tuple[tuple[str, int], ...]:
        """Name and number of bars of each section, without upbeat and end."""
        names = (bar.section for bar in self.bars if bar.section not in {"upbeat", "end"})
        return tuple((name, len(list(group))) for name, group in itertools.groupby(names))


INTENSITY = {
    "upbeat": 0.7, "intro": 0.45, "A": 0.75, "A2": 0.9, "B": 1.0, "C": 0.85, "verse": 0.72, "chorus": 1.0,
    "bridge": 0.65, "build": 0.9, "drop": 1.0, "break": 0.5, "solo": 0.9, "outro": 0.55, "end": 1.0,
}  # fmt: skip
"""How full each section is."""
_PHRASE = 4
"""Bars after which a melody comes to rest."""
_LONG_PHRASE = 8
"""Bars after which the drums lead over even within a section."""


def dress(
    measures: Sequence[tuple[str, Chords]], *, sources: Sequence[int] | None = None
) -> tuple[Bar, ...]:
    """Give every bar what follows from its place: whether a section begins or ends, phrases, fills and intensity.

    Two neighbouring sections of the same name are one section; give the second another name to have it begin.

    Args:
        measures: Section and chords of each bar.
        sources: ``Bar.source`` of each bar; their numbers when left out.
    """
    out: list[Bar] = []
    numbers = range(len(measures)) if sources is None else sources
    chords = [line for _, line in measures]
    number = 0
    for section, group in itertools.groupby(section for section, _ in measures):
        length = len(list(group))
        for place in range(length):
            last = place == length - 1
            closing = section not in {"upbeat", "end"} and (last or place % _PHRASE == _PHRASE - 1)
            out.append(
                Bar(
                    section=section,
                    intensity=_intensity(section, place, length),
                    chords=tuple((start, settle(chord)) for start, chord in chords[number]),
                    place=place,
                    first=place == 0 and section != "upbeat",
                    fill=section != "end" and (last or place % _LONG_PHRASE == _LONG_PHRASE - 1),
                    phrase=_PHRASE - 1 if closing else place % _PHRASE,
                    closing=closing,
                    source=numbers[number],
                )
            )
            number += 1
    return tuple(out)


def _intensity(section: str, place: int, length: int) -> float:
    full = INTENSITY[section]
    if section == "build":
        return 0.5 + (full - 0.5) * (place + 1) / length
    return full


def lay_out(
    style: Style,
    grid: Grid,
    *,
    count: tuple[int, int],
    key: tuple[int, str],
    rng: np.random.Generator,
) -> Form:
    """Lay out sections and chords.

    Args:
        style: The family's style.
        grid: Metre and tempo.
        count: Whole bars before the final chord, and beats of upbeat before them.
        key: Tonic as a pitch class, and mode.
        rng: Chooses the progressions.
    """
    bars, upbeat = count
    tonic, mode = key
    pool = style.progressions["minor" if mode in MINOR_MODES else "major"]
    order = rng.permutation(len(pool))
    lines = {
        "A": _read(pool[order[0]], style, grid, key),
        "B": _read(pool[order[1 % len(pool)]], style, grid, key),
    }
    if bars < len(lines["A"]) and grid.bar_seconds > 2.3:
        lines = {name: _halve(line, grid.bar_steps) for name, line in lines.items()}
    end = build_chord("1", tonic, mode, style.colour)
    cadence = build_chord(style.cadence, tonic, mode, style.colour)
    out: list[tuple[str, Chords]] = []
    if upbeat:
        out.append(("upbeat", ((0, cadence),)))
    since = 0
    for name, length in _sections(bars):
        # The B part gets its own chords only where there is time to learn the first ones.
        line = lines["B" if name == "B" and bars > 8 else "A"]
        since = 0 if bars > 8 else since
        for _ in range(length):
            out.append((name, line[since % len(line)]))
            since += 1
    if bars >= 2:
        name, chords = out[-1]
        out[-1] = (name, _with_cadence(chords, cadence, end, grid.bar_steps))
    out.append(("end", ((0, end),)))
    return Form(bars=dress(out))


def _sections(bars: int) -> tuple[tuple[str, int], ...]:
    if bars <= 0:
        return ()
    if bars <= 2:
        return (("A", bars),)
    if bars <= 9:
        half = bars // 2 if bars < 6 else bars // 4 * 2
        return (("A", half), ("B", bars - half))
    plan = [
        ("intro", 2),
        ("A", 4),
        ("B", 4),
        ("A2", 4),
        ("B", 4),
        ("break", 4),
        ("A2", 4),
        ("B", 4),
    ]
    out: list[tuple[str, int]] = []
    left, index = bars, 0
    while left:
        name, length = plan[index] if index < len(plan) else plan[1 + (index - 1) % 7]
        length = min(length, left)
        # Close on the full sound rather than with a scrap of a section or in the break.
        if left - length < 2 or (name == "break" and left < 9):
            name, length = ("B" if name in {"break", "intro"} else name), left
        out.append((name, length))
        left -= length
        index += 1
    return tuple(out)


Line = tuple[Chords, ...]


def _read(text: str, style: Style, grid: Grid, key: tuple[int, str]) -> Line:
    """Read a progression: for each bar the step and the chord."""
    bars = []
    for cell in text.split("|"):
        symbols = cell.split()
        beats = max(1, grid.bar_steps // grid.beat_steps)
        bar = []
        for index, symbol in enumerate(symbols):
            step = -(-index * beats // len(symbols)) * grid.beat_steps
            bar.append((step, build_chord(symbol, *key, style.colour)))
        bars.append(tuple(bar))
    return tuple(bars)


def _halve(line: Line, steps: int) -> Line:
    """Play two bars' chords in the time of one, for clips too short to hear a slow progression."""
    middle = (steps // 2 + 3) // 4 * 4 if steps % 8 else steps // 2
    out = []
    for index in range(0, len(line), 2):
        first = line[index][0][1]
        second = line[(index + 1) % len(line)][0][1]
        same = first == second or middle >= steps
        out.append(((0, first),) if same else ((0, first), (middle, second)))
    return tuple(out)


def _with_cadence(chords: Chords, cadence: Chord, end: Chord, steps: int) -> Chords:
    if cadence == end:
        return chords
    middle = steps // 2 if steps % 8 == 0 else steps // 4 // 2 * 4 + (4 if steps >= 12 else 0)
    first = chords[0][1]
    return ((0, first), (middle, cadence)) if first not in {cadence, end} else ((0, cadence),)
