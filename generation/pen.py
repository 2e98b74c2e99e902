"""Writes notes the way a person of the style would play them: swung, a little loose, louder when driven."""

from __future__ import annotations

import zlib
from functools import lru_cache

import numpy as np

from generation.generator import Note
from generation.plan import Plan

_RING = 0.3
"""Seconds before the end of the clip at which held notes are let go."""


class Pen:
    """Collects the notes of one part.

    Args:
        plan: Tempo, swing and looseness.
        stream: Names the part, so that parts scatter independently.
        drag: Milliseconds behind the beat.
    """

    def __init__(self, plan: Plan, stream: str, drag: float = 0.0) -> None:
        self._plan = plan
        self._human = plan.style.human
        self._rng = plan.rng(f"human {stream}")
        self._drag = drag / 1000
        self._loud = 52 + 52 * plan.energy
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
        scatter = self._rng.standard_normal(2)
        grid = self._plan.grid
        nominal = grid.time(bar, step)
        end = nominal + steps * grid.step_seconds
        if nominal < -0.001:
            # The clip enters within this bar: what is held sounds on, the rest is past.
            if end < 0.12:
                return
            nominal = 0.02
        loose = float(np.clip(scatter[0], -2, 2)) * self._human.timing / 1000
        start = max(0.0, nominal + loose + self._drag + late)
        end = min(end, max(start + 0.05, self._plan.seconds - _RING))
        if start >= self._plan.seconds - 0.02:
            return
        velocity = self._loud * level + float(scatter[1]) * self._human.velocity * 0.6
        self.notes.append(
            Note(
                start=round(start, 5),
                seconds=round(max(0.04, end - start), 5),
                pitch=int(min(127, max(0, pitch))),
                velocity=int(min(127, max(12, round(velocity)))),
            )
        )

    def finish(self) -> tuple[Note, ...]:
        """Return the notes in order."""
        return tuple(sorted(self.notes, key=lambda n: (n.start, n.pitch)))


def runs(pattern: str) -> list[tuple[int, str, int]]:
    """Read a pattern: for each mark that sounds its step, the mark, and its length with the holds after it.

    A hold without a note before it is silence.
    """
    out = []
    step = 0
    while step < len(pattern):
        mark = pattern[step]
        length = 1
        if mark not in ".-":
            while step + length < len(pattern) and pattern[step + length] == "-":
                length += 1
            out.append((step, mark, length))
        step += length
    return out


@lru_cache(maxsize=1024)
def _dice(entropy: tuple[int, int], name: int, size: int) -> tuple[float, ...]:
    return tuple(np.random.default_rng([*entropy, name]).uniform(size=size).tolist())


def dice(plan: Plan, name: str, size: int = 32) -> tuple[float, ...]:
    """Return uniform numbers that belong to a name: the same for every bar that asks, whatever the levels are."""
    return _dice(plan.entropy, zlib.crc32(name.encode()), size)


def by_density(patterns: tuple[str, ...], plan: Plan, name: str, marks: str = ".-") -> list[str]:
    """Order patterns so that the one to play comes first and its neighbour in busyness second.

    The seed picks the place within the style's range and the plan's density moves it, so that denser never means
    fewer notes.
    """
    ranked = sorted(patterns, key=lambda p: (sum(m not in marks for m in p) / len(p), p))
    place = dice(plan, name, 1)[0] + 1.6 * (plan.density - plan.style.density)
    first = int(min(len(ranked) - 1, max(0, place * len(ranked))))
    second = min(first + 1, len(ranked) - 1) if first + 1 < len(ranked) else max(0, first - 1)
    return [ranked[first], ranked[second]]
