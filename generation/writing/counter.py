"""Second voices: they answer in the gaps of the tune, run beside it in thirds, stab, or turn a figure over."""

from __future__ import annotations

from generation.generator import Note
from generation.planning.casting import Voice
from generation.planning.form import Bar
from generation.planning.grid import runs
from generation.planning.harmony import Voicer, rest_tones
from generation.planning.layers import rests
from generation.planning.plan import Plan
from generation.planning.theory import Chord, melody_scale, nearest
from generation.writing.comp import BROKEN, Touch, reach, strike
from generation.writing.endings import last_strokes
from generation.writing.melody import overheard
from generation.writing.pen import Pen, dice, habits, pick, place_of

_STABS = (
    "......s...s.....",
    "..s.....s.s.....",
    "..........s.s.s.",
    "s..s......s.....",
    ".....s......s.s.",
)
_GUAJEO = ("0.21.2.12.0.21.2", "x.0x.0.x.0x.0x0.", "02.1.20.1.02.1.2")
_RIFFS = ("0.0.2.1.........", "0..0..2.1.......", "0.2.....0.2.1...", "..0.1.2.........")
_OSTINATO = ("0.1.2.1.0.1.2.1.", "0...1...2...1...", "0..1..2.0..1..2.", "0.0.1.0.2.0.1.0.")
_HELD = {"sustained", "pad"}


def play_counter(plan: Plan, player: Voice, index: int) -> tuple[Note, ...]:
    """Write a second voice.

    Args:
        plan: The counter's own style and tune.
        player: Its instrument.
        index: How many counters there are before it.
    """
    return _Second(plan, player, index).play()


