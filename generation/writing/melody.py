"""The tune: a motif that is stated, answered, varied and brought to rest, phrase by phrase."""

from __future__ import annotations

import itertools
from dataclasses import replace

from generation.generator import Note
from generation.planning.casting import Voice
from generation.planning.form import Bar
from generation.planning.grid import BAR, runs
from generation.planning.harmony import rest_tones
from generation.planning.layers import rests
from generation.planning.plan import Plan
from generation.planning.sections import SHORT
from generation.planning.styles import LeadStyle
from generation.planning.theory import Chord, melody_scale, nearest
from generation.writing.endings import last_strokes
from generation.writing.motif import SCHEMES, Cell, Tone, develop, make_cell
from generation.writing.ornaments import Sung, embellish
from generation.writing.pen import Pen, by_density, dice, habits, pick, place_of
from generation.writing.vary import vary

_PLAIN = LeadStyle(patches=("flute",), cells=("x---x---x-------", "x-x-x---x-x-x---"))
_CONTRAST = {"B", "chorus", "drop"}
_OTHER = {"C", "bridge", "solo", "break", "build"}
_LIFTS = {
    "B": 2,
    "chorus": 3,
    "drop": 3,
    "solo": 4,
    "A2": 1,
    "bridge": -2,
    "break": -2,
    "intro": -1,
}
"""Semitones by which sections lie higher."""
_THIN = {"intro", "break", "outro"}
_HOOK, _SPARSE = 3, 0.25
"""Notes in a bar that make a tune, and the density below which it may have fewer."""
_SAYS_THIRD = 0.6
"""Chance that a tune ends on the third of the last chord where a style's chords have none."""


def play_lead(plan: Plan, player: Voice) -> tuple[Note, ...]:
    """Write the melody."""
    pen = Pen(plan, "lead", drag=plan.style.human.drag * 0.6, player=player)
    style = plan.style.lead or _PLAIN
    for note in embellish(plan, player, style, sing(plan, player)):
        pen.write(note.bar, note.step, note.length, note.key, note.level)
    return pen.finish()


def sing(plan: Plan, player: Voice) -> tuple[Sung, ...]:
    """Return the melody without ornaments, for the lead itself and for whoever answers it."""
    return _Singer(plan, player).sing()


def overheard(plan: Plan) -> dict[int, list[Sung]]:
    """Return what the lead sings in each bar in which it may be heard."""
    lead = next((p for p in plan.players if p.voice.role == "lead"), None)
    out: dict[int, list[Sung]] = {}
    if lead is None:
        return out
    for note in sing(plan.seen_by(lead), lead.voice):
        if not plan.targets or lead.name in plan.targets[note.bar].voices:
            out.setdefault(note.bar, []).append(note)
    return out


