"""Longer pieces from short ones, and bridges from one piece to another."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping, Sequence

import numpy as np

from domain.chords import ChordAt
from domain.description import (
    MAX_BARS,
    MAX_SECONDS,
    MAX_SOURCE,
    MAX_VOICES,
    ROLES,
    TEMPO,
    BarDescription,
    Description,
)
from domain.errors import DescriptionError
from domain.facets import TONICS
from evolution.keys import Key, diatonic, is_minor, key_of, scale
from evolution.numbers import fresh_tune, without_idle
from evolution.splicing import renamed, united
from evolution.timing import bar_seconds, before_the_end, body, refitted, tail

_LEAST = 4
"""Bars of a theme; a shorter clip is played again until it has as many."""
_LONG = 5
"""Themes' worth of bars from which a piece has an introduction, a break and an outro."""
_CYCLE = ("theme", "theme", "contrast", "theme", "break", "contrast", "theme")
_REST = {
    "intro": ("lead", "counter", "drums"),
    "break": ("drums", "lead"),
    "outro": ("lead", "counter"),
}
"""Roles that rest in a section."""
_CONTRASTS = ("C", "bridge", "solo", "B")
_FREE = {"density": None, "pitch": None, "velocity": None, "duration": None}


def extend(
    description: Description,
    rng: np.random.Generator,
    *,
    seconds: float | None = None,
    bars: int | None = None,
) -> Description:
    """Make a longer piece of a clip: the same key, tempo, players and tunes, more sections.

    The clip's own bars come first (after an introduction when there is a minute or more) and return after a contrasting
    part, in which a second lead with a tune of its own plays over other chords of the key; long pieces have a break and
    an outro. The upbeat and the final chord stay where they were.

    Args:
        description: The clip.
        rng: Draws the contrasting tune.
        seconds: Length of the result, of which it stays short by less than a bar; either this or ``bars``.
        bars: Number of whole bars before the final chord.

    Raises:
        DescriptionError: It would be shorter than it is, or longer than a piece may be, or no length is given.
    """
    if (seconds is None) == (bars is None):
        raise DescriptionError(
            "length", "say either how many seconds or how many bars it shall have"
        )
    own = body(description) or (dataclasses.replace(description.bars[-1], section="A"),)
    bar = bar_seconds(description.tempo, description.metre)
    least = len(own)
    if bars is None:
        seconds = float(seconds or 0.0)
        least = 0 if seconds < description.seconds else least
        start = before_the_end(description) - len(body(description)) * bar
        bars = max(int((seconds - tail(seconds) - start) / bar), least)
    if bars < len(own):
        raise DescriptionError(
            "length", f"it has {len(own)} bars, {description.seconds:g} s, already; ask for more"
        )
    start = before_the_end(description) + (bars - len(body(description))) * bar
    total = max(start + min(0.9 + 0.03 * start, 2.5), description.seconds)
    if total > MAX_SECONDS or bars > MAX_BARS - 2:
        raise DescriptionError(
            "length", f"a piece has at most {MAX_SECONDS:g} s and {MAX_BARS - 2} bars"
        )
    piece, second = _with_second_lead(description, rng)
    maker = _Sections(piece=piece, theme=_theme(own, bars), second=second)
    middle = _in_a_row([maker.make(*part) for part in _parts(bars, len(maker.theme))])
    out = (*piece.bars[: 1 if piece.pickup else 0], *middle, piece.bars[-1])
    return without_idle(dataclasses.replace(piece, bars=out, seconds=total))


def _theme(own: Sequence[BarDescription], bars: int) -> tuple[BarDescription, ...]:
    """Return the clip's bars, more than once while they are fewer than a phrase and there is room."""
    times = 1
    while times * len(own) < _LEAST and (times + 1) * len(own) <= bars:
        times += 1
    return tuple(_in_a_row([list(own)] * times))


def _in_a_row(parts: Sequence[Sequence[BarDescription]]) -> list[BarDescription]:
    """Put parts in a row, each phrased as it was.

    Neighbours of the same name count as one section, so a part that would run on in the one before it is renamed.
    """
    out: list[BarDescription] = []
    for part in parts:
        begun = out[-1].section if out else ""
        same = True
        for bar in part:
            same = same and bar.section == begun
            section = ("A" if begun == "A2" else "A2") if same else bar.section
            out.append(dataclasses.replace(bar, section=section))
    return out


