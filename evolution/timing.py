"""How long the bars of a description last, and which of them fit a clip."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Sequence

from domain.description import MAX_BARS, BarDescription, Description

_LEAD_IN = 0.02
"""Seconds before the first note."""
_NUMBERS = {"density": None, "pitch": None, "velocity": None, "duration": None}


def beat_quarters(metre: tuple[int, int]) -> float:
    """Return the length of the beat that a tempo counts: dotted quarters in 6/8, halves in 2/2, quarters elsewhere."""
    if metre[1] == 8 and metre[0] % 3 == 0:
        return 1.5
    return 2.0 if metre[1] == 2 else 1.0


def bar_quarters(metre: tuple[int, int]) -> float:
    """Return the length of a bar in quarter notes."""
    return 4 * metre[0] / metre[1]


def bar_seconds(tempo: float, metre: tuple[int, int]) -> float:
    """Return the length of a bar."""
    return bar_quarters(metre) / beat_quarters(metre) * 60 / tempo


def tail(seconds: float) -> float:
    """Return how long the last chord of a clip rings."""
    return min(0.35 * seconds, 0.9 + 0.03 * seconds, 2.5)


def body(description: Description) -> tuple[BarDescription, ...]:
    """Return the whole bars: without an upbeat and without the last bar, which holds the final chord."""
    return description.bars[1 if description.pickup else 0 : -1]


def before_the_end(description: Description) -> float:
    """Return when the final chord begins, in seconds."""
    beat = beat_quarters(description.metre) * 60 / description.tempo
    bar = bar_seconds(description.tempo, description.metre)
    return _LEAD_IN + description.pickup * beat + len(body(description)) * bar


def length_of(bars: int, tempo: float, metre: tuple[int, int]) -> float:
    """Return the seconds of a clip of so many whole bars and a final chord that rings."""
    start = _LEAD_IN + bars * bar_seconds(tempo, metre)
    return start + min(0.9 + 0.03 * start, 2.5)


def refitted(description: Description, seconds: float | None = None) -> Description:
    """Bring a piece whose tempo, metre or bars were changed to the length of its clip.

    The bars stay while the final chord still begins in time and rings at least half and at most twice as long as
    usual. Otherwise sections are shortened or repeat themselves, and what remains becomes an upbeat.

    Args:
        description: The piece.
        seconds: Length of the clip; that of the piece unless given.
    """
    seconds = description.seconds if seconds is None else seconds
    description = dataclasses.replace(description, seconds=seconds)
    rest, usual = seconds - before_the_end(description), tail(seconds)
    beat = beat_quarters(description.metre) * 60 / description.tempo
    if 0.5 * usual <= rest <= max(2 * usual, usual + beat):
        return description
    room = seconds - usual - _LEAD_IN
    bar = bar_seconds(description.tempo, description.metre)
    whole = min(int(room / bar), MAX_BARS - 2)
    beats = max(1, round(bar / beat))
    pickup = min(int((room - whole * bar) / beat), beats - 1)
    return rebarred(description, whole, pickup)


def rebarred(description: Description, whole: int, pickup: int = 0) -> Description:
    """Return the piece with ``whole`` bars between an upbeat of ``pickup`` beats and the final chord."""
    old = body(description)
    bars = [*resized(old, whole), description.bars[-1]]
    if pickup:
        start = description.bars[0] if description.pickup else (old or bars)[-1]
        bars.insert(0, dataclasses.replace(start, section="upbeat", **_NUMBERS))  # type: ignore[arg-type]
    return dataclasses.replace(description, bars=tuple(bars), pickup=pickup)


def sections_of(bars: Sequence[BarDescription]) -> list[tuple[BarDescription, ...]]:
    """Return runs of bars of one section."""
    return [tuple(run) for _, run in itertools.groupby(bars, key=lambda bar: bar.section)]


def resized(bars: Sequence[BarDescription], count: int) -> tuple[BarDescription, ...]:
    """Return ``count`` bars with the same sections in the same proportions; the last one keeps its cadence."""
    if not bars or count <= 0:
        return ()
    runs = sections_of(bars)
    edges = list(itertools.accumulate((len(run) for run in runs), initial=0))
    places = [round(edge * count / len(bars)) for edge in edges]
    out: list[BarDescription] = []
    for run, start, stop in zip(runs, places, places[1:], strict=False):
        out += [run[index % len(run)] for index in range(stop - start)]
    out[-1] = bars[-1]
    return tuple(out)
