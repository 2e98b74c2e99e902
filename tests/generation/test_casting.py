"""Who plays: what was asked for, and what acousticness and instrumentalness make of the rest."""

import itertools

import numpy as np
import pytest

from domain.description import Levels
from domain.facets import FAMILIES, Facets
from generation.planning.casting import cast
from generation.planning.levels import usual_of
from generation.planning.patches import patch
from generation.planning.styles import style
from generation.planning.timbre import acoustic, stand_ins, sung

_STEPS = [step / 20 for step in range(21)]


def _cast(family, seed=0, facets=None, **levels):
    own = style(family)
    usual = usual_of(own)
    base = {
        "acousticness": usual.acousticness,
        "instrumentalness": 0.6,
        "danceability": usual.danceability,
    }
    return cast(
        own,
        facets or Facets(family=family),
        0.5,
        np.random.default_rng(seed),
        levels=Levels(**{**base, **levels}),
    )


def _sounds(players):
    """How acoustic everybody is but for voices, which instrumentalness is about."""
    return [acoustic(voice.patch) for voice in players.voices if not sung(voice.patch)]


def _sides(players):
    """-1 for electronic, 0 for electric, 1 for acoustic players."""
    return [(value >= 0.6) - (value <= 0.4) for value in _sounds(players)]


@pytest.mark.parametrize("family", FAMILIES)
def test_at_its_usual_levels_a_style_keeps_its_own_sounds(family):
    own = style(family)
    for seed in range(5):
        plain = cast(own, Facets(), 0.5, np.random.default_rng(seed))
        assert _cast(family, seed) == plain


@pytest.mark.parametrize("family", FAMILIES)
def test_more_acoustic_never_makes_a_player_less_acoustic(family):
    for seed in range(3):
        ladder = [_sides(_cast(family, seed, acousticness=step)) for step in _STEPS]
        for before, after in itertools.pairwise(ladder):
            assert all(a <= b for a, b in zip(before, after, strict=True))


def test_at_the_ends_all_are_acoustic_or_none():
    for family in FAMILIES:
        for seed in range(3):
            assert min(_sounds(_cast(family, seed, acousticness=1.0))) >= 0.6
            assert max(_sounds(_cast(family, seed, acousticness=0.0))) <= 0.4


def test_a_synthesiser_family_gets_acoustic_stand_ins():
    for family in ("techno", "synthwave", "chiptune"):
        assert max(_sounds(_cast(family))) == 0.0
        assert min(_sounds(_cast(family, acousticness=1.0))) >= 0.9


def test_the_cast_changes_one_player_at_a_time():
    changes = set()
    for seed in range(12):
        names = [
            tuple(v.patch.name for v in _cast("house", seed, acousticness=step).voices)
            for step in _STEPS
        ]
        changes.add(len(set(names)))
    assert max(changes) >= 4


def test_what_was_asked_for_plays_however_acoustic_it_is():
    facets = Facets(instruments=("synth lead", "drum machine"))
    players = _cast("folk", facets=facets, acousticness=1.0)
    assert {"saw_lead", "kit_808"} <= {voice.patch.name for voice in players.voices}


def test_a_general_word_means_the_acoustic_or_electric_one():
    facets = Facets(instruments=("guitar", "strings"))
    for family, level, expected in (
        ("metal", 1.0, {"nylon_guitar", "strings"}),
        ("metal", 0.5, {"distortion_guitar", "strings"}),
        ("folk", 0.0, {"jazz_guitar", "synth_strings"}),
    ):
        names = {v.patch.name for v in _cast(family, facets=facets, acousticness=level).voices}
        assert expected <= names, (family, level, names)


def test_what_is_unwanted_does_not_stand_in():
    facets = Facets(without=("flute", "violin", "piano"))
    for seed in range(8):
        players = _cast("synthwave", seed, facets, acousticness=1.0)
        names = {voice.patch.name for voice in players.voices}
        assert not names & {"flute", "violin", "piano"}


def test_sung_music_has_a_voice_and_instrumental_music_has_none():
    for family in FAMILIES:
        for seed in range(3):
            sings = _cast(family, seed, instrumentalness=0.05)
            assert any(sung(v.patch) for v in sings.voices if v.role == "lead")
            silent = _cast(family, seed, instrumentalness=0.9)
            assert not any(sung(voice.patch) for voice in silent.voices)


def test_no_voice_sings_that_is_unwanted():
    for seed in range(5):
        players = _cast("pop", seed, Facets(without=("vocals",)), instrumentalness=0.0)
        assert not any(sung(voice.patch) for voice in players.voices)


def test_a_lead_that_was_asked_for_is_not_displaced_by_a_voice():
    players = _cast("jazz", facets=Facets(instruments=("trumpet",)), instrumentalness=0.0)
    assert players.voice("lead").patch.name == "trumpet"


def test_an_electric_guitar_becomes_an_acoustic_one():
    found = stand_ins("chords", patch("distortion_guitar"), towards_acoustic=True)
    assert set(found) == {"steel_guitar", "nylon_guitar"}
