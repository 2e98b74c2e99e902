"""Features and facets are two views of one thing: what goes one way comes back."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.description import Levels
from domain.facets import FAMILIES, MODES, TONICS, Facets
from domain.features import RANGES, Features
from prompts.features import (
    from_facets,
    from_levels,
    levels_of,
    loudness_decibels,
    loudness_level,
    metre_of,
    mode_of,
    time_signature_of,
    to_facets,
)

_LEVEL = st.floats(0, 1)
_METRES = st.sampled_from(
    [(2, 4), (3, 4), (4, 4), (5, 4), (6, 8), (7, 8), (7, 4), (6, 4), (9, 8), (12, 8), (3, 8)]
)
any_features = st.builds(
    Features,
    energy=_LEVEL,
    valence=_LEVEL,
    danceability=_LEVEL,
    acousticness=_LEVEL,
    instrumentalness=_LEVEL,
    loudness=st.integers(-30_000, 0).map(lambda milli: milli / 1000),
    tempo=st.floats(40, 220),
    key=st.integers(0, 11),
    mode=st.integers(0, 1),
    time_signature=st.integers(2, 7),
)
_SET = {
    "energy": _LEVEL,
    "valence": _LEVEL,
    "danceability": _LEVEL,
    "acousticness": _LEVEL,
    "instrumentalness": _LEVEL,
    "loudness": st.integers(0, 10_000).map(lambda part: part / 10_000),
    "tempo": st.floats(40, 220),
    "tonic": st.sampled_from(TONICS),
    "mode": st.sampled_from(MODES),
    "metre": _METRES,
}
full_facets = st.builds(Facets, family=st.none() | st.sampled_from(FAMILIES), **_SET)
any_facets = st.builds(
    Facets,
    genre=st.none() | st.just("deep house"),
    moods=st.just(("sad",)),
    density=st.none() | _LEVEL,
    brightness=st.none() | _LEVEL,
    **{name: st.none() | strategy for name, strategy in _SET.items()},
)


@given(any_features, any_facets)
def test_features_come_back_from_facets(features, base):
    facets = to_facets(features, base)
    assert from_facets(facets) == features
    assert from_facets(facets, Features(energy=0.0, key=3)) == features


@given(full_facets)
def test_facets_that_state_everything_come_back_from_features(facets):
    assert to_facets(from_facets(facets), facets) == facets


@given(any_features, any_facets)
def test_setting_features_keeps_what_features_do_not_say(features, base):
    facets = to_facets(features, base)
    for name in ("genre", "family", "moods", "density", "brightness", "instruments", "without"):
        assert getattr(facets, name) == getattr(base, name)


@given(any_features, any_features, any_facets)
def test_the_last_setting_counts(first, second, base):
    assert from_facets(to_facets(second, to_facets(first, base))) == second


@given(any_features, st.none() | _LEVEL, st.none() | _LEVEL)
def test_features_come_back_from_levels(features, density, brightness):
    levels = levels_of(features, density=density, brightness=brightness)
    mode = "major" if features.mode else "minor"
    metre = metre_of(features.time_signature)
    assert from_levels(levels, features.tempo, TONICS[features.key], mode, metre) == features
    if density is not None:
        assert levels.density == density


def test_what_facets_leave_open_stays():
    assert from_facets(Facets()) == Features()
    kept = from_facets(Facets(tempo=80.0), Features(energy=0.9, mode=0))
    assert (kept.tempo, kept.energy, kept.mode) == (80.0, 0.9, 0)


def test_a_finer_mode_and_metre_stay_until_the_feature_says_otherwise():
    base = Facets(mode="dorian", metre=(12, 8))
    assert to_facets(Features(mode=0), base).mode == "dorian"
    assert to_facets(Features(mode=1), base).mode == "major"
    assert to_facets(Features(time_signature=4), base).metre == (12, 8)
    assert to_facets(Features(time_signature=3), base).metre == (3, 4)


@pytest.mark.parametrize(
    ("mode", "feature"),
    [("major", 1), ("mixolydian", 1), ("minor", 0), ("dorian", 0), ("phrygian", 0), ("blues", 1)],
)
def test_the_mode_goes_by_its_third(mode, feature):
    assert mode_of(mode) == feature


@pytest.mark.parametrize(
    ("metre", "count"),
    [((3, 4), 3), ((6, 8), 6), ((12, 8), 4), ((9, 8), 3), ((7, 8), 7), ((15, 16), 7), ((1, 4), 2)],
)
def test_a_metre_is_counted(metre, count):
    assert time_signature_of(metre) == count


@pytest.mark.parametrize("count", range(2, 8))
def test_every_count_has_a_metre_of_its_own(count):
    assert time_signature_of(metre_of(count)) == count


def test_loudness_runs_straight():
    assert [loudness_level(db) for db in (-30, -15, 0)] == [0.0, 0.5, 1.0]
    assert loudness_decibels(0.5) == -15.0
    assert loudness_level(-99) == 0.0
    assert loudness_decibels(loudness_level(Features().loudness)) == Features().loudness


def test_everything_lies_in_its_range():
    lowest = from_levels(Levels(energy=0.0, loudness=0.0), 30.0, "C", "minor", (1, 2))
    highest = from_levels(Levels(energy=1.0, loudness=1.0), 240.0, "B", "major", (21, 8))
    for name, (low, high) in RANGES.items():
        assert low <= getattr(lowest, name) <= getattr(highest, name) <= high
