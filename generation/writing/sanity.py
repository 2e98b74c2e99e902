"""Musical sanity: plain numbers over a score that say whether a musician would frown. Nothing is rendered."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from generation.generator import Note, Part, Score
from generation.planning.patches import patch
from generation.planning.plan import Plan

_TOGETHER = 0.05
"""Seconds within which two notes count as struck together."""
_OVERLAP = 0.015
"""Seconds that the same key may be held on after it is struck again, for rounding."""

_TREMOLO = 0.17
"""Seconds between strokes of a key that is rather held than repeated."""

Line = list[Note]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sanity:
    """What is measured of one score.

    Attributes:
        strong: Lead notes that begin on a strong beat: the first of the bar, and its middle in even metres.
        strong_in_chord: How many of them belong to the chord that sounds.
        beats: Lead notes that begin on any beat.
        beats_in_chord: How many of them belong to the chord.
        parallels: Times two outer voices (lead with counter, lead with bass) move together from a unison or octave
            to another one.
        stuck: Notes that are struck while the same key of the same part is still down.
        out_of_range: Notes outside what the instrument has; drums have no range.
        repeated: Longest run of the same pitch in the lead; a tremolo of a plucked or struck sound is one note.
        wild: Leaps of the lead above a fifth that no step or turn follows.
        leaps: Leaps of the lead above a fifth.
        silence: Longest time in seconds in which nothing sounds, before the last note ends.
        repetition: Similarity of bars one phrase apart minus that of bars not so related, in [-1, 1]; ``None`` for
            fewer than six bars.
    """

    strong: int
    strong_in_chord: int
    beats: int
    beats_in_chord: int
    parallels: int
    stuck: int
    out_of_range: int
    repeated: int
    wild: int
    leaps: int
    silence: float
    repetition: float | None


def inspect(plan: Plan, score: Score) -> Sanity:
    """Measure a score against the plan that it was written from (its bars' chords and its grid)."""
    lead = top_line(_notes(score, "lead"))
    strong = _in_chord(plan, lead, strong_only=True)
    beats = _in_chord(plan, lead, strong_only=False)
    others = [
        top_line(part.notes) if part.role == "counter" else bottom_line(part.notes)
        for part in score.parts
        if part.role in {"counter", "bass"}
    ]
    leaps, wild = _leaps(lead)
    return Sanity(
        strong=strong[0],
        strong_in_chord=strong[1],
        beats=beats[0],
        beats_in_chord=beats[1],
        parallels=sum(len(parallels(lead, other)) for other in others),
        stuck=sum(stuck(part.notes) for part in score.parts),
        out_of_range=sum(out_of_range(part) for part in score.parts),
        repeated=_longest_run(lead, quick=_TREMOLO if _can_tremolo(score) else 0.0),
        wild=wild,
        leaps=leaps,
        silence=_silence(score),
        repetition=repetition(plan, score),
    )


def _notes(score: Score, role: str) -> tuple[Note, ...]:
    return tuple(n for part in score.parts if part.role == role for n in part.notes)


def top_line(notes: Sequence[Note]) -> Line:
    """Return the highest note of each moment at which something is struck, in order."""
    return _line(notes, 1)


def bottom_line(notes: Sequence[Note]) -> Line:
    """Return the lowest note of each moment at which something is struck, in order."""
    return _line(notes, -1)


def _line(notes: Sequence[Note], side: int) -> Line:
    out: Line = []
    for note in sorted(notes, key=lambda n: n.start):
        if out and note.start - out[-1].start < _TOGETHER:
            if side * (note.pitch - out[-1].pitch) > 0:
                out[-1] = note
        else:
            out.append(note)
    return out


def _in_chord(plan: Plan, lead: Line, *, strong_only: bool) -> tuple[int, int]:
    """Return how many notes begin on a beat, and how many of those belong to its chord."""
    grid = plan.grid
    per_bar = max(1, grid.bar_steps // grid.beat_steps)
    middle = per_bar // 2 if per_bar % 2 == 0 else 0
    near = max(0.02, 0.35 * grid.step_seconds)
    starts = np.array([n.start for n in lead])
    found = right = 0
    for number, bar in enumerate(plan.bars):
        for beat in range(per_bar):
            if strong_only and beat not in {0, middle}:
                continue
            step = beat * grid.beat_steps
            moment = grid.time(number, step)
            first, last = np.searchsorted(starts, [moment - near, moment + near])
            # What a grace note leads to is the note of the beat.
            if first < last:
                found += 1
                right += lead[last - 1].pitch % 12 in bar.chord_at(step).classes
    return found, right


def parallels(one: Line, other: Line) -> list[tuple[float, float]]:
    """Return where two lines move in parallel unisons or octaves: the moments before and after each move."""
    starts = np.array([n.start for n in other])
    out = []
    before: tuple[Note, Note] | None = None
    for note in one:
        index = int(np.searchsorted(starts, note.start - _TOGETHER))
        together = index < len(other) and other[index].start <= note.start + _TOGETHER
        if not together:
            before = None
            continue
        pair = (note, other[index])
        if before is not None and _is_parallel(before, pair):
            out.append((before[0].start, note.start))
        before = pair
    return out


def _is_parallel(before: tuple[Note, Note], after: tuple[Note, Note]) -> bool:
    if any((a.pitch - b.pitch) % 12 for a, b in (before, after)):
        return False
    if after[1].start - before[1].start > 4.0:
        return False
    one, other = after[0].pitch - before[0].pitch, after[1].pitch - before[1].pitch
    return one * other > 0


def stuck(notes: Sequence[Note]) -> int:
    """Count notes that are struck while their key is still down."""
    ends: dict[int, float] = {}
    count = 0
    for note in sorted(notes, key=lambda n: n.start):
        count += note.start < ends.get(note.pitch, -1.0) - _OVERLAP
        ends[note.pitch] = max(ends.get(note.pitch, 0.0), note.start + note.seconds)
    return count


def out_of_range(part: Part) -> int:
    """Count notes that the part's instrument does not have."""
    if part.percussion:
        return 0
    used = patch(part.patch)
    return sum(not used.low <= n.pitch <= used.high for n in part.notes)


def _can_tremolo(score: Score) -> bool:
    kinds = {patch(part.patch).kind for part in score.parts if part.role == "lead"}
    return bool(kinds & {"plucked", "mallet"})


def _longest_run(lead: Line, quick: float) -> int:
    longest = 0
    current = 1
    before: Note | None = None
    for note in lead:
        again = before is not None and note.pitch == before.pitch
        held = before is not None and note.start - before.start < quick
        if not again:
            current = 1
        elif not held:
            current += 1
        before = note
        longest = max(longest, current)
    return longest


def _leaps(lead: Line) -> tuple[int, int]:
    leaps = wild = 0
    for a, b, c in zip(lead, lead[1:], lead[2:], strict=False):
        leap = b.pitch - a.pitch
        if abs(leap) <= 7 or b.start - a.start > 1.5:
            continue
        leaps += 1
        back = c.pitch - b.pitch
        wild += back * leap > 0 and abs(back) > 4
    return leaps, wild


def _silence(score: Score) -> float:
    spans = sorted((n.start, n.start + n.seconds) for part in score.parts for n in part.notes)
    reached, longest = 0.0, 0.0
    for start, end in spans:
        longest = max(longest, start - reached)
        reached = max(reached, end)
    return longest


def repetition(plan: Plan, score: Score, phrases: tuple[int, ...] = (2, 4, 8)) -> float | None:
    """Return how much more alike bars a phrase apart are than others.

    A bar is what begins where (by sixteenth, of each role) and what the melody and bass sing (pitch classes).
    """
    count = len(plan.bars) - 1
    if count < 6:
        return None
    table = _table(plan, score, count)
    table /= np.maximum(1e-9, np.linalg.norm(table, axis=1, keepdims=True))
    alike = table @ table.T
    lags = {lag: float(np.mean(np.diagonal(alike, lag))) for lag in range(1, count - 1)}
    near = [lags[lag] for lag in phrases if lag in lags]
    far = [v for lag, v in lags.items() if lag % 2]
    return max(near) - float(np.mean(far)) if near and far else None


def _table(plan: Plan, score: Score, count: int) -> npt.NDArray[np.float64]:
    grid = plan.grid
    rows: dict[tuple[str, int], int] = defaultdict(int)
    cells: list[tuple[int, int]] = []
    for part in score.parts:
        for note in part.notes:
            at = (note.start - grid.downbeat) / grid.bar_seconds
            bar = int(np.floor(at + 0.02))
            if not 0 <= bar < count:
                continue
            step = round((at - bar) * grid.bar_steps)
            names = [(f"{part.role} {note.pitch if part.percussion else ''}", step)]
            if part.role in {"lead", "bass"}:
                names.append((f"{part.role} sings {step // 2}", note.pitch % 12))
            cells += [(bar, rows.setdefault(name, len(rows))) for name in names]
    table = np.zeros((count, max(1, len(rows))))
    for bar, column in cells:
        table[bar, column] = 1.0
    return table
