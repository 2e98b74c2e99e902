"""Inner voices: two single lines between tune and bass that hold over, echo off the beat, imitate, go by step."""

from __future__ import annotations

from dataclasses import dataclass, replace

from generation.generator import Note
from generation.planning.casting import Voice
from generation.planning.form import Bar
from generation.planning.layers import rests
from generation.planning.plan import Plan
from generation.planning.theory import Chord, melody_scale, nearest
from generation.writing.endings import last_strokes
from generation.writing.melody import overheard
from generation.writing.pen import Pen, dice, place_of

_PAIRS = (
    ("tied", "flow"),
    ("flow", "after"),
    ("after", "imitate"),
    ("after", "tied"),
    ("imitate", "after"),
    ("after", "flow"),
    ("flow", "long"),
)
"""What the upper and the lower voice do through two bars."""
_SPANS = ((60, 76), (50, 66))
"""Keys of the upper and the lower voice where their instruments reach them."""


_DOTTED = 6
"""Steps of a beat that divides in three."""


@dataclass(frozen=True, slots=True)
class _Goal:
    """A tone that a voice has while a chord lasts: bar, steps, key, and the key that follows."""

    bar: int
    start: int
    end: int
    key: int
    after: int = 0
    before: int = 0


def play_inner(plan: Plan, player: Voice, index: int) -> tuple[Note, ...]:
    """Write an inner voice.

    Args:
        plan: The player's view.
        player: Its instrument.
        index: 0 for the upper voice, 1 for the lower one.
    """
    return _Inner(plan, player, index).play()


