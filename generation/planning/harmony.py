"""Harmony in motion: tones to rest on, voice leading with limits, and lines that keep out of each other's way."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Sequence

from generation.generator import Note, Part
from generation.planning.plan import Plan
from generation.planning.theory import Chord, nearest, voicings
from generation.writing.pen import untangle
from generation.writing.sanity import bottom_line, parallels, top_line

_TOP_LEAP = 7
"""Semitones that the top voice of an accompaniment may leap within a section."""
_LOW_LIMIT = 50
"""Key below which tones of a chord lie at least a fourth apart, lest they grumble."""


def rest_tones(chord: Chord, scale: set[int] | frozenset[int]) -> frozenset[int]:
    """Return the pitch classes to rest on: the chord's, with the third that a power chord leaves open."""
    if len(chord.classes) > 2:
        return chord.classes
    thirds = {(chord.root + t) % 12 for t in (3, 4)}
    return chord.classes | (thirds & scale)


class Voicer:
    """Places one chord after another so that the voices move little and the top voice sings.

    Args:
        span: Lowest and highest key to use.
        kind: See ``theory.voice``.
    """

    def __init__(self, span: tuple[int, int], kind: str = "close") -> None:
        self._span = span
        self._kind = kind
        self.keys: tuple[int, ...] = ()
        self._chord: Chord | None = None

    def place(self, chord: Chord, *, fresh: bool = False, lift: int = 0) -> tuple[int, ...]:
        """Return the keys of a chord, lowest first.

        Args:
            chord: What to play.
            fresh: A new section, in which the voices may begin anew.
            lift: Semitones by which the middle lies higher, for fuller sections.
        """
        if self.keys and chord == self._chord and not fresh:
            return self.keys
        ways = voicings(chord, self._span, kind=self._kind)
        before = self.keys
        middle = sum(self._span) / 2 + lift
        self.keys = min(ways, key=lambda w: (self._cost(w, before, middle, fresh=fresh), w))
        self._chord = chord
        return self.keys

    def _cost(
        self, keys: tuple[int, ...], before: tuple[int, ...], middle: float, *, fresh: bool
    ) -> float:
        cost = 0.35 * abs(sum(keys) / len(keys) - middle)
        gaps = itertools.pairwise(keys)
        cost += sum(3.0 for a, b in gaps if a < _LOW_LIMIT and b - a < 5)
        if not before:
            return cost
        up = sum(min(abs(k - p) for p in before) for k in keys)
        down = sum(min(abs(k - p) for k in keys) for p in before)
        cost += (up + down) / 2 * (0.3 if fresh else 1.0)
        leap = abs(keys[-1] - before[-1])
        cost += max(0, leap - 4) * (0.1 if fresh else 0.6)
        if leap > _TOP_LEAP and not fresh:
            cost += 40
        # Outer voices that move by the same leap sound like one block being shoved.
        if leap > 2 and keys[-1] - before[-1] == keys[0] - before[0]:
            cost += 1.5
        return cost


def part_ways(plan: Plan, parts: Sequence[Part]) -> tuple[Part, ...]:
    """Move single notes so that neither bass nor counter runs with the lead in unisons or octaves.

    Args:
        plan: Whose chords and grid the parts follow.
        parts: All players. Only bass and counters change, and the lead where the bass holds a root.
    """
    lead_at = next((i for i, p in enumerate(parts) if p.role == "lead"), None)
    if lead_at is None:
        return tuple(parts)
    out = list(parts)
    for turn in range(6):
        changed = False
        for index, part in enumerate(out):
            if part.role not in {"bass", "counter"}:
                continue
            lead = top_line(out[lead_at].notes)
            other = top_line(part.notes) if part.role == "counter" else bottom_line(part.notes)
            for before, after in parallels(lead, other):
                changed = True
                # The last chord stands; what leads to it gives way.
                final = after >= plan.grid.time(len(plan.bars) - 1, -0.5)
                _step_aside(plan, out, (lead_at, index), before if final and turn < 2 else after)
        if not changed:
            break
    return tuple(out)


def settled(plan: Plan, parts: Sequence[Part]) -> tuple[Part, ...]:
    """Return parts that were edited after they were written with no key struck while it is down and voices apart.

    Parts that need neither come back as they are.
    """
    clean = [dataclasses.replace(part, notes=untangle(part.notes)) for part in parts]
    return part_ways(plan, clean)


def _step_aside(plan: Plan, parts: list[Part], which: tuple[int, int], moment: float) -> None:
    """Give one of two voices another tone of the chord at a moment."""
    lead_at, other_at = which
    chord, rooted = _chord_at(plan, moment)
    moving = lead_at if parts[other_at].role == "bass" and rooted else other_at
    part = parts[moving]
    notes = list(part.notes)
    struck = [i for i, n in enumerate(notes) if abs(n.start - moment) < 0.06]
    if not struck:
        return
    top = max(struck, key=lambda i: notes[i].pitch)
    at = top if part.role != "bass" else min(struck, key=lambda i: notes[i].pitch)
    note = notes[at]
    used = _range_of(plan, part)
    others = rest_tones(chord, frozenset(chord.classes)) - {note.pitch % 12}
    pitch = nearest(note.pitch, others or {(note.pitch + 7) % 12}, used)
    if pitch % 12 == note.pitch % 12:
        pitch = note.pitch + 7 if note.pitch + 7 <= used[1] else note.pitch - 5
    if any(n.pitch == pitch and _overlap(n, note) for n in notes):
        pitch = nearest(note.pitch - 3, others or {(note.pitch + 5) % 12}, used)
    notes[at] = dataclasses.replace(note, pitch=pitch)
    parts[moving] = dataclasses.replace(part, notes=untangle(notes))


def _overlap(one: Note, other: Note) -> bool:
    return one.start < other.start + other.seconds and other.start < one.start + one.seconds


def _range_of(plan: Plan, part: Part) -> tuple[int, int]:
    voice = next((v for v in plan.cast.voices if v.patch.name == part.patch), None)
    return (voice.patch.low, voice.patch.high) if voice is not None else (0, 127)


def _chord_at(plan: Plan, moment: float) -> tuple[Chord, bool]:
    """Return the chord that sounds at a moment, and whether it begins there."""
    grid = plan.grid
    place = (moment - grid.downbeat) / grid.bar_seconds
    number = max(0, min(len(plan.bars) - 1, int(place + 0.02)))
    step = round((place - number) * grid.bar_steps)
    bar = plan.bars[number]
    begins = any(abs(start - step) < 1 for start, _ in bar.chords)
    return bar.chord_at(step), begins
