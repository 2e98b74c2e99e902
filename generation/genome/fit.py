"""Brings what the players play to the numbers of a description, bar by bar and by musical means.

A bar that already has its numbers is left exactly as it is. Otherwise, in this order: who is not listed falls silent
and who is listed sounds, notes are added or thinned (``thicken``), the chords are made plain (``establish``), voices
change octaves, strokes get louder or softer with their shape kept, and notes longer or shorter (``shift``).
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence

from domain.description import BarDescription
from generation.generator import Note, Score
from generation.genome.establish import establish, separate
from generation.genome.measure import EARLY, Timeline, figures, timeline
from generation.genome.sheet import Segment, Sheet, tone_of
from generation.genome.shift import to_duration, to_pitch, to_velocity
from generation.genome.thicken import to_count
from generation.planning.plan import Plan

PITCH, VELOCITY, DURATION = 0.25, 0.75, 0.02
"""How near is near enough: semitones, steps of velocity, and share of the duration. The count of notes is exact."""

_RINGING = 4
"""Bars into which a note is followed."""

Bars = list[dict[int, list[Note]]]
"""For each bar the notes that begin in it, by the number of their part."""


def fit(plan: Plan, score: Score) -> Score:
    """Return the score with every bar at its numbers, or as near as the instruments and the chords allow.

    Args:
        plan: With ``targets`` for every bar.
        score: What its players played, a part for each player and in their order.
    """
    line = timeline(score)
    played = _by_bar(score, line, len(plan.bars))
    touched = [
        not _as_asked(target, played[number], score, line)
        for number, target in enumerate(plan.targets)
    ]
    done: Bars = [dict(bar) for bar in played]
    for number in range(len(plan.bars) - 1, -1, -1):
        if touched[number]:
            sheet = _sheet(plan, score, line, number, played)
            _bring(sheet, plan.targets[number], _after(done, number + 1))
            done[number] = _written(sheet)
    parts = []
    for index, part in enumerate(score.parts):
        notes = [(note, number) for number, bar in enumerate(done) for note in bar.get(index, ())]
        if not part.percussion:
            notes = _without_tails(notes, plan, line, touched)
        parts.append(
            dataclasses.replace(part, notes=tuple(sorted((n for n, _ in notes), key=_order)))
        )
    return dataclasses.replace(score, parts=tuple(parts))


def _order(note: Note) -> tuple[float, int]:
    return (note.start, note.pitch)


def _by_bar(score: Score, line: Timeline, count: int) -> Bars:
    out: Bars = [{} for _ in range(count)]
    for index, part in enumerate(score.parts):
        for note in part.notes:
            out[min(count - 1, line.bar_of(note.start))].setdefault(index, []).append(note)
    return out


def _as_asked(
    target: BarDescription, bar: dict[int, list[Note]], score: Score, line: Timeline
) -> bool:
    """Say whether a bar may stay as it was played."""
    if {score.parts[index].name for index in bar} != set(target.voices):
        return False
    found = figures(
        [(note, score.parts[index].percussion) for index, notes in bar.items() for note in notes],
        line,
    )
    if target.density is None:
        return False
    return (
        abs(found.density - target.density) * line.quarters < 0.5
        and _near(found.pitch, target.pitch, PITCH)
        and _near(found.velocity, target.velocity, VELOCITY)
        and _near(found.duration, target.duration, DURATION * (target.duration or 1.0))
    )


def _near(found: float | None, asked: float | None, tolerance: float) -> bool:
    if found is None or asked is None:
        return found is asked or found is None
    return abs(found - asked) <= tolerance


def _sheet(plan: Plan, score: Score, line: Timeline, number: int, played: Bars) -> Sheet:
    """Lay out a bar with the listed voices; one that rests there plays what it plays nearest to it."""
    target, bar = plan.targets[number], plan.bars[number]
    begin = line.begin(number)
    end = (plan.seconds - begin) / line.quarter
    starts = [step / 4 for step, _ in bar.chords]
    sheet = Sheet(
        begin=begin,
        quarter=line.quarter,
        quarters=line.quarters,
        first=max(0.0, -begin / line.quarter),
        last=min(line.quarters - EARLY / 4 - 0.006, end - 0.15),
        sound_end=end,
        grid=[
            (half / 8, (plan.grid.time(number, half / 2) - begin) / line.quarter)
            for half in range(2 * plan.grid.bar_steps)
        ],
        segments=[
            Segment(start=start, end=stop, chord=chord)
            for (_, chord), start, stop in zip(
                bar.chords, starts, [*starts[1:], line.quarters], strict=True
            )
        ],
        following=_following(plan, line, number),
    )
    for index, (part, player) in enumerate(zip(score.parts, plan.players, strict=True)):
        if part.name not in target.voices:
            continue
        donor = number if index in played[number] else _donor(plan, played, index, number)
        notes = () if donor is None else played[donor].get(index, ())
        tones = [tone_of(part, index, note, line.begin(donor or 0), line) for note in notes]
        sheet.join(index, player, tones, foreign=donor != number)
    return sheet


def _following(plan: Plan, line: Timeline, number: int) -> list[tuple[float, frozenset[int]]]:
    """Return which pitch classes may sound on in the next bars, each with the quarter from which it is so."""
    out: list[tuple[float, frozenset[int]]] = []
    for later in range(number + 1, min(number + 1 + _RINGING, len(plan.bars))):
        begin = line.quarters * (later - number)
        if not plan.targets[later].chords:
            out.append((begin, frozenset()))
            continue
        out += [(begin + step / 4, chord.classes) for step, chord in plan.bars[later].chords]
    return out


def _donor(plan: Plan, played: Bars, index: int, number: int) -> int | None:
    """Return the bar whose music a voice plays where it would have rested."""
    section = plan.bars[number].section
    ways = [
        bar
        for bar in range(len(played))
        if index in played[bar] and plan.bars[bar].section not in {"upbeat", "end"}
    ]
    if section in {"upbeat", "end"} or not ways:
        return None
    return min(ways, key=lambda b: (plan.bars[b].section != section, abs(b - number), b))


def _after(done: Bars, number: int) -> dict[tuple[int, int], float]:
    """Return when each key of each part is struck next, in seconds, for bars from a number on."""
    out: dict[tuple[int, int], float] = {}
    for bar in done[number : number + 4]:
        for index, notes in bar.items():
            for note in notes:
                key = (index, note.pitch)
                out[key] = min(out.get(key, note.start), note.start)
    return out


def _bring(sheet: Sheet, target: BarDescription, later: Mapping[tuple[int, int], float]) -> None:
    if target.density is None:
        to_count(sheet, None)
    else:
        to_count(sheet, round(target.density * sheet.quarters))
    establish(sheet)
    if target.pitch is not None:
        to_pitch(sheet, target.pitch)
    separate(sheet)
    if target.velocity is not None:
        to_velocity(sheet, target.velocity)
    to_duration(sheet, target.duration, later)


def _written(sheet: Sheet) -> dict[int, list[Note]]:
    out: dict[int, list[Note]] = {}
    for tone in sorted(sheet.tones, key=lambda t: (t.start, t.pitch)):
        out.setdefault(tone.part, []).append(
            Note(
                start=round(max(0.0, sheet.begin + tone.start * sheet.quarter), 5),
                seconds=round(max(0.02, tone.length * sheet.quarter), 5),
                pitch=tone.pitch,
                velocity=tone.velocity,
            )
        )
    return out


def _without_tails(
    notes: Sequence[tuple[Note, int]], plan: Plan, line: Timeline, touched: Sequence[bool]
) -> list[tuple[Note, int]]:
    """End notes of untouched bars where they would ring into a changed bar's other chord or the same key's stroke."""
    out = []
    for note, number in notes:
        whole = note.start + note.seconds
        last = min(len(touched) - 1, line.bar_of(whole))
        end = whole
        if not touched[number] and any(touched[number + 1 : last + 1]):
            for quarter, classes in _following(plan, line, number):
                at = line.begin(number) + quarter * line.quarter
                bar = min(len(touched) - 1, line.bar_of(at))
                if touched[bar] and note.pitch % 12 not in classes and note.start < at < end:
                    end = at
            again = [other.start for other, _ in notes if other.pitch == note.pitch]
            end = min([end, *(start for start in again if start > note.start + 0.01)])
        seconds = note.seconds if end == whole else max(0.02, round(end - note.start, 5))
        out.append((dataclasses.replace(note, seconds=seconds), number))
    return out
