"""Brings the number of a bar's notes to what is asked: the least important go first, additions lie in between."""

from __future__ import annotations

import math

from generation.genome.sheet import Segment, Sheet, Tone, strokes

_WEIGHT = {"lead": 1.2, "bass": 1.5, "chords": 0.8, "pad": 0.9, "counter": 0.6, "drums": 0.5}
_KICK_AND_SNARE = frozenset({35, 36, 38, 40, 39})
_GHOST = 0.62
"""Velocity of what is added, as a share of what is there."""
_CROWD = {"drums": 0.5, "chords": 0.7, "pad": 1.1, "counter": 0.9, "lead": 1.0, "bass": 1.2}
"""How soon a role has enough notes when some are added."""
_VOICES = {"bass": 1, "lead": 1, "counter": 2, "drums": 2}
"""Tones that a role strikes together at most, otherwise four."""


def to_count(sheet: Sheet, count: int | None) -> None:
    """Add or take away notes until there are ``count``, or as many as its chords need when it is ``None``.

    Every voice keeps a note, and every chord as many pitched notes as it has tones, as far as ``count`` allows.
    """
    _for_the_chords(sheet, len(sheet.tones) if count is None else count)
    if count is None:
        return
    surplus = len(sheet.tones) - max(count, len(sheet.players))
    if surplus > 0:
        _thin(sheet, surplus)
    elif surplus < 0:
        _add(sheet, -surplus)


def metrical(start: float, beat: float = 1.0) -> float:
    """Return how strong a place in the bar is: 3 the first beat, 2 a beat, 1 its half, 0.5 a quarter of it."""
    if abs(start) < 0.09:
        return 3.0
    for unit, weight in ((beat, 2.0), (beat / 2, 1.0), (beat / 4, 0.5)):
        if abs(start / unit - round(start / unit)) * unit < 0.09 * min(1.0, 2 * unit):
            return weight
    return 0.0


def needed(segment: Segment) -> int:
    """Return how many tones make a chord plain."""
    return len(segment.chord.intervals)


def _for_the_chords(sheet: Sheet, count: int) -> None:
    """See that there are notes enough for the tones of each chord, at the cost of others if it must be."""
    parts = [p for p, player in sheet.players.items() if player.voice.role != "drums"]
    if not parts:
        return
    room = max(count - len(sheet.players), 0)
    for segment in sheet.segments:
        lacking = needed(segment) - len(sheet.within(segment))
        lacking = min(lacking, max(0, room))
        if lacking > 0:
            room -= _add(sheet, lacking, parts, segment)


def _importance(sheet: Sheet, tone: Tone) -> float:
    role = sheet.players[tone.part].voice.role
    value = _WEIGHT[role] + metrical(tone.start) + 1.5 * tone.velocity / 127
    if tone.percussion:
        return value + (0.7 if tone.pitch in _KICK_AND_SNARE else 0.0)
    chord = sheet.segment_at(tone.start).chord
    return value + (0.6 if tone.pitch % 12 in chord.classes else 0.0)


def _thin(sheet: Sheet, surplus: int) -> None:
    left = {part: len(sheet.of(part)) for part in sheet.players}
    spare = {id(s): len(sheet.within(s)) - needed(s) for s in sheet.segments}
    for protect in (True, False):
        for tone in sorted(sheet.tones, key=lambda t: (_importance(sheet, t), -t.start, t.pitch)):
            if surplus <= 0:
                return
            if left[tone.part] <= 1:
                continue
            if not tone.percussion:
                where = id(sheet.segment_at(tone.start))
                if protect and spare[where] <= 0:
                    continue
                spare[where] -= 1
            sheet.tones.remove(tone)
            left[tone.part] -= 1
            surplus -= 1


def _add(
    sheet: Sheet, lacking: int, parts: list[int] | None = None, segment: Segment | None = None
) -> int:
    """Add notes where they disturb least, and return how many there was room for."""
    rooms = {part: _Room(sheet, part, segment) for part in parts or sheet.players}
    added = 0
    while added < lacking and rooms:
        part = min(rooms, key=lambda p: (rooms[p].cost, p))
        tone = rooms[part].take()
        if tone is None:
            del rooms[part]
            continue
        for other in sheet.of(part):
            if other.pitch == tone.pitch and other.start < tone.start < other.end:
                other.length = tone.start - other.start
        sheet.tones.append(tone)
        added += 1
    return added


class _Room:
    """Where a part has room for more notes."""

    def __init__(self, sheet: Sheet, part: int, segment: Segment | None) -> None:
        self.sheet, self.part = sheet, part
        self.role = sheet.players[part].voice.role
        self.together = _VOICES.get(self.role, 4)
        self.count = len(sheet.of(part))
        starts = [t.start for t in sheet.of(part)]
        self.places = [
            [played, 1.5 / (0.5 + metrical(nominal)), sum(abs(s - played) < 0.09 for s in starts)]
            for nominal, played in sheet.grid
            if max(sheet.first, 0.0) <= played <= sheet.last
            and (segment is None or segment.start - 0.01 <= nominal < segment.end - 0.01)
        ]
        self.cost = math.inf
        self.best: list[float] | None = None
        self._search()

    def _search(self) -> None:
        free = [place for place in self.places if place[2] < self.together]
        self.best = min(free, key=lambda p: p[1] + 0.8 * p[2], default=None)
        load = _CROWD[self.role] * self.count / max(1.0, self.sheet.quarters)
        self.cost = math.inf if self.best is None else load + self.best[1] + 0.8 * self.best[2]

    def take(self) -> Tone | None:
        """Return a note for the best place, or ``None`` when there is none left."""
        while self.best is not None:
            place = self.best
            make = _stroke if self.role == "drums" else _tone
            tone = make(self.sheet, self.part, place[0])
            place[2] = place[2] + 1 if tone is not None else self.together
            self.count += tone is not None
            self._search()
            if tone is not None:
                return tone
        return None


def _stroke(sheet: Sheet, part: int, start: float) -> Tone | None:
    own = sheet.of(part)
    taken = {t.pitch for t in own if abs(t.start - start) < 0.09}
    keys = [key for key in strokes(sheet.players[part]) if key not in taken]
    if not keys:
        return None
    loud = max((t.velocity for t in own), default=80)
    return Tone(
        part=part,
        start=start,
        length=0.2,
        pitch=keys[0],
        velocity=max(1, round(_GHOST * loud)),
        percussion=True,
    )


def _tone(sheet: Sheet, part: int, start: float) -> Tone | None:
    """A repetition of what was last struck, or another tone of the chord where that sounds together already."""
    own = sheet.of(part)
    segment = sheet.segment_at(start)
    before = max((t for t in own if t.start <= start + 0.09), key=lambda t: t.start, default=own[0])
    pitch = before.pitch
    if pitch % 12 not in segment.chord.classes or sheet.clashes(part, pitch, start):
        taken = {t.pitch for t in own if abs(t.start - start) < 0.09}
        low, high = sheet.ranges[part]
        free = [
            k for k in range(low, high + 1) if k % 12 in segment.chord.classes and k not in taken
        ]
        if not free:
            return None
        pitch = min(free, key=lambda k: (abs(k - before.pitch), k))
    following = min((t.start for t in own if t.start > start + 0.09), default=segment.end)
    return Tone(
        part=part,
        start=start,
        length=max(0.1, 0.9 * (min(following, segment.end) - start)),
        pitch=pitch,
        velocity=max(1, math.floor(before.velocity * 0.85)),
    )
