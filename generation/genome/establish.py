"""Makes the chords of a bar plain: the root lies lowest, every tone is heard, and strangers are short and weak."""

from __future__ import annotations

from collections.abc import Sequence

from generation.genome.sheet import Segment, Sheet, Tone, strokes
from generation.genome.thicken import metrical

_STRANGERS = 0.1
"""Share of a chord's sounding time that may belong to passing tones."""
_SHARE = 0.07
"""Of a chord's sounding time that each of its tones has at least, where there are tones to spare."""
_GIVES = {"chords": 0, "pad": 1, "counter": 2, "lead": 3, "bass": 4}
"""Which roles change a tone first when one is missing."""
_ORDER = (0, 4, 3, 10, 11, 9, 6, 8, 7, 5, 2)
"""Intervals of a chord by how much it needs them."""


def establish(sheet: Sheet) -> None:
    """Bring the pitches of a bar to its chords. The number of notes, their rhythm and their loudness stay."""
    for segment in sheet.segments:
        tones = sheet.within(segment)
        if not tones:
            continue
        _tame(sheet, segment, tones)
        _ground(sheet, segment, tones)
        _complete(sheet, segment, tones)


def ground(sheet: Sheet) -> None:
    """Put the root lowest in every chord again, after voices have moved."""
    for segment in sheet.segments:
        tones = sheet.within(segment)
        if tones:
            _ground(sheet, segment, tones)
            _complete(sheet, segment, tones)


def separate(sheet: Sheet) -> None:
    """Give a tone another key where its part would strike one twice at once."""
    for tone in sorted(sheet.tones, key=lambda t: (t.start, t.pitch)):
        twins = [
            other
            for other in sheet.tones
            if other is not tone
            and (other.part, other.pitch) == (tone.part, tone.pitch)
            and abs(other.start - tone.start) < sheet.nearness
        ]
        if not twins:
            continue
        if tone.percussion:
            keys: Sequence[int] = strokes(sheet.players[tone.part])
        else:
            segment = sheet.segment_at(tone.start)
            low, high = sheet.ranges[tone.part]
            floor = min((t.pitch for t in sheet.within(segment)), default=low)
            classes = segment.chord.classes
            keys = [k for k in range(max(low, floor), high + 1) if k % 12 in classes]
        free = [key for key in keys if not sheet.clashes(tone.part, key, tone.start)]
        if free:
            tone.pitch = min(free, key=lambda k: (abs(k - tone.pitch), k))


def _tame(sheet: Sheet, segment: Segment, tones: list[Tone]) -> None:
    """Leave the weakest passing tones and bring the others to the chord."""
    classes = segment.chord.classes
    budget = _STRANGERS * sum(min(t.length, segment.end - t.start) for t in tones)
    strangers = [t for t in tones if t.pitch % 12 not in classes]
    for tone in sorted(strangers, key=lambda t: (metrical(t.start), t.length)):
        if metrical(tone.start) < 2 and tone.length <= min(0.5, budget):
            budget -= tone.length
            continue
        tone.pitch = _free(sheet, tone, classes)


def _ground(sheet: Sheet, segment: Segment, tones: list[Tone]) -> None:
    """Have the lowest tone be a root that begins with the chord, or as soon after it as any."""
    root = segment.chord.root
    begin = min(t.start for t in tones)
    opening = [t for t in tones if t.start < begin + 0.3]
    roots = [t for t in opening if t.pitch % 12 == root]
    lowest = min(tones, key=lambda t: (t.pitch, t.start))
    if not roots:
        anchor = min(opening, key=lambda t: (t.pitch, t.start))
        anchor.pitch = _below(sheet, anchor, root, lowest.pitch)
    else:
        anchor = min(roots, key=lambda t: t.pitch)
    for tone in tones:
        if tone.pitch < anchor.pitch and tone.pitch % 12 != root:
            _raise(sheet, tone, anchor, root)


