"""What makes a family itself: its rhythm, its harmony and its players are those of the music it is named after."""

import numpy as np
import pytest

from domain.facets import FAMILIES, MODES, TONICS, Facets
from generation.planning.grid import Grid
from generation.planning.patches import find_patch, patch, patch_names
from generation.planning.plan import make_plan
from generation.planning.styles import style
from generation.planning.theory import MELODIES, MINOR_MODES, SCALES, build_chord, melody_scale
from generation.writing.arrange import arrange
from prompts.reader import read

FOUR = Grid(tempo=100, metre=(4, 4))
TWELVE = Grid(tempo=110, metre=(12, 8))


def strokes(row, grid=FOUR, unit=1, bars=1):
    """Places at which a row sounds, in units of sixteenths, over some bars."""
    steps = "".join(grid.fit(row, bar) for bar in range(bars))
    return [step / unit for step, mark in enumerate(steps) if mark not in ".-"]


def grooves(family):
    return style(family).drums.grooves


def score_of(family, seed=1, **facets):
    plan = make_plan(Facets(family=family, **facets), seed, 8.0)
    return plan, arrange(plan)


def test_all_general_midi_programs_can_be_played():
    pitched = [patch(name) for name in patch_names() if patch(name).kind != "drums"]
    assert {each.program for each in pitched} == set(range(128))
    for each in pitched:
        assert 0 <= each.low < each.high <= 127
        assert each.kind == "effects" or each.high - each.low >= 12


def test_no_word_means_two_instruments():
    seen = {}
    for name in patch_names():
        for word in (name.replace("_", " "), *patch(name).words):
            assert seen.setdefault(word, name) == name, word


@pytest.mark.parametrize(
    ("word", "name"),
    [
        ("oud", "oud"),
        ("santoor", "dulcimer"),
        ("viola", "viola"),
        ("bari sax", "baritone_sax"),
        ("bandoneon", "bandoneon"),
        ("piccolos", "piccolo"),
        ("applause", "applause"),
        ("gunshot", "gunshot"),
        ("kora", "kora"),
    ],
)
def test_instruments_have_their_own_sound(word, name):
    assert find_patch(word).name == name


def test_a_noise_can_be_the_lead():
    plan, score = score_of("pop", instruments=("telephone",))
    assert plan.cast.voice("lead").patch.name == "telephone"
    assert any(part.patch == "telephone" and part.notes for part in score.parts)


@pytest.mark.parametrize("mode", MODES)
def test_a_mode_has_seven_degrees_with_chords_on_them(mode):
    scale = SCALES[mode]
    assert len(scale) == 7
    assert list(scale) == sorted(set(scale))
    assert scale[0] == 0
    assert (3 in scale and 4 not in scale) == (mode in MINOR_MODES)
    for degree in range(1, 8):
        chord = build_chord(str(degree), 0, mode, "triad")
        assert len(chord.classes) == 3
        assert chord.root == scale[degree - 1]
    tonic = build_chord("1", 0, mode, "triad").classes
    assert tonic <= {*scale, *melody_scale(mode, "mode")}


def test_chords_of_the_new_modes_have_their_own_colour():
    names = {mode: build_chord("1", 9, mode, "triad").name for mode in MODES}
    assert names["locrian"] == "Adim"
    assert names["whole_tone"] == "Aaug"
    assert names["double_harmonic"] == "A"
    assert names["melodic_minor"] == "Am"
    assert build_chord("2", 9, "phrygian_dominant", "triad").name == "Bb"
    assert build_chord("4", 9, "melodic_minor", "triad").name == "D"
    assert set(MELODIES["pelog"]) < set(SCALES["pelog"])


@pytest.mark.parametrize("mode", ["locrian", "phrygian_dominant", "whole_tone", "pelog"])
@pytest.mark.parametrize("family", ["pop", "jazz", "metal", "quartet"])
def test_families_play_in_modes_that_are_not_theirs(family, mode):
    plan, score = score_of(family, mode=mode, tonic="D")
    keys = [n.pitch % 12 for p in score.parts if p.role == "lead" for n in p.notes]
    scale = {(TONICS.index("D") + s) % 12 for s in (*SCALES[mode], *melody_scale(mode, "mode"))}
    assert plan.mode == mode
    assert keys
    assert np.mean([key in scale for key in keys]) > 0.6


@pytest.mark.parametrize("metre", [(5, 4), (7, 8), (12, 8), (6, 8), (3, 4), (2, 4)])
@pytest.mark.parametrize("family", ["jazz", "rock", "maqam", "folk", "tango", "samba"])
def test_families_play_in_metres_that_are_not_theirs(family, metre):
    plan, score = score_of(family, metre=metre)
    assert plan.grid.metre == metre
    assert {"bass", "chords", "lead"} <= {part.role for part in score.parts}
    ends = [n.start + n.seconds for part in score.parts for n in part.notes]
    assert max(ends) <= 8.01


