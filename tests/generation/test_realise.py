import dataclasses
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.clip import ClipFailure, ClipRequest
from domain.description import BarDescription, ChordAt, Description
from domain.errors import DescriptionError
from domain.facets import FAMILIES, TONICS, Facets
from generation.genome.describe import describe
from generation.genome.measure import timeline
from generation.genome.realise import plan_of
from generation.planning.form import dress
from generation.planning.hints import find_hints
from generation.planning.plan import make_plan
from generation.planning.theory import Chord
from generation.writing.arrange import arrange
from prompts.vocabulary import shipped


def composed(seed=1, seconds=8.0, **facets):
    plan = make_plan(Facets(**facets), seed, seconds, hints=find_hints(Facets(**facets), shipped()))
    score = arrange(plan)
    return describe(plan, score), score


def stored(description):
    """As it comes out of a database."""
    return Description.from_json(json.loads(json.dumps(description.to_json())))


@settings(max_examples=60, deadline=None)
@given(
    st.sampled_from(FAMILIES),
    st.integers(0, 2**31 - 1),
    st.floats(1, 45),
    st.none() | st.sampled_from([(3, 4), (6, 8), (7, 8), (2, 2), (5, 4), (12, 8), (11, 16)]),
    st.none() | st.floats(0, 1),
)
def test_a_composition_is_played_again_note_for_note_from_its_description(
    family, seed, seconds, metre, density
):
    description, score = composed(seed, seconds, family=family, metre=metre, density=density)
    again = arrange(plan_of(stored(description)))
    assert again.parts == score.parts
    assert again.seconds == score.seconds
    assert (again.quarter_bpm, again.metre, again.downbeat) == (
        *(score.quarter_bpm, score.metre, score.downbeat),
    )


def test_another_tune_changes_one_voice_alone():
    description, score = composed(family="funk")
    voices = tuple(
        dataclasses.replace(v, tune=(5, 5)) if v.role == "chords" else v for v in description.voices
    )
    bars = tuple(
        dataclasses.replace(bar, density=None, pitch=None, velocity=None, duration=None)
        for bar in description.bars
    )
    plan = dataclasses.replace(
        plan_of(dataclasses.replace(description, voices=voices, bars=bars)), targets=()
    )
    changed = {
        part.name
        for part, other in zip(arrange(plan).parts, score.parts, strict=True)
        if part != other
    }
    assert "chords" in changed
    assert not changed & {"drums", "lead"}


def test_a_groove_of_one_family_under_the_tune_of_another():
    groove, _ = composed(3, family="funk", metre=(4, 4))
    tune, _ = composed(4, family="folk", metre=(4, 4))
    drums = next(v for v in groove.voices if v.role == "drums")
    others = tuple(v for v in tune.voices if v.role != "drums")
    bars = tuple(
        dataclasses.replace(
            bar, voices=(drums.name, *(n for n in bar.voices if n != drums.name)), density=None
        )
        for bar in tune.bars
    )
    mixed = dataclasses.replace(tune, voices=(drums, *others), bars=bars)
    plan = plan_of(mixed)
    assert {p.voice.role: p.style.family for p in plan.players}["drums"] == "funk"
    score = arrange(plan)
    assert {part.role for part in score.parts} >= {"drums", "lead"}
    views = [plan.seen_by(player) for player in plan.players]
    assert {view.style.family for view in views} == {"funk", "folk"}


def test_bars_that_are_too_long_lengthen_the_clip_and_a_day_of_them_is_refused():
    description, _ = composed(family="rock")
    plan = plan_of(dataclasses.replace(description, tempo=40.0))
    assert plan.seconds > description.seconds
    last = timeline(arrange(plan)).begin(len(plan.bars) - 1)
    assert last < plan.seconds
    body = [b for b in description.bars if b.section not in {"upbeat", "end"}] * 300
    endless = dataclasses.replace(
        description, pickup=0, tempo=40.0, bars=(*body, description.bars[-1])
    )
    with pytest.raises(DescriptionError, match="lasts at most 600"):
        plan_of(endless)


@pytest.mark.parametrize(
    ("role", "instrument", "word"),
    [
        ("lead", "kazoo", "kazoo"),
        ("drums", "flute", "no drum kit"),
        ("lead", "kit_jazz", "is a drum kit"),
    ],
)
def test_instruments_that_cannot_be_are_named(role, instrument, word):
    description, _ = composed(family="rock")
    voices = (
        dataclasses.replace(description.voices[-1], role=role, instrument=instrument, name="odd"),
        *description.voices,
    )
    with pytest.raises(DescriptionError, match=word) as caught:
        plan_of(dataclasses.replace(description, voices=voices))
    assert caught.value.where == "voices.odd.instrument"


def test_a_request_with_a_description_plays_it_and_a_bad_one_says_why(composer):
    clip = composer.compose(Facets(family="lofi"), seed=2, seconds=2.0)
    request = ClipRequest(prompt="anything", seed=9, seconds=4.0)
    genome = clip.description["genome"]
    good, bad, worse = composer.generate(
        [
            dataclasses.replace(request, description=genome),
            dataclasses.replace(request, description={**genome, "tempo": 900}),
            dataclasses.replace(request, description={}),
        ]
    )
    assert good.notes.parts == clip.notes.parts
    assert (good.audio.samples == clip.audio.samples).all()
    assert isinstance(bad, ClipFailure)
    assert bad.reason.startswith("tempo: 900")
    assert isinstance(worse, ClipFailure)
    assert clip.description["features"]["tempo"] == pytest.approx(
        clip.description["tempo"], abs=0.1
    )
    assert TONICS[clip.description["features"]["key"]] == clip.description["tonic"]


def test_bars_are_dressed_by_sections_and_chords_alone():
    chord = ((0, Chord(0, (0, 4, 7))),)
    names = ["upbeat", *["A"] * 9, "build", "build", "drop", "end"]
    bars = dress([(name, chord) for name in names], sources=range(20, 34))
    assert [bar.place for bar in bars] == [0, *range(9), 0, 1, 0, 0]
    assert [n for n, bar in enumerate(bars) if bar.first] == [1, 10, 12, 13]
    assert all(bars[n].closing and bars[n].fill for n in (9, 11))
    assert not bars[1].closing
    assert bars[10].intensity < bars[11].intensity < bars[12].intensity + 0.2
    assert [bar.source for bar in bars] == list(range(20, 34))


def test_an_empty_bar_keeps_the_running_chord():
    description, _ = composed(family="rock")
    bars = (
        BarDescription(section="A", chords=(ChordAt(root="D", quality="m"),)),
        BarDescription(section="A"),
        BarDescription(section="end"),
    )
    plan = plan_of(dataclasses.replace(description, pickup=0, bars=bars))
    assert [bar.chords[0][1].name for bar in plan.bars] == ["Dm", "Dm", "Dm"]
    assert arrange(plan).parts == ()