def _below(sheet: Sheet, tone: Tone, root: int, floor: int) -> int:
    """Return the root nearest to a tone, below everything else where the instrument has that."""
    low, high = sheet.ranges[tone.part]
    keys = [key for key in range(low, high + 1) if key % 12 == root]
    under = [key for key in keys if key <= floor]
    if under:
        return max(under)
    return min(keys, key=lambda k: (abs(k - tone.pitch), k)) if keys else tone.pitch


def _raise(sheet: Sheet, tone: Tone, anchor: Tone, root: int) -> None:
    low, high = sheet.ranges[tone.part]
    pitch = tone.pitch
    while pitch < anchor.pitch:
        pitch += 12
    if low <= pitch <= high and not sheet.clashes(tone.part, pitch, tone.start):
        tone.pitch = pitch
        return
    tone.pitch = _free(sheet, tone, {root})


def _complete(sheet: Sheet, segment: Segment, tones: list[Tone]) -> None:
    """Have doubled tones take the place of those that are missing."""
    wanted = sorted({i % 12 for i in segment.chord.intervals}, key=_ORDER.index)
    for interval in wanted:
        pitch_class = (segment.chord.root + interval) % 12
        if _heard(segment, tones, pitch_class):
            continue
        _give(sheet, segment, tones, pitch_class)


def _heard(segment: Segment, tones: list[Tone], pitch_class: int) -> bool:
    """Say whether a pitch class has its share of the sounding time."""
    total = own = 0.0
    for tone in tones:
        weight = min(tone.length, segment.end - tone.start) * (0.3 + tone.velocity / 127)
        total += weight
        own += weight * (tone.pitch % 12 == pitch_class)
    return own > _SHARE * total


def _give(sheet: Sheet, segment: Segment, tones: list[Tone], pitch_class: int) -> None:
    """Have a tone that can be spared sound a missing pitch class, above the root."""
    for _ in range(2):
        lowest = min(tones, key=lambda t: (t.pitch, t.start))
        for donor in _spare(sheet, segment, tones, lowest):
            low, high = sheet.ranges[donor.part]
            keys = [
                key
                for key in range(max(low, lowest.pitch + 1), high + 1)
                if key % 12 == pitch_class and not sheet.clashes(donor.part, key, donor.start)
            ]
            if keys:
                donor.pitch = min(keys, key=lambda k: (abs(k - donor.pitch), k))
                return
        # Nothing has room above the root: put the root an octave lower.
        roots = [t for t in tones if t.pitch == lowest.pitch]
        if any(t.pitch - 12 < sheet.ranges[t.part][0] for t in roots):
            return
        for tone in roots:
            tone.pitch -= 12


def _spare(sheet: Sheet, segment: Segment, tones: list[Tone], lowest: Tone) -> list[Tone]:
    """Return the tones that are doubled, or foreign to the chord, the most willing and the longest first."""
    counts: dict[int, int] = {}
    for tone in tones:
        counts[tone.pitch % 12] = counts.get(tone.pitch % 12, 0) + 1
    classes = segment.chord.classes
    ways = [
        t
        for t in tones
        if t is not lowest and (counts[t.pitch % 12] > 1 or t.pitch % 12 not in classes)
    ]
    return sorted(
        ways,
        key=lambda t: (
            _GIVES[sheet.players[t.part].voice.role],
            -round(t.length, 1),
            -counts[t.pitch % 12],
            t.start,
            -t.pitch,
        ),
    )


def _free(sheet: Sheet, tone: Tone, classes: frozenset[int] | set[int]) -> int:
    """Return the nearest key of some pitch classes that the part does not strike at that moment."""
    low, high = sheet.ranges[tone.part]
    keys = [k for k in range(low, high + 1) if k % 12 in classes]
    free = [k for k in keys if not sheet.clashes(tone.part, k, tone.start)] or keys
    return min(free, key=lambda k: (abs(k - tone.pitch), k)) if free else tone.pitch
