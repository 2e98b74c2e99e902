"""Crossing descriptions: one piece's groove under another's melody, and bars of two pieces in turn."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from enum import StrEnum

from domain.chords import ChordAt
from domain.description import (
    MAX_VOICES,
    BarDescription,
    Description,
    Levels,
    VoiceDescription,
)
from evolution.keys import diatonic, key_of, moved, nearest_shift, with_chords
from evolution.numbers import freed, without_idle
from evolution.timing import body, refitted, resized, sections_of

GROOVE = ("drums", "bass")
"""Roles that make the groove."""
_GROOVE_LEVELS = ("energy", "danceability", "loudness", "density")
_KEEP_FIRST = ("lead", "drums", "bass", "chords", "pad", "counter")
"""Whom a piece with too many players keeps."""


class Pattern(StrEnum):
    """How ``splice_bars`` takes turns."""

    HALVES = "halves"
    """The first half of one, then the second half of the other."""
    SECTIONS = "sections"
    """A section of each in turn."""
    PAIRS = "pairs"
    """Two bars of each in turn: ABAB."""


def splice(groove: Description, melody: Description) -> Description:
    """Put the drums and bass of one piece under everything else of another.

    From ``groove``: tempo, metre, swing, the mix of its family, and its drums and bass; where it has neither, its
    chords and pads. From ``melody``: key, mode, harmony, form, length, and the other players with their tunes. The
    groove's bass follows the melody's chords. Chords of another metre keep their place as a share of the bar. The
    numbers of bars are left to the composer, since nobody has heard the two together.
    """
    roles = GROOVE if _plays(groove, GROOVE) else ("chords", "pad")
    below = [voice for voice in groove.voices if voice.role in roles] or list(groove.voices)
    above = [voice for voice in melody.voices if voice.role not in {v.role for v in below}]
    voices, names = united(below, above)
    rhythm = [{names[0].get(name) for name in bar.voices} for bar in body(groove)]
    bars = list(melody.bars)
    pickup = melody.pickup if groove.metre == melody.metre else 0
    if melody.pickup and not pickup:
        del bars[0]
    for place, bar in enumerate(bars):
        ending = place == len(bars) - 1 or not rhythm
        pattern = rhythm[max(place - (pickup > 0), 0) % len(rhythm)] if rhythm else set()
        if ending:
            pattern = {names[0].get(name) for name in groove.bars[-1].voices}
        playing = {*pattern, *(names[1].get(name) for name in bar.voices)}
        bars[place] = dataclasses.replace(
            bar,
            voices=tuple(voice.name for voice in voices if voice.name in playing),
            chords=_in_metre(bar.chords, melody.metre, groove.metre),
        )
    spliced = dataclasses.replace(
        groove,
        tonic=melody.tonic,
        mode=melody.mode,
        pickup=pickup,
        seconds=melody.seconds,
        levels=_mixed(groove.levels, melody.levels),
        words=_either(groove.words, melody.words),
        voices=voices,
        bars=harmonised(melody, freed(bars, ("players",))),
    )
    return refitted(without_idle(spliced))


def splice_bars(
    first: Description,
    second: Description,
    pattern: Pattern = Pattern.HALVES,
    *,
    at: float | None = None,
) -> Description:
    """Let two pieces take turns in the tempo, metre, key and mix of the first; all their players are there.

    The second is transposed to where it shares most tones with the first: a minor piece into the relative of a major
    one. It keeps its chords otherwise; its bars are played in the first one's metre. The first has the final chord.

    Args:
        first: Begins, and gives the frame and the length.
        second: Takes the other turns.
        pattern: Who plays when.
        at: For ``HALVES``: share of the first piece after which the second takes over, in (0, 1); .5 unless given.
    """
    voices, names = united(first.voices, second.voices)
    shift = nearest_shift(key_of(second), key_of(first))
    other = [
        dataclasses.replace(bar, chords=_in_metre(bar.chords, second.metre, first.metre))
        for bar in with_chords(body(second), lambda chord: moved(chord, shift))
    ]
    if shift or first.metre != second.metre:
        other = list(freed(other, ("key", "metre") if first.metre != second.metre else ("key",)))
    one = [renamed(bar, names[0]) for bar in body(first)]
    two = [renamed(bar, names[1]) for bar in resized(other, len(one))]
    turns = _turns(one, pattern, 0.5 if at is None else min(max(at, 0.0), 1.0))
    if two:
        mixed = [two[place] if turn else one[place] for place, turn in enumerate(turns)]
        one = _labelled(mixed, turns)
    frame = [renamed(bar, names[0]) for bar in first.bars]
    bars = [*frame[: 1 if first.pickup else 0], *one, frame[-1]]
    spliced = dataclasses.replace(
        first,
        words=_either(first.words, second.words),
        voices=voices,
        bars=harmonised(first, bars),
    )
    return without_idle(spliced)


def takes_turns(first: Description, pattern: Pattern) -> bool:
    """Tell whether ``splice_bars`` lets the second piece play at all: a short clip may have no bar for it."""
    return any(_turns(body(first), pattern, 0.5))


def _plays(description: Description, roles: Sequence[str]) -> bool:
    return any(voice.role in roles for voice in description.voices)


def united(
    first: Sequence[VoiceDescription], second: Sequence[VoiceDescription]
) -> tuple[tuple[VoiceDescription, ...], tuple[Mapping[str, str], Mapping[str, str]]]:
    """Unite the players of two pieces; the same player of both stays one, another of the same name gets a number.

    Returns:
        At most ``MAX_VOICES`` players, and for each side its players' new names by their old ones.
    """
    out: dict[str, VoiceDescription] = {}
    names: tuple[dict[str, str], dict[str, str]] = ({}, {})
    for side, voices in enumerate((first, second)):
        for voice in voices:
            twin = dataclasses.replace(voice, name="-")
            same = [n for n, o in out.items() if dataclasses.replace(o, name="-") == twin]
            if side and same:
                names[1][voice.name] = same[0]
                continue
            name, number = voice.name, 2
            while name in out:
                name, number = f"{voice.name[:36]} {number}", number + 1
            out[name] = dataclasses.replace(voice, name=name)
            names[side][voice.name] = name
    ranked = sorted(out.values(), key=lambda voice: _KEEP_FIRST.index(voice.role))
    kept = {voice.name for voice in ranked[:MAX_VOICES]}
    sides = tuple({old: new for old, new in one.items() if new in kept} for one in names)
    return tuple(voice for voice in out.values() if voice.name in kept), (sides[0], sides[1])


def renamed(bar: BarDescription, names: Mapping[str, str]) -> BarDescription:
    """Return a bar with its players under the names that ``united`` gave them."""
    voices = tuple(dict.fromkeys(names[name] for name in bar.voices if name in names))
    return dataclasses.replace(bar, voices=voices)


def _in_metre(
    chords: Sequence[ChordAt], old: tuple[int, int], new: tuple[int, int]
) -> tuple[ChordAt, ...]:
    """Bring chords into a bar of another metre: each keeps its place as a share of the bar, on a whole beat."""
    if old == new:
        return tuple(chords)
    out: dict[float, ChordAt] = {}
    for chord in chords:
        beat = float(int(chord.beat * new[0] / old[0]))
        out.setdefault(beat, dataclasses.replace(chord, beat=beat))
    return tuple(out.values())


def in_metre(description: Description, metre: tuple[int, int]) -> Description:
    """Return the piece in another metre: its chords keep their places as shares of the bar."""
    if metre == description.metre:
        return description
    bars = [
        dataclasses.replace(bar, chords=_in_metre(bar.chords, description.metre, metre))
        for bar in description.bars
    ]
    whole = dataclasses.replace(
        description,
        metre=metre,
        pickup=0,
        bars=freed(bars[1 if description.pickup else 0 :], ("metre",)),
    )
    return refitted(whole)


def harmonised(frame: Description, bars: Sequence[BarDescription]) -> tuple[BarDescription, ...]:
    """Give a chord to bars that had none: the last one heard, or the tonic."""
    current = diatonic(key_of(frame), 0)
    out = []
    for bar in bars:
        chords = bar.chords
        if bar.voices and not chords:
            chords = (dataclasses.replace(current, beat=0.0),)
        current = chords[-1] if chords else current
        out.append(dataclasses.replace(bar, chords=chords))
    return tuple(out)


def _mixed(groove: Levels, melody: Levels) -> Levels:
    return dataclasses.replace(melody, **{name: getattr(groove, name) for name in _GROOVE_LEVELS})


def _either(first: Sequence[str], second: Sequence[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys([*first, *second]))[:8]


def _turns(bars: Sequence[BarDescription], pattern: Pattern, at: float) -> list[bool]:
    """Say for each bar whether it is the second piece's turn."""
    if pattern is Pattern.PAIRS:
        return [place // 2 % 2 == 1 for place in range(len(bars))]
    runs = sections_of(bars)
    if pattern is Pattern.SECTIONS and len(runs) > 1:
        return [number % 2 == 1 for number, run in enumerate(runs) for _ in run]
    middle = min(max(round(at * len(bars)), 1), max(len(bars) - 1, 1))
    return [place >= middle for place in range(len(bars))]


def _labelled(bars: Sequence[BarDescription], turns: Sequence[bool]) -> list[BarDescription]:
    """Name sections anew where a turn begins within a section, so that players hear it begin."""
    out: list[BarDescription] = []
    for bar, turn, before in zip(bars, turns, [None, *turns], strict=False):
        section = bar.section
        if out and turn != before and section == out[-1].section:
            section = "B" if section != "B" else "C"
        elif out and turn == before and bar.section == bars[len(out) - 1].section:
            section = out[-1].section
        out.append(dataclasses.replace(bar, section=section))
    return out
