"""All eight levels of a piece: said, implied by words, or usual in the style."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.description import LEVELS
from domain.facets import FAMILIES, MODES, Facets
from generation.planning.hints import Hints, find_hints
from generation.planning.levels import JITTER, mode_cheer, resolve, usual_of
from generation.planning.styles import style
from prompts.reader import read
from prompts.vocabulary import shipped

_LEVEL = st.none() | st.floats(0, 1)


def _of(prompt, **said):
    facets = read(prompt)
    facets = type(facets)(**{**{f: getattr(facets, f) for f in facets.__slots__}, **said})
    return resolve(facets, find_hints(facets, shipped()), style(facets.family or "pop"))


@given(
    st.fixed_dictionaries(dict.fromkeys(LEVELS, _LEVEL)),
    st.sampled_from(FAMILIES),
    st.lists(st.floats(-0.06, 0.06), max_size=JITTER),
)
def test_what_is_said_is_taken_and_the_rest_is_a_level(said, family, jitter):
    facets = Facets(family=family, **said)
    levels = resolve(facets, find_hints(facets, shipped()), style(family), jitter)
    for name in LEVELS:
        assert 0 <= getattr(levels, name) <= 1
        if said[name] is not None:
            assert getattr(levels, name) == said[name]


def test_words_move_the_levels_that_they_are_about():
    plain = _of("pop")
    assert _of("unplugged pop").acousticness > plain.acousticness + 0.2
    assert _of("sci-fi pop").acousticness < plain.acousticness
    assert _of("pop for dancing").danceability > plain.danceability
    assert _of("gentle soft pop").loudness < plain.loudness - 0.1
    assert _of("explosive pop").loudness > plain.loudness + 0.1


def test_voices_decide_how_instrumental_it_is():
    assert _of("instrumental pop").instrumentalness == 1.0
    assert _of("jazz, no choir").instrumentalness == 1.0
    assert _of("pop with female vocals").instrumentalness == 0.2
    assert _of("piano pop").instrumentalness > 0.5


@pytest.mark.parametrize(
    ("level", "follower", "sign"),
    [
        ("energy", "loudness", 1),
        ("energy", "density", 1),
        ("energy", "brightness", 1),
        ("energy", "danceability", 1),
        ("energy", "acousticness", -1),
        ("valence", "danceability", 1),
        ("valence", "brightness", 1),
    ],
)
def test_levels_go_together_as_people_expect(level, follower, sign):
    for family in FAMILIES:
        low = resolve(Facets(**{level: 0.3}), Hints(), style(family))
        high = resolve(Facets(**{level: 0.6}), Hints(), style(family))
        change = getattr(high, follower) - getattr(low, follower)
        at_the_end = getattr(high, follower) in (0.0, 1.0)
        assert change * sign > 0 or at_the_end


def test_styles_are_as_their_data_are():
    usual = {name: usual_of(style(name)) for name in FAMILIES}
    assert usual["house"].danceability > usual["lofi"].danceability > usual["ambient"].danceability
    assert usual["classical"].acousticness > usual["rock"].acousticness
    assert usual["rock"].acousticness > usual["techno"].acousticness
    assert usual["metal"].loudness > usual["jazz"].loudness > usual["ambient"].loudness
    assert all(one.instrumentalness > 0.5 for one in usual.values())


def test_a_genre_counts_besides_its_family():
    assert _of("delta blues").acousticness > _of("chicago blues").acousticness
    assert _of("ambient house").danceability > _of("dark ambient").danceability


def test_every_mode_has_its_place_between_bright_and_dark():
    for mode in MODES:
        assert (mode_cheer(mode) != 0) == (mode != "blues")
    assert mode_cheer("lydian") > mode_cheer("major") > mode_cheer("mixolydian")
    assert mode_cheer("dorian") > mode_cheer("minor") > mode_cheer("phrygian")
