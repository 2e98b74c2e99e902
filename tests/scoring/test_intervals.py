"""Intervals against published values and against what they promise."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.errors import ScoringError
from scoring.intervals import BetaPrior, difference, mean, share, shrunk, units_needed, usual

COUNTS = st.integers(0, 400).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))


def test_wilson_as_published():
    found = share(8, 10)
    assert (found.low, found.high) == pytest.approx((0.4902, 0.9433), abs=1e-4)
    assert share(0, 10).low == 0.0
    assert share(10, 10).high == 1.0
    assert share(0, 0) is None
    with pytest.raises(ScoringError, match="11 of 10"):
        share(11, 10)


def test_newcombe_as_published():
    # Newcombe (1998), Statistics in Medicine 17:873, method 10, first example: 56/70 against 48/80.
    found = difference(share(56, 70), share(48, 80))
    assert (found.value, found.low, found.high) == pytest.approx((0.2, 0.0524, 0.3339), abs=1e-4)
    assert found.above_zero
    assert difference(None, share(1, 2)) is None


def test_student_as_published():
    found = mean([1, 2, 3, 4, 5])
    assert (found.value, found.low, found.high) == pytest.approx((3, 1.0368, 4.9632), abs=1e-4)
    assert math.isinf(mean([0.3]).high)
    assert mean([]) is None
    bounded = mean([1.0, 0.5], least=-1.0, most=1.0)
    assert (bounded.low, bounded.high) == (-1.0, 1.0)


def test_beta_posterior_as_published():
    found = shrunk(9, 10, BetaPrior(likes=1, dislikes=1))
    assert (found.low, found.high) == pytest.approx((0.5872, 0.9772), abs=1e-4)


@given(COUNTS)
def test_a_share_lies_in_its_interval(counts):
    found = share(*counts)
    if found is not None:
        assert 0.0 <= found.low <= found.value <= found.high <= 1.0


@given(COUNTS, COUNTS)
def test_a_difference_turns_round(first, second):
    one, other = (
        difference(share(*first), share(*second)),
        difference(share(*second), share(*first)),
    )
    if one is not None:
        assert one.low <= one.value <= one.high
        assert one.low == pytest.approx(-other.high, abs=1e-12)


def test_wilson_covers_what_it_promises():
    rng = np.random.default_rng(1)
    hits = rng.binomial(25, 0.3, size=2000)
    inside = [share(int(k), 25) for k in hits]
    covered = np.mean([one.low <= 0.3 <= one.high for one in inside])
    assert 0.92 < covered < 0.98


def test_one_like_is_not_on_top_of_nine_of_ten():
    counts = [(1, 1), (9, 10), (2, 8), (3, 9), (1, 6), (5, 7)]
    prior = usual(counts)
    assert shrunk(1, 1, prior).low < shrunk(9, 10, prior).low
    assert shrunk(1, 1, prior).value < 0.9


def test_clips_that_are_all_alike_share_a_strong_prior():
    rng = np.random.default_rng(2)
    alike = [(int(rng.binomial(10, 0.4)), 10) for _ in range(200)]
    apart = [(int(rng.binomial(10, p)), 10) for p in rng.beta(0.6, 0.6, size=200)]
    strong, weak = usual(alike), usual(apart)
    assert strong.likes + strong.dislikes == pytest.approx(20.0)
    assert weak.likes + weak.dislikes == pytest.approx(2.0, abs=0.5)
    assert strong.likes / 20.0 == pytest.approx(0.4, abs=0.03)


def test_the_prior_finds_how_far_clips_differ():
    rng = np.random.default_rng(3)
    true = [(int(rng.binomial(12, p)), 12) for p in rng.beta(3.0, 5.0, size=4000)]
    found = usual(true)
    assert (found.likes, found.dislikes) == pytest.approx((3.0, 5.0), rel=0.15)


def test_how_many_more_rounds_would_tell():
    assert units_needed([], 0.1) == pytest.approx(98, abs=2)
    small, large = units_needed([0.1, -0.1] * 5, 0.1), units_needed([0.6, 0.4] * 5, 0.1)
    assert large == 0
    assert small > 10
    assert units_needed([0.5] * 30, 0.1) == 0
