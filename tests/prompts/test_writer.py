"""What is written reads back, in at most forty words, and is not always the same sentence."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.facets import FAMILIES, MODES, TONICS, Facets
from prompts.levels import AXES, LEVELS, level_index, quantise, quantise_tempo
from prompts.reader import read
from prompts.tidy import CAPS, tidy
from prompts.vocabulary import shipped
from prompts.writer import MAX_WORDS, says, write, written


def _some(words, most):
    return st.lists(st.sampled_from(sorted(words)), max_size=most, unique=True).map(tuple)


def _maybe(strategy):
    return st.none() | strategy


_V = shipped()
_LEVEL = _maybe(st.floats(0, 1))


@st.composite
def facets(draw):
    genre = draw(_maybe(st.sampled_from(sorted(_V.genres))))
    family = _V.genres[genre].family if genre else draw(_maybe(st.sampled_from(FAMILIES)))
    return Facets(
        genre=genre,
        family=family,
        moods=draw(_some(_V.moods, 3)),
        instruments=draw(_some(_V.instruments, 4)),
        without=draw(_some(_V.instruments, 2)),
        era=draw(_maybe(st.sampled_from(sorted(_V.eras)))),
        textures=draw(_some(_V.textures, 2)),
        production=draw(_some(_V.production, 2)),
        uses=draw(_some(_V.uses, 1)),
        tempo=draw(_maybe(st.floats(40, 220))),
        tonic=draw(_maybe(st.sampled_from(TONICS))),
        mode=draw(_maybe(st.sampled_from(MODES))),
        metre=draw(_maybe(st.sampled_from([(4, 4), (3, 4), (6, 8), (7, 8), (5, 4), (12, 8)]))),
        energy=draw(_LEVEL),
        density=draw(_LEVEL),
        brightness=draw(_LEVEL),
        valence=draw(_LEVEL),
        danceability=draw(_LEVEL),
        acousticness=draw(_LEVEL),
        instrumentalness=draw(_LEVEL),
        loudness=draw(_LEVEL),
    )


@settings(max_examples=150, deadline=None)
@given(facets(), st.integers(0, 2**32))
def test_written_facets_read_back(wanted, seed):
    text = write(wanted, np.random.default_rng(seed))
    said, heard = written(wanted), read(text)
    assert len(text.split()) <= MAX_WORDS
    assert says(heard, said), text
    assert heard.unknown == ()
    for name, value in said.to_json().items():
        got = heard.to_json()[name]
        assert set(got) == set(value) if name in CAPS else got == value


@settings(max_examples=100, deadline=None)
@given(facets(), st.integers(0, 2**32))
def test_reading_and_writing_again_changes_nothing(wanted, seed):
    rng = np.random.default_rng(seed)
    once = read(write(wanted, rng))
    assert says(read(write(once, rng)), written(once))


@given(facets())
def test_a_small_set_is_written_whole(wanted):
    small = Facets(
        genre=wanted.genre,
        family=wanted.family,
        moods=wanted.moods[:2],
        instruments=wanted.instruments[:2],
        tempo=wanted.tempo,
        tonic=wanted.tonic,
        mode=wanted.mode,
        energy=wanted.energy,
        valence=wanted.valence,
    )
    assert written(small) == tidy(small, _V)


@pytest.mark.parametrize("axis", AXES)
@pytest.mark.parametrize("level", LEVELS)
def test_every_level_is_written_in_each_of_its_wordings(axis, level):
    wanted = Facets(**{axis: level})
    texts = {write(wanted, np.random.default_rng(seed)) for seed in range(12)}
    assert len(texts) >= 2
    assert all(read(text) == wanted for text in texts), texts


@pytest.mark.parametrize("mode", MODES)
def test_every_mode_is_written_with_and_without_a_tonic(mode):
    for tonic in (None, "F#"):
        text = write(Facets(mode=mode, tonic=tonic), np.random.default_rng(1))
        heard = read(text)
        assert (heard.mode, heard.tonic, heard.unknown) == (mode, tonic, ()), text


def test_the_same_facets_have_many_wordings():
    wanted = read(
        "dreamy 80s synthwave at 96 bpm in F# minor with synth lead and bass, vinyl crackle, no vocals"
    )
    rng = np.random.default_rng(3)
    assert len({write(wanted, rng) for _ in range(40)}) >= 25


def test_the_same_rng_gives_the_same_words():
    wanted = read("slow sad jazz with piano and saxophone")
    assert write(wanted, np.random.default_rng(5)) == write(wanted, np.random.default_rng(5))


def test_nothing_to_say_is_still_a_prompt():
    text = write(Facets(unknown=("zorp",)), np.random.default_rng(0))
    assert "music" in text.lower()
    assert read(text) == Facets()


def test_too_much_to_say_keeps_the_genre_and_tempo():
    names = list(_V.instruments)
    crowded = Facets(
        genre="atmospheric drum and bass",
        moods=tuple(_V.moods),
        instruments=tuple(names[:60]),
        without=tuple(names[60:90]),
        textures=tuple(_V.textures),
        production=tuple(_V.production),
        uses=tuple(_V.uses),
        tempo=171.4,
        tonic="F#",
        mode="harmonic_minor",
        metre=(7, 8),
        energy=0.9,
        density=0.9,
        brightness=0.1,
        valence=0.1,
        danceability=0.1,
        acousticness=0.9,
        instrumentalness=0.1,
        loudness=0.5,
    )
    text = write(crowded, np.random.default_rng(0))
    heard = read(text)
    assert len(text.split()) <= MAX_WORDS
    assert (heard.genre, heard.tempo) == ("atmospheric drum and bass", 171.0)


@pytest.mark.parametrize(
    ("value", "level"), [(0, 0.1), (0.2, 0.1), (0.21, 0.3), (0.5, 0.5), (1, 0.9)]
)
def test_levels_are_quantised_in_five(value, level):
    assert quantise(value) == level
    assert LEVELS[level_index(value)] == level


def test_tempo_is_quantised_to_whole_beats():
    assert [quantise_tempo(tempo) for tempo in (1, 90.4, 500)] == [40.0, 90.0, 220.0]


@given(
    st.dictionaries(
        st.sampled_from([*Facets.__dataclass_fields__, "colour"]),
        st.none()
        | st.booleans()
        | st.floats()
        | st.text(max_size=8)
        | st.lists(
            st.text(max_size=5) | st.integers() | st.sampled_from(["piano", "sad", "drums"]),
            max_size=4,
        )
        | st.sampled_from(["jazz", "house", "C#", "minor", "1980s"]),
    )
)
def test_any_mapping_can_be_tidied(data):
    tidied = tidy(data, _V)
    assert tidy(tidied, _V) == tidied
    write(tidied, np.random.default_rng(0))


def test_articles_go_by_sound():
    facets = Facets(genre="lofi", moods=("euphoric", "angry"))
    wordings = [write(facets, np.random.default_rng(seed)) for seed in range(60)]
    said = " ".join(wordings).lower()
    assert "a euphoric" in said
    assert "an euphoric" not in said
    assert " a angry" not in said
