import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.errors import DescriptionError
from generation.genome.figaro import BINS, VOCABULARY, from_tokens, to_bin, to_text, to_tokens
from generation.genome.grammar import check, random_description
from generation.genome.realise import plan_of
from generation.planning.gm import PROGRAMS
from generation.planning.patches import patch
from generation.writing.arrange import arrange


def test_the_vocabulary_is_figaros():
    assert len(VOCABULARY) == len(set(VOCABULARY)) == 965
    assert VOCABULARY[:5] == ("<pad>", "<unk>", "<bos>", "<eos>", "<mask>")
    assert sum(token.startswith("Time Signature_") for token in VOCABULARY) == 90
    assert sum(token.startswith("Instrument_") for token in VOCABULARY) == 129
    assert sum(token.startswith("Chord_") for token in VOCABULARY) == 97
    for token in ("Chord_A#:dom7", "Chord_N:N", "Time Signature_48/16", "Bar_511"):
        assert token in VOCABULARY


def test_units_are_quarters():
    assert BINS["density"][16] == 6.0
    assert BINS["duration"][0] == pytest.approx(1 / 12)
    assert to_bin("duration", 128 / 12) == 32
    assert to_bin("pitch", 60.0) == 15


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_out_and_in_again_changes_nothing_but_what_figaro_cannot_say(seed):
    description = random_description(np.random.default_rng(seed))
    tokens = to_tokens(description)
    assert set(tokens) <= set(VOCABULARY)
    back, _ = from_tokens(to_text(description), tempo=description.tempo)
    assert check(back) == ()
    assert to_tokens(back) == tokens
    for asked, bar in zip(description.bars, back.bars, strict=True):
        if asked.velocity is not None:
            assert abs(bar.velocity - asked.velocity) <= 2.0
        if asked.pitch is not None:
            assert abs(bar.pitch - asked.pitch) <= 2.0


@pytest.mark.parametrize("program", range(128))
def test_every_instrument_can_be_imported(program):
    description, _ = from_tokens(f"<Bar_1> <Instrument_{PROGRAMS[program]}> <Chord_C:maj>")
    assert patch(description.voices[0].instrument).program == program


def test_the_example_of_the_emotion_project_plays():
    text = (
        "<Bar_1> <Time Signature_4/4> <Note Density_9> <Mean Velocity_22> <Mean Pitch_12> <Mean Duration_14> "
        "<Instrument_Drums> <Instrument_Electric Bass (finger)> <Chord_A:min7> "
        "<Bar_2> <Time Signature_4/4> <Instrument__Drums> <Chord_N:N>"
    )
    description, repairs = from_tokens(text, family="soul")
    assert [voice.role for voice in description.voices] == ["drums", "bass"]
    assert str(description.bars[0].chords[0]) == "Am7"
    assert description.bars[0].density == 3.375
    assert repairs == ()
    assert {part.role for part in arrange(plan_of(description)).parts} == {"drums", "bass"}


def test_what_is_wrong_is_read_as_far_as_it_goes_and_listed():
    tokens = [
        *("Instrument_Violins", "Bar_7", "Note Density_99", "Instrument_Kazoo", "Instrument_Flute"),
        *("Chord_H:maj", "Time Signature_3/4", "Bar_2", "Time Signature_4/4", "nonsense"),
    ]
    description, repairs = from_tokens(tokens)
    assert {voice.name for voice in description.voices} == {"Violin", "Flute"}
    assert {one.was for one in repairs} >= {
        *("missing", "Violins", "7", "99", "Kazoo", "Chord_H:maj", "4/4", "nonsense"),
    }
    assert check(description) == ()


def test_too_many_instruments_are_left_out_and_listed():
    text = "<Bar_1>" + "".join(f"<Instrument_{name}>" for name in PROGRAMS[:40]) + "<Chord_C:maj>"
    description, repairs = from_tokens(text)
    assert len(description.voices) == 16
    assert sum(one.where == "voices" for one in repairs) == 24


@pytest.mark.parametrize("text", ["", "hello", "<Bar_1> <Chord_C:maj>"])
def test_nothing_to_play_is_refused(text):
    with pytest.raises(DescriptionError):
        from_tokens(text)
