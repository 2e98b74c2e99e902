"""Progressions: chords for every bar of every section, with dominants that lead on, suspensions and cadences."""

from __future__ import annotations

from collections.abc import Sequence

from generation.planning.grid import Grid
from generation.planning.styles import Style
from generation.planning.theory import Chord, build_chord

Chords = tuple[tuple[int, Chord], ...]
"""Step at which each chord of a bar begins, and the chord."""
Line = tuple[Chords, ...]
"""A progression, bar by bar."""


def read_line(text: str, style: Style, grid: Grid, key: tuple[int, str]) -> Line:
    """Read a progression: for each bar the step and the chord.

    Args:
        text: Bars parted by ``|``, chords by spaces, see ``theory.parse_chord``.
        style: For the colour of chords that have none of their own.
        grid: Metre.
        key: Tonic as a pitch class, and mode.
    """
    bars = []
    for cell in text.split("|"):
        symbols = cell.split()
        bar: dict[int, Chord] = {}
        for index, symbol in enumerate(symbols):
            step = -(-index * grid.beats // len(symbols)) * grid.beat_steps
            if step < grid.bar_steps:
                bar.setdefault(step, build_chord(symbol, *key, style.colour))
        bars.append(tuple(bar.items()))
    return tuple(bars)


def halve(line: Line, grid: Grid) -> Line:
    """Play two bars' chords in the time of one, for clips too short to hear a slow progression."""
    middle = grid.middle
    out = []
    for index in range(0, len(line), 2):
        first = line[index][0][1]
        second = line[(index + 1) % len(line)][0][1]
        same = first == second or middle >= grid.bar_steps
        out.append(((0, first),) if same else ((0, first), (middle, second)))
    return tuple(out)


def with_applied(chords: Chords, following: Chord, grid: Grid) -> Chords:
    """Return a bar whose second half is the dominant of what follows, where that leads somewhere."""
    first = chords[0][1]
    root = (following.root + 7) % 12
    stable = {3, 4} & {i % 12 for i in following.intervals} and 7 in following.intervals
    if len(chords) > 1 or not stable or first.root in {root, following.root}:
        return chords
    if grid.middle >= grid.bar_steps:
        return chords
    return (chords[0], (grid.middle, Chord(root, (0, 4, 7, 10))))


def with_cadence(chords: Chords, cadence: Chord, end: Chord, grid: Grid) -> Chords:
    """Return a bar that leads to the last chord."""
    if cadence == end:
        return chords
    first = chords[0][1]
    if first in {cadence, end} or grid.middle >= grid.bar_steps:
        return ((0, cadence),)
    return ((0, first), (grid.middle, cadence))


def with_suspension(chords: Chords, grid: Grid) -> Chords:
    """Return a bar whose last chord, if it has a third and lasts two beats, first holds the fourth."""
    start, chord = chords[-1]
    lasts = grid.bar_steps - start
    if lasts < 2 * grid.beat_steps or not {3, 4} & {i % 12 for i in chord.intervals}:
        return chords
    held = Chord(chord.root, (0, 5, 7))
    half = start + lasts // 2 // grid.beat_steps * grid.beat_steps
    return (*chords[:-1], (start, held), (half, chord))


def rotated(line: Line) -> Line:
    """The same chords, begun in the middle: a part that feels elsewhere and comes home."""
    half = len(line) // 2
    return (*line[half:], *line[:half])


def turned(lines: Sequence[Chords], home: Chord, cadence: Chord, grid: Grid) -> Chords:
    """Return the last bar of a section, with a half cadence where it would stand still on the tonic."""
    last = lines[-1]
    if len(last) > 1 or last[0][1] != home or grid.middle >= grid.bar_steps:
        return last
    return (last[0], (grid.middle, cadence))
