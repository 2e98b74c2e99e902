"""Ornaments and touch: what players of a style add to the written melody, and how long they hold its notes."""

from __future__ import annotations

from dataclasses import dataclass, replace

from generation.planning.casting import Voice
from generation.planning.harmony import rest_tones
from generation.planning.plan import Plan
from generation.planning.styles import LeadStyle
from generation.planning.theory import Chord, melody_scale, nearest
from generation.writing.pen import dice, habits, place_of


@dataclass(frozen=True, slots=True)
class Sung:
    """A melody note before it is played: bar, step, length in steps, key and level."""

    bar: int
    step: float
    length: float
    key: int
    level: float

    def at(self, bar_steps: int) -> float:
        """Return the steps from the first bar line."""
        return self.bar * bar_steps + self.step


_ORNAMENTS = ("grace", "bend", "slide", "mordent", "trill", "tremolo", "doubles")


def embellish(plan: Plan, player: Voice, style: LeadStyle, line: tuple[Sung, ...]) -> list[Sung]:
    """Add what the style's players add, and give every note the length of its instrument."""
    scale = {(plan.tonic + s) % 12 for s in melody_scale(plan.mode, style.scale)}
    out: list[Sung] = []
    for note in line:
        bar = plan.bars[note.bar]
        held = replace(note, length=note.length * _touch(note, player, style))
        name = f"ornament {place_of(bar, note.bar)} {note.step}"
        kind = "" if bar.section == "end" or note.length < 2 else _ornament(plan, name)
        if kind == "tremolo" and player.patch.kind not in {"plucked", "mallet"}:
            kind = ""
        out += _decorate(held, kind, (scale, bar.chord_at(note.step)))
    return out


def _touch(note: Sung, player: Voice, style: LeadStyle) -> float:
    """What part of its time a note is held: winds and strings bind, keys hold, plucked tones are cut for riffs."""
    if style.legato < 0.72:
        return style.legato
    if player.patch.kind in {"sustained", "pad"}:
        return 1.04 if note.length > 1 else 0.95
    if player.patch.kind in {"keys", "plucked"}:
        return 1.0 if note.length > 1 else 0.9
    return style.legato if note.length > 1 else min(0.9, style.legato)


def _ornament(plan: Plan, name: str) -> str:
    luck, scale = dice(plan, name, 2), 0.7 + 0.6 * plan.density
    reached = 0.0
    for kind in _ORNAMENTS:
        reached += getattr(habits(plan), kind) * scale
        if luck[0] < reached:
            return kind
    return ""


def _decorate(note: Sung, kind: str, where: tuple[set[int], Chord]) -> list[Sung]:
    scale, chord = where
    above = next((note.key + d for d in (1, 2, 3) if (note.key + d) % 12 in scale), note.key + 2)
    below = next((note.key - d for d in (1, 2, 3) if (note.key - d) % 12 in scale), note.key - 2)
    soft = note.level * 0.82
    out: list[Sung] = []
    if kind == "grace":
        out = [Sung(note.bar, note.step - 0.45, 0.45, above, soft)]
    elif kind == "bend":
        out = [Sung(note.bar, note.step - 0.45, 0.5, note.key - 1, soft)]
    elif kind == "slide":
        out = [
            Sung(note.bar, note.step - 0.9, 0.5, below - 1, soft * 0.9),
            Sung(note.bar, note.step - 0.45, 0.5, below, soft),
        ]
    elif kind == "mordent" and note.length >= 3:
        out = [
            replace(note, length=0.5),
            Sung(note.bar, note.step + 0.5, 0.5, above, soft),
        ]
        note = replace(note, step=note.step + 1.0, length=note.length - 1.0, level=soft)
    elif kind in {"trill", "tremolo"} and note.length >= 6:
        other = above if kind == "trill" else note.key
        return [
            replace(note, step=note.step + i, length=1.0, key=other if i % 2 else note.key)
            for i in range(int(note.length))
        ]
    elif kind == "doubles" and note.length >= 3:
        free = rest_tones(chord, scale) - {note.key % 12}
        second = nearest(note.key - 4, free, (note.key - 12, note.key - 3))
        out = [Sung(note.bar, note.step, note.length, second, soft)]
    return [*out, note]