@pytest.mark.parametrize(
    ("family", "metre", "low", "high"),
    [
        ("maqam", (9, 8), [0, 8], [4, 12, 16]),  # aqsaq, 2+2+2+3
        ("maqam", (10, 8), [0, 10, 12], [6, 14]),  # samai thaqil
        ("raga", (7, 8), [6, 10], [4, 8, 12]),  # rupak, 3+2+2
    ],
)
def test_cycles_of_odd_length_are_those_that_drummers_play(family, metre, low, high):
    plan, score = score_of(family, metre=metre, energy=0.9, density=0.9, danceability=0.5)
    drums = next(part for part in score.parts if part.role == "drums")
    start = plan.grid.time(1, 0)
    heard = {
        key: {
            round((n.start - start) / plan.grid.step_seconds)
            for n in drums.notes
            if n.pitch == key and -0.04 < n.start - start < plan.grid.bar_seconds - 0.06
        }
        for key in (60, 64)
    }
    assert set(low) <= heard[64]
    assert set(high) <= heard[60]


def test_claves_fall_where_they_should():
    three_two = [0, 3, 6, 10, 12]
    assert strokes(grooves("latin")[0]["clave"]) == three_two
    assert strokes(grooves("latin")[1]["clave"]) == [2, 4, 8, 11, 14]
    bossa = strokes(grooves("bossa")[0]["rim"], unit=2, bars=2)
    assert bossa == [0, 3, 6, 10, 13]


def test_the_african_bell_has_seven_strokes_in_twelve():
    bells = [g.get("agogo_high") or g["agogo_low"] for g in grooves("polyrhythm")[:2]]
    for bell in bells:
        assert strokes(bell, TWELVE, unit=2) == [0, 2, 4, 5, 7, 9, 11]
    assert style("polyrhythm").metres == {"12/8": 1}


def test_beats_are_where_dancers_look_for_them():
    for family in ("house", "techno", "disco"):
        for groove in grooves(family):
            assert strokes(groove["kick"])[:4] == [0, 4, 8, 12]
    for groove in grooves("samba"):
        assert strokes(groove["surdo"])[:2] == [4, 12]
    for groove in grooves("reggae"):
        assert {4, 12} <= set(strokes(groove["rim"]))
    for family in ("reggae", "ska"):
        for row in style(family).chords.patterns:
            assert all(step % 4 != 0 for step in strokes(row))
    for groove in grooves("swing")[:1]:
        assert strokes(groove["ride"]) == [0, 4, 6, 8, 12, 14]


def test_a_waltz_is_oom_pah_pah():
    grid = Grid(tempo=170, metre=(3, 4))
    for row in style("waltz").chords.patterns:
        assert strokes(row, grid) == [4, 8]
    assert all(strokes(row, grid) == [0] for row in style("waltz").bass.patterns)


def test_some_music_has_no_kit_and_some_no_changes():
    for family in ("tango", "baroque", "romantic", "quartet", "classical"):
        assert style(family).drums is None
    assert style("raga").progressions == {"major": ("1",), "minor": ("1",)}
    plan, _ = score_of("raga")
    assert len({chord.root for bar in plan.bars for _, chord in bar.chords}) == 1
    patches = {p.patch for p in score_of("romantic")[1].parts}
    assert patches == {"piano"}
    played = {p.patch for seed in range(4) for p in score_of("quartet", seed)[1].parts}
    assert played <= {"violin", "viola", "cello"}


@pytest.mark.parametrize(
    ("genre", "players"),
    [
        ("gypsy jazz", {"upright_bass", "steel_guitar", "violin"}),
        ("alap", {"tanpura", "drone_pad", "sitar"}),
        ("taqsim", {"strings", "oud"}),
        ("piano quintet", {"cello", "piano", "viola", "violin"}),
    ],
)
def test_ensembles_have_their_own_players(genre, players):
    facets = read(genre)
    score = arrange(make_plan(facets, 2, 8.0))
    assert {part.patch for part in score.parts} == players


@pytest.mark.parametrize("family", FAMILIES)
def test_patterns_say_something_and_players_reach_their_notes(family):
    made = style(family)
    for groove in made.drums.grooves if made.drums else ():
        assert all(set(row) - {"."} for row in groove.values())
    for role in ("chords", "lead", "bass"):
        part = getattr(made, role)
        for name in part.patches if part else ():
            assert patch(name).kind not in {"drums", "effects"}
    if made.bass is not None:
        assert all(patch(n).low <= made.bass.lowest + 14 for n in made.bass.patches)
    assert all(patch(n).low < made.lead.register + 12 for n in made.lead.patches)


@pytest.mark.parametrize(
    ("words", "family"),
    [
        ("big band", "swing"),
        ("gypsy jazz", "swing"),
        ("electro swing", "swing"),
        ("bebop", "jazz"),
        ("batucada", "samba"),
        ("bossa nova", "bossa"),
        ("salsa", "latin"),
        ("two tone", "ska"),
        ("ska punk", "ska"),
        ("rocksteady", "reggae"),
        ("pop punk", "punk"),
        ("nuevo tango", "tango"),
        ("viennese waltz", "waltz"),
        ("jazz waltz", "jazz"),
        ("harpsichord music", "baroque"),
        ("fugue", "baroque"),
        ("nocturne", "romantic"),
        ("romantic piano", "romantic"),
        ("string quartet", "quartet"),
        ("symphony", "orchestral"),
        ("balinese gamelan", "gamelan"),
        ("hindustani", "raga"),
        ("qawwali", "raga"),
        ("belly dance", "maqam"),
        ("arabic music", "maqam"),
        ("klezmer", "folk"),
        ("djembe circle", "polyrhythm"),
        ("gnawa", "polyrhythm"),
        ("highlife", "afrobeat"),
    ],
)
def test_genre_words_find_their_family(words, family):
    assert read(words).family == family
