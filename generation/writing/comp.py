"""Chords and pads: rhythm patterns over led voices, arpeggios, strums, rolled chords and long tones."""

from __future__ import annotations

from dataclasses import dataclass

from generation.generator import Note
from generation.planning.casting import Voice
from generation.planning.form import Bar
from generation.planning.grid import BAR, runs
from generation.planning.harmony import Voicer
from generation.planning.layers import rests
from generation.planning.plan import Plan
from generation.planning.styles import CompStyle, PadStyle
from generation.planning.theory import Chord
from generation.writing.endings import ending, last_strokes
from generation.writing.inner import play_inner
from generation.writing.pen import (
    FULL,
    Pen,
    by_density,
    dice,
    for_section,
    habits,
    phase_of,
    place_of,
)
from generation.writing.vary import vary

_LONG = "x---------------"
BROKEN = ("0-1-2-1-0-1-2-1-", "0-2-1-2-0-2-1-2-", "0-1-2-3-2-1-2-1-")
"""Broken chords for sounds that cannot hold one."""
_STRUM = 0.014
_ROOM = 15
"""Semitones that chords need to move in."""
_ROLLED = 0.07
"""Seconds between the tones of a last chord that is rolled."""
_LEVEL = {"x": 0.85, "s": 0.8, "d": 0.88, "u": 0.7, "o": 0.55, "+": 0.62}
_THIN = {"intro", "break", "outro"}


@dataclass(frozen=True, slots=True)
class Touch:
    """How a player strikes chords.

    Attributes:
        pen: Collects the notes.
        roll: Seconds between the tones of a long chord that is rolled.
        strum: Seconds between the tones of any chord.
        rings: Whether tones of broken chords ring on.
        pedal: Whether held chords last until the next one, as under a pianist's foot.
        beat: Steps of a beat.
    """

    pen: Pen
    roll: float
    strum: float
    rings: bool
    pedal: bool
    beat: int


def play_chords(plan: Plan, player: Voice) -> tuple[Note, ...]:
    """Write the accompaniment."""
    style = plan.style.chords or CompStyle(patches=(), patterns=(_LONG,))
    if habits(plan).inner and player.patch.kind == "sustained":
        return play_inner(plan, player, 1)
    if player.patch.kind == "pad":
        return _sustain(plan, player, style.span, style.voicing)
    pool = style.patterns
    if player.patch.kind in {"mallet", "arp"} and not any(c in p for p in pool for c in "012"):
        pool = BROKEN
    patterns = by_density(pool, plan, "chords")
    if dice(plan, "chords other", 1)[0] < 0.35:
        patterns[1] = patterns[0]
    patterns = [
        row if _marks_time(row) else vary(row, dice(plan, "own comping", 4), 0.55)
        for row in patterns
    ]
    touch = _touch(plan, player)
    voicer = Voicer(reach(_below_tune(plan, style.span), player), style.voicing)
    for number, bar in enumerate(plan.bars):
        if bar.section == "end":
            _last(touch, number, voicer.place(bar.chords[0][1]), plan)
            continue
        if rests(plan, "chords", number, bar):
            continue
        row = _in_metre(plan, for_section(patterns, bar), phase_of(bar))
        if bar.section in _THIN:
            row = plan.grid.fit(_LONG, 0) if plan.energy < 0.6 else row
        _play_bar(plan, touch, (number, bar), row, voicer)
    return touch.pen.finish()


def _below_tune(plan: Plan, span: tuple[int, int]) -> tuple[int, int]:
    """Leave the register of the tune to the tune, as far as chords still have room."""
    lead = plan.style.lead
    if lead is None or plan.cast.voice("lead") is None:
        return span
    return span[0], max(span[0] + _ROOM, min(span[1], lead.register + 1))


def _in_metre(plan: Plan, row: str, phase: int) -> str:
    """Fit a row. Three quarters leave out the third beat of a broken chord: its first tone begins the bar alone."""
    three = plan.grid.beats == 3 and plan.grid.beat_steps == 4
    if three and len(row) == BAR and any(mark.isdigit() for mark in row):
        return row[:8] + row[12:]
    return plan.grid.fit(row, phase)


def _marks_time(row: str) -> bool:
    """Whether a figure of single tones falls on beats alone: the only pulse of music without drums."""
    notes = runs(row)
    return len(notes) > 3 and all(mark.isdigit() and step % 4 == 0 for step, mark, _ in notes)


