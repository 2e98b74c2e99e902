"""Operations on descriptions: always valid pieces, and each does what its name says."""

import dataclasses
import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.description import LEVELS, Description
from domain.errors import DescriptionError
from domain.facets import MODES, TONICS, Facets
from evolution.descriptions import (
    FIELDS,
    Pattern,
    Variation,
    extend,
    facets_of,
    follow,
    from_vector,
    mutate,
    splice,
    splice_bars,
    steer,
    transition,
    vary,
    vector,
)
from evolution.timing import bar_seconds, before_the_end, body
from prompts.reader import read
from prompts.vocabulary import shipped
from tests.evolution.pieces import descriptions, piece, seeds

WORDS = shipped()
quick = settings(max_examples=60, deadline=None)


def valid(description):
    """Check what a constructor cannot: it survives JSON and nobody is idle."""
    again = Description.from_json(json.loads(json.dumps(description.to_json())))
    assert again == description
    return description


def lead_of(description):
    return next(voice for voice in description.voices if voice.role == "lead")


# Anything goes in, a piece comes out.


@quick
@given(descriptions(), st.floats(0, 1), seeds)
def test_any_piece_mutates_into_a_piece(original, strength, seed):
    child = valid(mutate(original, strength, np.random.default_rng(seed)))
    assert child == mutate(original, strength, np.random.default_rng(seed))
    assert child.seconds == original.seconds


@quick
@given(descriptions(), st.sampled_from(FIELDS), seeds)
def test_any_field_mutates_alone(original, field, seed):
    valid(mutate(original, 1.0, np.random.default_rng(seed), (field,)))


@quick
@given(descriptions(), descriptions(), st.sampled_from(Pattern), st.floats(0, 1))
def test_any_two_pieces_can_be_spliced(one, two, pattern, at):
    under = valid(splice(one, two))
    assert (under.tempo, under.metre, under.swing) == (one.tempo, one.metre, one.swing)
    assert (under.tonic, under.mode, under.seconds) == (two.tonic, two.mode, two.seconds)
    mixed = valid(splice_bars(one, two, pattern, at=at))
    assert (mixed.tempo, mixed.tonic, len(mixed.bars)) == (one.tempo, one.tonic, len(one.bars))


@quick
@given(descriptions(), seeds, st.floats(1, 180))
def test_any_piece_can_be_made_longer(original, seed, more):
    seconds = min(original.seconds + more, 600.0)
    longer = valid(extend(original, np.random.default_rng(seed), seconds=seconds))
    bar = bar_seconds(original.tempo, original.metre)
    assert longer.seconds >= min(seconds - bar - 2.6, original.seconds)
    assert longer.seconds <= max(seconds + 1.4, before_the_end(original) + 2.6)
    assert longer.tempo == original.tempo
    assert len(longer.bars) >= len(original.bars)


@quick
@given(descriptions(), descriptions(), st.floats(1, 60))
def test_any_two_pieces_have_a_bridge(one, two, seconds):
    bridge = valid(transition(one, two, seconds))
    assert bridge.seconds == seconds
    assert (bridge.tonic, bridge.mode, bridge.metre) == (two.tonic, two.mode, two.metre)


@quick
@given(
    descriptions(),
    st.fixed_dictionaries(
        {},
        optional={
            **{name: st.floats(0, 1) for name in LEVELS},
            "tempo": st.floats(40, 220),
            "tonic": st.sampled_from(TONICS),
            "mode": st.sampled_from(MODES),
            "metre": st.sampled_from([(3, 4), (6, 8), (4, 4), (7, 8), (12, 8)]),
        },
    ),
)
def test_any_piece_goes_where_it_is_steered(original, wanted):
    steered = valid(steer(original, Facets(**wanted)))
    for name, value in wanted.items():
        where = steered.levels if name in LEVELS else steered
        assert getattr(where, name) == value
    assert [voice.tune for voice in steered.voices] == [voice.tune for voice in original.voices]
    assert steered.seconds == original.seconds


@quick
@given(descriptions(), seeds)
def test_a_vector_round_trips_and_any_vector_is_a_piece(original, seed):
    values = vector(original)
    assert from_vector(values, original) == original
    assert ((values >= 0) & (values <= 1)).all()
    rng = np.random.default_rng(seed)
    wanted = rng.random(len(values))
    made = valid(from_vector(wanted, original))
    near = 9 if original.bars == made.bars else 1
    assert vector(made)[1:near] == pytest.approx(wanted[1:near], abs=1e-9)


