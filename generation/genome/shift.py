"""Brings the mean pitch, loudness and length of a bar's notes to what is asked."""

from __future__ import annotations

from collections.abc import Mapping

from generation.genome.establish import ground
from generation.genome.sheet import Sheet, Tone

_FIRST = {"pad": 0, "chords": 1, "counter": 2, "lead": 3, "bass": 4}
"""Which roles change the octave first."""
_SHORTEST = 0.06
"""Quarters."""


def to_pitch(sheet: Sheet, asked: float) -> None:
    """Move voices, then single tones, by octaves until the mean of the pitched notes is near."""
    tones = sheet.pitched()
    if not tones:
        return
    parts = sorted({t.part for t in tones}, key=lambda p: (_FIRST[sheet.players[p].voice.role], p))
    for part in parts:
        own = sheet.of(part)
        while abs(error := _missing(tones, asked)) > 6 * len(own) + 0.01:
            if not _move(sheet, own, 12 if error > 0 else -12):
                break
    ground(sheet)
    _singly(sheet, tones, asked, parts)
    ground(sheet)


def _missing(tones: list[Tone], asked: float) -> float:
    """Semitones that all tones together lack."""
    return asked * len(tones) - sum(t.pitch for t in tones)


def _singly(sheet: Sheet, tones: list[Tone], asked: float, parts: list[int]) -> None:
    """Move tones of their own, never under the root of their chord."""
    floors = {id(s): min((t.pitch for t in sheet.within(s)), default=0) for s in sheet.segments}
    for part in parts:
        own = sheet.of(part)
        error = _missing(tones, asked)
        own.sort(key=lambda t: -t.pitch if error < 0 else t.pitch)
        for tone in own:
            error = _missing(tones, asked)
            if abs(error) <= 6:
                return
            floor = floors[id(sheet.segment_at(tone.start))]
            step = 12 if error > 0 else -12
            if tone.pitch == floor or tone.pitch + step <= floor:
                continue
            _move(sheet, [tone], step)


def _move(sheet: Sheet, tones: list[Tone], step: int) -> bool:
    low, high = sheet.ranges[tones[0].part]
    if any(not low <= tone.pitch + step <= high for tone in tones):
        return False
    alone = len(tones) == 1
    if alone and sheet.clashes(tones[0].part, tones[0].pitch + step, tones[0].start):
        return False
    for tone in tones:
        tone.pitch += step
    return True


def to_velocity(sheet: Sheet, asked: float) -> None:
    """Make all strokes louder or softer alike, so that accents stay accents."""
    tones = sheet.tones
    if not tones:
        return
    curve = [float(t.velocity) for t in tones]
    for _ in range(6):
        mean = sum(min(127.0, max(1.0, v)) for v in curve) / len(curve)
        curve = [v * asked / mean for v in curve]
    for tone, value in zip(tones, curve, strict=True):
        tone.velocity = round(min(127.0, max(1.0, value)))
    _round_off(tones, round(asked * len(tones)))


def _round_off(tones: list[Tone], total: int) -> None:
    """Give the last steps of a sum to the first tones that can take them."""
    lacking = total - sum(t.velocity for t in tones)
    step = 1 if lacking > 0 else -1
    while lacking:
        before = lacking
        for tone in tones:
            if lacking and 1 <= tone.velocity + step <= 127:
                tone.velocity += step
                lacking -= step
        if lacking == before:
            return


def to_duration(sheet: Sheet, asked: float | None, later: Mapping[tuple[int, int], float]) -> None:
    """Make all pitched notes longer or shorter alike, as far as what follows lets them.

    Args:
        sheet: The bar.
        asked: Mean length in quarters; ``None`` only ends notes where they would disturb.
        later: Seconds at which each key of each part is struck in later bars.
    """
    tones = sheet.pitched()
    if not tones:
        return
    hard = [_limit(sheet, tone, later, gentle=False) for tone in tones]
    if asked is None:
        for tone, most in zip(tones, hard, strict=True):
            tone.length = max(min(_SHORTEST, most), min(tone.length, most))
        return
    total = asked * len(tones)
    soft = [
        min(most, _limit(sheet, tone, later, gentle=True))
        for tone, most in zip(tones, hard, strict=True)
    ]
    limits = soft if sum(soft) >= total else hard
    lengths = [t.length for t in tones]
    low, high = 0.0, 1.0
    while sum(_scaled(lengths, limits, high)) < total and high < 1e4:
        high *= 2
    for _ in range(40):
        middle = (low + high) / 2
        if sum(_scaled(lengths, limits, middle)) < total:
            low = middle
        else:
            high = middle
    for tone, length in zip(tones, _scaled(lengths, limits, high), strict=True):
        tone.length = length


def _scaled(lengths: list[float], limits: list[float], times: float) -> list[float]:
    return [
        min(most, max(_SHORTEST, length * times))
        for length, most in zip(lengths, limits, strict=True)
    ]


def _limit(
    sheet: Sheet, tone: Tone, later: Mapping[tuple[int, int], float], *, gentle: bool
) -> float:
    """Return how long a tone may be: to the next stroke of its key, a chord that it is foreign to, or the clip's end.

    Args:
        sheet: The bar.
        tone: One of its tones.
        later: As in ``to_duration``.
        gentle: End it also where the part goes on to the next tone.
    """
    ends = [sheet.sound_end - 0.05]
    pitch_class = tone.pitch % 12
    ends += [
        segment.start
        for segment in sheet.segments
        if segment.start > tone.start + 0.09 and pitch_class not in segment.chord.classes
    ]
    ends += [start for start, classes in sheet.following if pitch_class not in classes]
    strict = gentle and sheet.players[tone.part].voice.role in {"bass", "lead"}
    for other in sheet.tones:
        if other.part == tone.part and other.start > tone.start + 0.01:
            if other.pitch == tone.pitch:
                ends.append(other.start - 0.01)
            elif strict and other.start > tone.start + 0.09:
                ends.append(other.start)
    key = (tone.part, tone.pitch)
    if key in later:
        ends.append((later[key] - sheet.begin) / sheet.quarter - 0.01)
    return max(0.03, min(ends) - tone.start)