def _touch(plan: Plan, player: Voice) -> Touch:
    rolled = player.patch.kind in {"keys", "plucked", "mallet"}
    return Touch(
        pen=Pen(plan, "chords", drag=plan.style.human.drag * 0.4, player=player),
        roll=habits(plan).roll / 1000 if rolled else 0.0,
        # A hand on strings never strikes them all at once; a machine does.
        strum=0.007 if player.patch.kind == "plucked" and plan.style.human.timing > 2 else 0.0,
        rings=player.patch.kind in {"keys", "plucked", "mallet"} and plan.style.human.timing > 3,
        pedal=player.patch.kind == "keys" and plan.energy < 0.45 and plan.style.human.timing > 3,
        beat=plan.grid.beat_steps,
    )


def _last(touch: Touch, number: int, keys: tuple[int, ...], plan: Plan) -> None:
    kind = ending(plan)
    if kind == "ring":
        for index, key in enumerate(keys):
            step = index * plan.grid.beat_steps / 2
            touch.pen.write(number, step, 64, key, 0.85 - 0.06 * index)
        return
    spread = max(touch.roll, _STRUM * (len(keys) > 3), _ROLLED * (kind == "roll"))
    if plan.style.human.timing < 2:
        spread = 0.0
    for stroke in last_strokes(plan, "chords"):
        wide = spread if stroke.length > 4 else min(spread, touch.strum)
        for index, key in enumerate(keys):
            level = 0.85 * stroke.level
            touch.pen.write(number, stroke.step, stroke.length, key, level, late=wide * index)


def _play_bar(plan: Plan, touch: Touch, where: tuple[int, Bar], row: str, voicer: Voicer) -> None:
    number, bar = where
    lucky = dice(plan, f"chords {place_of(bar, number) % 2}", 64)
    starts = [start for start, _ in bar.chords]
    lift = 2 if bar.section in FULL else 0
    placed = {}
    for start, chord in bar.chords:
        fresh = bar.first and start == 0
        placed[start] = voicer.place(chord, fresh=fresh, lift=lift)
    heard: set[int] = set()
    marks = runs(_varied(plan, row, bar, number))
    for step, mark, written in marks:
        length = written
        if mark == "+" and lucky[step % 64] > plan.density:
            continue
        if step % 4 and lucky[step % 64] > 0.35 + 2.2 * plan.density:
            continue
        since = max(s for s in starts if s <= step)
        if touch.pedal and mark == "x":
            length = min([s for s, _, _ in marks if s > step] + [len(row)]) - step
        cut = min([s for s in starts if s > step] + [step + length]) - step
        strike(touch, (number, step), mark, min(length, cut), placed[since])
        heard.add(since)
    for start in set(starts) - heard:
        # A chord that enters where the pattern is silent is still heard.
        room = min([s for s in starts if s > start] + [len(row)]) - start
        strike(touch, (number, start), "x", min(4, room), placed[start])
    _pass(plan, touch, (number, bar), placed[starts[-1]])


def _varied(plan: Plan, row: str, bar: Bar, number: int) -> str:
    """Every fourth bar ends a little differently: one more stroke before the bar line, or a rest."""
    if not bar.closing or bar.section in _THIN or len(row) < 8 or any(m.isdigit() for m in row):
        return row
    luck = dice(plan, f"chords turn {place_of(bar, number) % 8}", 2)
    tail = len(row) - 2
    if luck[0] < 0.4 and row[tail] in ".-" and plan.density > 0.3:
        mark = "s" if "s" in row else "u" if "d" in row else "o"
        return row[:tail] + mark + row[tail + 1 :].replace("-", ".")
    return row


def _pass(plan: Plan, touch: Touch, where: tuple[int, Bar], keys: tuple[int, ...]) -> None:
    """Slip into the next chord from a semitone beside it, just before the bar line."""
    number, bar = where
    if number + 1 >= len(plan.bars) or plan.grid.bar_steps < 8 or bar.section == "upbeat":
        return
    chance = habits(plan).passing * max(0.0, plan.density - 0.35)
    following = plan.bars[number + 1].chords[0][1]
    if following == bar.chords[-1][1]:
        return
    luck = dice(plan, f"passing {place_of(bar, number)}", 2)
    if luck[0] > chance:
        return
    side = 1 if luck[1] < 0.5 else -1
    nearby = Voicer((keys[0] - 5, keys[-1] + 5)).place(
        Chord((following.root + side) % 12, following.intervals)
    )
    strike(touch, (number, plan.grid.bar_steps - 1), "s", 1, nearby[-4:])


