import json
import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.description import Description
from domain.errors import DescriptionError
from domain.facets import FAMILIES, Facets
from generation.genome.describe import describe
from generation.genome.grammar import check, random_description, repair, schema
from generation.genome.realise import plan_of
from generation.planning.plan import make_plan
from generation.writing.arrange import arrange


def drawn(seed):
    return random_description(np.random.default_rng(seed))


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_what_is_drawn_passes_and_needs_no_repair(seed):
    description = drawn(seed)
    assert check(description) == ()
    assert repair(json.loads(json.dumps(description.to_json()))) == (description, ())


@pytest.mark.parametrize("family", FAMILIES[::5])
def test_what_we_compose_needs_no_repair(family):
    plan = make_plan(Facets(family=family), 1, 7.0)
    description = describe(plan, arrange(plan))
    assert repair(description.to_json()) == (description, ())


JUNK = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**30), 10**30)
    | st.floats(allow_nan=True)
    | st.text(max_size=12)
    | st.sampled_from(["Am7@2", "kit_jazz", "flute", "4/4", "13/8", "end", "upbeat", "lead"]),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4)
    ),
    max_leaves=6,
)


def places(value, path=()):
    """Every place in a JSON value."""
    yield path
    if isinstance(value, dict):
        for key in value:
            yield from places(value[key], (*path, key))
    elif isinstance(value, list):
        for index in range(len(value)):
            yield from places(value[index], (*path, index))


def spoilt(value, path, junk, *, remove):
    """The value with one place replaced or taken out."""
    if not path:
        return junk
    made = dict(value) if isinstance(value, dict) else list(value)
    if len(path) == 1 and remove:
        del made[path[0]]
    else:
        made[path[0]] = spoilt(value[path[0]], path[1:], junk, remove=remove)
    return made


@settings(max_examples=120, deadline=None)
@given(st.data(), st.integers(0, 40), st.integers(1, 5))
def test_whatever_is_spoilt_is_mended_or_refused_in_words(data, seed, times):
    value = drawn(seed).to_json()
    for _ in range(times):
        path = data.draw(st.sampled_from(list(places(value))))
        value = spoilt(value, path, data.draw(JUNK), remove=data.draw(st.booleans()))
    try:
        mended, _ = repair(value)
    except DescriptionError as error:
        assert error.where
        return
    assert check(mended) == ()
    assert repair(mended.to_json()) == (mended, ())
    if len(mended.bars) < 40:
        assert arrange(plan_of(mended)).parts


@settings(max_examples=80, deadline=None)
@given(st.data(), st.integers(0, 40))
def test_what_is_spoilt_and_not_mended_is_refused_in_words_or_played(data, seed):
    value = drawn(seed).to_json()
    path = data.draw(st.sampled_from(list(places(value))))
    value = spoilt(value, path, data.draw(JUNK), remove=data.draw(st.booleans()))
    try:
        plan = plan_of(Description.from_json(value))
    except DescriptionError as error:
        assert error.where
        return
    assert arrange(plan).parts


def test_every_repair_is_listed_with_place_and_reason():
    told = {
        "family": "waltz",
        "tempo": 900,
        "tonic": "Db",
        "mode": "maj",
        "metre": "13/8",
        "voices": [
            {"role": "melody", "instrument": "violin"},
            {"role": "bass", "instrument": "piccolo"},
        ],
        "bars": [{"section": "hook", "chords": ["Bb:min7", "C/E"], "density": 4000}] * 3,
    }
    mended, repairs = repair(told)
    places = {one.where: one for one in repairs}
    assert mended.tempo == 240
    assert places["tempo"].was == "900"
    assert mended.metre == (3, 4)
    assert "waltz" in places["metre"].why
    assert (mended.tonic, mended.mode) == ("C#", "major")
    assert [voice.role for voice in mended.voices] == ["lead", "counter"]
    assert [str(chord) for chord in mended.bars[0].chords] == ["Bbm7", "C@1"]
    assert mended.form == (("chorus", 3), ("end", 1))
    assert mended.bars[0].density == 32
    assert all(str(one).startswith(one.where) for one in repairs)


def test_ten_thousand_bars_and_ninety_voices_are_cut():
    mended, repairs = repair({"bars": ["C"] * 10_000, "voices": ["flute"] * 90, "tempo": 0})
    assert len(mended.voices) == 16
    assert len({voice.name for voice in mended.voices}) == 16
    assert len(mended.bars) < 200
    assert check(mended) == ()
    assert {"bars", "voices", "tempo"} <= {one.where for one in repairs}


@pytest.mark.parametrize("value", [None, 3, "x", [], {}, {"bars": [], "voices": None}])
def test_nothing_to_go_by_is_refused(value):
    with pytest.raises(DescriptionError):
        repair(value)


def test_the_schema_knows_the_fields_and_the_chords():
    made = schema()
    description = drawn(3).to_json()
    assert set(made["required"]) == set(description)
    bar = made["properties"]["bars"]["items"]["properties"]
    voice = made["properties"]["voices"]["items"]["properties"]
    pattern = re.compile(bar["chords"]["items"]["pattern"])
    for one in description["bars"]:
        assert set(one) <= set(bar)
        assert all(pattern.fullmatch(chord) for chord in one["chords"])
    assert all(set(one) <= set(voice) for one in description["voices"])
    assert pattern.fullmatch("Ebm(maj7)@2.5")
    assert not pattern.fullmatch("H7")


def test_check_says_what_cannot_be_played():
    base = drawn(1).to_json()
    base["seconds"] = 1.0
    base["voices"][0]["instrument"] = "kazoo"
    found = check(Description.from_json(base))
    assert {problem.where for problem in found} == {
        f"voices.{base['voices'][0]['name']}.instrument",
        "seconds",
    }
