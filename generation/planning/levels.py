"""The eight levels of a piece: what the prompt states, else what genre and words imply, else the style's own data."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache

from domain.description import Levels
from domain.facets import FAMILIES, Facets
from generation.planning.hints import Hints
from generation.planning.patches import find_patch, patch
from generation.planning.styles import DrumStyle, Style, style
from generation.planning.timbre import mean_acoustic, sung

JITTER = 8
"""How many random numbers ``resolve`` takes."""

_BEATS = (0, 4, 8, 12)
_BACKBEATS = (4, 12)
_STROKES = "Xxo+"
_HANDS = frozenset(
    {
        *("conga_high", "conga_low", "conga_mute", "bongo_high", "bongo_low", "timbale_high"),
        *("timbale_low", "agogo_high", "agogo_low", "cowbell", "clave", "cabasa", "guiro"),
        *("shaker", "tambourine", "tom_low", "tom_mid", "block_high", "block_low"),
    }
)
_WEIGHTS = {"drums": 2.0, "bass": 2.0, "chords": 3.0, "lead": 2.0, "pad": 1.0}
"""How much each role counts for how acoustic a style is."""


_CHEER = {
    "lydian": 1.3, "major": 1.0, "pentatonic": 1.0, "mixolydian": 0.8, "whole_tone": 0.2, "blues": 0.0,
    "dorian": -0.7, "melodic_minor": -0.8, "pelog": -0.6, "minor": -1.0, "double_harmonic": -0.9,
    "harmonic_minor": -1.2, "phrygian_dominant": -0.9, "phrygian": -1.5, "locrian": -1.8,
}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Usual:
    """What is usual in a style, each in [0, 1] as in ``Levels``."""

    danceability: float
    acousticness: float
    instrumentalness: float
    loudness: float


def resolve(facets: Facets, hints: Hints, chosen: Style, jitter: Sequence[float] = ()) -> Levels:
    """Return all eight levels.

    What the facets state is taken as it is. Otherwise a level is the genre's or the style's usual one, moved by the
    words' effects and by the levels that go with it: livelier music is busier, brighter, louder, a little more made for
    dancing and a little less acoustic; happier music is brighter and more made for dancing.

    Args:
        facets: What the prompt says.
        hints: What the vocabulary knows of its genre and words.
        chosen: The family's style.
        jitter: Added to what is not stated, in the order energy, density, brightness, valence, danceability,
            acousticness, instrumentalness, loudness, such as ``rng.uniform(-0.06, 0.06, JITTER)``. Missing ones are 0.
    """
    lucky = [*map(float, jitter), *[0.0] * JITTER][:JITTER]
    base = hints.levels or (chosen.energy, chosen.density, chosen.brightness, chosen.valence)
    energy = _said_or(facets.energy, base[0] + lucky[0])
    valence = _said_or(facets.valence, base[3] + lucky[3])
    lift, cheer = energy - base[0], valence - base[3]
    density = _said_or(facets.density, base[1] + lucky[1] + 0.5 * lift)
    brightness = _said_or(facets.brightness, base[2] + lucky[2] + 0.3 * lift + 0.2 * cheer)
    usual = _expected(hints, chosen)
    return Levels(
        energy=energy,
        valence=valence,
        density=density,
        brightness=brightness,
        danceability=_said_or(
            facets.danceability, usual["danceability"] + lucky[4] + 0.15 * lift + 0.15 * cheer
        ),
        acousticness=_said_or(facets.acousticness, usual["acousticness"] + lucky[5] - 0.15 * lift),
        instrumentalness=_voice(facets, usual["instrumentalness"] + lucky[6]),
        loudness=_said_or(facets.loudness, usual["loudness"] + lucky[7] + 0.6 * lift),
    )


def usual_of(chosen: Style) -> Usual:
    """Return what the data of a style imply for the four levels that style files do not state."""
    shipped = chosen.family in FAMILIES and style(chosen.family) is chosen
    return _usual_in(chosen.family) if shipped else _work_out(chosen)


@cache
def _usual_in(family: str) -> Usual:
    return _work_out(style(family))


def _work_out(chosen: Style) -> Usual:
    return Usual(
        danceability=_danceable(chosen),
        acousticness=_acoustic(chosen),
        instrumentalness=_unsung(chosen),
        loudness=_clip(
            0.22 + 0.45 * chosen.energy + 0.25 * chosen.mix.squash + 0.15 * chosen.mix.drive
        ),
    )


def mode_cheer(mode: str) -> float:
    """Return how bright a mode is felt to be: lydian 1.3, major 1, blues 0, minor -1, locrian -1.8.

    The church modes lie on the circle of fifths, each a flat darker than the one before; the others are placed among
    them by their thirds, sixths and seconds.
    """
    return _CHEER.get(mode, 0.0)


def far_from_style(facets: Facets, hints: Hints, chosen: Style) -> float:
    """Return how badly a style suits what is said of dancing, acoustic sounds and loudness; 0 where nothing is.

    Args:
        facets: What the prompt says.
        hints: What its words imply.
        chosen: The style to judge.
    """
    own = usual_of(chosen)
    far = 0.0
    for name in ("danceability", "acousticness", "loudness"):
        said = getattr(facets, name)
        pull = hints.feels.get(name, 0.0)
        if said is None and abs(pull) >= 0.1:
            said = _clip(0.5 + 1.2 * pull)
        if said is not None:
            far += 8 * (said - getattr(own, name)) ** 2
    return far


def _expected(hints: Hints, chosen: Style) -> Mapping[str, float]:
    """The genre and its family's style count alike; the words come on top."""
    own = usual_of(chosen)
    out = {}
    for name in ("danceability", "acousticness", "instrumentalness", "loudness"):
        level: float = getattr(own, name)
        if name in hints.usual:
            level = 0.5 * (level + hints.usual[name])
        out[name] = level + hints.feels.get(name, 0.0)
    return out


