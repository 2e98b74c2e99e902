"""Forms, progressions and the tables that players read."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.description import SECTIONS
from domain.errors import GenerationError
from domain.facets import FAMILIES
from generation.planning import manners, sections
from generation.planning.form import dress
from generation.planning.grid import Grid
from generation.planning.progressions import (
    halve,
    read_line,
    rotated,
    turned,
    with_applied,
    with_cadence,
    with_suspension,
)
from generation.planning.sections import SHORT, divide, pattern_for
from generation.planning.styles import style
from generation.planning.theory import Chord, build_chord

GRID = Grid(tempo=100, metre=(4, 4))
THIN = {"intro", "break", "build", "bridge", "verse"}


def chord(symbol, mode="major"):
    return build_chord(symbol, 0, mode, "triad")


@given(st.integers(0, 300), st.sampled_from(FAMILIES), st.floats(0, 0.99), st.floats(0, 0.99))
def test_any_number_of_bars_has_a_form(bars, family, luck, other):
    found = divide(bars, pattern_for(family, luck), other)
    assert sum(length for _, length in found) == bars
    assert all(name in SECTIONS and length > 0 for name, length in found)
    assert all(a[0] != b[0] for a, b in itertools.pairwise(found))
    if bars > SHORT:
        assert found[-1][0] not in THIN
        assert len(found) > 1
    if 0 < bars <= SHORT:
        assert found[0][0] == "A"
    if bars >= 100:
        assert len({name for name, _ in found}) >= 3


def test_blues_has_twelve_bars():
    pattern = pattern_for("blues", 0.0)
    assert divide(24, pattern, 0.1) == (("A", 12), ("A2", 12))
    line = read_line(pattern.line, style("blues"), GRID, (0, "blues"))
    assert [bar[0][1].root for bar in line] == [0, 5, 0, 0, 5, 5, 0, 0, 7, 5, 0, 7]


def test_a_style_may_name_its_forms():
    assert pattern_for("pop", 0.3, ("club",)).close == "drop"
    with pytest.raises(GenerationError, match=r"pop\.yaml, forms: there is no form 'sonata'"):
        pattern_for("pop", 0.3, ("sonata",))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("forms: {x: {bdy: [A]}}\nfamilies: {}", "x: unknown key 'bdy'"),
        ("forms: {x: {body: [Q], close: A}}\nfamilies: {}", "x: unknown section 'Q'"),
        ("forms: {x: {body: [A], close: A}}\nfamilies: {pop: [y]}", "pop: unknown form 'y'"),
    ],
)
def test_a_wrong_form_is_named(text, said):
    with pytest.raises(GenerationError, match=said):
        sections.parse(text)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("pop: {shemes: [a]}", "pop: unknown key 'shemes'"),
        ("pop: {counter: kazoo}", "pop: unknown counter 'kazoo'"),
        ("pop: {schemes: [sonata]}", "pop: unknown scheme 'sonata'"),
        ("pop: {shapes: [blob]}", "pop: unknown shape 'blob'"),
    ],
)
def test_wrong_manners_are_named(text, said):
    with pytest.raises(GenerationError, match=said):
        manners.parse(text)


def test_an_unlisted_family_behaves_as_most_do():
    assert manners.manners("polka") == manners.Manners()
    assert manners.parse("pop: {grace: 0.2}")["pop"].grace == 0.2


def test_phrases_end_where_sections_do():
    one = ((0, chord("1")),)
    for length in range(1, 20):
        bars = dress([("verse", one)] * length + [("chorus", one)] * 4 + [("end", one)])
        verse = bars[:length]
        assert verse[-1].closing
        assert verse[-1].fill
        assert verse[-1].open
        ends = [bar.place for bar in verse if bar.closing]
        gaps = [b - a for a, b in zip([-1, *ends], ends, strict=False)]
        assert max(gaps) <= 5
        assert all(bar.phrase in range(4) for bar in verse)
        assert not bars[-2].open


def test_a_question_is_open_and_its_answer_closed():
    one = ((0, chord("1")),)
    bars = dress([("A", one)] * 4 + [("A2", one)] * 4 + [("end", one)])
    assert bars[3].closing
    assert bars[3].open
    assert bars[7].closing
    assert not bars[7].open


def test_dominants_lead_on():
    applied = with_applied(((0, chord("1")),), chord("2"), GRID)
    assert applied[1][1].name == "A7"
    assert applied[1][0] == 8
    same = ((0, chord("1")),)
    assert with_applied(same, chord("4"), GRID) == same
    assert with_applied(same, chord("7"), GRID) == same
    assert with_applied(same, chord("2"), Grid(tempo=100, metre=(1, 4))) == same


def test_cadences_and_suspensions():
    home, five = chord("1"), chord("5")
    bar = with_cadence(((0, chord("4")),), five, home, GRID)
    assert [c.name for _, c in bar] == ["F", "G"]
    held = with_suspension(bar, GRID)
    assert [(start, c.name) for start, c in held] == [(0, "F"), (8, "Gsus4"), (12, "G")]
    assert with_cadence(((0, home),), five, home, GRID) == ((0, five),)
    assert with_cadence(bar, home, home, GRID) == bar
    assert with_suspension(((0, Chord(0, (0, 7))),), GRID) == ((0, Chord(0, (0, 7))),)
    assert [c.name for _, c in turned([((0, home),)], home, five, GRID)] == ["C", "G"]
    assert turned([((0, five),)], home, five, GRID) == ((0, five),)


def test_lines_are_halved_and_turned_round():
    line = read_line("1 | 6 | 4 | 5", style("pop"), GRID, (0, "major"))
    assert [[c.name for _, c in bar] for bar in halve(line, GRID)] == [["C", "Am"], ["F", "G"]]
    assert [bar[0][1].name for bar in rotated(line)] == ["F", "G", "C", "Am"]
    tight = read_line("1 6 2 5", style("pop"), Grid(tempo=100, metre=(2, 4)), (0, "major"))
    assert all(start < 8 for start, _ in tight[0])


@pytest.mark.parametrize(
    ("metre", "middle"), [((4, 4), 8), ((3, 4), 8), ((6, 8), 6), ((5, 4), 12), ((2, 2), 8)]
)
def test_the_middle_is_a_strong_beat(metre, middle):
    grid = Grid(tempo=100, metre=metre)
    assert grid.middle == middle
    assert grid.weight(0) > grid.weight(middle) > grid.weight(grid.beat_steps + 1)