@quick
@given(descriptions(), descriptions(), seeds)
def test_facets_of_a_child_are_true_of_it(original, other, seed):
    rng = np.random.default_rng(seed)
    said = facets_of(original, read("jazz with flute and bass at 90 bpm, in A minor"), WORDS)
    for child in (mutate(original, 0.5, rng), splice(original, other)):
        told = facets_of(child, said, WORDS, original)
        assert told.family == child.family
        assert (told.tonic, told.mode) == (child.tonic, child.mode)
        assert told.tempo == pytest.approx(min(max(child.tempo, 40), 220), abs=0.51)


# What each is for.


def test_strength_nought_is_the_piece_itself():
    original = piece()
    assert mutate(original, 0.0, np.random.default_rng(1)) is original


@pytest.mark.parametrize("strength", [-0.1, 1.1])
def test_a_strength_out_of_range_is_refused(strength):
    with pytest.raises(DescriptionError, match="strength"):
        mutate(piece(), strength, np.random.default_rng(1))


def test_an_unknown_field_is_refused_with_the_known_ones():
    with pytest.raises(DescriptionError, match="tempo"):
        mutate(piece(), 0.5, np.random.default_rng(1), ("colour",))


def changes(original, child):
    """Count what a listener would notice."""
    pairs = list(zip(original.voices, child.voices, strict=True))
    return np.array(
        [
            abs(np.log2(child.tempo / original.tempo)),
            sum(abs(getattr(child.levels, n) - getattr(original.levels, n)) for n in LEVELS),
            sum(a.instrument != b.instrument for a, b in pairs),
            sum(a.tune != b.tune for a, b in pairs),
            sum(a.chords != b.chords for a, b in zip(original.bars, child.bars, strict=False)),
        ]
    )


def test_every_part_of_a_mutation_grows_with_its_strength():
    original = piece(roles=("drums", "bass", "chords", "pad", "lead"), form="AAAABBBB")
    steps = [0.05, 0.2, 0.4, 0.7, 1.0]
    fields = set(FIELDS) - {"key", "mode", "form"}  # which move all chords at once
    means = [
        np.mean(
            [
                changes(original, mutate(original, s, np.random.default_rng(i), fields))
                for i in range(60)
            ],
            axis=0,
        )
        for s in steps
    ]
    assert (np.diff(means, axis=0) > 0).all(), np.round(means, 2)


def test_a_lead_keeps_its_tune_till_last():
    original = piece()
    for seed in range(20):
        child = mutate(original, 0.5, np.random.default_rng(seed), ("tunes",))
        assert lead_of(child).tune == lead_of(original).tune
        assert (
            sum(a.tune != b.tune for a, b in zip(child.voices, original.voices, strict=True)) == 2
        )


def test_a_variation_keeps_the_tune_and_a_subtle_one_the_harmony():
    original = piece()
    for seed in range(20):
        for how in Variation:
            child = vary(original, how, np.random.default_rng(seed))
            assert child != original
            assert lead_of(child).tune == lead_of(original).tune
        subtle = vary(original, Variation.SUBTLE, np.random.default_rng(seed))
        assert (subtle.tonic, subtle.mode) == (original.tonic, original.mode)
        assert [bar.chords for bar in subtle.bars[:4]] == [bar.chords for bar in original.bars[:4]]
        pairs = list(zip(original.voices, subtle.voices, strict=True))
        assert sum(a != b for a, b in pairs) == 1


def test_a_splice_is_ones_groove_under_the_others_melody():
    groove = piece(tune=1, tempo=96, family="reggae", swing=0.2)
    melody = piece(tune=2, tempo=104, family="jazz", tonic="Eb", chords=("Eb", "Cm", "Ab", "Bb7"))
    child = splice(groove, melody)
    assert {v.role: v.tune[0] for v in child.voices} == {
        **dict.fromkeys(("drums", "bass"), 1),
        **dict.fromkeys(("chords", "lead"), 2),
    }
    assert {v.role: v.style for v in child.voices}["bass"] == "reggae"
    assert (child.family, child.tempo, child.swing) == ("reggae", 96, 0.2)
    assert [str(bar.chords[0]) for bar in body(child)][:2] == ["Eb", "Cm"]
    assert all(bar.density is None for bar in child.bars)
    assert before_the_end(child) < child.seconds == melody.seconds