def _voice(facets: Facets, usual: float) -> float:
    if facets.instrumentalness is not None:
        return _clip(facets.instrumentalness)
    if {"vocals", "vocal", "voice", "choir"} & set(facets.without):
        return 1.0
    asked = (find_patch(word) for word in facets.instruments)
    if any(found is not None and sung(found) for found in asked):
        return 0.2
    return _clip(usual)


def _said_or(said: float | None, otherwise: float) -> float:
    return _clip(otherwise if said is None else said)


def _clip(value: float) -> float:
    return float(min(1.0, max(0.0, value)))


def _danceable(chosen: Style) -> float:
    """A kick on the beats, a backbeat, something that ticks, tight players, and a tempo near 118 make for dancing."""
    low, high = chosen.tempo
    middle = math.sqrt(low * high)
    near = math.exp(-((math.log2(middle / 118) / 0.5) ** 2))
    # Music at 160 is also danced at half that.
    near = max(near, 0.7 * math.exp(-((math.log2(middle / 160) / 0.4) ** 2)))
    tight = _clip(1 - chosen.human.timing / 14)
    strong = _clip(chosen.energy / 0.6)
    if chosen.drums is None:
        steps = _steps(chosen)
        return _clip(0.06 + 0.1 * near + 0.1 * tight + 0.25 * strong * steps)
    beat, back, tick = _groove(chosen.drums)
    return _clip(
        0.1 + strong * (0.26 * beat + 0.1 * back + 0.1 * tick) + 0.24 * near * strong + 0.14 * tight
    )


def _groove(drums: DrumStyle) -> tuple[float, float, float]:
    """Shares of beats with a kick, of backbeats with a stroke, and of eighths that tick, over all grooves.

    Where no kick marks the beats but hand drums do, they count for two thirds of it.
    """
    beat = back = tick = 0.0
    for groove in drums.grooves:
        kick = groove.get("kick", "")
        other = max(
            (_share(row, _BEATS) for piece, row in groove.items() if piece in _HANDS), default=0
        )
        beat += max(_share(kick, _BEATS), 0.67 * other)
        back += max(
            _share(groove.get(p, ""), _BACKBEATS) for p in ("snare", "clap", "rim", "brush")
        )
        ticking = ("hat", "open", "ride", "shaker", "cabasa", "tambourine")
        heard = {s for p in ticking for s, m in enumerate(groove.get(p, "")) if m in _STROKES}
        tick += len({s % 16 for s in heard} & set(range(0, 16, 2))) / 8
    count = max(1, len(drums.grooves))
    return beat / count, back / count, tick / count


def _steps(chosen: Style) -> float:
    """How much of the beat a bass without drums marks."""
    if chosen.bass is None or not chosen.bass.patterns:
        return 0.0
    shares = [
        sum(row[step] not in ".-" for step in _BEATS) / len(_BEATS) for row in chosen.bass.patterns
    ]
    return sum(shares) / len(shares)


def _share(row: str, steps: Sequence[int]) -> float:
    bars = max(1, len(row) // 16)
    hits = sum(row[16 * bar + s] in _STROKES for bar in range(len(row) // 16) for s in steps)
    return hits / (bars * len(steps))


def _acoustic(chosen: Style) -> float:
    total = weight = 0.0
    for role, share in _WEIGHTS.items():
        part = getattr(chosen, role)
        names = () if part is None else part.kits if role == "drums" else part.patches
        if names:
            heard = share * (chosen.pad.chance if role == "pad" and chosen.pad else 1.0)
            total += heard * mean_acoustic(tuple(names))
            weight += heard
    return _clip(total / weight) if weight else 0.5


def _unsung(chosen: Style) -> float:
    """A style that has voices among its leads is a little less instrumental."""
    lead = chosen.lead.patches if chosen.lead is not None else ()
    share = sum(sung(patch(name)) for name in lead) / len(lead) if lead else 0.0
    return _clip(0.85 - 0.35 * share)
