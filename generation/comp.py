"""Chords, pads and second voices: rhythm patterns over led voices, arpeggios, strums and long tones."""

from __future__ import annotations

from generation.casting import Voice
from generation.form import Bar
from generation.generator import Note
from generation.pen import Pen, by_density, dice, runs
from generation.plan import Plan
from generation.styles import CompStyle, PadStyle
from generation.theory import Chord, nearest, voice

_LONG = "x---------------"
_BROKEN = ("0-1-2-1-0-1-2-1-", "0-2-1-2-0-2-1-2-", "0-1-2-3-2-1-2-1-")
_STRUM = 0.014
_LEVEL = {"x": 0.85, "s": 0.8, "d": 0.88, "u": 0.7, "o": 0.55, "+": 0.62}


def play_chords(plan: Plan, player: Voice) -> tuple[Note, ...]:
    """Write the accompaniment."""
    style = plan.style.chords or CompStyle(patches=(), patterns=(_LONG,))
    if player.patch.kind == "pad":
        return _sustain(plan, player, style.span, style.voicing)
    pool = style.patterns
    if player.patch.kind in {"mallet", "arp"} and not any(c in p for p in pool for c in "012"):
        pool = _BROKEN
    patterns = by_density(pool, plan, "chords")
    if dice(plan, "chords other", 1)[0] < 0.5:
        patterns[1] = patterns[0]
    pen = Pen(plan, "chords", drag=plan.style.human.drag * 0.4)
    keys: tuple[int, ...] = ()
    span = _reach(style.span, player)
    for number, bar in enumerate(plan.bars):
        if bar.section == "end":
            keys = voice(bar.chords[0][1], keys, span, kind=style.voicing)
            for index, key in enumerate(keys):
                pen.write(number, 0, 64, key, 0.85, late=_STRUM * index * (len(keys) > 3))
            continue
        row = plan.grid.fit(patterns[1 if bar.section == "B" else 0], number)
        if bar.section in {"intro", "break"}:
            row = plan.grid.fit(_LONG, 0) if plan.energy < 0.6 else row
        keys = _play_bar(plan, pen, (number, bar), row, (keys, span, style.voicing))
    return pen.finish()


Voicing = tuple[tuple[int, ...], tuple[int, int], str]


def _play_bar(
    plan: Plan, pen: Pen, where: tuple[int, Bar], row: str, voicing: Voicing
) -> tuple[int, ...]:
    number, bar = where
    keys, span, kind = voicing
    lucky = dice(plan, f"chords {number % 2}", 64)
    starts = dict(bar.chords)
    placed = {}
    for start, chord in bar.chords:
        keys = voice(chord, keys, span, kind=kind)
        placed[start] = keys
    heard: set[int] = set()
    for step, mark, length in runs(row):
        if mark == "+" and lucky[step % 64] > plan.density:
            continue
        if step % 4 and lucky[step % 64] > 0.35 + 2.2 * plan.density:
            continue
        since = max(s for s in starts if s <= step)
        cut = min([s for s in starts if s > step] + [step + length]) - step
        _strike(pen, (number, step), mark, min(length, cut), placed[since])
        heard.add(since)
    for start in set(starts) - heard:
        _strike(pen, (number, start), "x", min(4, len(row) - start), placed[start])
    return keys


def _strike(
    pen: Pen, where: tuple[int, int], mark: str, length: int, keys: tuple[int, ...]
) -> None:
    number, step = where
    short = 0.55 if mark in "s+" else 0.97 if length > 1 else 0.85
    if mark.isdigit():
        index = int(mark)
        key = keys[index % len(keys)] + 12 * (index // len(keys))
        pen.write(number, step, max(length, 1) * 0.98, key, 0.8 if step % 4 else 0.92)
        return
    level = _LEVEL[mark] * (1.0 if step % 4 == 0 else 0.92)
    strummed = mark in "du"
    order = keys[::-1][:3] if mark == "u" else keys
    for index, key in enumerate(order):
        late = _STRUM * index if strummed else 0.0
        top = 1.06 if key == keys[-1] else 1.0
        pen.write(number, step, length * short, key, level * top, late=late)


def play_pad(plan: Plan, player: Voice) -> tuple[Note, ...]:
    """Write the sustained layer."""
    style = plan.style.pad or PadStyle(patches=())
    return _sustain(plan, player, style.span, "spread" if plan.style.mix.width > 1.1 else "close")


def _reach(span: tuple[int, int], player: Voice) -> tuple[int, int]:
    """Move a register by octaves until the instrument has it."""
    low, high = span
    while low < player.patch.low - 2:
        low, high = low + 12, high + 12
    while high > player.patch.high + 4 and low - 12 >= player.patch.low - 2:
        low, high = low - 12, high - 12
    return low, high


def _sustain(plan: Plan, player: Voice, span: tuple[int, int], kind: str) -> tuple[Note, ...]:
    """Hold every chord until the next differs."""
    pen = Pen(plan, player.role, drag=0)
    span = _reach(span, player)
    steps = plan.grid.bar_steps
    spans: list[tuple[int, int, int]] = []
    chords: list[Chord] = []
    for number, bar in enumerate(plan.bars):
        for index, (start, chord) in enumerate(bar.chords):
            end = bar.chords[index + 1][0] if index + 1 < len(bar.chords) else steps
            length = 64 if bar.section == "end" else end - start
            # The last chord is struck anew, everything else flows on.
            if chords and chords[-1] == chord and bar.section != "end":
                spans[-1] = (*spans[-1][:2], spans[-1][2] + length)
            else:
                spans.append((number, start, length))
                chords.append(chord)
    keys: tuple[int, ...] = ()
    for (number, start, length), chord in zip(spans, chords, strict=True):
        keys = voice(chord, keys, span, kind="close" if kind == "power" else kind)
        for key in keys:
            pen.write(number, start, length * 0.99, key, 0.8)
    return pen.finish()


def play_counter(plan: Plan, player: Voice, index: int) -> tuple[Note, ...]:
    """Write a second voice: broken chords when the sound decays, guide tones when it holds."""
    pen = Pen(plan, f"counter {index}")
    low, high = player.patch.low, player.patch.high
    middle = min(high - 7, max(low + 7, 64 + 5 * (index % 2)))
    span = (max(low, middle - 9), min(high, middle + 11))
    held = player.patch.kind in {"sustained", "pad"}
    pattern = _BROKEN[int(dice(plan, f"counter {index}", 1)[0] * len(_BROKEN))]
    at = float(middle)
    keys: tuple[int, ...] = ()
    for number, bar in enumerate(plan.bars):
        quiet = bar.intensity < 0.7 or (not player.asked and bar.section == "A")
        if quiet and len(plan.bars) > 3:
            continue
        for start, chord in bar.chords:
            later = [s for s, _ in bar.chords if s > start]
            length = (later[0] if later else plan.grid.bar_steps) - start
            if held or bar.section == "end":
                guide = {(chord.root + chord.tone(3)) % 12, (chord.root + chord.tone(7)) % 12}
                at = nearest(at, guide & chord.classes or chord.classes, span)
                pen.write(
                    number, start, 64 if bar.section == "end" else length * 0.97, int(at), 0.75
                )
                continue
            keys = voice(chord, keys, span)
            row = plan.grid.fit(pattern, number)[start : start + length]
            for step, mark, size in runs(row):
                _strike(pen, (number, start + step), mark, size, keys)
    return pen.finish()