def test_a_splice_brings_chords_into_the_other_metre():
    melody = piece(metre=(4, 4), chords=("C", "Am", "F", "G"))
    turned = dataclasses.replace(melody.bars[0].chords[0], beat=2.0, root="D")
    bar = dataclasses.replace(melody.bars[0], chords=(*melody.bars[0].chords, turned))
    melody = dataclasses.replace(melody, bars=(bar, *melody.bars[1:]))
    child = splice(piece(metre=(3, 4)), melody)
    assert child.metre == (3, 4)
    assert [str(chord) for chord in child.bars[0].chords] == ["C", "D@1"]


def test_a_groove_without_drums_and_bass_is_its_chords():
    groove = piece(roles=("chords", "lead"), tune=1)
    child = splice(groove, piece(roles=("drums", "chords", "lead"), tune=2))
    assert {v.role: v.tune[0] for v in child.voices} == {"chords": 1, "drums": 2, "lead": 2}


def test_spliced_bars_take_turns_in_one_key():
    one = piece(tune=1)
    two = piece(tune=2, tonic="E", mode="minor", chords=("Em", "C", "D", "B7"), tempo=90)
    child = splice_bars(one, two, Pattern.HALVES)
    assert len(child.voices) == 8
    assert [str(bar.chords[0]) for bar in child.bars] == ["C", "Am", "G", "E7", "C"]
    tunes = {voice.name: voice.tune[0] for voice in child.voices}
    assert [{tunes[name] for name in bar.voices} for bar in child.bars] == [{1}, {1}, {2}, {2}, {1}]
    assert child.tempo == one.tempo


def test_pairs_alternate_and_sections_are_told_apart():
    one, two = piece(tune=1, form="AAAAAAAA"), piece(tune=2, form="AAAAAAAA")
    child = splice_bars(one, two, Pattern.PAIRS)
    tunes = {voice.name: voice.tune[0] for voice in child.voices}
    assert [tunes[bar.voices[0]] for bar in body(child)] == [1, 1, 2, 2, 1, 1, 2, 2]
    assert [length for _, length in child.form] == [2, 2, 2, 2, 1]


def test_a_player_that_both_have_stays_one():
    one = piece(tune=1)
    two = dataclasses.replace(
        one, voices=(*one.voices[:3], dataclasses.replace(one.voices[3], tune=(9, 9)))
    )
    assert len(splice_bars(one, two).voices) == 5


@pytest.mark.parametrize("seconds", [12.0, 20.0, 30.0, 60.0, 180.0])
def test_an_extension_has_the_clip_a_contrast_and_the_clip_again(seconds):
    original = piece(chords=("C", "Am", "F", "G"), seconds=9.0)
    longer = extend(original, np.random.default_rng(1), seconds=seconds)
    assert (longer.tempo, longer.tonic, longer.mode) == (120.0, "C", "major")
    tail = longer.seconds - before_the_end(longer)
    assert 0 < tail < bar_seconds(120.0, (4, 4)) + 2.6
    own = list(body(original))
    inner = list(body(longer))
    returns = [i for i in range(len(inner)) if inner[i : i + len(own)] == own]
    assert returns
    if seconds >= 20:
        assert len(returns) >= 1 + (seconds >= 30)
        assert inner[-2:] == own[-2:] or seconds >= 60
        assert {bar.section for bar in inner} - {"A", "B"}
        leads = {name for bar in inner for name in bar.voices if "lead" in name}
        assert len(leads) == 2
    if seconds >= 60:
        assert longer.bars[0].section == "intro"
        assert longer.bars[-2].section == "outro"
    assert longer.bars[-1] == original.bars[-1]


def test_an_extension_by_bars():
    longer = extend(piece(), np.random.default_rng(1), bars=24)
    assert len(body(longer)) == 24


@pytest.mark.parametrize(
    ("length", "message"),
    [
        ({}, "either"),
        ({"seconds": 20.0, "bars": 9}, "either"),
        ({"seconds": 4.0}, "more"),
        ({"bars": 2}, "more"),
        ({"seconds": 700.0}, "600"),
        ({"bars": 600}, "at most"),
    ],
)
def test_impossible_lengths_are_refused_in_a_sentence(length, message):
    with pytest.raises(DescriptionError, match=message):
        extend(piece(), np.random.default_rng(1), **length)


