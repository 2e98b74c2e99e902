from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.errors import ScoringError
from scoring.eubo import SHORTLIST, choose_pair, eubo
from scoring.taste import Rated, default_prior, fit, newcomer

CLIPS = 12


@pytest.fixture(scope="module")
def phi(space):
    rows = np.random.default_rng(0).normal(size=(CLIPS, space.dimensions + 1)) * 0.4
    rows[:, -1] = 1.0
    return rows


@pytest.fixture(scope="module")
def prior(space):
    return default_prior(space)


@pytest.fixture(scope="module")
def taste(prior, phi):
    return fit(prior, phi, [Rated(clip=c, rating=(1.0, -1.0)[c % 2]) for c in range(6)])


def test_the_formula_is_the_mean_of_the_better_one(taste, phi):
    rng = np.random.default_rng(1)
    root = np.linalg.cholesky(taste.covariance)
    drawn = taste.mean + rng.standard_normal((40_000, len(taste.mean))) @ root.T
    for a, b in ((0, 1), (2, 4), (7, 11)):
        sampled = np.maximum(drawn @ phi[a], drawn @ phi[b])
        error = sampled.std() / np.sqrt(len(sampled))
        assert eubo(taste, phi[a], phi[b]) == pytest.approx(sampled.mean(), abs=5 * error)
        assert eubo(taste, phi[a], phi[b]) == eubo(taste, phi[b], phi[a])


def test_a_pair_is_worth_at_least_its_better_clip(taste, phi):
    means = phi @ taste.mean
    for a in range(CLIPS):
        assert eubo(taste, phi[a], phi[a]) == pytest.approx(means[a], abs=1e-5)
        for b in range(CLIPS):
            assert eubo(taste, phi[a], phi[b]) >= max(means[a], means[b]) - 1e-6


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10_000), count=st.integers(2, CLIPS))
def test_the_chosen_pair_is_the_best_one(taste, phi, seed, count):
    rows = phi[np.random.default_rng(seed).permutation(CLIPS)[:count]]
    a, b = choose_pair(taste, rows, np.random.default_rng(seed))
    assert a != b
    best = max(eubo(taste, rows[i], rows[j]) for i in range(count) for j in range(i))
    assert eubo(taste, rows[a], rows[b]) == pytest.approx(best, abs=1e-9)


def test_either_clip_comes_first_about_as_often(taste, phi):
    rng = np.random.default_rng(0)
    pairs = [choose_pair(taste, phi, rng) for _ in range(200)]
    assert len({frozenset(pair) for pair in pairs}) == 1
    assert 70 < sum(pair[0] < pair[1] for pair in pairs) < 130


def test_chance_settles_ties(prior, phi):
    same = np.tile(phi[:1], (6, 1))
    pairs = [choose_pair(newcomer(prior), same, np.random.default_rng(seed)) for seed in range(30)]
    assert len({frozenset(pair) for pair in pairs}) > 5
    assert pairs == [
        choose_pair(newcomer(prior), same, np.random.default_rng(seed)) for seed in range(30)
    ]


def test_with_two_listeners_the_pair_has_something_for_each(prior, phi):
    one, two = np.zeros(phi.shape[1]), np.zeros(phi.shape[1])
    one[0] = two[1] = 1.0
    rows = np.zeros((4, phi.shape[1]))
    rows[:, -1] = 1.0
    rows[0, 0] = rows[1, 1] = 3.0
    known = [fit(prior, rows, [Rated(clip=c, rating=1.0)] * 20) for c in (0, 1)]
    assert set(choose_pair(known, rows, np.random.default_rng(0))) == {0, 1}


def test_with_nobody_the_two_are_far_apart(phi):
    for seed in range(10):
        a, b = choose_pair([], phi, np.random.default_rng(seed))
        away = np.linalg.norm(phi - phi[a], axis=1)
        assert a != b
        assert away[b] == away.max()


def test_a_thousand_clips_are_shortlisted_without_losing_the_best(taste, phi):
    many = np.random.default_rng(3).normal(size=(4 * SHORTLIST, phi.shape[1])) * 0.3
    many[:, -1] = 1.0
    best = int((many @ taste.mean).argmax())
    a, b = choose_pair(taste, many, np.random.default_rng(0))
    assert eubo(taste, many[a], many[b]) >= float(many[best] @ taste.mean)


def test_impossible_duels_are_refused_by_name(taste, phi):
    rng = np.random.default_rng(0)
    with pytest.raises(ScoringError, match="needs two clips"):
        choose_pair(taste, phi[:1], rng)
    with pytest.raises(ScoringError, match="do not fit"):
        choose_pair([taste], phi[:, 1:], rng)
    with pytest.raises(ScoringError, match="do not fit"):
        eubo(replace(taste, mean=taste.mean[1:]), phi[0], phi[1])
    with pytest.raises(ScoringError, match="finite"):
        choose_pair(taste, np.where(phi == phi[0, 0], np.nan, phi), rng)
