"""Form and harmony: sections, how full each of them is, and the chords of every bar."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from generation.grid import Grid
from generation.styles import Style
from generation.theory import MINOR_MODES, Chord, build_chord


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """One bar of the form.

    Attributes:
        section: ``"upbeat"``, ``"intro"``, ``"A"``, ``"B"``, ``"break"`` or ``"end"``.
        intensity: How many of the layers play, in [0, 1].
        chords: Step at which each chord begins, and the chord.
        place: Bars since the section began.
        first: Whether a section begins here.
        fill: Whether the drums lead over into the next bar.
        phrase: Place in a phrase of four bars, in [0, 3].
        closing: Whether the phrase ends here, so that a melody should come to rest.
    """

    section: str
    intensity: float
    chords: tuple[tuple[int, Chord], ...]
    place: int
    first: bool = False
    fill: bool = False
    phrase: int = 0
    closing: bool = False

    def chord_at(self, step: float) -> Chord:
        """Return the chord that sounds at a step of the bar."""
        current = self.chords[0][1]
        for start, chord in self.chords:
            if start <= step:
                current = chord
        return current


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """All bars.

    Attributes:
        bars: In order; the last one holds only the final chord.
        upbeat: Whether bar 0 is only its last beats.
        sections: Name and number of bars.
    """

    bars: tuple[Bar, ...]
    upbeat: bool
    sections: tuple[tuple[str, int], ...]


_INTENSITY = {"upbeat": 0.7, "intro": 0.45, "A": 0.75, "B": 1.0, "break": 0.5, "A2": 0.9}


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
    out: list[Bar] = []
    sections = _sections(bars)
    if upbeat:
        out.append(Bar(section="upbeat", intensity=0.7, chords=((0, cadence),), place=0, fill=True))
    since = 0
    for name, length in sections:
        # The B part gets its own chords only where there is time to learn the first ones.
        line = lines["B" if name == "B" and bars > 8 else "A"]
        since = 0 if bars > 8 else since
        for place in range(length):
            last = place == length - 1
            out.append(
                Bar(
                    section=name,
                    intensity=_INTENSITY[name],
                    chords=line[since % len(line)],
                    place=place,
                    first=place == 0,
                    fill=last,
                    phrase=since % 4,
                    closing=last or since % 4 == 3,
                )
            )
            since += 1
    if bars >= 2:
        out[-1] = _with_cadence(out[-1], cadence, end, grid.bar_steps)
    out.append(Bar(section="end", intensity=1.0, chords=((0, end),), place=0, first=True))
    return Form(bars=tuple(out), upbeat=bool(upbeat), sections=sections)


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


Line = tuple[tuple[tuple[int, Chord], ...], ...]


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


def _with_cadence(bar: Bar, cadence: Chord, end: Chord, steps: int) -> Bar:
    if cadence == end:
        return bar
    middle = steps // 2 if steps % 8 == 0 else steps // 4 // 2 * 4 + (4 if steps >= 12 else 0)
    first = bar.chords[0][1]
    chords = ((0, first), (middle, cadence)) if first not in {cadence, end} else ((0, cadence),)
    return Bar(
        section=bar.section,
        intensity=bar.intensity,
        chords=chords,
        place=bar.place,
        first=bar.first,
        fill=True,
        phrase=3,
        closing=True,
    )
