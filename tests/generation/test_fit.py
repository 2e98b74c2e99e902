import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.description import BarDescription, ChordAt, Description, VoiceDescription
from domain.facets import FAMILIES, Facets
from generation.genome.describe import describe
from generation.genome.invent import random_description
from generation.genome.measure import figures, timeline
from generation.genome.realise import plan_of
from generation.planning.chords import to_chord
from generation.planning.plan import make_plan
from generation.writing.arrange import arrange


def bars_of(score, count):
    """For each bar what each part begins in it."""
    line = timeline(score)
    out = [{} for _ in range(count)]
    for part in score.parts:
        for note in part.notes:
            out[min(count - 1, line.bar_of(note.start))].setdefault(part.name, []).append(note)
    return out


def figures_of(score, count):
    line = timeline(score)
    drums = {part.name for part in score.parts if part.percussion}
    return [
        figures([(note, name in drums) for name, notes in bar.items() for note in notes], line)
        for bar in bars_of(score, count)
    ]


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_bars_come_to_their_numbers(seed):
    description = random_description(np.random.default_rng(seed))
    score = arrange(plan_of(description))
    count = len(description.bars)
    for asked, found in zip(description.bars, figures_of(score, count), strict=True):
        quarters = timeline(score).quarters
        assert abs(found.density - asked.density) * quarters <= 1.5
        assert abs(found.velocity - asked.velocity) <= 3
        if asked.pitch is not None:
            assert abs(found.pitch - asked.pitch) <= 12
            assert 0.7 < found.duration / asked.duration < 1.6


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_who_is_listed_sounds_and_nobody_else(seed):
    description = random_description(np.random.default_rng(seed))
    score = arrange(plan_of(description))
    for asked, bar in zip(description.bars, bars_of(score, len(description.bars)), strict=True):
        assert set(bar) == set(asked.voices)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_no_key_is_struck_while_it_is_down_and_nothing_leaves_the_clip(seed):
    description = random_description(np.random.default_rng(seed))
    score = arrange(plan_of(description))
    for part in score.parts:
        last = {}
        for note in part.notes:
            assert note.start >= last.get(note.pitch, 0.0) - 1e-3
            last[note.pitch] = note.start + note.seconds
            assert 0 <= note.pitch <= 127
            assert note.start + note.seconds <= score.seconds + 0.06


def test_chords_are_made_plain():
    """Most of what sounds in a bar belongs to its chord, and the lowest key is its root."""
    inside = total = grounded = bars = 0
    for seed in range(12):
        description = random_description(np.random.default_rng(seed))
        score = arrange(plan_of(description))
        drums = {part.name for part in score.parts if part.percussion}
        found = bars_of(score, len(description.bars))
        for asked, bar in zip(description.bars, found, strict=True):
            notes = [n for name in bar if name not in drums for n in bar[name]]
            if len(asked.chords) != 1 or not notes:
                continue
            chord = to_chord(asked.chords[0])
            inside += sum(n.seconds for n in notes if n.pitch % 12 in chord.classes)
            total += sum(n.seconds for n in notes)
            grounded += min(n.pitch for n in notes) % 12 == chord.root
            bars += 1
    assert inside / total > 0.95
    assert grounded / bars > 0.95


def test_other_bars_are_left_alone():
    """Asking for more in one bar changes nothing before it and nothing that begins after it."""
    plan = make_plan(Facets(family="pop", metre=(4, 4)), 6, 16.0)
    score = arrange(plan)
    description = describe(plan, score)
    number = len(description.bars) // 2
    louder = dataclasses.replace(
        description.bars[number], velocity=min(120.0, description.bars[number].velocity + 20)
    )
    bars = (*description.bars[:number], louder, *description.bars[number + 1 :])
    changed = arrange(plan_of(dataclasses.replace(description, bars=bars)))
    before, after = (bars_of(one, len(bars)) for one in (score, changed))
    starts = [
        [{k: [(n.start, n.pitch, n.velocity) for n in v] for k, v in bar.items()} for bar in one]
        for one in (before, after)
    ]
    different = [n for n in range(len(bars)) if starts[0][n] != starts[1][n]]
    assert different == [number]
    assert figures_of(changed, len(bars))[number].velocity == pytest.approx(
        louder.velocity, abs=0.8
    )


def test_accents_stay_accents():
    plan = make_plan(Facets(family="rock"), 3, 8.0)
    description = describe(plan, arrange(plan))
    softer = tuple(
        dataclasses.replace(bar, velocity=bar.velocity and max(20.0, bar.velocity - 25))
        for bar in description.bars
    )
    quiet = arrange(plan_of(dataclasses.replace(description, bars=softer)))
    pairs = [
        (one.velocity, other.velocity)
        for a, b in zip(arrange(plan).parts, quiet.parts, strict=True)
        if a.percussion
        for one, other in zip(a.notes, b.notes, strict=False)
    ]
    loud, soft = zip(*pairs, strict=True)
    assert np.mean(soft) < np.mean(loud) - 15
    assert np.corrcoef(loud, soft)[0, 1] > 0.7


def sketch(**changes):
    voices = tuple(
        VoiceDescription(name=role, role=role, instrument=name, style="jazz", tune=(1, 1))
        for role, name in (("drums", "kit_jazz"), ("bass", "upright_bass"), ("lead", "flute"))
    )
    everybody = ("drums", "bass", "lead")
    values = {
        "family": "jazz",
        "tempo": 120.0,
        "tonic": "C",
        "mode": "major",
        "seconds": 9.0,
        "voices": voices,
        "bars": (
            *[BarDescription(section="A", chords=(ChordAt(root="C"),), voices=everybody)] * 3,
            BarDescription(section="end", chords=(ChordAt(root="C"),), voices=everybody),
        ),
    }
    return Description(**{**values, **changes})


def test_without_numbers_everybody_who_is_listed_still_plays():
    description = sketch()
    found = bars_of(arrange(plan_of(description)), 4)
    assert all(set(bar) == {"drums", "bass", "lead"} for bar in found)


@pytest.mark.parametrize("family", FAMILIES[::6])
def test_impossible_numbers_are_approached(family):
    description = sketch(family=family)
    for changes in (
        {"density": 48.0},
        {"density": 0.0},
        {"pitch": 127.0},
        {"duration": 64.0, "velocity": 127.0},
    ):
        bars = tuple(dataclasses.replace(bar, **changes) for bar in description.bars)
        score = arrange(plan_of(dataclasses.replace(description, bars=bars)))
        assert [set(bar) for bar in bars_of(score, 4)] == [{"drums", "bass", "lead"}] * 4
