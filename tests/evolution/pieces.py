"""Random descriptions for property tests, over the words of the domain and not over what a composer makes."""

import random

from hypothesis import strategies as st

from domain.chords import QUALITIES, ChordAt
from domain.description import (
    LEVELS,
    MAX_SOURCE,
    ROLES,
    SECTIONS,
    BarDescription,
    Description,
    Levels,
    VoiceDescription,
)
from domain.facets import FAMILIES, MODES, TONICS
from evolution.ensembles import kins
from evolution.numbers import RANGES
from evolution.timing import length_of

METRES = ((4, 4), (3, 4), (6, 8), (5, 4), (7, 8), (12, 8), (2, 2), (3, 8))
INNER = tuple(name for name in SECTIONS if name not in ("upbeat", "end"))
seeds = st.integers(0, 2**32)


def _players(rng):
    out = []
    for number in range(rng.randint(1, 6)):
        role = rng.choice(ROLES)
        sounds = [name for group in kins(role) for name in group]
        out.append(
            VoiceDescription(
                name=rng.choice((f"{role} {number}", f"voice {number}")),
                role=role,
                instrument=rng.choice([*sounds, "something else"]),
                style=rng.choice(FAMILIES),
                tune=(rng.randrange(2**32), rng.randrange(2**32)),
                asked=rng.random() < 0.5,
            )
        )
    return tuple(out)


def _bar(rng, section, band, metre):
    beats = [0, *sorted(rng.sample(range(1, metre[0]), min(rng.randint(0, 2), metre[0] - 1)))]
    chords = [
        ChordAt(beat=beat, root=rng.choice(TONICS), quality=rng.choice(QUALITIES)) for beat in beats
    ]
    playing = [voice for voice in band if rng.random() < 0.7]
    if all(voice.role == "drums" for voice in playing) and rng.random() < 0.5:
        chords = []
    numbers = {
        name: rng.choice((None, low, high, rng.uniform(low, high)))
        for name, (low, high) in RANGES.items()
    }
    return BarDescription(
        section=section,
        source=rng.choice((0, rng.randint(0, 40), MAX_SOURCE)),
        chords=tuple(chords),
        voices=tuple(voice.name for voice in playing),
        **numbers,
    )


def any_piece(rng):
    """Make any piece that can be built, its clip about as long as its bars."""
    metre, band, pickup = rng.choice(METRES), _players(rng), rng.randint(0, 1)
    names = [
        *(["upbeat"] * pickup),
        *(rng.choice(INNER[:5]) for _ in range(rng.choice((0, 1, 3, 4, 8, 13)))),
        "end",
    ]
    tempo = round(rng.uniform(30, 240), 2)
    seconds = length_of(len(names), tempo, metre) * rng.uniform(0.8, 1.1)
    return Description(
        family=rng.choice(FAMILIES),
        tempo=tempo,
        tonic=rng.choice(TONICS),
        mode=rng.choice(MODES),
        metre=metre,
        swing=rng.uniform(0, 0.5),
        swing_unit=rng.choice((8, 16)),
        pickup=pickup,
        seconds=min(max(seconds, 1.0), 600.0),
        levels=Levels(**{name: rng.choice((0.0, 1.0, rng.random())) for name in LEVELS}),
        words=tuple(rng.sample(("warm", "vinyl crackle", "1980s"), rng.randint(0, 2))),
        tune=(rng.randrange(2**32), 7),
        voices=band,
        bars=tuple(_bar(rng, name, band, metre) for name in names),
    )


def descriptions():
    """Draw any piece."""
    return st.integers(0, 2**32).map(lambda seed: any_piece(random.Random(seed)))


SOUNDS = {
    "drums": "kit_house",
    "bass": "finger_bass",
    "chords": "rhodes",
    "pad": "warm_pad",
    "lead": "flute",
    "counter": "clarinet",
}


def piece(
    *,
    roles=("drums", "bass", "chords", "lead"),
    chords=("C", "Am", "F", "G"),
    form=("A", "A", "B", "B"),
    tempo=120.0,
    tune=0,
    family="house",
    sounds=None,
    **values,
):
    """Make a plain piece: one chord a bar, everybody plays, all numbers set."""
    sounds = {**SOUNDS, **(sounds or {})}
    band = tuple(
        VoiceDescription(
            name=role, role=role, instrument=sounds[role], style=family, tune=(tune, number)
        )
        for number, role in enumerate(roles)
    )
    metre = values.get("metre", (4, 4))
    written = [
        BarDescription(
            section=section,
            source=number,
            chords=(ChordAt.parse(chords[number % len(chords)]),),
            voices=tuple(roles),
            density=4.0,
            pitch=60.0,
            velocity=80.0,
            duration=0.5,
        )
        for number, section in enumerate((*form, "end"))
    ]
    if not {"seconds"} & set(values):
        values["seconds"] = length_of(len(form), tempo, metre)
    values.setdefault("tonic", "C")
    values.setdefault("mode", "major")
    return Description(
        family=family, tempo=tempo, tune=(tune, 0), voices=band, bars=tuple(written), **values
    )
