"""Writes notes the way a person of the style would play them: swung, a little loose, louder when driven."""

from __future__ import annotations

import dataclasses
import zlib
from collections.abc import Iterable
from functools import lru_cache

import numpy as np

from generation.generator import Note
from generation.planning.casting import Voice
from generation.planning.feel import timing_scale, velocity
from generation.planning.form import Bar
from generation.planning.manners import Manners, manners
from generation.planning.plan import Plan

_RING = 0.3
"""Seconds before the end of the clip at which held notes are let go."""
_LIFT = 0.012
"""Seconds that a key is up before it is struck again."""
_DRIVE = 1.2
"""By how much energy makes accompaniment busier; the tune stays what it is."""
FULL = frozenset({"B", "chorus", "drop", "solo"})
"""Sections in which everybody plays out."""
HELD_BACK = frozenset({"verse", "intro", "bridge", "break", "outro"})
"""Sections that leave room for those."""
_SECTION_SWING = 0.16
"""How much softer than the fullest sections the thinnest are played."""


class Pen:
    """Collects the notes of one part.

    Args:
        plan: Tempo, swing and looseness.
        stream: Names the part, so that parts scatter independently.
        drag: Milliseconds behind the beat.
        player: Whose range notes are folded into by octaves; ``None`` for drums.
    """

    def __init__(
        self, plan: Plan, stream: str, drag: float = 0.0, *, player: Voice | None = None
    ) -> None:
        self._plan = plan
        self._human = plan.style.human
        self._stream = stream
        self._bar = -1
        self._scatter: list[float] = []
        self._used = 0
        scale = timing_scale(plan.levels, plan.style)
        self._drag = drag * scale / 1000
        self._timing = self._human.timing * scale / 1000
        self._range = (0, 127)
        if player is not None and not player.patch.percussion:
            self._range = (player.patch.low, player.patch.high)
        self._swell = manners(plan.style.family).swell
        self.notes: list[Note] = []

    def write(
        self, bar: int, step: float, steps: float, pitch: int, level: float, late: float = 0.0
    ) -> None:
        """Add a note.

        Args:
            bar: Which bar.
            step: Sixteenths after its beginning, before swing.
            steps: Length in sixteenths; clipped to what the clip has left.
            pitch: MIDI key.
            level: How loud within the part, 1 is an accent.
            late: Seconds of deliberate delay, as in a strum.
        """
        timing, touch = self._loosen(bar)
        grid = self._plan.grid
        nominal = grid.time(bar, step)
        end = nominal + steps * grid.step_seconds
        if nominal < -0.001:
            # The clip enters within this bar: what is held sounds on, the rest is past.
            if end < 0.12:
                return
            nominal = 0.02
        loose = timing * self._timing
        start = max(0.0, nominal + loose + self._drag + late)
        end = min(end, max(start + 0.05, self._plan.seconds - _RING))
        if start >= self._plan.seconds - 0.02:
            return
        loud = velocity(self._plan.levels, level * self._dynamics(bar))
        loud += touch * self._human.velocity * 0.6
        self.notes.append(
            Note(
                start=round(start, 5),
                seconds=round(max(0.04, end - start), 5),
                pitch=folded(pitch, self._range),
                velocity=int(min(127, max(12, round(loud)))),
            )
        )

    def _loosen(self, bar: int) -> tuple[float, float]:
        """Draw how far a note lies beside the beat and beside its level. Every bar has its own chance."""
        if bar != self._bar or self._used + 2 > len(self._scatter):
            place = place_of(self._plan.bars[bar], bar) if bar < len(self._plan.bars) else bar
            # One bar that is asked again goes on where it was, so that two of its notes never scatter alike.
            turn = self._used if bar == self._bar else 0
            self._scatter = list(_normal(self._plan.entropy, self._stream, place, turn))
            self._bar, self._used = bar, 0
        first = self._used
        self._used += 2
        return self._scatter[first], self._scatter[first + 1]

    def _dynamics(self, bar: int) -> float:
        """Fuller sections are louder, and a phrase swells towards its third bar."""
        if not 0 <= bar < len(self._plan.bars):
            return 1.0
        here = self._plan.bars[bar]
        phrase = (0.985, 1.0, 1.025, 1.0)[here.phrase] - 1
        return 1 - _SECTION_SWING * (1 - here.intensity) + phrase * self._swell

    def finish(self) -> tuple[Note, ...]:
        """Return the notes in order; a key that is struck again is let go before."""
        return untangle(self.notes)


