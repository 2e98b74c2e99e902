"""The bass player: patterns over the chord's root that meet the bass drum, a walking line, glides and pedal points."""

from __future__ import annotations

from dataclasses import dataclass

from generation.generator import Note
from generation.planning.casting import Voice
from generation.planning.form import Bar
from generation.planning.grid import runs
from generation.planning.layers import rests
from generation.planning.plan import Plan
from generation.planning.styles import BassStyle
from generation.planning.theory import SCALES, Chord
from generation.writing.endings import last_strokes
from generation.writing.pen import Pen, by_density, dice, for_section, habits, phase_of, place_of
from generation.writing.vary import vary

_PLAIN = BassStyle(patches=("finger_bass",), patterns=("R---------------", "R-------5-------"))
_DEEP = {"sub_bass", "bass_808", "reese_bass", "drone_pad"}
"""Sounds that stay clear below the E string."""
_LOWEST_CLEAR = 28
_HOLDING = {"intro", "build", "outro"}


def play_bass(plan: Plan, voice: Voice) -> tuple[Note, ...]:
    """Write the bass part."""
    style = plan.style.bass or _PLAIN
    if style.walk:
        return _Walker(plan, voice, style).play()
    return _Bassist(plan, voice, style).play()


@dataclass(frozen=True, slots=True)
class _Reach:
    """Lowest and highest key, and the highest root."""

    low: int
    high: int

    @property
    def top_root(self) -> int:
        return min(self.high, self.low + 16)


def _reach(voice: Voice, style: BassStyle) -> _Reach:
    low = max(style.lowest, voice.patch.low)
    if voice.patch.name not in _DEEP:
        low = max(low, _LOWEST_CLEAR)
    return _Reach(low, max(low + 12, min(voice.patch.high, low + 28)))


class _Line:
    """What every bass player knows: the register, the chord, and where it goes next."""

    def __init__(self, plan: Plan, voice: Voice, style: BassStyle) -> None:
        self.plan = plan
        self.style = style
        self.manners = habits(plan)
        self.reach = _reach(voice, style)
        self.pen = Pen(plan, "bass", drag=plan.style.human.drag * 0.3, player=voice)
        self.scale = {(plan.tonic + s) % 12 for s in SCALES[plan.mode]}
        self.at = self.reach.low + 5

    def root(self, chord_root: int) -> int:
        """The root that lies nearest to where the line was, rather low than high."""
        keys = range(self.reach.low, self.reach.top_root + 1)
        found = [k for k in keys if k % 12 == chord_root]
        middle = self.reach.low + 5
        return min(found, key=lambda k: (abs(k - self.at) + 0.7 * abs(k - middle), k))

    def next_root(self, number: int, bar: Bar, step: int) -> int:
        """The pitch class of the root that comes after a step."""
        for start, chord in bar.chords:
            if start > step:
                return chord.root
        following = self.plan.bars[min(number + 1, len(self.plan.bars) - 1)]
        return following.chords[0][1].root

    def approach(self, target: int, origin: int) -> int:
        """The tone next to a target, on the side one comes from: of the scale, or a semitone where that is usual."""
        side = 1 if origin > target else -1
        if self.manners.chromatic:
            return target + side
        for distance in (1, 2, 3):
            if (target + side * distance) % 12 in self.scale:
                return target + side * distance
        return target + side * 2

    def kicks(self, number: int) -> frozenset[int]:
        """Steps on which the bass drum sounds."""
        return self.plan.kicks[number] if number < len(self.plan.kicks) else frozenset()

    def last(self, number: int, bar: Bar) -> None:
        root = self.root(bar.chords[0][1].root)
        for stroke in last_strokes(self.plan, "bass"):
            self.pen.write(number, stroke.step, stroke.length, root, 0.9 * stroke.level)


