"""The tables that breeding keeps of sounds, words and scales agree with those of the rooms that own them."""

import numpy as np
import pytest

from domain.description import ROLES
from domain.facets import MODES
from evolution.ensembles import WORDS, heard, kins, player, stand_in, words_of
from evolution.keys import SCALES, ChordAt, diatonic, nearest_shift, revoiced, substitutes
from generation.planning.patches import patch
from generation.planning.theory import SCALES as PLAYED
from prompts.vocabulary import shipped
from tests.evolution.pieces import piece


def test_every_sound_is_one_of_the_composers_and_can_take_its_role():
    for role in ROLES:
        for name in (name for group in kins(role) for name in group):
            assert patch(name).percussion == (role == "drums"), name
    for name in WORDS:
        assert patch(name).name == name


def test_every_word_is_in_the_vocabulary():
    assert set(WORDS.values()) <= set(shipped().instruments)


@pytest.mark.parametrize("distance", [0.0, 1.0])
def test_a_stand_in_is_another_sound_of_like_kind_or_not(distance):
    rng = np.random.default_rng(0)
    for voice in piece(roles=("drums", "bass", "chords", "lead")).voices:
        own = next(group for group in kins(voice.role) if voice.instrument in group)
        for _ in range(20):
            name = stand_in(voice, distance, rng)
            assert name != voice.instrument
            assert (name in own) == (distance == 0.0)


def test_words_are_heard_by_name_kin_and_layer():
    voices = {voice.role: voice for voice in piece().voices}
    for word, role in (("drums", "drums"), ("bass", "bass"), ("flute", "lead")):
        assert heard(word, voices[role], shipped())
    assert not heard("trumpet", voices["lead"], shipped())
    assert not heard("zorp", voices["lead"], shipped())
    assert words_of(piece(), ("lead", "chords"), shipped()) == ("flute", "electric piano")
    assert player("flute", shipped()) == ("flute", ("lead",))
    assert player("drums", shipped()) is None


def test_every_mode_has_the_scale_that_is_played():
    assert set(SCALES) >= set(MODES)
    for mode in MODES:
        if mode != "whole_tone":  # has six tones; the composer adds a leading tone for its dominant
            assert SCALES[mode] == PLAYED[mode], mode


@pytest.mark.parametrize(
    ("source", "target", "shift"),
    [
        ((0, "major"), (2, "major"), 2),
        ((4, "minor"), (0, "major"), 5),
        ((9, "minor"), (0, "major"), 0),
    ],
)
def test_keys_meet_where_they_share_most(source, target, shift):
    assert nearest_shift(source, target) == shift


def test_a_dominant_stays_one_in_minor():
    assert str(revoiced(ChordAt(root="E", quality="7"), (9, "minor"), (0, "minor"))) == "G7"
    assert str(revoiced(ChordAt(root="C#", quality="dim"), (0, "major"), (2, "minor"))) == "Ebdim"


def test_substitutes_go_from_near_to_far():
    options = [str(chord) for chord in substitutes(ChordAt(root="G"), (0, "major"))]
    assert options == ["Gadd9", "Gsus4", "Em", "Bm7b5", "Gm", "C#7"]
    for mode in MODES:
        chord = diatonic((5, mode), 3)
        assert all(option.beat == chord.beat for option in substitutes(chord, (5, mode)))
