"""What a bar amounts to in numbers, from nothing but when notes begin, how long they are, how high and how loud."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from generation.generator import Note, Score

EARLY = 0.35
"""Sixteenths before a bar line from which a note belongs to the bar after it: people play a little before the beat."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Timeline:
    """Where the bars lie.

    Attributes:
        downbeat: Seconds at which bar 0 begins.
        quarter: Seconds of a quarter note.
        quarters: Quarter notes in a bar.
    """

    downbeat: float
    quarter: float
    quarters: float

    @property
    def bar(self) -> float:
        """Seconds of a bar."""
        return self.quarter * self.quarters

    def bar_of(self, start: float) -> int:
        """Return the number of the bar to which a note belongs that begins at this second."""
        early = EARLY * self.quarter / 4
        return max(0, math.floor((start - self.downbeat + early) / self.bar))

    def begin(self, bar: int) -> float:
        """Return the second at which a bar begins."""
        return self.downbeat + bar * self.bar


def timeline(score: Score) -> Timeline:
    """Return where the bars of a score lie."""
    beats, value = score.metre
    return Timeline(
        downbeat=score.downbeat, quarter=60 / score.quarter_bpm, quarters=beats * 4 / value
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """Numbers of a bar, as in ``domain.description.BarDescription``; ``None`` where there is nothing to measure."""

    density: float
    pitch: float | None
    velocity: float | None
    duration: float | None


def figures(notes: Iterable[tuple[Note, bool]], line: Timeline) -> Figures:
    """Measure the notes of one bar.

    Args:
        notes: Each with whether it is percussion.
        line: For the length of the bar and of a quarter.
    """
    every = list(notes)
    pitched = [note for note, percussion in every if not percussion]
    return Figures(
        density=round(len(every) / line.quarters, 4),
        pitch=_mean([note.pitch for note in pitched], 2),
        velocity=_mean([note.velocity for note, _ in every], 2),
        duration=_mean([note.seconds / line.quarter for note in pitched], 4),
    )


def _mean(values: Sequence[float], digits: int) -> float | None:
    return round(math.fsum(values) / len(values), digits) if values else None
