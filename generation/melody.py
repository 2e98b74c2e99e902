"""The tune: a motif that is stated, answered, varied and brought to rest, phrase by phrase."""

from __future__ import annotations

from generation.casting import Voice
from generation.form import Bar
from generation.generator import Note
from generation.pen import Pen, by_density, dice, runs
from generation.plan import Plan
from generation.styles import LeadStyle
from generation.theory import Chord, melody_scale, nearest

_PLAIN = LeadStyle(patches=("flute",), cells=("x---x---x-------", "x-x-x---x-x-x---"))


def play_lead(plan: Plan, player: Voice) -> tuple[Note, ...]:
    """Write the melody."""
    return _Singer(plan, player).sing()


class _Singer:
    def __init__(self, plan: Plan, player: Voice) -> None:
        self.plan = plan
        self.style = plan.style.lead or _PLAIN
        self.asked = player.asked
        self.pen = Pen(plan, "lead", drag=plan.style.human.drag * 0.6)
        low, high = player.patch.low, player.patch.high
        wish = self.style.register + round(6 * (plan.valence - 0.5))
        self.centre = min(high - 7, max(low + 7, wish))
        self.span = (max(low, self.centre - 12), min(high, self.centre + 14))
        classes = {(plan.tonic + s) % 12 for s in melody_scale(plan.mode, self.style.scale)}
        # One octave more at either end lets a contour overshoot and come back.
        self.ladder = [k for k in range(self.span[0] - 12, self.span[1] + 13) if k % 12 in classes]
        self.cells = by_density(self.style.cells, plan, "lead")
        self.contours = [self._contour(f"contour {n}") for n in range(2)]
        self.at = float(self.centre)

    def _contour(self, name: str) -> list[int]:
        """A walk on the ladder: mostly steps, now and then a leap, drawn back when it strays."""
        lucky = dice(self.plan, name, 64)
        out = [0]
        for index in range(1, 32):
            size = 1
            if lucky[2 * index] < self.style.leap:
                size = 2 + int(lucky[2 * index + 1] * 2.99)
            up = lucky[2 * index + 1] < 0.5 - 0.11 * out[-1]
            out.append(max(-5, min(6, out[-1] + (size if up else -size))))
        return out

    def sing(self) -> tuple[Note, ...]:
        bars = len(self.plan.bars)
        waits = dice(self.plan, "lead waits", 1)[0] < 2 * self.style.rest
        for number, bar in enumerate(self.plan.bars):
            if bar.section == "end":
                self._end(number, bar)
                continue
            if bar.section in {"intro", "break"} and self.style.rest > 0.1:
                continue
            if bar.section == "A" and bars > 4 and waits and bar.place < 1:
                continue
            lucky = dice(self.plan, f"lead {number}", 4)
            rest = self.style.rest + max(0.0, 0.35 - self.plan.density)
            if lucky[0] < rest and bar.phrase in {1, 3} and not bar.closing:
                continue
            self._bar(number, bar)
        return self.pen.finish()

    def _cell(self, number: int, bar: Bar) -> tuple[str, int]:
        """Return the rhythm of a bar and which contour it follows."""
        grid = self.plan.grid
        first, other = (grid.fit(cell, 0) for cell in self.cells)
        if bar.section == "upbeat":
            return first, 0
        if bar.closing:
            # A phrase ends on a long note that begins in the middle of the bar.
            middle = grid.bar_steps // 2 // 2 * 2
            return first[:middle] + "x" + "-" * (grid.bar_steps - middle - 3) + "..", 0
        if bar.phrase == 1:
            answer = dice(self.plan, "answer", 1)[0]
            return (other, 1) if answer < 0.5 else (first, 0)
        if bar.phrase == 2 and bar.section == "B":
            return other, 0
        del number
        return first, 0

    def _bar(self, number: int, bar: Bar) -> None:
        row, which = self._cell(number, bar)
        contour = self.contours[which]
        notes = runs(row)
        if not notes:
            return
        lift = (0, 2, 3, -1)[bar.phrase] * 0.8
        chord = bar.chord_at(notes[0][0])
        place = 0.4 * self.at + 0.6 * (self.centre + lift)
        anchor = nearest(place, self._tones(chord), self.span)
        # Around its own middle, so that a contour that climbs does not carry the whole tune away.
        rung = self._rung(anchor) - round(sum(contour[: len(notes)]) / len(notes))
        beat = self.plan.grid.beat_steps
        for index, (step, _, length) in enumerate(notes[: len(contour)]):
            tones = self._tones(bar.chord_at(step))
            target = self.ladder[self._inside(rung + contour[index])]
            resting = bar.closing and index == len(notes) - 1
            if step % beat == 0 or length >= beat or resting:
                target = nearest(target, tones, self.span)
                if index and target == self.at and not resting and len(tones) > 1:
                    # Rather the next chord tone in the contour's direction than the same note again.
                    up = contour[index] > contour[index - 1]
                    away = tones - {target % 12}
                    target = nearest(target + (3 if up else -3), away, self.span)
            target = min(self.span[1], max(self.span[0], target))
            accent = 0.95 if step % beat == 0 else 0.82
            self.pen.write(number, step, length * self._length(length), target, accent)
            self.at = float(target)

    def _tones(self, chord: Chord) -> frozenset[int]:
        """Pitch classes to rest on: the chord's, with the third that a power chord leaves open."""
        if len(chord.classes) > 2:
            return chord.classes
        thirds = {(chord.root + t) % 12 for t in (3, 4)}
        return chord.classes | (thirds & {k % 12 for k in self.ladder})

    def _length(self, length: int) -> float:
        return self.style.legato if length > 1 else min(0.9, self.style.legato)

    def _end(self, number: int, bar: Bar) -> None:
        third = dice(self.plan, "last tone", 1)[0] < 0.3
        chord = bar.chords[0][1]
        tone = (chord.root + chord.tone(3)) % 12 if third else self.plan.tonic
        home = nearest(0.5 * (self.at + self.centre), {tone}, self.span)
        self.pen.write(number, 0, 64, home, 0.88)

    def _rung(self, key: int) -> int:
        return min(range(len(self.ladder)), key=lambda i: (abs(self.ladder[i] - key), i))

    def _inside(self, rung: int) -> int:
        return max(0, min(len(self.ladder) - 1, rung))