class _Singer:
    def __init__(self, plan: Plan, player: Voice) -> None:
        self.plan = plan
        self.style = plan.style.lead or _PLAIN
        self.manners = habits(plan)
        self.span = _span(plan, player, self.style)
        self.centre = _centre(plan, self.span, self.style)
        self.classes = {(plan.tonic + s) % 12 for s in melody_scale(plan.mode, self.style.scale)}
        self.rows = by_density(self._cells(), plan, "lead")
        self.scheme = SCHEMES[pick(plan, "scheme", self.manners.schemes)]
        self.motifs = [self._motif(n) for n in range(3)]
        self.at = self.centre
        self.before = self.centre
        self.run = 0
        self.rooted = self.leaning = False
        self.ladders: dict[Chord, list[int]] = {}
        self.out: list[Sung] = []

    def _cells(self) -> tuple[str, ...]:
        """The style's rhythms. A short piece that is not sparse needs a tune at once, so one of three notes or more."""
        short = len(self.plan.bars) <= SHORT + 2 and self.plan.density >= _SPARSE
        telling = tuple(row for row in self.style.cells if _notes_in(row) >= _HOOK)
        return telling if short and len(telling) > 1 else self.style.cells

    def _motif(self, number: int) -> dict[str, Cell]:
        """Make the two bars of a motif. The first is the tune's own; the others have the busier rhythm first."""
        grid = self.plan.grid
        shape = pick(self.plan, f"shape {number}", self.manners.shapes)
        reply = pick(self.plan, f"reply {number}", ("fall", "arch", "wave", shape))
        reach = 5.0 + 4.0 * dice(self.plan, f"span {number}", 1)[0] + 4 * self.style.leap
        # In degrees of the melody's scale, of which there may be five or seven to the octave.
        span = reach * len(self.classes) / 12
        first, second = self.rows
        if number:
            first, second = sorted(self.rows, key=lambda row: -row.count("x"))
        elif dice(self.plan, "other row", 1)[0] < 0.4:
            second = first
        own = dice(self.plan, f"own rhythm {number}", 8)
        first, second = vary(first, own[:4], 0.75), vary(second, own[4:], 0.75)
        wobble = dice(self.plan, f"wobble {number}", 64)
        a = make_cell(grid.fit(first, 0), shape, span, wobble[:32])
        b = make_cell(grid.fit(second, 1), reply, span * 0.8, wobble[32:])
        return {"a": a.inverted() if number == 2 else a, "b": b}

    def sing(self) -> tuple[Sung, ...]:
        for number, bar in enumerate(self.plan.bars):
            if bar.section == "end":
                self._end(number, bar)
            elif not self._silent(number, bar):
                self._bar(number, bar)
        return tuple(_single(self._with_pickups(), self.plan.grid.bar_steps))

    def _with_pickups(self) -> list[Sung]:
        """Now and then walk from the end of a phrase into the next one on the last beat before it."""
        grid = self.plan.grid
        out: list[Sung] = []
        for note, after in itertools.pairwise(self.out):
            out.append(note)
            bar = self.plan.bars[note.bar]
            leads = after.bar == note.bar + 1 and after.step == 0 and bar.closing
            free = note.step + 2 * grid.beat_steps <= grid.bar_steps and grid.beat_steps >= 4
            luck = dice(self.plan, f"pickup {place_of(bar, note.bar)}", 1)[0]
            if not leads or not free or luck > 0.5 or self.scheme == SCHEMES["riff"]:
                continue
            if self.plan.density < 0.2 or self.plan.bars[after.bar].section == "end":
                continue
            ladder = self._ladder(bar.chord_at(grid.bar_steps - 1))
            goal = _rung(ladder, after.key)
            side = 1 if note.key > after.key else -1
            for count in (2, 1):
                key = ladder[goal + side * count]
                if self.span[0] <= key <= self.span[1]:
                    out.append(Sung(note.bar, grid.bar_steps - 2 * count, 2, key, 0.74))
        return [*out, *self.out[-1:]]

    def _silent(self, number: int, bar: Bar) -> bool:
        """Whether the melody leaves this bar to the others."""
        if rests(self.plan, "lead", number, bar):
            return True
        luck = dice(self.plan, f"lead {place_of(bar, number)}", 4)[0]
        rest = self.style.rest + max(0.0, 0.35 - self.plan.density)
        return luck < rest and bar.phrase == 1 and len(self.plan.bars) > SHORT + 2

    def _cell(self, bar: Bar) -> Cell:
        motif = self.motifs[1 if bar.section in _CONTRAST else 2 if bar.section in _OTHER else 0]
        order = "a" if bar.section == "upbeat" else self.scheme[bar.phrase]
        cell = develop(motif, order, self.plan.grid.beat_steps)
        if bar.section in _THIN:
            cell = cell.fragment()
        sparse = self.style.rest + max(0.0, 0.3 - self.plan.density)
        if bar.phrase == 1 and dice(self.plan, "breath", 1)[0] < 2 * sparse:
            cell = cell.fragment()
        if bar.closing and (order != "a" or self.scheme != SCHEMES["riff"]):
            cell = cell.closed(self.plan.grid.beat_steps)
        return cell

    def _bar(self, number: int, bar: Bar) -> None:
        cell = self._cell(bar)
        if not cell.tones:
            return
        lift = _LIFTS.get(bar.section, 0) + (0, 1, 2, -1)[bar.phrase]
        chord = bar.chord_at(cell.tones[0].step)
        start = nearest(self.centre + lift, rest_tones(chord, self.classes), self.span)
        ladder = self._ladder(chord)
        middle = sum(t.rung for t in cell.tones) / len(cell.tones)
        anchor = _rung(ladder, start) - round(middle)
        for index, tone in enumerate(cell.tones):
            last = index == len(cell.tones) - 1
            target = ladder[max(0, min(len(ladder) - 1, anchor + tone.rung))]
            self._note(number, bar, tone, target, goal=last and (bar.closing or bar.phrase == 1))

    def _note(self, number: int, bar: Bar, tone: Tone, target: int, *, goal: bool) -> None:
        chord = bar.chord_at(tone.step)
        key = self._choose(bar, tone, target, self._goal(bar, tone) if goal else frozenset())
        self.leaning = key % 12 not in chord.classes and tone.step % 4 == 0
        if tone.step == 0:
            self.rooted = key % 12 == chord.root
        self.run = self.run + 1 if key == self.at else 0
        self.before, self.at = self.at, key
        weight = self.plan.grid.weight(tone.step)
        level = 0.74 + 0.2 * weight + 0.006 * max(-6, min(8, key - self.centre))
        level += 0.04 if tone.length >= self.plan.grid.beat_steps else 0.0
        self.out.append(Sung(number, tone.step, tone.length, key, level))

    def _goal(self, bar: Bar, tone: Tone) -> frozenset[int]:
        """What a phrase rests on: open on the fifth or second degree, closed on the first or third."""
        tonic = self.plan.tonic
        closed = bar.closing and not bar.open
        wanted = (0, 3, 4) if closed else (7, 2, 11, 5)
        tones = self._lasting(bar, tone)
        found = {(tonic + w) % 12 for w in wanted} & tones
        return frozenset(found or tones)

    def _lasting(self, bar: Bar, tone: Tone) -> frozenset[int]:
        """Tones of the chord at a note's beginning, and of those that come while it lasts where they share any."""
        tones = rest_tones(bar.chord_at(tone.step), self.classes)
        for start, chord in bar.chords:
            if tone.step < start < tone.step + tone.length - 1:
                tones = tones & rest_tones(chord, self.classes) or tones
        return tones

    def _choose(self, bar: Bar, tone: Tone, target: int, goal: frozenset[int]) -> int:
        """Weigh the tones near the target: the motif's shape against chord, line and breath."""
        chord = bar.chord_at(tone.step)
        tones = goal or self._lasting(bar, tone)
        low, high = self.span
        near = range(max(low, min(target, high) - 6), min(high, max(target, low) + 6) + 1)
        ladder = frozenset() if goal else frozenset(self._ladder(chord))
        usable = [k for k in near if k % 12 in tones or k in ladder]
        if not usable:
            return nearest(target, tones, self.span)
        rough = frozenset() if len(bar.chords) == 1 else rest_tones(chord, self.classes) - tones
        return min(
            usable, key=lambda k: (self._cost(k, target, tone, chord) + 3 * (k % 12 in rough), k)
        )

    def _cost(self, key: int, target: int, tone: Tone, chord: Chord) -> float:
        grid = self.plan.grid
        cost = abs(key - target) * 0.9
        if key % 12 not in chord.classes and self.manners.strict:
            cost += (
                6 * grid.weight(tone.step) ** 2 * (1.4 if tone.step % grid.beat_steps == 0 else 0.4)
            )
            cost += 2.5 if tone.length >= grid.beat_steps else 0.0
            cost += 1.5 if (key - 1) % 12 in chord.classes and tone.length > 2 else 0.0
        if tone.length >= grid.beat_steps and key % 12 in rest_tones(chord, self.classes):
            cost -= 1.5 if key % 12 not in chord.classes else 0.0
        move = key - self.at
        cost += max(0.0, abs(move) - 5) * (1.1 - 0.6 * self.style.leap)
        cost += 6 if abs(move) > 12 else 1.0 if abs(move) in {6, 10, 11} else 0.0
        last = self.at - self.before
        if abs(last) > 5 and (move * last > 0 or abs(move) > 4):
            cost += 4.0
        if self.leaning:
            # A tone that leaned on the chord resolves by step.
            cost += 3.0 if abs(move) > 2 or move == 0 else 0.0
        if move == 0:
            cost += (0.4, 2.0, 6.0, 12.0)[min(self.run, 3)]
        if tone.step == 0 and self.rooted and key % 12 == chord.root:
            cost += 2.2
        return cost

    @property
    def _reach(self) -> tuple[int, int]:
        return self.span[0] - 12, self.span[1] + 13

    def _ladder(self, chord: Chord) -> list[int]:
        """The scale, bent where the chord has other tones: no A flat beside the chord's A."""
        known = self.ladders.get(chord)
        if known is None:
            foreign = chord.classes - self.classes
            clash = {(f + d) % 12 for f in foreign for d in (1, -1)} - chord.classes
            classes = (self.classes - clash) | foreign
            known = [k for k in range(*self._reach) if k % 12 in classes]
            self.ladders[chord] = known
        return known

    def _end(self, number: int, bar: Bar) -> None:
        chord = bar.chords[0][1]
        # Over power chords nobody else says whether it is major or minor.
        chance = _SAYS_THIRD if self.plan.style.colour == "p" else 0.3
        third = dice(self.plan, "last tone", 1)[0] < chance
        tone = (chord.root + chord.tone(3)) % 12 if third else self.plan.tonic
        if tone not in chord.classes:
            tone = chord.root
        home = nearest(0.5 * (self.at + self.centre), {tone}, self.span)
        held = last_strokes(self.plan, "lead")[0].length
        self.out.append(Sung(number, 0, held, home, 0.88))


def _notes_in(row: str) -> float:
    """Notes in a bar of a rhythm."""
    return len(runs(row)) * BAR / len(row)


def _span(plan: Plan, player: Voice, style: LeadStyle) -> tuple[int, int]:
    low, high = player.patch.low, player.patch.high
    # The outermost tones of an instrument are for soloists.
    edge = 2 if high - low > 26 else 0
    centre = min(high - 8, max(low + 8, style.register + round(6 * (plan.valence - 0.5))))
    return max(low + edge, centre - 12), min(high - edge, centre + 14)


def _centre(plan: Plan, span: tuple[int, int], style: LeadStyle) -> int:
    wish = style.register + round(6 * (plan.valence - 0.5))
    return min(span[1] - 8, max(span[0] + 7, wish))


def _rung(ladder: list[int], key: int) -> int:
    return min(range(len(ladder)), key=lambda i: (abs(ladder[i] - key), i))


def _single(notes: list[Sung], bar_steps: int) -> list[Sung]:
    """Let each note end where the next begins."""
    out = []
    for note, after in zip(notes, [*notes[1:], None], strict=True):
        room = after.at(bar_steps) - note.at(bar_steps) if after is not None else note.length
        out.append(replace(note, length=min(note.length, room)))
    return out
