"""Form and harmony: sections, how full each of them is, and the chords of every bar."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from generation.planning.chords import settle
from generation.planning.grid import Grid
from generation.planning.manners import manners
from generation.planning.progressions import (
    Chords,
    Line,
    halve,
    read_line,
    rotated,
    turned,
    with_applied,
    with_cadence,
    with_suspension,
)
from generation.planning.sections import SHORT, Sections, divide, pattern_for
from generation.planning.styles import Style
from generation.planning.theory import DARK_MODES, Chord, build_chord

__all__ = ["INTENSITY", "INTRO_RISE", "Bar", "Chords", "Form", "Measure", "dress", "lay_out"]

Measure = tuple[str, Chords]
"""Section and chords of a bar."""


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
        open: Whether a phrase that ends here asks for an answer rather than giving one.
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
    open: bool = False

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
    "upbeat": 0.7, "intro": 0.4, "A": 0.85, "A2": 0.92, "B": 1.0, "C": 0.88, "verse": 0.76, "chorus": 1.0,
    "bridge": 0.65, "build": 0.9, "drop": 1.0, "break": 0.5, "solo": 0.9, "outro": 0.55, "end": 1.0,
}  # fmt: skip
"""How full each section is."""
INTRO_RISE = 0.2
"""How much fuller an intro is at its end."""
_PHRASE = 4
"""Bars after which a melody comes to rest."""
_LONG_PHRASE = 8
"""Bars after which the drums lead over even within a section."""


def dress(measures: Sequence[Measure], *, sources: Sequence[int] | None = None) -> tuple[Bar, ...]:
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
    groups = [(s, len(list(g))) for s, g in itertools.groupby(section for section, _ in measures)]
    for index, (section, length) in enumerate(groups):
        following = groups[index + 1][0] if index + 1 < len(groups) else ""
        for place in range(length):
            last = place == length - 1
            within = _within(place, length)
            closing = section not in {"upbeat", "end"} and within == _PHRASE - 1
            out.append(
                Bar(
                    section=section,
                    intensity=_intensity(section, place, length),
                    chords=tuple((start, settle(chord)) for start, chord in chords[number]),
                    place=place,
                    first=place == 0 and section != "upbeat",
                    fill=section != "end" and (last or place % _LONG_PHRASE == _LONG_PHRASE - 1),
                    phrase=within,
                    closing=closing,
                    source=numbers[number],
                    open=_asks(section, following) if last else place % _LONG_PHRASE < _PHRASE,
                )
            )
            number += 1
    return tuple(out)


def _within(place: int, length: int) -> int:
    """Return the place in a phrase of four bars. What a section has left over lengthens its last phrase or is one."""
    rest = length % _PHRASE
    last = place == length - 1
    if last:
        return _PHRASE - 1
    if rest == 1 and length > 1 and place == length - 2:
        return _PHRASE - 2
    return place % _PHRASE


def _asks(section: str, following: str) -> bool:
    """Whether a section ends open: a question before its answer, a verse before its chorus."""
    return (section, following) in {("A", "A2"), ("A", "B"), ("verse", "chorus"), ("B", "A2")}


def _intensity(section: str, place: int, length: int) -> float:
    full = INTENSITY[section]
    if section == "build":
        return 0.5 + (full - 0.5) * (place + 1) / length
    if section == "intro":
        return full + INTRO_RISE * (place + 1) / length
    if section == "outro":
        return full - 0.15 * place / length
    return full


_HOME_FIRST = 0.85
"""Chance that a short piece begins on its tonic where the style has progressions that do."""
_LINES = {"B": 1, "chorus": 1, "drop": 1, "break": 1, "C": 2, "bridge": 2}
"""Which of a style's progressions sections go by, 0 if not named."""


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
        rng: Chooses form and progressions.
    """
    bars, upbeat = count
    pool = style.progressions["minor" if key[1] in DARK_MODES else "major"]
    order = rng.permutation(len(pool)).tolist()
    luck = rng.uniform(size=5)
    if bars <= SHORT and luck[4] < _HOME_FIRST:
        # There is little time to say where home is: begin there.
        order.sort(key=lambda n: not pool[n].startswith("1"))
    pattern = pattern_for(style.family, luck[0], style.forms)
    lines = [read_line(pool[order[n % len(pool)]], style, grid, key) for n in range(3)]
    if len(pool) < 3:
        lines[2] = rotated(lines[1])
    if pattern.line and bars >= pattern.unit:
        lines = [read_line(pattern.line, style, grid, key)] * 3
    elif bars < len(lines[0]) and grid.bar_seconds > 2.3:
        lines = [halve(line, grid) for line in lines]
    end = build_chord("1", *key, "triad" if style.colour == "p" else style.colour)
    cadence = build_chord(style.cadence, *key, style.colour)
    measures = _measures(divide(bars, pattern, luck[1]), lines, short=bars <= SHORT)
    if not pattern.loop:
        measures = _turn(measures, end, cadence, grid)
    measures = _lead_on(measures, manners(style.family).applied, grid, rng)
    if bars >= 2:
        name, chords = measures[-1]
        chords = with_cadence(chords, cadence, end, grid)
        if luck[2] < manners(style.family).suspend and cadence != end:
            chords = with_suspension(chords, grid)
        measures[-1] = (name, chords)
    before: list[Measure] = [("upbeat", ((0, cadence),))] if upbeat else []
    return Form(bars=dress([*before, *measures, ("end", ((0, end),))]))


def _measures(sections: Sections, lines: Sequence[Line], *, short: bool) -> list[Measure]:
    """Give every bar of every section its chords. In a short piece one progression goes on throughout."""
    out: list[Measure] = []
    for name, length in sections:
        line = lines[0 if short else _LINES.get(name, 0)]
        since = len(out) if short else 0
        out += [(name, line[(since + place) % len(line)]) for place in range(length)]
    return out


def _turn(measures: list[Measure], home: Chord, cadence: Chord, grid: Grid) -> list[Measure]:
    """Let sections that would stand still on the tonic end on a half cadence."""
    out = list(measures)
    for number in range(len(out) - 1):
        (name, chords), (following, _) = out[number], out[number + 1]
        if name != following and cadence != home:
            out[number] = (name, turned([chords], home, cadence, grid))
    return out


def _lead_on(
    measures: list[Measure], chance: float, grid: Grid, rng: np.random.Generator
) -> list[Measure]:
    """Lead from the end of a phrase into what follows by its dominant, now and then."""
    out = list(measures)
    luck = rng.uniform(size=max(1, len(out)))
    for number in range(1, len(out) - 1):
        if number % 2 and luck[number // 8 * 8 + number % 4] < chance * (
            1.0 if number % 4 == 3 else 0.4
        ):
            name, chords = out[number]
            out[number] = (name, with_applied(chords, out[number + 1][1][0][1], grid))
    return out
