"""The bass player: patterns over the chord's root that meet the bass drum, or a walking line."""

from __future__ import annotations

from generation.casting import Voice
from generation.drums import kick_steps
from generation.form import Bar
from generation.generator import Note
from generation.pen import Pen, by_density, dice, runs
from generation.plan import Plan
from generation.styles import BassStyle
from generation.theory import SCALES, Chord

_PLAIN = BassStyle(patches=("finger_bass",), patterns=("R---------------", "R-------5-------"))


def play_bass(plan: Plan, voice: Voice) -> tuple[Note, ...]:
    """Write the bass part."""
    style = plan.style.bass or _PLAIN
    pen = Pen(plan, "bass", drag=plan.style.human.drag * 0.3)
    lowest = max(style.lowest, voice.patch.low)
    patterns = by_density(style.patterns, plan, "bass") if style.patterns else []
    walker = _Walker(plan, lowest)
    for number, bar in enumerate(plan.bars):
        if bar.section == "end":
            pen.write(number, 0, 64, _root(bar.chords[0][1], lowest), 0.9)
        elif bar.section == "break" and style.walk is False and plan.energy > 0.3:
            pen.write(number, 0, plan.grid.bar_steps, _root(bar.chords[0][1], lowest), 0.75)
        elif style.walk:
            walker.walk(pen, number, bar)
        else:
            busy = bar.section == "B" and len(plan.bars) > 5
            _play_pattern(plan, pen, (number, bar), patterns[1 if busy else 0], lowest)
    return pen.finish()


def _root(chord: Chord, lowest: int) -> int:
    return lowest + (chord.root - lowest) % 12


def _next_root(plan: Plan, number: int, bar: Bar, step: int) -> int:
    for start, chord in bar.chords:
        if start > step:
            return chord.root
    following = plan.bars[min(number + 1, len(plan.bars) - 1)]
    return following.chords[0][1].root


def _play_pattern(plan: Plan, pen: Pen, where: tuple[int, Bar], pattern: str, lowest: int) -> None:
    number, bar = where
    kicks = kick_steps(plan, number)
    lucky = dice(plan, f"bass {number % 2}", 64)
    row = plan.grid.fit(pattern, number)
    changes = {start for start, _ in bar.chords if start}
    played: set[int] = set()
    for step, mark, length in runs(row):
        chord = bar.chord_at(step)
        if mark == "r" and step not in kicks and lucky[step % 64] > plan.density:
            continue
        pitch = _pitch(plan, mark, chord, (lowest, _next_root(plan, number, bar, step)))
        cut = min([s for s in changes if s > step] + [step + length]) - step
        steps = min(length, cut) * (0.96 if length > 1 else 0.8)
        accent = 0.92 if step in kicks or step == 0 else 0.8
        pen.write(number, step, steps, pitch, accent)
        played.add(step)
    for step in changes - played:
        # A chord that enters where the pattern holds still needs its root.
        pen.write(number, step, min(4, len(row) - step), _root(bar.chord_at(step), lowest), 0.82)


def _pitch(plan: Plan, mark: str, chord: Chord, reach: tuple[int, int]) -> int:
    lowest, following = reach
    root = _root(chord, lowest)
    match mark:
        case "8":
            return root + 12
        case "5" | "3" | "7":
            pitch = root + chord.tone(int(mark))
            return pitch if pitch <= lowest + 16 else pitch - 12
        case "a":
            return _approach(plan, lowest + (following - lowest) % 12, root)
        case _:
            return root


def _approach(plan: Plan, target: int, origin: int) -> int:
    """Return the scale tone next to a target, on the side one comes from."""
    scale = {(plan.tonic + s) % 12 for s in SCALES[plan.mode]}
    side = 1 if origin > target else -1
    for distance in (1, 2, 3):
        if (target + side * distance) % 12 in scale:
            return target + side * distance
    return target + side * 2


class _Walker:
    """Quarter notes that lead from root to root by chord tones and steps."""

    def __init__(self, plan: Plan, lowest: int) -> None:
        self.plan = plan
        self.span = (lowest, lowest + 21)
        self.scale = {(plan.tonic + s) % 12 for s in SCALES[plan.mode]}
        self.at = lowest + 7

    def walk(self, pen: Pen, number: int, bar: Bar) -> None:
        grid = self.plan.grid
        beats = max(1, grid.bar_steps // grid.beat_steps)
        lucky = dice(self.plan, f"walk {number}", 64)
        for beat in range(beats):
            step = beat * grid.beat_steps
            chord = bar.chord_at(step)
            last = beat == beats - 1 or any(s == step + grid.beat_steps for s, _ in bar.chords)
            if any(start == step for start, _ in bar.chords):
                goal = self._near({chord.root})
            elif last:
                goal = self._lead(_next_root(self.plan, number, bar, step))
            elif lucky[beat] < 0.55:
                goal = self._near(set(chord.classes) - {self.at % 12})
            else:
                goal = self._near(self.scale - {self.at % 12})
            self.at = goal
            pen.write(number, step, grid.beat_steps * 0.92, goal, 0.9 if beat % 2 else 0.84)
            if lucky[beat + 32] < 0.5 * self.plan.density - 0.2:
                skip = step + grid.beat_steps // 2
                pen.write(number, skip, grid.beat_steps * 0.3, goal, 0.55)

    def _near(self, classes: set[int]) -> int:
        low, high = self.span
        keys = [k for k in range(low, high + 1) if k % 12 in classes and k != self.at] or [self.at]
        middle = (low + high) / 2
        return min(keys, key=lambda k: (abs(k - self.at) + 0.25 * abs(k - middle), k))

    def _lead(self, root: int) -> int:
        target = self._near({root})
        return _approach(self.plan, target, self.at)
