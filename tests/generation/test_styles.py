import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.errors import GenerationError
from domain.facets import FAMILIES, MODES
from generation.planning.form import lay_out
from generation.planning.grid import Grid
from generation.planning.patches import find_layers, find_patch, find_percussion, silenced
from generation.planning.styles import parse_style, style
from generation.planning.theory import SCALES, Chord, build_chord, nearest, voice
from generation.sounding.effects import gather, table
from prompts.vocabulary import shipped

GOOD = """
tempo: [90, 100]
modes: {major: 1}
progressions: {major: ["1 | 4"], minor: ["1"]}
"""


@pytest.mark.parametrize("family", FAMILIES)
def test_every_family_has_a_style(family):
    made = style(family)
    assert made.family == family
    assert 40 <= made.tempo[0] < made.tempo[1] <= 220
    assert made.chords is not None
    assert made.lead is not None


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (GOOD + "tmpo: 3", r"x\.yaml: unknown key 'tmpo'; did you mean 'tempo'"),
        (GOOD + "mix: {drms: 1}", r"x\.yaml, mix: unknown key 'drms'"),
        (GOOD + "bass: {patches: [tubular]}", "no patch 'tubular'"),
        (GOOD + "bass: {patches: [synth_bass], patterns: ['RR']}", "multiple of 16"),
        (GOOD + "bass: {patches: [synth_bass], patterns: ['R..............?']}", "unknown mark"),
        (GOOD + "drums: {kits: [kit_808], grooves: [{bonk: 'x...............'}]}", "piece 'bonk'"),
        (
            GOOD + "drums: {kits: [kit_808], grooves: [], odd: {7/8: [{kick: 'X...'}]}}",
            "odd: 'X...' is not one bar of 7/8",
        ),
        (GOOD + "lead: {cells: ['x...............']}", "lead.*patches"),
        (GOOD + "cadence: '9'", "progressions: '9'"),
        (GOOD + "colour: pink", "colour 'pink'"),
        (GOOD + "metres: {'4-4': 1}", "metres: '4-4' is not a metre"),
        (GOOD + "mix: {space: cupboard}", "mix: unknown space 'cupboard'"),
        (GOOD.replace("major: 1", "majr: 1"), "mode 'majr'"),
        ("tempo: [1, 2]\nmodes: {major: 1}", "'major' is missing"),
        ("- a list", "keys and values"),
        ("a: [", "not valid YAML"),
    ],
)
def test_a_wrong_style_is_named(text, said):
    with pytest.raises(GenerationError, match=said):
        parse_style("x", text)


def test_a_family_without_a_style_is_an_error():
    with pytest.raises(GenerationError, match="polka"):
        style("polka")


def test_the_vocabulary_s_instruments_can_be_played():
    words = shipped().instruments
    missing = [w for w in words if not (find_patch(w) or find_percussion(w) or find_layers(w))]
    assert not missing


def test_no_guitar_means_no_kind_of_guitar():
    assert {"nylon_guitar", "distortion_guitar", "clean_guitar"} <= silenced("guitar")
    assert {"strings", "violin"} <= silenced("strings")
    assert find_patch("warm upright bass").name == "upright_bass"
    assert find_patch("kazoo choirs of doom") is None


def test_effects_add_up_and_the_narrowest_filter_wins():
    both = gather(["warm", "1920s", "nothing known"])
    assert both.lowpass == 4000
    assert both.low == 1.5
    assert both.vinyl == 1
    assert all(table()[w] for w in table())


def test_chords_are_built_on_the_mode():
    assert build_chord("1", 9, "minor", "triad").name == "Am"
    assert build_chord("57", 0, "major", "triad").name == "G7"
    assert build_chord("2", 0, "major", "9").name == "Dm9"
    assert build_chord("b7M", 0, "major", "triad").name == "Bb"
    assert build_chord("4", 0, "blues", "7").name == "F7"
    assert build_chord("5", 0, "harmonic_minor", "triad").name == "G"


@given(
    st.integers(0, 11),
    st.sampled_from(MODES),
    st.integers(1, 7),
    st.sampled_from(["close", "spread", "rootless"]),
    st.sampled_from(["triad", "7", "9", "sus4"]),
)
def test_voicings_hold_the_chord_in_reach(tonic, mode, degree, kind, colour):
    chord = build_chord(str(degree), tonic, mode, colour)
    keys = voice(chord, (60, 64, 67), (50, 76), kind=kind)
    assert list(keys) == sorted(set(keys))
    assert {k % 12 for k in keys} <= chord.classes
    assert len(keys) >= 2
    assert keys[0] >= 40
    assert keys[-1] <= 84


def test_voices_move_little():
    keys = (60, 64, 67)
    total = 0
    for degree in "4516":
        new = voice(build_chord(degree, 0, "major", "triad"), keys, (55, 76))
        total += sum(min(abs(a - b) for b in keys) for a in new)
        keys = new
    assert total <= 24


def test_nearest_takes_the_closest_key():
    assert nearest(61, {0, 7}, (48, 72)) == 60
    assert nearest(61, set(), (48, 72)) == 61


def test_swing_delays_the_offbeat_only():
    grid = Grid(tempo=120, metre=(4, 4), swing=1 / 3, swing_unit=8)
    assert grid.time(0, 4) == pytest.approx(0.5)
    assert grid.time(0, 2) == pytest.approx(1 / 3)
    assert grid.time(1, 0) == pytest.approx(2.0)


@pytest.mark.parametrize(
    "metre", [(4, 4), (3, 4), (6, 8), (12, 8), (5, 4), (7, 8), (2, 2), (2, 4), (9, 8)]
)
def test_patterns_fit_every_metre(metre):
    grid = Grid(tempo=100, metre=metre)
    for pattern in ("x...x...x...x...", "x---x-------x---", "x..x..x...x.....x..x..x...x....."):
        assert len(grid.fit(pattern, 1)) == grid.bar_steps


@given(
    st.integers(0, 40),
    st.integers(0, 3),
    st.sampled_from(FAMILIES),
    st.sampled_from(["major", "minor"]),
)
def test_forms_close_on_the_tonic(bars, upbeat, family, mode):
    form = lay_out(
        style(family),
        Grid(tempo=100, metre=(4, 4)),
        count=(bars, upbeat),
        key=(2, mode),
        rng=np.random.default_rng(1),
    )
    assert form.bars[-1].section == "end"
    assert form.bars[-1].chords[0][1].root == 2
    assert len(form.bars) == bars + 1 + bool(upbeat)
    assert sum(n for _, n in form.sections) == bars
    assert all(isinstance(c, Chord) for bar in form.bars for _, c in bar.chords)
    assert set(SCALES) == set(MODES)