def untangle(notes: Iterable[Note]) -> tuple[Note, ...]:
    """Return notes in order, each key let go before it is struck again and never struck twice at once."""
    out: list[Note] = []
    last: dict[int, int] = {}
    for note in sorted(notes, key=lambda n: (n.start, n.pitch, -n.seconds)):
        index = last.get(note.pitch)
        if index is not None:
            before = out[index]
            gap = note.start - before.start
            if gap < 0.03:
                # Twice at once is one stroke, as long as the longer and as loud as the louder.
                end = max(before.start + before.seconds, note.start + note.seconds)
                out[index] = dataclasses.replace(
                    before,
                    seconds=round(end - before.start, 5),
                    velocity=max(before.velocity, note.velocity),
                )
                continue
            if before.seconds > gap - _LIFT:
                out[index] = dataclasses.replace(before, seconds=round(max(0.02, gap - _LIFT), 5))
        last[note.pitch] = len(out)
        out.append(note)
    return tuple(out)


def folded(pitch: int, reach: tuple[int, int]) -> int:
    """Bring a key into a range by octaves; in a range below an octave, to its nearer end."""
    low, high = reach
    while pitch < low and pitch + 12 <= high:
        pitch += 12
    while pitch > high and pitch - 12 >= low:
        pitch -= 12
    return int(min(high, max(low, pitch)))


def place_of(bar: Bar, number: int) -> int:
    """Return the number by which a bar's own chance is drawn: where it was written, wherever it stands now."""
    del number
    return bar.source


def phase_of(bar: Bar) -> int:
    """Return which bar of a pattern of several bars to play: patterns begin with sections, upbeats are their end."""
    return -1 if bar.section == "upbeat" else bar.place


def habits(plan: Plan) -> Manners:
    """Return the manners of the plan's style."""
    return manners(plan.style.family)


@lru_cache(maxsize=2048)
def _normal(entropy: tuple[int, int], stream: str, place: int, turn: int) -> tuple[float, ...]:
    name = zlib.crc32(f"human {stream}".encode())
    draws = np.random.default_rng([*entropy, name, place, turn]).standard_normal(96)
    return tuple(np.clip(draws, -2, 2).tolist())


@lru_cache(maxsize=2048)
def _dice(entropy: tuple[int, int], name: int, size: int) -> tuple[float, ...]:
    return tuple(np.random.default_rng([*entropy, name]).uniform(size=size).tolist())


def dice(plan: Plan, name: str, size: int = 32) -> tuple[float, ...]:
    """Return uniform numbers that belong to a name: the same for every bar that asks, whatever the levels are."""
    return _dice(plan.entropy, zlib.crc32(name.encode()), size)


def pick(plan: Plan, name: str, pool: tuple[str, ...]) -> str:
    """Choose one of a pool by the chance that belongs to a name."""
    return pool[min(len(pool) - 1, int(dice(plan, name, 1)[0] * len(pool)))]


def by_density(patterns: tuple[str, ...], plan: Plan, name: str, marks: str = ".-") -> list[str]:
    """Order patterns so that the one to play comes first and its neighbour in busyness second.

    The seed picks the place within the style's range and the plan's density moves it, so that denser never means
    fewer notes; energy moves all but the lead as well.
    """
    ranked = sorted(patterns, key=lambda p: (sum(m not in marks for m in p) / len(p), p))
    place = dice(plan, name, 1)[0] + 1.6 * (plan.density - plan.style.density)
    if name != "lead":
        place += _DRIVE * (plan.energy - plan.style.energy)
    first = int(min(len(ranked) - 1, max(0, place * len(ranked))))
    second = min(first + 1, len(ranked) - 1) if first + 1 < len(ranked) else max(0, first - 1)
    return [ranked[first], ranked[second]]


def for_section(patterns: list[str], bar: Bar, marks: str = ".-") -> str:
    """Choose of two patterns: the busier one where a piece is full, the other where it holds back.

    Args:
        patterns: As ``by_density`` returns them.
        bar: Where it will be played.
        marks: What in a pattern is no stroke.
    """
    busy = sorted(patterns, key=lambda p: sum(m not in marks for m in p) / len(p))
    if bar.section in FULL:
        return busy[-1]
    return busy[0] if bar.section in HELD_BACK else patterns[0]
