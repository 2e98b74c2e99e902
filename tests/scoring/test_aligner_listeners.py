"""Listeners out of an aligner's table, and its space as one that tastes are learned in."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import spearmanr

from domain.errors import ScoringError
from scoring.aligner.listeners import TableListener, table_listeners
from scoring.aligner.space import AlignerAxes
from scoring.beliefs import Rated
from scoring.explain import explain
from scoring.space import default_space, wider_space
from scoring.taste import default_prior, fit, predict
from tests.scoring.aligners import PlainAligner

RNG = np.random.default_rng(0)
USERS = RNG.normal(size=(12, 5)) + np.eye(5)[0]
BANK = RNG.normal(size=(300, 2, 6)).astype(np.float32)


@pytest.fixture(scope="module")
def aligner():
    return PlainAligner(USERS)


@settings(max_examples=30, deadline=None)
@given(rate=st.floats(0.02, 0.98), steepness=st.floats(0.5, 40.0))
def test_a_listener_likes_the_share_that_was_asked_for(rate, steepness):
    found = table_listeners(PlainAligner(USERS), [0, 7], BANK, base_rate=rate, steepness=steepness)
    for one in found:
        assert one.probabilities(BANK).mean() == pytest.approx(rate, abs=1e-6)


def test_a_listener_likes_most_what_is_nearest_to_the_row(aligner):
    (one,) = table_listeners(aligner, [3], BANK)
    cosine = aligner.music(BANK) @ aligner.users()[3]
    assert np.array_equal(np.argsort(one.probabilities(BANK)), np.argsort(cosine))
    best = BANK[int(cosine.argmax())]
    assert one.likes(best) == pytest.approx(float(one.probabilities(BANK).max()))
    assert one.likes(best.ravel()) == pytest.approx(one.likes(best))


def test_what_cannot_be_is_a_sentence(aligner):
    with pytest.raises(ScoringError, match="none in row 12"):
        TableListener(aligner, 12)
    with pytest.raises(ScoringError, match="none in row -1"):
        TableListener(aligner, -1)
    with pytest.raises(ScoringError, match="between 0 and 1"):
        table_listeners(aligner, [0], BANK, base_rate=1.0)
    with pytest.raises(ScoringError, match="Without clips"):
        table_listeners(aligner, [0], BANK[:0])
    with pytest.raises(ScoringError, match="encoder-of-the-test; encode the clips again"):
        TableListener(aligner, 0).likes(np.zeros((3, 6)))
    with pytest.raises(ScoringError, match="not finite"):
        TableListener(aligner, 0).likes(np.full((2, 6), np.nan))


def test_the_axes_hold_every_listener_of_the_table():
    """Each row's log odds are a weighted sum of columns, with weights of about 1."""
    aligner = PlainAligner(np.random.default_rng(1).normal(size=(5, 8)) + 0.5)
    axes = AlignerAxes(aligner)
    columns = axes.project(BANK)
    assert columns.shape == (len(BANK), axes.dimensions)
    phi = np.concatenate([columns, np.ones((len(BANK), 1))], axis=1)
    odds = aligner.info.scale * aligner.music(BANK) @ aligner.users().T
    weights, *_ = np.linalg.lstsq(phi, odds, rcond=None)
    assert np.allclose(phi @ weights, odds, atol=1e-4)
    assert np.allclose((weights[1:-1] ** 2).mean(axis=1), 1.0, atol=1e-3)


def test_a_taste_learned_beside_the_features_finds_a_listener_of_the_table(aligner):
    axes = AlignerAxes(aligner)
    space = wider_space(axes)
    usual = np.tile(default_space()._centre, (len(BANK), 1))  # nothing to be told by the features
    phi = space.project(usual, axes.project(BANK))
    (one,) = table_listeners(aligner, [5], BANK, steepness=10.0)
    likes = np.random.default_rng(2).random(len(BANK)) < one.probabilities(BANK)
    rated = [Rated(clip=i, rating=1.0 if likes[i] else -1.0) for i in range(60)]
    taste = fit(default_prior(space), phi, rated)
    said = predict([taste], phi[60:]).liking[0]
    assert spearmanr(said, one.probabilities(BANK[60:])).statistic > 0.8
    assert explain(taste, phi[0], space)
    assert len(space.labels) == len(space.columns) + 1 == phi.shape[1]


def test_axes_point_the_same_way_whatever_rounding_did(aligner):
    usual = AlignerAxes(aligner).project(BANK)
    for seed in range(6):  # another order of the table is another rounding
        other = USERS[np.random.default_rng(seed).permutation(len(USERS))]
        assert np.allclose(AlignerAxes(PlainAligner(other)).project(BANK), usual, atol=1e-6)


def test_axes_are_at_most_what_the_table_spans():
    lonely = AlignerAxes(PlainAligner(USERS[:1]))
    assert lonely.dimensions == 1
    assert AlignerAxes(PlainAligner(USERS), axes=2).dimensions == 3
    assert AlignerAxes(PlainAligner(USERS), axes=2).id != AlignerAxes(PlainAligner(USERS)).id


def test_a_clip_that_was_not_heard_speaks_for_and_against_nothing(aligner):
    clips = BANK[:4].copy()
    clips[2, 0, 0] = np.nan
    found = AlignerAxes(aligner).project(clips)
    assert (found[2] == 0).all()
    assert np.allclose(found[[0, 1, 3]], AlignerAxes(aligner).project(BANK[[0, 1, 3]]))
    assert AlignerAxes(aligner).project(BANK[:0]).shape == (0, AlignerAxes(aligner).dimensions)
    with pytest.raises(ScoringError, match="encode the clips again"):
        AlignerAxes(aligner).project(np.zeros((2, 5)))
