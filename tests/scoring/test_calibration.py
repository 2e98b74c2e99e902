import tracemalloc

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.errors import ScoringError
from scoring.calibration import calibration

PAIRS = st.lists(st.tuples(st.floats(0, 1), st.booleans()), min_size=1, max_size=60)


def test_a_small_case_by_hand():
    # Five bins of two: |.1 - 0|, |.3 - .5|, |.5 - .5|, |.7 - 1|, |.9 - 1|, on average .14.
    foretold = [0.1, 0.1, 0.3, 0.3, 0.5, 0.5, 0.7, 0.7, 0.9, 0.9]
    liked = [False, False, True, False, True, False, True, True, True, True]
    found = calibration(foretold, liked)
    assert found.error.value == pytest.approx(0.14)
    assert found.bias == pytest.approx(-0.1)
    assert [one.foretold for one in found.bins] == pytest.approx([0.1, 0.3, 0.5, 0.7, 0.9])
    assert [one.actual.value for one in found.bins] == [0.0, 0.5, 0.5, 1.0, 1.0]


def test_perfect_predictions_err_by_chance_alone():
    rng = np.random.default_rng(4)
    foretold = rng.random(3000)
    good = calibration(foretold, rng.random(3000) < foretold)
    assert good.error.value < 0.04
    assert good.by_chance < 0.03
    bold = calibration(foretold, np.full(3000, fill_value=False))
    assert bold.error.value == pytest.approx(0.5, abs=0.03)
    assert bold.bias > 0.4


@given(PAIRS)
def test_the_figures_stay_in_range(pairs):
    found = calibration([p for p, _ in pairs], [liked for _, liked in pairs])
    assert 0.0 <= found.error.low <= found.error.value <= found.error.high <= 1.0
    assert sum(one.actual.count for one in found.bins) == len(pairs)
    assert found == calibration([p for p, _ in pairs], [liked for _, liked in pairs])


def test_bad_input():
    assert calibration([], []) is None
    with pytest.raises(ScoringError, match="prediction"):
        calibration([1.2], [True])
    with pytest.raises(ScoringError, match="prediction"):
        calibration([0.2, 0.3], [True])


def test_many_votes_take_little_memory():
    rng = np.random.default_rng(2)
    foretold = rng.random(6000)
    liked = rng.random(6000) < foretold
    tracemalloc.start()
    try:
        assert calibration(foretold, liked).error.count == 6000
        assert tracemalloc.get_traced_memory()[1] < 20 * 2**20
    finally:
        tracemalloc.stop()


def test_the_draws_are_the_same_however_they_are_cut(monkeypatch):
    rng = np.random.default_rng(3)
    foretold = rng.random(300)
    liked = rng.random(300) < foretold
    whole = calibration(foretold, liked)
    monkeypatch.setattr("scoring.calibration.BLOCK", 1000)
    assert calibration(foretold, liked) == whole