def test_a_bridge_goes_from_one_home_to_the_other():
    one = piece(tune=1, tempo=100)
    two = piece(tune=2, tempo=130, tonic="D", chords=("D", "Bm", "G", "A"))
    bridge = transition(one, two, 12.0)
    assert 100 < bridge.tempo < 130
    assert str(bridge.bars[0].chords[0]) == "C"
    assert str(bridge.bars[-2].chords[0]) == "A7"
    assert str(bridge.bars[-1].chords[0]) == "D"
    tunes = {voice.name: voice.tune[0] for voice in bridge.voices}
    heard = [{tunes[name] for name in bar.voices} for bar in bridge.bars]
    assert heard[0] == {1}
    assert {1, 2} in heard
    assert heard[-1] == {2}


def test_a_bridge_counts_a_double_tempo_as_the_same():
    assert transition(piece(tempo=70), piece(tempo=140), 10.0).tempo == 70


def test_a_bridge_of_no_length_is_refused():
    with pytest.raises(DescriptionError, match="bridge"):
        transition(piece(), piece(), 0.0)


def test_steering_frees_only_what_a_change_makes_stale():
    original = piece()
    steered = steer(original, Facets(loudness=0.9, valence=0.1))
    assert all(bar.velocity is None for bar in steered.bars)
    assert all((bar.density, bar.pitch, bar.duration) == (4.0, 60.0, 0.5) for bar in steered.bars)


def test_another_mode_keeps_the_degrees():
    minor = steer(piece(chords=("C", "Am7", "Fmaj7", "G7")), Facets(mode="minor"))
    assert [str(bar.chords[0]) for bar in minor.bars[:4]] == ["Cm", "Abmaj7", "Fm7", "Gm7"]


def test_another_key_moves_all_chords():
    moved = steer(piece(), Facets(tonic="D"))
    assert [str(bar.chords[0]) for bar in moved.bars[:4]] == ["D", "Bm", "G", "A"]


def test_a_vector_moves_what_it_says():
    original = piece()
    values = vector(original)
    values[0] = np.log2(90 / 30) / 3
    values[-4] = values[13] / 2
    made = from_vector(values, original)
    assert made.tempo == pytest.approx(90)
    assert made.bars[-1].density < 2
    assert made.bars[0].density == 4.0
    assert made.seconds > original.seconds


@pytest.mark.parametrize("values", [[], [0.5] * 5, [float("nan")] * 25])
def test_a_vector_of_another_piece_is_refused(values):
    with pytest.raises(DescriptionError, match="vector"):
        from_vector(values, piece())


# Words and pieces.


def followed(words_before, words_after, original=None):
    return follow(original or piece(), read(words_before), read(words_after), WORDS)


def test_words_steer_the_piece_and_the_tune_stays():
    child = followed("house at 120 bpm", "house at 100 bpm, in E minor")
    assert (child.tempo, child.tonic, child.mode) == (100.0, "E", "minor")
    assert [voice.tune for voice in child.voices] == [voice.tune for voice in piece().voices]


def test_a_mood_moves_levels():
    child = followed("house", "sad house")
    assert child.levels.valence < 0.4


def test_a_layer_that_is_not_wanted_leaves():
    child = followed("house", "house without drums")
    assert {voice.role for voice in child.voices} == {"bass", "chords", "lead"}


def test_an_instrument_takes_the_place_of_who_is_not_named():
    child = followed("house with flute", "house with flute and vibraphone")
    assert {voice.role: voice.instrument for voice in child.voices} == {
        "drums": "kit_house",
        "bass": "finger_bass",
        "chords": "vibraphone",
        "lead": "flute",
    }


@pytest.mark.parametrize(
    "words", ["jazz", "house with taiko", "house without flute, drums, bass, piano"]
)
def test_what_a_piece_cannot_become_is_composed_afresh(words):
    solo = piece(roles=("drums", "bass"))
    assert followed("house", words, solo) is None


def test_words_that_say_nothing_new_change_nothing():
    assert followed("house with flute", "house with flute") == piece()


def test_changes_are_said_and_the_rest_stays_open():
    original = piece()
    child = steer(original, Facets(tempo=100.0, energy=0.9))
    told = facets_of(child, read("deep house with flute"), WORDS, original)
    assert (told.genre, told.tempo, told.energy) == ("deep house", 100.0, 0.9)
    assert (told.tonic, told.valence, told.instruments) == (None, None, ("flute",))


def test_a_new_sound_is_said_and_the_old_word_goes():
    original = piece()
    lead = dataclasses.replace(original.voices[3], instrument="trumpet")
    child = dataclasses.replace(original, voices=(*original.voices[:3], lead))
    told = facets_of(child, read("house with flute and electric piano"), WORDS, original)
    assert told.instruments == ("trumpet", "electric piano")