class _Bassist(_Line):
    """Plays a pattern, leads into the next chord, and holds a pedal where the style does."""

    def play(self) -> tuple[Note, ...]:
        patterns = by_density(self.style.patterns or _PLAIN.patterns, self.plan, "bass")
        patterns = [vary(row, dice(self.plan, "own bass", 4), 0.5) for row in patterns]
        for number, bar in enumerate(self.plan.bars):
            if bar.section == "end":
                self.last(number, bar)
            elif rests(self.plan, "bass", number, bar):
                continue
            elif bar.section == "break" and self.plan.energy > 0.3:
                self._hold(number, bar)
            elif bar.section in _HOLDING and self.manners.pedal and len(self.plan.bars) > 11:
                self._pedal(number)
            else:
                row = self.plan.grid.fit(for_section(patterns, bar), phase_of(bar))
                self._pattern(number, bar, self._turned(number, bar, row))
        return self.pen.finish()

    def _hold(self, number: int, bar: Bar) -> None:
        for index, (start, chord) in enumerate(bar.chords):
            later = bar.chords[index + 1][0] if index + 1 < len(bar.chords) else None
            end = self.plan.grid.bar_steps if later is None else later
            self.at = self.root(chord.root)
            self.pen.write(number, start, (end - start) * 0.98, self.at, 0.75)

    def _pedal(self, number: int) -> None:
        """The tonic under whatever the chords do."""
        grid = self.plan.grid
        self.at = self.root(self.plan.tonic)
        steps = [0] if self.plan.density < 0.35 else range(0, grid.bar_steps, grid.beat_steps)
        length = grid.bar_steps / len(steps)
        for step in steps:
            level = 0.7 + 0.16 * grid.weight(step)
            self.pen.write(number, step, length * 0.95, self.at, level)

    def _turned(self, number: int, bar: Bar, row: str) -> str:
        """Vary the end of a phrase: an approach to what follows, or a leap of an octave."""
        place = place_of(bar, number)
        luck = dice(self.plan, f"bass turn {place}", 3)
        busy = self.plan.density > 0.3
        if bar.phrase == 2 and row[0] == "R" and luck[2] < self.manners.drops and len(row) > 4:
            held = len(row[1:]) - len(row[1:].lstrip("-"))
            row = "." * (1 + held) + row[1 + held :]
        if not bar.closing or not busy or len(row) < 8 or "a" in row[-4:]:
            return row
        tail = len(row) - 2
        if luck[0] < self.manners.octaves:
            return row[: tail - 2] + "R.8." if row[tail - 2 :] != "R.8." else row
        if luck[0] < 0.45 and self.plan.density > 0.4 and row[tail] in "-.":
            return row[:tail] + "a" + ("-" if row[tail + 1] in "-." else row[tail + 1])
        return row

    def _pattern(self, number: int, bar: Bar, row: str) -> None:
        kicks = self.kicks(number)
        lucky = dice(self.plan, f"bass {place_of(bar, number) % 2}", 64)
        changes = {start for start, _ in bar.chords if start}
        played: set[int] = set()
        for step, mark, length in runs(row):
            chord = bar.chord_at(step)
            if mark == "r" and step not in kicks and lucky[step % 64] > self.plan.density:
                continue
            following = self.next_root(number, bar, step)
            pitch = self._pitch("R" if step in changes else mark, chord, following)
            cut = min([s for s in changes if s > step] + [step + length]) - step
            steps = min(length, cut) * (0.97 if length > 1 else 0.8)
            accent = 0.78 + 0.1 * self.plan.grid.weight(step) + 0.06 * (step in kicks)
            if step + length >= len(row) or step + cut in changes:
                steps -= self._glide((number, step + min(length, cut)), length, pitch, following)
            self.pen.write(number, step, steps, pitch, accent)
            played.add(step)
        for step in changes - played:
            # A chord that enters where the pattern holds still needs its root.
            room = min(4, len(row) - step)
            root = self.root(bar.chord_at(step).root)
            self.pen.write(number, step, room, root, 0.82)

    def _pitch(self, mark: str, chord: Chord, following: int) -> int:
        root = self.root(chord.root)
        if mark in "Rr":
            self.at = root
        match mark:
            case "8":
                return root + 12 if root + 12 <= self.reach.high else root
            case "5" | "3" | "7":
                pitch = root + chord.tone(int(mark))
                return pitch if pitch <= self.reach.top_root + 2 else pitch - 12
            case "a":
                return self.approach(self.root(following), root)
            case _:
                return root

    def _glide(self, where: tuple[int, int], length: int, pitch: int, following: int) -> float:
        """Slide over the last sixteenth of a long tone into the next root; return the steps that this takes."""
        number, end = where
        target = self.root(following)
        luck = dice(self.plan, f"glide {place_of(self.plan.bars[number], number) % 4} {end}", 1)[0]
        if length < 4 or abs(target - pitch) < 2 or luck > self.manners.glide:
            return 0.0
        for index, share in enumerate((0.33, 0.67)):
            key = round(pitch + share * (target - pitch))
            self.pen.write(number, end - 1 + 0.5 * index, 0.5, key, 0.72)
        return 1.0


