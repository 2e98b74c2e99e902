"""What the players promise: lines, rhythm and form, judged on scores without rendering."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.facets import FAMILIES, Facets
from generation.generator import Note
from generation.planning.chords import INTERVALS
from generation.planning.harmony import Voicer
from generation.planning.manners import manners
from generation.planning.patches import patch, percussion_key
from generation.planning.plan import make_plan
from generation.planning.theory import SCALES, Chord, build_chord
from generation.writing.arrange import arrange
from generation.writing.melody import sing
from generation.writing.motif import SCHEMES, SHAPES, develop, make_cell
from generation.writing.pen import folded, untangle
from generation.writing.sanity import stuck
from generation.writing.vary import vary

SECONDS = 8.0


def plan_of(family, seed=1, seconds=SECONDS, **facets):
    return make_plan(Facets(family=family, **facets), seed, seconds)


def part(score, role):
    return next(p for p in score.parts if p.role == role)


def in_bar(plan, notes, number):
    grid = plan.grid
    begin = grid.time(number, 0) - 0.03
    return [n for n in notes if begin <= n.start < begin + grid.bar_seconds]


def test_levels_change_the_playing_and_not_the_tune():
    for family in ("pop", "jazz", "folk", "house"):
        calm, wild = (
            plan_of(family, 7, energy=energy, density=0.5, valence=0.6, tempo=110.0, mode="major")
            for energy in (0.2, 0.9)
        )
        tunes = [
            [(n.bar, n.step, n.key) for n in sing(p, p.cast.voice("lead"))] for p in (calm, wild)
        ]
        assert tunes[0] == tunes[1]
        loud = [np.mean([n.velocity for n in part(arrange(p), "lead").notes]) for p in (calm, wild)]
        assert loud[0] < loud[1]


def test_a_motif_comes_back():
    """Within eight bars some rhythm of the lead is heard at least three times."""
    for family in ("rock", "pop", "classical", "funk", "chiptune"):
        for seed in range(4):
            plan = plan_of(family, seed, 20.0)
            rhythms = {}
            for note in sing(plan, plan.cast.voice("lead")):
                rhythms.setdefault(note.bar, []).append(note.step)
            heads = [tuple(s for s in steps if s < 8) for steps in rhythms.values()]
            assert max(heads.count(one) for one in heads) >= 3, (family, seed)


def test_a_tune_ends_on_the_final_chord_and_breathes_before():
    for family in FAMILIES:
        plan = plan_of(family, 2)
        tune = sing(plan, plan.cast.voice("lead"))
        assert tune[-1].bar == len(plan.bars) - 1
        assert tune[-1].key % 12 in plan.bars[-1].chords[0][1].classes


def test_leaps_are_answered():
    wild = leaps = 0
    for family in FAMILIES:
        for seed in range(3):
            plan = plan_of(family, seed, 16.0)
            keys = [n.key for n in sing(plan, plan.cast.voice("lead"))]
            for a, b, c in zip(keys, keys[1:], keys[2:], strict=False):
                if abs(b - a) > 7:
                    leaps += 1
                    wild += (c - b) * (b - a) > 0 and abs(c - b) > 4
    assert leaps > 20
    assert wild < 0.1 * leaps


@pytest.mark.parametrize("shape", sorted(SHAPES))
def test_motifs_are_developed(shape):
    cell = make_cell("x---x-x-x---x---", shape, 4, (0.5,) * 32)
    cells = {"a": cell, "b": cell.moved(1)}
    steps = [t.step for t in cell.tones]
    assert develop(cells, "a+2", 4).tones[0].rung == cell.tones[0].rung + 2
    assert develop(cells, "a-1", 4).tones[0].rung == cell.tones[0].rung - 1
    assert cell.inverted().inverted() == cell
    assert [t.step for t in develop(cells, "af", 4).tones] == [s for s in steps if s < 8]
    twice = develop(cells, "ar", 4).tones
    half = len(twice) // 2
    assert [t.step + 8 for t in twice[:half]] == [t.step for t in twice[half:]]
    assert [t.step - 2 for t in cell.displaced(2).tones] == steps
    closed = cell.closed(4).tones[-1]
    assert (closed.step, closed.length) == (8, 6)
    assert len(cell.decorated().tones) == len(cell.tones) + 1


def test_schemes_name_what_exists():
    cell = make_cell("x---x---x---x---", "arch", 3, (0.5,) * 32)
    for scheme in SCHEMES.values():
        assert all(develop({"a": cell, "b": cell}, order, 4).tones for order in scheme)
    for family in FAMILIES:
        habits = manners(family)
        assert set(habits.schemes) <= set(SCHEMES)
        assert set(habits.shapes) <= set(SHAPES)


notes = st.builds(
    Note,
    start=st.floats(0, 8),
    seconds=st.floats(0.04, 3),
    pitch=st.integers(58, 62),
    velocity=st.integers(1, 127),
)


@given(st.lists(notes, max_size=24))
def test_no_key_is_struck_while_it_is_down(played):
    clean = untangle(played)
    assert stuck(clean) == 0
    assert {n.pitch for n in clean} == {n.pitch for n in played}
    assert all(n.seconds > 0 for n in clean)
    assert list(clean) == sorted(clean, key=lambda n: n.start)


@given(st.integers(0, 127), st.integers(20, 60), st.integers(12, 40))
def test_folding_keeps_the_tone_within_reach(pitch, low, size):
    key = folded(pitch, (low, low + size))
    assert low <= key <= low + size
    assert (key - pitch) % 12 == 0 or not low <= pitch <= low + size


@settings(max_examples=40)
@given(
    st.sampled_from(["major", "minor", "dorian", "mixolydian"]),
    st.lists(st.integers(1, 7), min_size=2, max_size=8),
    st.sampled_from(["triad", "7", "9"]),
    st.sampled_from(["close", "spread", "rootless"]),
)
def test_the_top_voice_does_not_leap(mode, degrees, colour, kind):
    voicer = Voicer((52, 76), kind)
    tops = [voicer.place(build_chord(str(d), 0, mode, colour))[-1] for d in degrees]
    assert max(abs(b - a) for a, b in itertools.pairwise(tops)) <= 7


def test_low_chords_are_open():
    voicer = Voicer((40, 76))
    keys = voicer.place(Chord(0, INTERVALS["maj7"]))
    assert all(b - a >= 5 for a, b in itertools.pairwise(keys) if a < 50)


def test_only_subs_go_below_the_low_e():
    subs = {"sub_bass", "bass_808", "reese_bass", "drone_pad"}
    for family in FAMILIES:
        score = arrange(plan_of(family, 5, 12.0))
        for one in score.parts:
            if one.role == "bass" and one.patch not in subs:
                assert min(n.pitch for n in one.notes) >= 28


def test_the_bass_has_the_root_where_a_chord_begins():
    for family in ("pop", "rock", "disco", "jazz", "classical"):
        right = all_of_them = 0
        for seed in range(4):
            plan = plan_of(family, seed)
            line = part(arrange(plan), "bass").notes
            for number, bar in enumerate(plan.bars):
                for start, chord in bar.chords:
                    at = plan.grid.time(number, start)
                    struck = [n for n in line if abs(n.start - at) < 0.06]
                    all_of_them += len(struck) > 0
                    right += any(n.pitch % 12 in {chord.root} for n in struck)
        assert right >= 0.8 * all_of_them > 0, family


def test_a_walking_bass_walks():
    """Steps and thirds rather than leaps, and the next root is approached from beside it."""
    moves, beside = [], []
    for seed in range(6):
        plan = plan_of("jazz", seed, 12.0, density=0.5)
        line = [n for n in part(arrange(plan), "bass").notes if n.seconds > 0.2]
        moves += [abs(b.pitch - a.pitch) for a, b in itertools.pairwise(line)]
        for number in range(1, len(plan.bars)):
            at = plan.grid.time(number, 0)
            before = [n for n in line if n.start < at - 0.06]
            here = [n for n in line if abs(n.start - at) < 0.06]
            if before and here:
                beside.append(abs(here[0].pitch - before[-1].pitch))
    assert np.mean([m <= 5 for m in moves]) > 0.8
    assert np.mean([b <= 2 for b in beside]) > 0.7


def test_drums_fill_at_the_end_and_never_hammer():
    for family in ("rock", "pop", "funk", "metal"):
        plan = plan_of(family, 3, 16.0, energy=0.8)
        drums = part(arrange(plan), "drums").notes
        first = next(i for i, b in enumerate(plan.bars) if b.first)
        last = len(plan.bars) - 2
        shapes = [
            {
                (n.pitch, round((n.start - plan.grid.time(i, 0)) / plan.grid.step_seconds))
                for n in in_bar(plan, drums, i)
            }
            for i in (first, last)
        ]
        assert shapes[0] != shapes[1]
        levels = [n.velocity for n in drums]
        runs = max(
            sum(1 for _ in group)
            for group in _runs([n.velocity for n in drums if n.pitch == percussion_key("hat")])
        )
        assert runs <= 4
        assert max(levels) - min(levels) > 25


def _runs(values):
    current = []
    for value in values:
        if current and value != current[-1]:
            yield current
            current = []
        current.append(value)
    yield current or [0]


def test_a_build_swells_and_a_break_has_no_kick():
    plan = plan_of("house", 2, 60.0)
    drums = part(arrange(plan), "drums").notes
    builds = [i for i, b in enumerate(plan.bars) if b.section == "build"]
    assert builds
    snares = [n for i in builds[:2] for n in in_bar(plan, drums, i) if n.pitch == 38]
    half = len(snares) // 3
    assert np.mean([n.velocity for n in snares[:half]]) + 8 < np.mean(
        [n.velocity for n in snares[-half:]]
    )
    kick = percussion_key("kick")
    breaks = [i for i, b in enumerate(plan.bars) if b.section == "break" and not b.fill]
    assert breaks
    assert not [n for i in breaks for n in in_bar(plan, drums, i) if n.pitch == kick]


def test_a_long_piece_grows_and_a_short_one_is_all_there():
    plan = plan_of("pop", 4, 90.0)
    score = arrange(plan)

    def heard(section):
        bars = [i for i, b in enumerate(plan.bars) if b.section == section]
        count = sum(len(in_bar(plan, p.notes, i)) for p in score.parts for i in bars)
        return count / len(bars)

    assert heard("intro") < 0.75 * heard("chorus")
    assert heard("verse") < heard("chorus")
    for family in FAMILIES:
        short = plan_of(family, 3)
        playing = arrange(short)
        first = next(i for i, b in enumerate(short.bars) if b.first)
        roles = {p.role for p in playing.parts if p.role != "counter"}
        start = short.grid.time(first, 0) - 0.05
        end = start + max(2 * short.grid.bar_seconds, 2.6)
        at_once = {
            p.role
            for p in playing.parts
            if any(n.start < end and n.start + n.seconds > start for n in p.notes)
        }
        assert roles <= at_once, (family, roles - at_once)


def test_second_voices_keep_out_of_the_way():
    """A counter in thirds runs below the tune; whoever answers does so where the tune rests."""
    plan = plan_of(
        "folk", 6, 12.0, instruments=("flute", "violin", "harp", "accordion", "clarinet")
    )
    score = arrange(plan)
    counters = [p for p in score.parts if p.role == "counter"]
    assert counters
    lead = part(score, "lead").notes
    below = [
        (n.pitch - m.pitch)
        for p in counters
        for m in p.notes
        for n in lead
        if abs(n.start - m.start) < 0.04
    ]
    assert below
    assert np.mean([b % 12 == 0 for b in below]) < 0.2


def test_every_note_is_one_that_its_instrument_has():
    for word in ("tuba", "piccolo", "tubular bells", "glockenspiel", "bassoon", "sitar"):
        for family in ("pop", "jazz", "ambient", "metal"):
            score = arrange(plan_of(family, 1, instruments=(word,)))
            for one in score.parts:
                if not one.percussion:
                    used = patch(one.patch)
                    assert all(used.low <= n.pitch <= used.high for n in one.notes), (word, family)


@pytest.mark.parametrize("metre", [(3, 4), (5, 4), (7, 8), (6, 8), (12, 8), (2, 2), (1, 4)])
def test_players_play_in_any_metre(metre):
    for family in ("jazz", "rock", "folk", "house", "latin"):
        score = arrange(plan_of(family, 1, metre=metre))
        assert {"bass", "lead"} <= {p.role for p in score.parts}
        assert all(p.notes for p in score.parts)


def test_modes_have_their_own_tones():
    for mode in ("phrygian", "lydian"):
        plan = plan_of("folk", 3, 16.0, mode=mode, tonic="C")
        classes = {n.key % 12 for n in sing(plan, plan.cast.voice("lead"))}
        assert len(classes & set(SCALES[mode])) >= 4


@given(
    st.text("x-.", min_size=16, max_size=16),
    st.tuples(*[st.floats(0, 0.99)] * 4),
)
def test_a_varied_rhythm_keeps_its_strong_beats(row, luck):
    changed = vary(row, luck, 1.0)
    assert len(changed) == len(row)
    assert set(changed) <= set("x-.")
    assert abs(changed.count("x") - row.count("x")) <= 1
    assert all(changed[i] == "x" for i in range(0, 16, 4) if row[i] == "x")
    assert vary(row, luck, 0.0) == row


def test_pieces_of_a_family_differ_in_rhythm():
    for family in ("pop", "rock", "house", "soul"):
        rhythms = set()
        for seed in range(12):
            plan = plan_of(family, seed)
            first = next(i for i, b in enumerate(plan.bars) if b.first)
            tune = sing(plan, plan.cast.voice("lead"))
            rhythms.add(tuple(n.step for n in tune if n.bar == first))
        assert len(rhythms) >= 6, family
