"""Draws descriptions at random from everything that the grammar has."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import TypeVar

import numpy as np

from domain.chords import QUALITIES, ChordAt
from domain.description import BarDescription, Description, Levels, VoiceDescription
from domain.facets import FAMILIES, MODES, TONICS
from generation.genome.reach import comfort_of, comfortable
from generation.genome.realise import grid_of, seconds_of
from generation.planning.metres import suits
from generation.planning.patches import patch, patch_names
from generation.planning.plan import name_voices
from generation.planning.styles import style
from generation.planning.theory import SCALES

METRES = (
    *((4, 4), (4, 4), (4, 4), (3, 4), (3, 4), (2, 4), (5, 4), (6, 4), (7, 4), (2, 2), (3, 2)),
    *((6, 8), (6, 8), (9, 8), (12, 8), (3, 8), (5, 8), (7, 8), (8, 8), (11, 8), (13, 8), (15, 16)),
)
"""Metres to draw from, the usual ones more often."""
FORMS = (
    (("A", 4), ("B", 4)),
    (("intro", 2), ("A", 4), ("B", 4), ("outro", 2)),
    (("A", 2), ("A2", 2), ("B", 2), ("A", 2)),
    (("verse", 4), ("chorus", 4), ("bridge", 2), ("chorus", 4)),
    (("intro", 1), ("build", 3), ("drop", 4), ("break", 2), ("build", 2), ("drop", 4)),
    (("A", 3), ("solo", 4), ("C", 3)),
)
"""Sections with their bars."""
_ROLES = ("bass", "chords", "lead", "pad", "counter", "chords", "lead")
_PLAIN = ("", "m", "7", "m7", "maj7")
_T = TypeVar("_T")


def random_description(rng: np.random.Generator) -> Description:
    """Draw a description of any family, metre, tempo, key, form, cast and bars, all of which can be played.

    Two to eight voices come and go from bar to bar, and every bar has numbers that its players reach.
    """
    family = _pick(rng, FAMILIES)
    metre = _pick(rng, [metre for metre in METRES if suits(style(family), metre)])
    form = [name for name, bars in _pick(rng, FORMS) for _ in range(bars)]
    voices = _voices(rng)
    made = Description(
        family=family,
        tempo=round(float(rng.uniform(48, 200)), 2),
        tonic=_pick(rng, TONICS),
        mode=_pick(rng, MODES),
        metre=metre,
        swing=round(float(rng.uniform(0, 0.35)), 2) if rng.uniform() < 0.4 else 0.0,
        swing_unit=int(_pick(rng, (8, 16))),
        seconds=1.0,
        levels=Levels(
            **{field.name: round(float(rng.uniform()), 3) for field in dataclasses.fields(Levels)}
        ),
        tune=_tune(rng),
        voices=voices,
        bars=tuple(BarDescription(section=name) for name in (*form, "end")),
    )
    beats = grid_of(made).bar_steps // grid_of(made).beat_steps
    if (
        rng.uniform() < 0.15
        and beats > 1
        and grid_of(made).bar_steps % grid_of(made).beat_steps == 0
    ):
        upbeat = BarDescription(section="upbeat")
        pickup = int(rng.integers(1, beats))
        made = dataclasses.replace(made, pickup=pickup, bars=(upbeat, *made.bars))
    bars = tuple(_bar(rng, made, number) for number in range(len(made.bars)))
    # The last bar is heard whole, so that its numbers can be.
    seconds = seconds_of(made) + grid_of(made).bar_seconds
    return dataclasses.replace(made, bars=bars, seconds=round(seconds, 2))


def _pick(rng: np.random.Generator, pool: Sequence[_T]) -> _T:
    return pool[int(rng.integers(len(pool)))]


def _tune(rng: np.random.Generator) -> tuple[int, int]:
    first, second = rng.integers(0, 2**32, 2)
    return int(first), int(second)


def _voices(rng: np.random.Generator) -> tuple[VoiceDescription, ...]:
    count = int(rng.integers(2, 9))
    roles = ["drums"] if rng.uniform() < 0.75 else []
    order = [*_ROLES[:3], *(str(role) for role in rng.permutation(_ROLES[3:]))]
    roles += order[: max(1, count - len(roles))]
    taken: set[int] = set()
    voices = []
    for name, role in zip(name_voices(roles), roles, strict=True):
        pool = [
            found
            for found in map(patch, patch_names())
            if found.percussion == (role == "drums")
            and (role == "drums" or found.program not in taken)
            and (role == "drums" or _at_home(found.low, found.high, role))
        ]
        found = _pick(rng, pool)
        if role != "drums":
            taken.add(found.program)
        voices.append(
            VoiceDescription(
                name=name,
                role=role,
                instrument=found.name,
                style=_pick(rng, FAMILIES),
                tune=_tune(rng),
            )
        )
    return tuple(voices)


def _at_home(low: int, high: int, role: str) -> bool:
    """Say whether an instrument has an octave and a half where a role plays."""
    if role == "bass":
        return low <= 40
    return min(high, 90) - max(low, 45) >= 18


def _bar(rng: np.random.Generator, made: Description, number: int) -> BarDescription:
    section = made.bars[number].section
    present = [v for v in made.voices if rng.uniform() < (0.5 if section == "intro" else 0.8)]
    pitched = [v for v in made.voices if v.role != "drums"]
    if not any(v in pitched for v in present) and (rng.uniform() > 0.2 or not present):
        present.append(_pick(rng, pitched))
    players = [v for v in made.voices if v in present]
    quarters = made.metre[0] * 4 / made.metre[1]
    if section == "upbeat":
        grid = grid_of(made)
        heard = made.pickup * grid.beat_steps / 4
    else:
        heard = quarters
    alone = all(v.role == "drums" for v in players)
    bare = BarDescription(
        section=section,
        source=number,
        chords=() if alone else _chords(rng, made, split=section not in {"upbeat", "end"}),
        voices=tuple(v.name for v in players),
    )
    comfort = comfort_of(bare, players, heard)
    least, most = comfort.count
    count = least + round((most - least) * float(rng.beta(1.4, 3.0)))
    shortest, longest = comfortable(bare, players, heard, count)
    return dataclasses.replace(
        bare,
        density=round(count / quarters, 4),
        velocity=round(float(rng.uniform(35, 110)), 1),
        pitch=round(float(rng.uniform(*comfort.pitch)), 1) if comfort.pitch is not None else None,
        duration=None if alone else round(float(rng.uniform(shortest, longest)), 3),
    )


def _chords(rng: np.random.Generator, made: Description, *, split: bool) -> tuple[ChordAt, ...]:
    """One chord for the bar, or two or three of a quarter note at least."""
    beats, value = made.metre
    least = max(1, value // 4)
    starts = [0]
    for _ in range(int(rng.choice([0, 1, 2], p=[0.62, 0.3, 0.08])) if split else 0):
        free = [
            beat
            for beat in range(least, beats - least + 1)
            if all(abs(beat - start) >= least for start in starts)
        ]
        if free:
            starts.append(_pick(rng, free))
    tonic = TONICS.index(made.tonic)
    chords: list[ChordAt] = []
    for start in sorted(starts):
        root = tonic + int(
            _pick(rng, SCALES[made.mode]) if rng.uniform() < 0.85 else rng.integers(12)
        )
        quality = _pick(rng, _PLAIN if rng.uniform() < 0.4 else QUALITIES)
        chord = ChordAt(beat=float(start), root=TONICS[root % 12], quality=quality)
        if not chords or (chord.root, chord.quality) != (chords[-1].root, chords[-1].quality):
            chords.append(chord)
    return tuple(chords)