class _Second:
    def __init__(self, plan: Plan, player: Voice, index: int) -> None:
        self.plan = plan
        self.player = player
        self.name = f"counter {index}"
        self.pen = Pen(plan, self.name, drag=plan.style.human.drag * 0.5, player=player)
        low, high = player.patch.low, player.patch.high
        middle = min(high - 7, max(low + 7, 64 + 5 * (index % 2)))
        self.span = (max(low, middle - 9), min(high, middle + 11))
        self.scale = {(plan.tonic + s) % 12 for s in melody_scale(plan.mode, "mode")}
        self.touch = Touch(
            pen=self.pen, roll=0.0, strum=0.0, rings=False, pedal=False, beat=plan.grid.beat_steps
        )
        self.voicer = Voicer(reach(self.span, player))
        self.at = float(middle)
        self.kind = self._kind()
        self.lead = overheard(plan)

    def _kind(self) -> str:
        """The style's own way, unless the sound cannot do it: what decays cannot hold, what is slow cannot stab."""
        kind = habits(self.plan).counter
        held = self.player.patch.kind in _HELD
        if held and kind in {"arpeggio", "ostinato", "guajeo"}:
            return "answer"
        if not held and kind == "answer":
            return "broken"
        return "answer" if self.player.patch.kind == "pad" else kind

    def play(self) -> tuple[Note, ...]:
        for number, bar in enumerate(self.plan.bars):
            if rests(self.plan, "counter", number, bar, asked=self.player.asked):
                continue
            if bar.section == "end":
                held = last_strokes(self.plan, "counter")[0].length
                self._guide(number, 0, held, bar.chords[0][1])
                continue
            match self.kind:
                case "thirds":
                    self._thirds(number, bar)
                case "answer":
                    self._answer(number, bar)
                case _:
                    self._figure(number, bar)
        return self.pen.finish()

    def _figure(self, number: int, bar: Bar) -> None:
        pools = {"stabs": _STABS, "guajeo": _GUAJEO, "riff": _RIFFS, "ostinato": _OSTINATO}
        pattern = pick(self.plan, self.name, pools.get(self.kind, BROKEN))
        row = self.plan.grid.fit(pattern, 0)
        starts = [start for start, _ in bar.chords]
        placed = {start: self.voicer.place(chord) for start, chord in bar.chords}
        for step, mark, length in runs(row):
            since = max(s for s in starts if s <= step)
            keys = placed[since][-3:] if self.kind == "stabs" else placed[since]
            if self.kind == "stabs" and self._busy(number, step):
                # Horns hit where the singer breathes.
                continue
            strike(self.touch, (number, step), mark, length, keys)

    def _busy(self, number: int, step: float) -> bool:
        """Whether the lead is in the middle of a quick turn."""
        return sum(abs(n.step - step) <= 2 for n in self.lead.get(number, [])) > 2

    def _answer(self, number: int, bar: Bar) -> None:
        """Hold a guide tone under the tune; where the tune rests for two beats, reply with its own turn."""
        beat = self.plan.grid.beat_steps
        steps = self.plan.grid.bar_steps
        for start, chord in bar.chords:
            later = [s for s, _ in bar.chords if s > start]
            end = later[0] if later else steps
            gap = self._gap(number, start, end)
            if gap is None or self.plan.density < 0.12:
                self._guide(number, start, (end - start) * 0.98, chord)
                continue
            if gap > start:
                self._guide(number, start, (gap - start) * 0.95, chord)
            self._reply((number, bar), gap, end, max(2, beat // 2))

    def _gap(self, number: int, start: int, end: int) -> int | None:
        """Return where the lead has been quiet for long enough to be answered, within a stretch."""
        beat = self.plan.grid.beat_steps
        onsets = [n.step for n in self.lead.get(number, []) if start <= n.step < end]
        last = max(onsets, default=start - beat)
        begin = int(-(-(last + beat) // beat) * beat)
        return begin if end - begin >= 2 * beat else None

    def _reply(self, where: tuple[int, Bar], begin: int, end: int, unit: int) -> None:
        number, bar = where
        lucky = dice(self.plan, f"{self.name} {place_of(bar, number)}", 16)
        rising = self._lead_falls(number)
        count = min(4, (end - begin) // unit)
        for index in range(count):
            step = begin + index * unit
            chord = bar.chord_at(step)
            last = index == count - 1
            strong = step % self.plan.grid.beat_steps == 0
            classes = rest_tones(chord, self.scale) if strong or last else self.scale
            move = 2.2 if lucky[index] < 0.8 else -2.2
            goal = self.at + (move if rising else -move)
            free = set(classes) - {int(self.at) % 12}
            self.at = float(nearest(goal, free or set(classes), self.span))
            length = end - step if last else unit
            self.pen.write(number, step, length * 0.96, int(self.at), 0.78 if strong else 0.7)

    def _lead_falls(self, number: int) -> bool:
        notes = self.lead.get(number, []) or self.lead.get(number - 1, [])
        return len(notes) > 1 and notes[-1].key < notes[0].key

    def _guide(self, number: int, step: float, length: float, chord: Chord) -> None:
        guide = {(chord.root + chord.tone(3)) % 12, (chord.root + chord.tone(7)) % 12}
        sounding = {n.key % 12 for n in self.lead.get(number, []) if abs(n.step - step) < 1}
        classes = (guide & chord.classes) - sounding or chord.classes - sounding or chord.classes
        self.at = float(nearest(self.at, classes, self.span))
        self.pen.write(number, step, length, int(self.at), 0.74)

    def _thirds(self, number: int, bar: Bar) -> None:
        """Run below the tune at a third or sixth, whichever the chord has; short notes are left to the lead."""
        notes = self.lead.get(number, [])
        if not notes:
            for start, chord in bar.chords:
                later = [s for s, _ in bar.chords if s > start]
                end = later[0] if later else self.plan.grid.bar_steps
                self._guide(number, start, (end - start) * 0.96, chord)
            return
        low, high = self.player.patch.low, self.player.patch.high
        for note in notes:
            if note.length < 2:
                continue
            chord = bar.chord_at(note.step)
            strong = note.step % self.plan.grid.beat_steps == 0
            classes = rest_tones(chord, self.scale) if strong else frozenset(self.scale)
            below = [note.key - d for d in (3, 4, 8, 9, 5) if (note.key - d) % 12 in classes]
            key = next((k for k in below if low <= k <= high), None)
            if key is None:
                key = nearest(note.key - 4, classes - {note.key % 12}, (low, high))
            self.at = float(key)
            self.pen.write(number, note.step, note.length * 0.95, key, note.level * 0.82)
