"""Selection, credit, the surrogate, the screen and the memory, each by itself."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.facets import Facets
from evolution import memory
from evolution.archive import Individual, bounded
from evolution.memory import PromptMemory
from evolution.operators import PRIORS, Draft, credit
from evolution.screening import Screen
from evolution.selection import by_rank, draw, elites, ranking, softmax, tournament
from evolution.surrogate import FeatureMap, Surrogate
from prompts.reader import read
from prompts.vocabulary import shipped

FEATURES = FeatureMap(shipped())
values = st.lists(st.floats(-5, 5), min_size=1, max_size=30)


def individual(number, text="jazz", fitness=0.5, *, rated=True, operator="novel", parents=()):
    return Individual(
        id=number,
        facets=read(text),
        operator=operator,
        parents=parents,
        fitness=fitness,
        uncertainty=0.1,
        rated=rated,
    )


@given(values, st.integers(0, 40))
def test_elites_are_the_best(numbers, count):
    chosen = elites(numbers, count)
    assert len(chosen) == min(count, len(numbers))
    rest = [numbers[i] for i in range(len(numbers)) if i not in chosen]
    assert all(numbers[i] >= other for i in chosen for other in rest)


def test_ranking_keeps_the_order_of_equals():
    assert ranking([1, 3, 3, 2]) == [1, 2, 3, 0]


@given(values, st.integers(0, 2**32))
def test_a_full_tournament_is_won_by_the_best(numbers, seed):
    winner = tournament(numbers, len(numbers), np.random.default_rng(seed))
    assert numbers[winner] == max(numbers)


@given(values, st.floats(1e-6, 10))
def test_softmax_is_a_distribution_at_any_temperature(numbers, temperature):
    shares = softmax(numbers, temperature)
    assert math.isclose(shares.sum(), 1, rel_tol=1e-9)
    assert shares[int(np.argmax(numbers))] == shares.max()


def test_rank_selection_prefers_the_better():
    rng = np.random.default_rng(0)
    counts = np.bincount([by_rank([0.1, 0.9, 0.5], rng) for _ in range(3000)], minlength=3) / 3000
    assert counts == pytest.approx([2 / 11, 6 / 11, 3 / 11], abs=0.03)


@pytest.mark.parametrize("weights", [[0, 0], [math.nan, 0], [-1, -2]])
def test_drawing_without_weights_is_even(weights):
    rng = np.random.default_rng(0)
    assert {draw(weights, rng) for _ in range(40)} == {0, 1}


def test_credit_follows_what_children_gained():
    parent = individual(0, fitness=0.5)
    good = [individual(n, fitness=0.9, operator="cross", parents=(0,)) for n in range(1, 7)]
    bad = [individual(n, fitness=0.1, operator="mutate:tempo", parents=(0,)) for n in range(7, 13)]
    weights = credit([parent, *good, *bad])
    assert weights["cross"] > 2 * PRIORS["cross"]
    assert weights["mutate:tempo"] < 0.5 * PRIORS["mutate:tempo"]
    assert weights["retain"] == PRIORS["retain"]


def test_credit_needs_parents_that_were_told():
    assert credit([individual(1, operator="cross", parents=(99,))]) == PRIORS


def test_the_surrogate_learns_a_family():
    likes = [individual(n, "jazz with piano", 0.9) for n in range(3)]
    dislikes = [individual(9 + n, "techno with acid bass", 0.1) for n in range(3)]
    members = [*likes, *dislikes]
    surrogate = Surrogate(FEATURES.matrix([m.facets for m in members]), members)
    jazz, techno, other = surrogate.mean(
        FEATURES.matrix([read("bebop with trumpet"), read("acid techno"), read("bluegrass")])
    )
    assert jazz > other > techno


def test_draws_scatter_around_the_mean_and_more_where_nothing_is_known():
    members = [individual(n, "jazz with piano", 0.8) for n in range(6)]
    surrogate = Surrogate(FEATURES.matrix([m.facets for m in members]), members)
    rows = FEATURES.matrix([read("jazz with piano"), read("hard techno")])
    rng = np.random.default_rng(0)
    draws = np.array([surrogate.draw(rows, rng) for _ in range(600)])
    assert draws.mean(axis=0) == pytest.approx(surrogate.mean(rows), abs=0.06)
    assert draws[:, 1].std() > 3 * draws[:, 0].std()


def test_a_rating_outweighs_an_expectation():
    def told(rated):
        members = [individual(0, "jazz", 1.0, rated=rated), individual(1, "techno", 0.2)]
        surrogate = Surrogate(FEATURES.matrix([m.facets for m in members]), members)
        return float(surrogate.mean(FEATURES.matrix([read("jazz")]))[0])

    assert told(True) > told(False)


def test_features_hear_the_tempo_and_the_instruments():
    rows = FEATURES.matrix(
        [read("jazz at 80 bpm"), read("jazz at 160 bpm"), read("jazz with harp")]
    )
    assert rows.shape == (3, FEATURES.size)
    assert not np.allclose(rows[0], rows[1])
    assert not np.allclose(rows[0], rows[2])


def test_the_screen_drops_near_duplicates():
    drafts = [
        Draft(facets=read(f"jazz with piano at {120 + n} bpm"), operator="x") for n in range(5)
    ]
    drafts.append(Draft(facets=read("gentle bossa nova with flute"), operator="x"))
    screen = Screen(FEATURES, [individual(0, "jazz", 0.9)])
    chosen = screen.choose(drafts, 6, np.random.default_rng(0), daring=0.0)
    assert len(chosen) == 2
    assert chosen[0].facets.family == "jazz"


def test_an_archive_keeps_the_best_for_ever():
    members = [individual(n, fitness=1.0 if n == 3 else 0.2) for n in range(1000)]
    kept = bounded(members, [member.fitness for member in members])
    assert 3 in {member.id for member in kept}
    assert kept[-1].id == 999
    assert len(kept) <= 256


def test_memory_ignores_case_accents_and_punctuation():
    known = PromptMemory()
    known.add("Slow jazz, with Piano!")
    assert "slow  jazz with piáno" in known
    assert "slow jazz with harp" not in known
    assert PromptMemory(known.to_json()).to_json() == known.to_json()


def test_memory_is_bounded(monkeypatch):
    monkeypatch.setattr(memory, "MAX_REMEMBERED", 3)
    known = PromptMemory()
    for number in range(5):
        known.add(f"prompt {number}")
    assert len(known.to_json()) == 3
    assert "prompt 4" in known
    assert "prompt 0" not in known


def test_nothing_in_common_is_still_a_vector():
    assert np.isfinite(FEATURES.vector(Facets())).all()