class _Walker(_Line):
    """Quarter notes that lead from root to root by chord tones and steps; halves where it is calm."""

    def play(self) -> tuple[Note, ...]:
        for number, bar in enumerate(self.plan.bars):
            if bar.section == "end":
                self.last(number, bar)
            elif not rests(self.plan, "bass", number, bar):
                self._walk(number, bar)
        return self.pen.finish()

    def _walk(self, number: int, bar: Bar) -> None:
        grid = self.plan.grid
        calm = self.plan.density < 0.22 or bar.section in {"intro", "break"}
        stride = 2 if calm and grid.beats % 2 == 0 else 1
        lucky = dice(self.plan, f"walk {place_of(bar, number)}", 64)
        starts = {start for start, _ in bar.chords}
        for beat in range(0, grid.beats, stride):
            step = beat * grid.beat_steps
            after = step + stride * grid.beat_steps
            goal = self._goal(number, bar, (step, after), lucky[beat])
            self.at = goal
            level = 0.84 + 0.06 * (beat % 2)
            self.pen.write(number, step, stride * grid.beat_steps * 0.93, goal, level)
            if stride == 1 and lucky[beat + 32] < 0.5 * self.plan.density - 0.2:
                skip = step + grid.beat_steps // 2
                self.pen.write(number, skip, grid.beat_steps * 0.3, goal, 0.55)
        for start in starts:
            if start % (grid.beat_steps * stride):
                self.at = self._near({bar.chord_at(start).root})
                self.pen.write(number, start, grid.beat_steps // 2, self.at, 0.8)

    def _goal(self, number: int, bar: Bar, span: tuple[int, int], luck: float) -> int:
        step, after = span
        chord = bar.chord_at(step)
        if any(start == step for start, _ in bar.chords):
            before = self.plan.bars[number - 1].chords[-1][1] if number else None
            if step == 0 and before == chord and luck > 0.5:
                return self._near({(chord.root + chord.tone(n)) % 12 for n in (3, 5)})
            return self._near({chord.root})
        if after >= self.plan.grid.bar_steps or any(start == after for start, _ in bar.chords):
            target = self._target(number, bar, step)
            return min(self.reach.high, max(self.reach.low, self.approach(target, self.at)))
        # On the way: towards where the next root lies, by chord tones or by steps of the scale.
        target = self._target(number, bar, step)
        onward = self.at + (3 if target >= self.at else -3)
        classes = set(chord.classes) if luck < 0.55 else self.scale | set(chord.classes)
        return self._near(classes - {self.at % 12}, onward)

    def _target(self, number: int, bar: Bar, step: int) -> int:
        """The nearest next root, where one may be already."""
        root = self.next_root(number, bar, step)
        return self.at if root == self.at % 12 else self._near({root})

    def _near(self, classes: set[int], goal: float | None = None) -> int:
        low, high = self.reach.low, min(self.reach.high, self.reach.low + 21)
        keys = [k for k in range(low, high + 1) if k % 12 in classes and k != self.at]
        middle = (low + high) / 2
        aim = self.at if goal is None else goal
        return min(keys or [self.at], key=lambda k: (abs(k - aim) + 0.25 * abs(k - middle), k))