class _Inner:
    def __init__(self, plan: Plan, player: Voice, index: int) -> None:
        self.plan = plan
        self.player = player
        self.index = index
        self.pen = Pen(plan, player.role, drag=0, player=player)
        low, high = _SPANS[index]
        self.span = (max(low, player.patch.low), min(high, player.patch.high))
        if self.span[1] - self.span[0] < 12:
            self.span = (player.patch.low, player.patch.high)
        self.scale = {(plan.tonic + s) % 12 for s in melody_scale(plan.mode, "mode")}
        self.lead = overheard(plan)
        self.held: tuple[int, float, float, int, float] | None = None

    def play(self) -> tuple[Note, ...]:
        for goal in self._goals():
            bar = self.plan.bars[goal.bar]
            if bar.section == "end":
                length = last_strokes(self.plan, self.player.role)[0].length
                self._note(goal.bar, 0, length, goal.key, 0.85)
            elif not rests(self.plan, self.player.role, goal.bar, bar):
                self._voice(bar, goal)
        self._let_go()
        return self.pen.finish()

    def _goals(self) -> list[_Goal]:
        """Share third and fifth or seventh of every chord between both voices so that they move least."""
        out: list[_Goal] = []
        at = [sum(span) / 2 + 1 for span in _SPANS]
        for number, bar in enumerate(self.plan.bars):
            for place, (start, chord) in enumerate(bar.chords):
                later = bar.chords[place + 1][0] if place + 1 < len(bar.chords) else None
                end = self.plan.grid.bar_steps if later is None else later
                keys = _shared(chord, at)
                at = [float(key) for key in keys]
                out.append(_Goal(number, start, end, keys[self.index]))
        keys_of = [goal.key for goal in out]
        return [
            replace(goal, after=after, before=before)
            for goal, after, before in zip(
                out, [*keys_of[1:], keys_of[-1]], [keys_of[0], *keys_of[:-1]], strict=True
            )
        ]

    def _voice(self, bar: Bar, goal: _Goal) -> None:
        name = f"inner {place_of(bar, goal.bar) // 2 % 8}"
        luck = dice(self.plan, name, 1)[0]
        manner = _PAIRS[int(luck * len(_PAIRS))][self.index]
        beat = self.plan.grid.beat_steps
        lasts = goal.end - goal.start
        if bar.closing and goal.end == self.plan.grid.bar_steps:
            manner = "tied"
        if lasts < 2 * beat and manner in {"after", "imitate"}:
            manner = "flow"
        match manner:
            case "flow":
                self._flow(goal, beat)
            case "after":
                self._after(goal, beat, bar.chord_at(goal.start))
            case "imitate":
                self._imitate(goal, bar)
            case "tied":
                self._tied(goal, beat)
            case _:
                self._note(goal.bar, goal.start, lasts, goal.key, 0.74, tie=True)

    def _tied(self, goal: _Goal, beat: int) -> None:
        """Hold the tone from before over into the chord and let it fall a step, where it lies just above."""
        lasts = goal.end - goal.start
        if 1 <= goal.before - goal.key <= 2 and lasts >= 2 * beat:
            self._note(goal.bar, goal.start, beat, goal.before, 0.78, tie=True)
            self._note(goal.bar, goal.start + beat, lasts - beat, goal.key, 0.7)
        else:
            self._note(goal.bar, goal.start, lasts, goal.key, 0.74, tie=True)

    def _flow(self, goal: _Goal, beat: int) -> None:
        """Sing the tone, then go by step towards the next; where there is no way to go, turn round it."""
        lasts = goal.end - goal.start
        free = min(2, lasts // beat - 1)
        if free < 1:
            self._note(goal.bar, goal.start, lasts, goal.key, 0.76)
            return
        unit = 2 if beat == _DOTTED else beat if self.plan.density < 0.45 else max(1, beat // 2)
        count = free * beat // unit
        way = self._way(goal.key, goal.after, count)
        self._note(goal.bar, goal.start, lasts - free * beat, goal.key, 0.78)
        for index, key in enumerate(way):
            step = goal.end - free * beat + index * unit
            self._note(goal.bar, step, unit, key, 0.72)

    def _way(self, here: int, there: int, count: int) -> list[int]:
        """Tones of the scale from one key to beside another."""
        ladder = [k for k in range(self.span[0] - 4, self.span[1] + 5) if k % 12 in self.scale]
        side = 1 if there > here else -1
        place = min(range(len(ladder)), key=lambda i: (abs(ladder[i] - here), i))
        out = []
        for index in range(count):
            left = abs(there - ladder[place])
            turn = left < 3 and index % 2 == 1
            move = -side if turn else side
            place = min(len(ladder) - 1, max(0, place + move))
            out.append(ladder[place])
        return out

    def _after(self, goal: _Goal, beat: int, chord: Chord) -> None:
        """Strike between the beats, an echo of the bass."""
        self._let_go()
        other = nearest(goal.key - 3, chord.classes - {goal.key % 12, chord.root}, self.span)
        half = beat // 2 if beat != _DOTTED else 2
        for count, step in enumerate(range(goal.start, goal.end, beat)):
            key = other if count % 2 else goal.key
            late = beat - half if beat == _DOTTED else half
            if beat == _DOTTED:
                self._note(goal.bar, step + 2, 1.6, key, 0.66)
            self._note(goal.bar, step + late, half * 0.9, key, 0.72)

    def _imitate(self, goal: _Goal, bar: Bar) -> None:
        """Say what the tune said a bar before, lower."""
        heard = [n for n in self.lead.get(goal.bar - 1, []) if goal.start <= n.step < goal.end]
        if not heard:
            self._note(goal.bar, goal.start, goal.end - goal.start, goal.key, 0.76, tie=True)
            return
        down = heard[0].key - goal.key
        for note in heard:
            chord = bar.chord_at(note.step)
            strong = note.step % self.plan.grid.beat_steps == 0
            classes = set(chord.classes) if strong else self.scale | set(chord.classes)
            key = nearest(note.key - down, classes, self.span)
            length = min(note.length, goal.end - note.step)
            self._note(goal.bar, note.step, length, key, 0.8)

    def _note(
        self, bar: int, step: float, length: float, key: int, level: float, *, tie: bool = False
    ) -> None:
        """Take up a note; a tied one only lasts on where the same key still sounds."""
        steps = self.plan.grid.bar_steps
        if self.held is not None:
            was_bar, was_step, was_length, was_key, _ = self.held
            meets = (bar - was_bar) * steps + step - was_step - was_length
            if tie and was_key == key and abs(meets) < 0.01 and was_length < 3 * steps:
                self.held = (was_bar, was_step, was_length + length, key, self.held[4])
                return
        self._let_go()
        self.held = (bar, step, length, key, level)

    def _let_go(self) -> None:
        if self.held is not None:
            bar, step, length, key, level = self.held
            self.pen.write(bar, step, length * 1.0, key, level)
            self.held = None


def _shared(chord: Chord, at: list[float]) -> tuple[int, int]:
    """Return keys for the upper and the lower voice: third and seventh or fifth, whichever way round moves less."""
    third = (chord.root + chord.tone(3)) % 12
    other = (chord.root + chord.tone(7)) % 12
    if other not in chord.classes or other == third:
        other = (chord.root + chord.tone(5)) % 12
    if third not in chord.classes:
        third = next(iter(sorted(chord.classes - {chord.root, other})), chord.root)
    ways = []
    for first, second in ((third, other), (other, third)):
        upper = nearest(at[0], {first}, _SPANS[0])
        lower = nearest(at[1], {second}, _SPANS[1])
        crossed = 12.0 if lower >= upper else 0.0
        ways.append((abs(upper - at[0]) + abs(lower - at[1]) + crossed, upper, lower))
    _, upper, lower = min(ways)
    return upper, lower