def _parts(bars: int, unit: int) -> list[tuple[str, int]]:
    """Return the parts of a form and their lengths, which add up to ``bars``."""
    if bars >= _LONG * unit:
        return _long_parts(bars, unit)
    whole, rest = divmod(bars, unit)
    if whole < 2:
        return [("theme", unit), ("theme", rest)] if rest else [("theme", unit)]
    if whole == 2 and rest < 2:
        half = unit // 2
        return [("theme", unit), ("contrast", half + rest), ("theme", unit - half)]
    if whole == 2:
        return [("theme", unit), ("contrast", rest), ("theme", unit)]
    before = [("theme", unit)] * (whole - 2)
    return [*before, ("contrast", unit + rest), ("theme", unit)]


def _long_parts(bars: int, unit: int) -> list[tuple[str, int]]:
    half = max(unit // 2, 1)
    out = [("intro", half)]
    left = bars - 2 * half
    for place in range(bars):
        name = _CYCLE[place % len(_CYCLE)]
        length = half if name == "break" else unit
        if length > left or (length + unit > left and name != "theme"):
            break
        out.append((name, length))
        left -= length
    if left >= unit:
        out.append(("theme", unit))
        left -= unit
    return [*out, ("outro", half + left)]


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class _Sections:
    """Makes the parts of a long piece out of its theme."""

    piece: Description
    theme: tuple[BarDescription, ...]
    second: str | None

    def make(self, part: str, length: int) -> list[BarDescription]:
        bars = [self.theme[place % len(self.theme)] for place in range(length)]
        if part == "theme":  # what is cut short is its beginning: it comes to its close
            return bars if length >= len(self.theme) else list(self.theme[-length:])
        if part == "contrast":
            return [self._contrasting(bar, place) for place, bar in enumerate(bars)]
        return [self._thinned(bar, part) for bar in bars]

    def _thinned(self, bar: BarDescription, part: str) -> BarDescription:
        resting = {voice.name for voice in self.piece.voices if voice.role in _REST[part]}
        left = tuple(name for name in bar.voices if name not in resting) or bar.voices
        return dataclasses.replace(bar, section=part, voices=left, **_FREE)  # type: ignore[arg-type]

    def _contrasting(self, bar: BarDescription, place: int) -> BarDescription:
        used = {one.section for one in self.theme}
        section = next((name for name in _CONTRASTS if name not in used), "bridge")
        leads = {voice.name for voice in self.piece.voices if voice.role == "lead"}
        voices = bar.voices
        if self.second is not None and leads.intersection(voices):
            voices = (*(name for name in voices if name not in leads), self.second)
        return dataclasses.replace(
            bar,
            section=section,
            source=min(bar.source + _AWAY, MAX_SOURCE),
            voices=voices,
            chords=_answered(bar.chords, key_of(self.piece), place),
            **_FREE,
        )


_AWAY = 1000
"""Added to the source of a contrasting bar, so that every player has something else to play there."""


def _with_second_lead(
    description: Description, rng: np.random.Generator
) -> tuple[Description, str | None]:
    """Add who plays the contrasting tune: the lead's twin with the sound of a counter, where there is one."""
    leads = [voice for voice in description.voices if voice.role == "lead"]
    if not leads or len(description.voices) >= MAX_VOICES:
        return description, None
    sounds = [voice.instrument for voice in description.voices if voice.role == "counter"]
    names = {voice.name for voice in description.voices}
    name = next(n for i in range(2, MAX_VOICES + 3) if (n := f"lead {i}") not in names)
    second = dataclasses.replace(
        leads[0], name=name, instrument=(sounds or [leads[0].instrument])[0], tune=fresh_tune(rng)
    )
    return dataclasses.replace(description, voices=(*description.voices, second)), name


def _answered(chords: Sequence[ChordAt], key: Key, place: int) -> tuple[ChordAt, ...]:
    """Return the chord of a contrasting bar: the subdominant side of the key, coming to its dominant every fourth."""
    if not chords:
        return ()
    degrees = (5, 2, 3, 4) if is_minor(key[1]) else (3, 0, 1, 4)
    return (diatonic(key, degrees[place % 4]),)


def transition(first: Description, second: Description, seconds: float) -> Description:
    """Make a bridge that begins as ``first`` and ends on the tonic of ``second``.

    A description has one tempo: the bridge takes the mean (geometric) of both, the second's counted double or half
    where that is nearer, so that neither side jumps by more than a fifth. It begins with the tonic of the first, goes
    through a chord that both keys have, where there is one, and through the second's dominant. The first's players hand
    over one by one, those of the second enter from the bass upwards, and in the middle both are there. Metre, mode and
    mix are the second's; the numbers of bars are left to the composer.

    Raises:
        DescriptionError: The length is not one that a piece can have.
    """
    if not 1.0 <= seconds <= MAX_SECONDS:
        raise DescriptionError("length", f"a bridge lasts 1 to {MAX_SECONDS:g} seconds")
    tempo = _between(first.tempo, second.tempo)
    voices, names = united(first.voices, second.voices)
    bar = bar_seconds(tempo, second.metre)
    count = min(max(int((seconds - tail(seconds)) / bar), 1), MAX_BARS - 2)
    chords = _bridging(key_of(first), key_of(second), count)
    old = _fullest(first, names[0])
    new = _fullest(second, names[1])
    order = {voice.name: ROLES.index(voice.role) for voice in voices}
    leaving = sorted(old, key=lambda name: -order[name])
    coming = sorted(new, key=lambda name: order[name])
    bars = []
    for place, chord in enumerate(chords):
        share = (place + 1) / (count + 1)
        stay = leaving[round(max(0.0, 2 * share - 1) * len(leaving)) :]
        enter = coming[: round(min(1.0, 2 * share) * len(coming))]
        playing = {*stay, *enter} if place else set(old)
        bars.append(
            BarDescription(
                section="bridge",
                source=place,
                chords=(chord,),
                voices=tuple(voice.name for voice in voices if voice.name in playing),
            )
        )
    last = renamed(second.bars[-1], names[1])
    end = BarDescription(
        section="end",
        source=count,
        chords=(_tonic(second),),
        voices=last.voices or tuple(sorted(new)),
    )
    bridge = dataclasses.replace(
        second, tempo=tempo, pickup=0, seconds=seconds, voices=voices, bars=(*bars, end)
    )
    return without_idle(refitted(bridge))


def _between(first: float, second: float) -> float:
    """Return the tempo between two; a tempo near to double or half of the other counts as that."""
    near = min((second, 2 * second, second / 2), key=lambda tempo: abs(math.log2(tempo / first)))
    middle = math.sqrt(first * near)
    return round(min(max(middle, TEMPO[0]), TEMPO[1]), 2)


def _fullest(description: Description, names: Mapping[str, str]) -> list[str]:
    """Return the new names of those who play in the fullest bar."""
    bar = max(description.bars, key=lambda one: len(one.voices))
    return [names[name] for name in bar.voices if name in names]


def _tonic(description: Description) -> ChordAt:
    return diatonic(key_of(description), 0)


def _bridging(first: Key, second: Key, count: int) -> list[ChordAt]:
    """Return a chord for each bar: home, a chord of both keys, and the dominant of the new one."""
    mine = [diatonic(first, degree) for degree in (5, 3, 1, 2, 0, 4)]
    theirs = {diatonic(second, degree) for degree in range(len(scale(second[1])))}
    pivots = [chord for chord in mine if chord in theirs] or [mine[0], diatonic(second, 1)]
    dominant = ChordAt(root=TONICS[(second[0] + 7) % 12], quality="7")
    line = [diatonic(first, 0), *pivots[:2], diatonic(second, 3), dominant]
    if count < len(line):
        line = (
            [line[0], pivots[0], dominant][-min(count, 3) :]
            if count < 4
            else [*line[:2], *line[-2:]]
        )
    places = [round(place * (len(line) - 1) / max(count - 1, 1)) for place in range(count)]
    return [line[place] for place in places]