def strike(
    touch: Touch, where: tuple[int, float], mark: str, length: float, keys: tuple[int, ...]
) -> None:
    """Play one mark of a pattern: a whole chord, struck, strummed or rolled, or one of its tones."""
    number, step = where
    if mark.isdigit():
        index = int(mark)
        key = keys[index % len(keys)] + 12 * (index // len(keys))
        # Keys and strings ring over the next tones of a broken chord.
        ring = 2.2 if touch.rings and length <= 2 else 0.98
        level = 0.95 if step % touch.beat == 0 else 0.82 if step % 2 == 0 else 0.74
        touch.pen.write(number, step, max(length, 1) * ring, key, level)
        return
    short = 0.55 if mark in "s+" else 0.97 if length > 1 else 0.85
    level = _LEVEL[mark] * (1.0 if step % touch.beat == 0 else 0.94 if step % 2 == 0 else 0.88)
    strummed = mark in "du"
    gap = _STRUM if strummed else max(touch.strum, touch.roll if length >= 4 else 0.0)
    order = keys[::-1][:3] if mark == "u" else keys
    for index, key in enumerate(order):
        top = 1.06 if key == keys[-1] else 0.97 if key != keys[0] else 1.0
        touch.pen.write(number, step, length * short, key, level * top, late=gap * index)


def play_pad(plan: Plan, player: Voice) -> tuple[Note, ...]:
    """Write the sustained layer."""
    style = plan.style.pad or PadStyle(patches=())
    if habits(plan).inner and player.patch.kind == "sustained":
        return play_inner(plan, player, 0)
    return _sustain(plan, player, style.span, "spread" if plan.style.mix.width > 1.1 else "close")


def reach(span: tuple[int, int], player: Voice) -> tuple[int, int]:
    """Move a register by octaves until the instrument has it, and cut it to what the instrument has."""
    low, high = span
    while low < player.patch.low - 2:
        low, high = low + 12, high + 12
    while high > player.patch.high + 4 and low - 12 >= player.patch.low - 2:
        low, high = low - 12, high - 12
    low, high = max(low, player.patch.low + 4), min(high, player.patch.high - 4)
    return (low, high) if high - low >= 12 else (player.patch.low, player.patch.high)


def _sustain(plan: Plan, player: Voice, span: tuple[int, int], kind: str) -> tuple[Note, ...]:
    """Hold every chord until the next differs; tones that both have are not struck again."""
    pen = Pen(plan, player.role, drag=0, player=player)
    voicer = Voicer(reach(span, player), "close" if kind == "power" else kind)
    spans = _stretches(plan, player.role)
    keys: tuple[int, ...] = ()
    open_notes: dict[int, tuple[int, int, int]] = {}
    for number, start, length, chord in spans:
        bar = plan.bars[number]
        fresh = bar.first and start == 0
        keys = voicer.place(chord, fresh=fresh, lift=2 if bar.section in FULL else 0)
        struck = bar.section == "end" or fresh
        kept: dict[int, tuple[int, int, int]] = {}
        for key, (bar_at, step, long) in open_notes.items():
            if key in keys and not struck and long < 48:
                kept[key] = (bar_at, step, long + length)
            else:
                pen.write(bar_at, step, long * 0.99, key, 0.8)
        for key in keys:
            kept.setdefault(key, (number, start, length))
        open_notes = kept
    for key, (bar_at, step, long) in open_notes.items():
        pen.write(bar_at, step, long * 0.99, key, 0.8)
    return pen.finish()


def _stretches(plan: Plan, role: str) -> list[tuple[int, int, int, Chord]]:
    """Return for each chord its bar, step, length in steps and tones, repeated chords joined within a phrase."""
    steps = plan.grid.bar_steps
    out: list[tuple[int, int, int, Chord]] = []
    for number, bar in enumerate(plan.bars):
        if rests(plan, role, number, bar):
            continue
        for index, (start, chord) in enumerate(bar.chords):
            end = bar.chords[index + 1][0] if index + 1 < len(bar.chords) else steps
            length = 64 if bar.section == "end" else end - start
            # The last chord and every section are struck anew, everything else flows on.
            again = bar.section == "end" or (bar.first and start == 0)
            again = again or (
                start == 0 and number > 0 and rests(plan, role, number - 1, plan.bars[number - 1])
            )
            if out and out[-1][3] == chord and not again and out[-1][2] < 64:
                out[-1] = (*out[-1][:2], out[-1][2] + length, chord)
            else:
                out.append((number, start, length, chord))
    return out
