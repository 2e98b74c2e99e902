"""How the players of a family behave beyond its patterns: phrase schemes, ornaments, second voices, touch."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from domain.errors import GenerationError
from generation.writing.motif import SCHEMES, SHAPES

_FILE = Path(__file__).parent / "manners.yaml"
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

COUNTERS = ("answer", "thirds", "stabs", "arpeggio", "guajeo", "riff", "ostinato")
"""Replies in the gaps; a line in thirds and sixths; chord hits; broken chords; a syncopated figure; a short riff under
the tune; the same few tones over and over."""

ENDINGS = ("hold", "roll", "ring", "stop", "echo", "hits", "two", "tag")
"""How the last chord goes, see ``generation.writing.endings``.

Held, rolled, one tone after another, cut off with the tune left over, cut off with echoes, two hits of which the second
lasts, two on two beats, a late second one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Manners:
    """Habits of a family's players. Chances are in [0, 1].

    Attributes:
        schemes: How melodies make phrases, names of ``motif.SCHEMES``.
        shapes: How motifs rise and fall, names of ``motif.SHAPES``.
        strict: Whether strong beats of the melody hold to the chord.
        counter: One of ``COUNTERS``.
        grace: Chance of a grace note before a melody note.
        bend: Chance of the blue note a semitone below.
        mordent: Chance of a mordent on a longer note.
        trill: Chance of a trill on a long note.
        tremolo: Chance that a long note of a plucked or struck sound is repeated quickly.
        slide: Chance of quick neighbours that slide into a note.
        doubles: Chance of a second tone under a longer melody note.
        suspend: Chance that a cadence holds its fourth before the third.
        applied: Chance that a section's last chord leads to what follows as its dominant.
        passing: Chance of a passing chord just before the next chord.
        roll: Milliseconds between the tones of a chord that is rolled.
        pedal: Whether the bass holds the tonic through intros and builds.
        chromatic: Whether the bass approaches by semitones.
        glide: Chance that a bass note slides into the next.
        octaves: Chance of an octave leap in the bass at the end of a phrase.
        drops: Chance that the bass leaves out a first beat.
        ghost: Chance of ghost notes on the snare.
        opening: Chance that the hat opens before a phrase ends.
        rolls: Chance of quick rolls on the hat.
        feather: Whether the bass drum is only felt.
        fills: How big the fills are.
        build: Whether builds have a snare roll.
        push: Milliseconds by which pieces lie behind (or, below 0, before) the beat.
        swell: How much louder phrases are in their middle.
        endings: How pieces end, names of ``ENDINGS``.
        inner: Whether bowed and blown accompaniment moves in single lines, see ``generation.writing.inner``.
    """

    schemes: tuple[str, ...] = ("period", "sentence")
    shapes: tuple[str, ...] = ("arch", "wave", "gap", "rise", "fall", "pendulum")
    strict: bool = True
    counter: str = "answer"
    grace: float = 0.0
    bend: float = 0.0
    mordent: float = 0.0
    trill: float = 0.0
    tremolo: float = 0.0
    slide: float = 0.0
    doubles: float = 0.0
    suspend: float = 0.0
    applied: float = 0.0
    passing: float = 0.0
    roll: float = 0.0
    pedal: bool = False
    chromatic: bool = False
    glide: float = 0.0
    octaves: float = 0.0
    drops: float = 0.0
    ghost: float = 0.0
    opening: float = 0.25
    rolls: float = 0.0
    feather: bool = False
    fills: float = 0.9
    build: bool = False
    push: Mapping[str, float] = field(default_factory=dict)
    swell: float = 1.0
    endings: tuple[str, ...] = ("hold",)
    inner: bool = False


@cache
def _table() -> Mapping[str, Manners]:
    return parse(_FILE.read_text(encoding="utf-8"))


def parse(text: str) -> Mapping[str, Manners]:
    """Read the manners of all families.

    Raises:
        GenerationError: An unknown key, scheme, shape or counter; names family and word.
    """
    data: dict[str, dict[str, Any]] = yaml.load(text, Loader=_LOADER)  # noqa: S506  # the safe one
    known = {f.name for f in dataclasses.fields(Manners)}
    out = {}
    for family, values in data.items():
        wrong = sorted(set(values) - known)
        if wrong:
            raise GenerationError(f"manners.yaml, {family}: unknown key {wrong[0]!r}")
        lists: dict[str, Any] = {
            k: tuple(v) if isinstance(v, list) else v for k, v in values.items()
        }
        made = Manners(**lists)
        _check(family, "scheme", made.schemes, SCHEMES)
        _check(family, "shape", made.shapes, SHAPES)
        _check(family, "ending", made.endings, ENDINGS)
        if made.counter not in COUNTERS:
            raise GenerationError(f"manners.yaml, {family}: unknown counter {made.counter!r}")
        out[family] = made
    return out


def _check(family: str, what: str, names: tuple[str, ...], known: Collection[str]) -> None:
    for name in names:
        if name not in known:
            raise GenerationError(f"manners.yaml, {family}: unknown {what} {name!r}")


def manners(family: str) -> Manners:
    """Return the manners of a family; a family that is not listed behaves as most do."""
    return _table().get(family, _USUAL)


_USUAL = Manners()
