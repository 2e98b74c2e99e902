"""Motifs: a bar of rhythm with a shape, and what a melody does with it: repeat, move, invert, cut, decorate."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from generation.planning.grid import runs

SCHEMES: Mapping[str, tuple[str, str, str, str]] = {
    "period": ("a", "b", "a", "b"),
    "sentence": ("a", "a+1", "ar", "b"),
    "aaba": ("a", "a", "b+2", "a"),
    "sequence": ("a", "a-1", "a-2", "b"),
    "arch": ("a", "b+1", "a+2o", "b"),
    "call": ("a", "bf-1", "ao", "b-1"),
    "riff": ("a", "a", "a", "ao"),
    "echo": ("a", "af", "a+1", "bf"),
    "slow": ("a", "bf", "a-1", "b"),
}
"""What the four bars of a phrase do. A letter is one of the motif's two bars; after it ``+n`` or ``-n`` moves it by
degrees, ``i`` turns it over, ``f`` keeps its first half, ``r`` says its first half twice, ``o`` decorates it and
``d`` begins it an eighth later."""

_Shape = Callable[[float], float]
SHAPES: Mapping[str, _Shape] = {
    "arch": lambda t: math.sin(math.pi * t),
    "valley": lambda t: -math.sin(math.pi * t),
    "rise": lambda t: t,
    "fall": lambda t: 1.0 - 1.3 * t,
    "wave": lambda t: 0.8 * math.sin(2 * math.pi * t),
    "pendulum": lambda t: 0.6 * math.cos(3 * math.pi * t),
    "gap": lambda t: 0.0 if t <= 0 else 1.15 - 1.2 * t,
    "pedal": lambda t: 0.0 if int(t * 8 + 0.01) % 2 == 0 else 0.9 - 0.5 * t,
}
"""How a motif rises and falls over its time from 0 to 1; 1 is its whole span."""


@dataclass(frozen=True, slots=True)
class Tone:
    """One note of a motif: step in the bar, length in steps, degrees above the motif's anchor."""

    step: int
    length: int
    rung: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """One bar of a motif.

    Attributes:
        tones: In order.
        steps: Sixteenths in the bar.
    """

    tones: tuple[Tone, ...]
    steps: int

    def moved(self, rungs: int) -> Cell:
        """The same a few degrees higher or lower: a sequence."""
        return replace(self, tones=tuple(replace(t, rung=t.rung + rungs) for t in self.tones))

    def inverted(self) -> Cell:
        """What rose now falls."""
        first = self.tones[0].rung if self.tones else 0
        return replace(self, tones=tuple(replace(t, rung=2 * first - t.rung) for t in self.tones))

    def fragment(self) -> Cell:
        """Only its first half; the rest of the bar is left to others."""
        half = self.steps // 2
        kept = [replace(t, length=min(t.length, half + 2 - t.step)) for t in self.tones]
        return replace(self, tones=tuple(t for t in kept if t.step < half) or self.tones[:1])

    def twice(self, beat: int) -> Cell:
        """Its first half, then again one degree higher. Bars of an odd number of beats stay as they are."""
        half = self.steps // 2
        if half % beat:
            return self
        first = [
            replace(t, length=min(t.length, half - t.step)) for t in self.tones if t.step < half
        ]
        again = [Tone(t.step + half, t.length, t.rung + 1) for t in first]
        return replace(self, tones=(*first, *again))

    def displaced(self, steps: int) -> Cell:
        """The same rhythm a little later; what would cross the bar line is left out."""
        late = [Tone(t.step + steps, t.length, t.rung) for t in self.tones]
        kept = [replace(t, length=min(t.length, self.steps - t.step)) for t in late]
        return replace(self, tones=tuple(t for t in kept if t.step < self.steps))

    def decorated(self) -> Cell:
        """The longest note that is not the last is split by the degree above it."""
        inner = self.tones[:-1]
        longest = max(inner, key=lambda t: t.length, default=None)
        if longest is None or longest.length < 4:
            return self
        half = longest.length // 2 // 2 * 2
        out: list[Tone] = []
        for tone in self.tones:
            if tone is longest:
                out += [
                    Tone(tone.step, half, tone.rung),
                    Tone(tone.step + half, tone.length - half, tone.rung + 1),
                ]
            else:
                out.append(tone)
        return replace(self, tones=tuple(out))

    def closed(self, beat: int) -> Cell:
        """Its beginning, then one long note on a strong beat in the middle, and breath."""
        beats = max(1, self.steps // beat)
        rest = (beats // 2) * beat if beats > 1 else 0
        opening = [
            replace(t, length=min(t.length, rest - t.step)) for t in self.tones if t.step < rest
        ]
        length = max(2, self.steps - rest - max(2, beat // 2))
        return replace(self, tones=(*opening, Tone(rest, length, 0)))


def make_cell(row: str, shape: str, span: float, wobble: tuple[float, ...]) -> Cell:
    """Lay a shape over a rhythm.

    Args:
        row: Marks of one bar, see ``styles.LEAD_MARKS``.
        shape: One of ``SHAPES``.
        span: Degrees from lowest to highest.
        wobble: Uniform numbers that disturb the shape a little, at least one for each step.
    """
    notes = runs(row)
    end = max(1, notes[-1][0]) if notes else 1
    tones = []
    for step, _, length in notes:
        luck = wobble[step % len(wobble)]
        bend = 0 if step == 0 or 0.18 < luck < 0.82 else (-1 if luck < 0.5 else 1)
        tones.append(Tone(step, length, round(span * SHAPES[shape](step / end)) + bend))
    return Cell(tones=tuple(tones), steps=len(row))


def develop(cells: Mapping[str, Cell], order: str, beat: int) -> Cell:
    """Carry out one entry of a scheme, such as ``"a+1"``."""
    cell = cells[order[0]]
    for index, sign in enumerate(order[1:], start=1):
        match sign:
            case "+" | "-":
                rungs = int(order[index + 1])
                cell = cell.moved(rungs if sign == "+" else -rungs)
            case "i":
                cell = cell.inverted()
            case "f":
                cell = cell.fragment()
            case "r":
                cell = cell.twice(beat)
            case "o":
                cell = cell.decorated()
            case "d":
                cell = cell.displaced(2)
            case _:
                pass
    return cell
