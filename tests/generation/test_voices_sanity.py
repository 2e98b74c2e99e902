"""The sanity measure sees what it should, and what the players write is sane."""

import dataclasses

import pytest

from domain.facets import FAMILIES, Facets
from generation.generator import Note, Part
from generation.genome.describe import describe
from generation.genome.realise import plan_of
from generation.planning.harmony import part_ways
from generation.planning.plan import make_plan
from generation.writing.arrange import arrange
from generation.writing.sanity import inspect, out_of_range, parallels, repetition, stuck

SEEDS = 3


def line(*pitches, gap=0.5):
    return tuple(
        Note(start=i * gap, seconds=gap * 0.9, pitch=p, velocity=80) for i, p in enumerate(pitches)
    )


def part(role, patch, notes):
    return Part(role=role, patch=patch, program=0, percussion=False, notes=notes)


@pytest.fixture(scope="module")
def measured():
    out = {}
    for family in FAMILIES:
        found = []
        for seed in range(SEEDS):
            for seconds in (8.0, 24.0):
                plan = make_plan(Facets(family=family), seed, seconds)
                found.append(inspect(plan, arrange(plan)))
        out[family] = found
    return out


def test_parallel_octaves_are_found():
    tune = line(72, 74, 76, 77)
    assert len(parallels(tune, line(48, 50, 52, 53))) == 3
    assert len(parallels(tune, line(72, 74, 71, 72))) == 1
    assert not parallels(tune, line(69, 71, 72, 74))
    assert not parallels(tune, line(60, 60, 60, 60))
    assert not parallels(tune, line(60, 50, 40, 29))


def test_stuck_and_impossible_notes_are_found():
    held = (
        Note(start=0, seconds=2, pitch=60, velocity=80),
        Note(start=1, seconds=1, pitch=60, velocity=80),
    )
    assert stuck(held) == 1
    assert stuck(line(60, 60, 60)) == 0
    assert out_of_range(part("lead", "flute", line(40, 72))) == 1
    drums = dataclasses.replace(part("drums", "kit_room", line(36, 38)), percussion=True)
    assert out_of_range(drums) == 0


def test_wrong_notes_silence_and_hammering_are_found():
    plan = make_plan(Facets(family="pop", tonic="C", mode="major"), 1, 8.0)
    score = arrange(plan)
    lead = next(p for p in score.parts if p.role == "lead")
    wrong = tuple(dataclasses.replace(n, pitch=_outside(plan, n), seconds=0.1) for n in lead.notes)
    bare = dataclasses.replace(score, parts=(dataclasses.replace(lead, notes=wrong),))
    found = inspect(plan, bare)
    assert found.beats > 2
    assert found.beats_in_chord == 0
    assert found.silence > 0.5
    same = tuple(dataclasses.replace(n, pitch=70) for n in lead.notes)
    hammered = dataclasses.replace(score, parts=(dataclasses.replace(lead, notes=same),))
    assert inspect(plan, hammered).repeated == len(same)


def _outside(plan, note):
    number = min(
        len(plan.bars) - 1, int((note.start - plan.grid.downbeat) / plan.grid.bar_seconds + 0.05)
    )
    tones = {c for _, chord in plan.bars[number].chords for c in chord.classes}
    return next(k for k in range(60, 72) if k % 12 not in tones)


def test_repetition_falls_when_bars_are_shuffled():
    plan = make_plan(Facets(family="house"), 2, 30.0)
    score = arrange(plan)
    grid = plan.grid
    order = [(5 * i + i // 3) % (len(plan.bars) - 1) for i in range(len(plan.bars))]

    def moved(note):
        at = (note.start - grid.downbeat) / grid.bar_seconds
        bar = max(0, min(len(order) - 1, int(at + 0.02)))
        start = note.start + (order[bar] - bar) * grid.bar_seconds
        pitch = note.pitch + (bar * 5) % 7
        return dataclasses.replace(note, start=max(0.0, start), pitch=pitch)

    parts = tuple(
        dataclasses.replace(p, notes=tuple(sorted(map(moved, p.notes), key=lambda n: n.start)))
        for p in score.parts
    )
    assert repetition(plan, dataclasses.replace(score, parts=parts)) < repetition(plan, score)
    short = make_plan(Facets(family="house"), 2, 5.0)
    assert repetition(short, arrange(short)) is None


def test_voices_that_run_together_part_ways():
    plan = make_plan(Facets(family="pop", tonic="C", mode="major", tempo=120.0), 1, 8.0)
    tune = line(72, 74, 76, 77, 79)
    parts = [
        part("bass", "finger_bass", line(48, 50, 52, 53, 55)),
        part("lead", "clean_guitar", tune),
        part("counter", "violin", line(60, 62, 64, 65, 67)),
    ]
    bass, lead, counter = part_ways(plan, parts)
    assert not parallels(lead.notes, bass.notes)
    assert not parallels(lead.notes, counter.notes)
    assert len(lead.notes) == len(tune)
    assert tuple(part_ways(plan, parts[:1])) == tuple(parts[:1])


def test_nothing_is_stuck_out_of_range_or_in_parallel(measured):
    for family, found in measured.items():
        assert not sum(f.parallels for f in found), family
        assert not sum(f.stuck for f in found), family
        assert not sum(f.out_of_range for f in found), family


def test_strong_beats_belong_to_the_chord(measured):
    everything = [f for found in measured.values() for f in found]
    assert sum(f.strong_in_chord for f in everything) >= 0.75 * sum(f.strong for f in everything)
    for family, found in measured.items():
        share = sum(f.strong_in_chord for f in found) / sum(f.strong for f in found)
        assert share >= 0.7, family


def test_nobody_falls_silent_or_hammers_one_key(measured):
    for family, found in measured.items():
        assert max(f.silence for f in found) < 1.0, family
        assert max(f.repeated for f in found) <= 6, family


def test_phrases_come_back(measured):
    found = [f.repetition for fs in measured.values() for f in fs if f.repetition is not None]
    assert len(found) > 30
    assert sum(f > 0 for f in found) >= 0.9 * len(found)


def test_pieces_that_were_crossed_are_as_sane():
    """Bars in another order and half of the players with another family's style: still nothing is stuck."""
    for number, family in enumerate(("pop", "jazz", "latin", "classical", "house", "metal")):
        plan = make_plan(Facets(family=family), number, 12.0)
        told = describe(plan, arrange(plan))
        first = 1 if plan.form.upbeat else 0
        bars = (*told.bars[:first], *told.bars[first:-1][::-1], told.bars[-1])
        voices = tuple(
            dataclasses.replace(v, style=FAMILIES[(number * 7 + i * 5) % len(FAMILIES)])
            if i % 2
            else v
            for i, v in enumerate(told.voices)
        )
        other = plan_of(dataclasses.replace(told, bars=bars, voices=voices))
        found = inspect(other, arrange(other))
        assert (found.parallels, found.stuck, found.out_of_range) == (0, 0, 0), family
