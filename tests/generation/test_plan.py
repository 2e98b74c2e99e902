from hypothesis import given, settings
from hypothesis import strategies as st

from domain.facets import FAMILIES, MODES, TONICS, Facets
from generation.planning.hints import find_hints
from generation.planning.metres import suits
from generation.planning.plan import make_plan
from generation.writing.arrange import arrange
from prompts.reader import read
from prompts.vocabulary import shipped

WORDS = sorted(shipped().instruments)
LEVELS = st.none() | st.floats(0, 1)

any_facets = st.builds(
    Facets,
    family=st.none() | st.sampled_from(FAMILIES),
    genre=st.none() | st.sampled_from(sorted(shipped().genres)),
    instruments=st.lists(st.sampled_from([*WORDS, "kazoo"]), max_size=5).map(tuple),
    without=st.lists(st.sampled_from(WORDS), max_size=4).map(tuple),
    tempo=st.none() | st.floats(40, 220),
    tonic=st.none() | st.sampled_from(TONICS),
    mode=st.none() | st.sampled_from(MODES),
    metre=st.none() | st.tuples(st.integers(1, 15), st.sampled_from([2, 4, 8, 16])),
    energy=LEVELS,
    density=LEVELS,
    brightness=LEVELS,
    valence=LEVELS,
)


@settings(max_examples=60, deadline=None)
@given(any_facets, st.integers(0, 2**31 - 1), st.floats(1, 60))
def test_any_facets_become_a_playable_score(facets, seed, seconds):
    plan = make_plan(facets, seed, seconds, hints=find_hints(facets, shipped()))
    score = arrange(plan)
    if facets.metre is not None and suits(plan.style, facets.metre):
        assert plan.grid.metre == facets.metre
    if facets.tempo is not None:
        assert plan.grid.tempo == facets.tempo
    for part in score.parts:
        for note in part.notes:
            assert 0 <= note.start < seconds
            assert note.seconds > 0
            assert note.start + note.seconds <= seconds + 0.06
            assert 0 <= note.pitch <= 127
            assert 1 <= note.velocity <= 127
    if not facets.without and facets.family is not None:
        assert score.parts


def test_numbers_do_not_change_the_tune():
    """Turning brightness or the tonic keeps rhythm and contour; only the sound or the key moves."""
    plain = arrange(make_plan(Facets(family="jazz", tonic="C", brightness=0.2), 4, 8.0))
    other = arrange(make_plan(Facets(family="jazz", tonic="C", brightness=0.9), 4, 8.0))
    assert plain.parts == other.parts


def test_leaving_the_drums_out_keeps_the_rest():
    full = arrange(make_plan(Facets(family="soul"), 4, 8.0))
    bare = arrange(make_plan(Facets(family="soul", without=("drums",)), 4, 8.0))
    kept = [p for p in full.parts if p.role == "lead"]
    assert kept == [p for p in bare.parts if p.role == "lead"]


def test_mood_words_reach_the_plan():
    vocabulary = shipped()
    plans = []
    for prompt in ("sad calm pop", "happy energetic pop"):
        facets = read(prompt)
        plans.append(make_plan(facets, 1, 8.0, hints=find_hints(facets, vocabulary)))
    sad, glad = plans
    assert sad.valence < glad.valence
    assert sad.energy < glad.energy
    assert sad.grid.tempo < glad.grid.tempo


def test_a_genre_keeps_to_its_own_tempo():
    for prompt in ("dubstep", "deep house", "bebop", "ballad pop"):
        facets = read(prompt)
        genre = shipped().genres[facets.genre]
        tempo = make_plan(facets, 3, 8.0, hints=find_hints(facets, shipped())).grid.tempo
        assert genre.tempo[0] * 0.93 <= tempo <= genre.tempo[1] * 1.07


def test_no_family_at_all_follows_the_levels():
    calm = {make_plan(Facets(energy=0.05, density=0.05), s, 4.0).style.family for s in range(12)}
    wild = {make_plan(Facets(energy=0.98, density=0.9), s, 4.0).style.family for s in range(12)}
    assert len(calm) > 1
    assert calm & {"ambient", "drone"}
    assert not wild & {"ambient", "drone", "folk", "lofi"}


def test_a_waltz_stays_in_three():
    """Other metres than a family lives from are not taken; those that are counted alike are."""
    assert make_plan(Facets(family="waltz", metre=(13, 8)), 1, 8.0).grid.metre == (3, 4)
    assert make_plan(Facets(family="waltz", metre=(6, 8)), 1, 8.0).grid.metre == (6, 8)
    assert make_plan(Facets(family="rock", metre=(13, 8)), 1, 8.0).grid.metre == (13, 8)
