from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scoring.laplace import Evidence, _by_answers, _by_weights, left_out, posterior, sigmoid


def world(seed, answers, size):
    rng = np.random.default_rng(seed)
    root = rng.normal(size=(size, size))
    evidence = Evidence(
        rows=rng.normal(size=(answers, size)),
        threshold=rng.choice([-1.5, 0.0, 1.5], answers),
        target=rng.choice([0.0, 0.3, 1.0], answers),
        weight=rng.choice([0.0, 0.15, 1.0], answers),
    )
    return evidence, rng.normal(size=size), root @ root.T / size + 0.1 * np.eye(size)


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 9999), answers=st.integers(1, 30), size=st.integers(1, 12))
def test_both_ways_to_the_posterior_arrive_at_the_same(seed, answers, size):
    evidence, mean, covariance = world(seed, answers, size)
    one, two = (way(evidence, mean, covariance) for way in (_by_answers, _by_weights))
    assert one[0] == pytest.approx(two[0], abs=1e-6)
    assert one[1] == pytest.approx(two[1], abs=1e-6)


def test_the_mode_is_where_the_gradient_is_nothing():
    evidence, mean, covariance = world(1, 20, 5)
    at, _ = posterior(evidence, mean, covariance)
    force = evidence.weight * (evidence.target - sigmoid(evidence.rows @ at - evidence.threshold))
    assert covariance @ evidence.rows.T @ force == pytest.approx(at - mean, abs=1e-7)


def test_what_the_others_foretell_is_near_what_a_fit_without_the_rating_says():
    evidence, mean, covariance = world(2, 24, 4)
    owner = np.repeat(np.arange(12), 2)
    rows = np.repeat(evidence.rows[::2], 2, axis=0)
    evidence = Evidence(
        rows=rows, threshold=evidence.threshold, target=evidence.target, weight=evidence.weight
    )
    at, spread = posterior(evidence, mean, covariance)
    foretold = left_out(evidence, owner, at, spread)
    for rating in range(12):
        kept = owner != rating
        rest = Evidence(
            rows=rows[kept],
            threshold=evidence.threshold[kept],
            target=evidence.target[kept],
            weight=evidence.weight[kept],
        )
        centre, wide = posterior(rest, mean, covariance)
        row = rows[2 * rating]
        exact = sigmoid((row @ centre) / np.sqrt(1 + np.pi * (row @ wide @ row) / 8))
        assert foretold[rating] == pytest.approx(float(exact), abs=0.05)
