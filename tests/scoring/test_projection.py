from __future__ import annotations

import numpy as np
import pytest

from domain.errors import ScoringError
from scoring.explain import describe, explain
from scoring.projection import AXES, FEWEST, fit, pack, pooled, unpack
from scoring.space import default_space, wider_space
from scoring.taste import Rated, default_prior, predict
from scoring.taste import fit as fit_taste

LAYERS, WIDTH = 3, 40


@pytest.fixture(scope="module")
def heard():
    """Embeddings that lie near a plane, in layers of very different lengths."""
    rng = np.random.default_rng(4)
    plane = rng.normal(size=(5, LAYERS * WIDTH))
    flat = rng.normal(size=(300, 5)) @ plane + 0.05 * rng.normal(size=(300, LAYERS * WIDTH))
    return (flat.reshape(300, LAYERS, WIDTH) * [[[1.0], [10.0], [0.1]]]).reshape(300, -1)


@pytest.fixture(scope="module")
def projection(heard):
    return fit(heard, "tiny-1.12345678", WIDTH)


def test_rows_have_length_one_and_axes_are_orthogonal(heard, projection):
    rows = projection.project(heard)
    assert rows.shape == (300, WIDTH)
    assert np.linalg.norm(rows, axis=1) == pytest.approx(1.0)
    assert projection.axes @ projection.axes.T == pytest.approx(np.eye(WIDTH), abs=1e-4)
    spread = ((pooled(heard, WIDTH) - projection.mean) @ projection.axes.T).std(axis=0)
    assert (np.diff(spread) <= 1e-9).all()


def test_no_layer_drowns_the_others(heard, projection):
    scaled = (heard.reshape(300, LAYERS, WIDTH) * [[[3.0], [0.2], [7.0]]]).reshape(300, -1)
    assert projection.project(scaled) == pytest.approx(projection.project(heard))


def test_the_same_clips_in_any_order_give_the_same_axes(heard, projection):
    again = fit(heard[::-1], "tiny-1.12345678", WIDTH)
    assert again.project(heard[:9]) == pytest.approx(projection.project(heard[:9]), abs=1e-3)


def test_at_most_64_axes_and_none_of_no_spread():
    rng = np.random.default_rng(5)
    assert fit(rng.normal(size=(FEWEST, 100)), "e", 100).dimensions == AXES
    flat = rng.normal(size=(FEWEST, 2)) @ rng.normal(size=(2, 100))
    assert fit(np.abs(flat) @ np.ones((100, 1)), "e", 1).dimensions <= 1


def test_an_embedding_that_is_not_finite_is_refused(heard, projection):
    some = heard[:3].copy()
    some[1, 4] = np.nan
    with pytest.raises(ScoringError, match="not finite"):
        projection.project(some)


def test_it_comes_back_from_storage_as_it_was(projection, heard):
    back = unpack(pack(projection))
    assert back.id == projection.id
    assert back.clips == 300
    assert np.array_equal(back.project(heard), projection.project(heard))
    other = fit(heard[:250], "tiny-1.12345678", WIDTH)
    assert other.id != projection.id


@pytest.mark.parametrize("cut", [0, 3, 30, -1])
def test_damaged_bytes_are_refused(projection, cut):
    whole = pack(projection)
    with pytest.raises(ScoringError, match="fitted again"):
        unpack(whole[:cut])
    with pytest.raises(ScoringError, match="fitted again"):
        unpack(whole[:-1] + bytes([whole[-1] ^ 1]))


def test_what_cannot_be_fitted_is_named(heard):
    with pytest.raises(ScoringError, match="need 200 clips, not 199"):
        fit(heard[:199], "e", WIDTH)
    with pytest.raises(ScoringError, match="no layers of 7 numbers"):
        fit(heard, "e", 7)
    broken = heard.copy()
    broken[0, 0] = np.inf
    with pytest.raises(ScoringError, match="not finite"):
        fit(broken, "e", WIDTH)


def test_an_embedding_of_another_encoder_is_refused(projection):
    with pytest.raises(ScoringError, match=r"are not of tiny-1.12345678, which has 40"):
        projection.project(np.zeros((2, 41)))


def test_a_wider_space_keeps_every_column_of_the_shipped_one(heard, projection):
    space, narrow = wider_space(projection), default_space()
    rng = np.random.default_rng(6)
    features = rng.normal(size=(300, len(narrow._centre))) * narrow._scale + narrow._centre
    phi = space.project(features, projection.project(heard))
    assert space.id == f"{narrow.id}+{projection.id}"
    assert phi.shape == (300, space.dimensions + 1)
    assert len(space.labels) == space.dimensions + 1
    assert np.array_equal(phi[:, : narrow.dimensions], narrow.project(features)[:, :-1])
    assert not space.project(features)[:, narrow.dimensions : -1].any()
    with pytest.raises(ScoringError, match="do not fit 300 clips"):
        space.project(features, projection.project(heard[:9]))
    assert (phi[:, -1] == 1.0).all()


def test_a_stranger_in_the_wider_space_is_one_of_the_shipped_space_with_open_ears(projection):
    space, narrow = wider_space(projection), default_space()
    wide, own = default_prior(space), default_prior(narrow)
    kept = [*range(narrow.dimensions), space.dimensions]
    assert np.array_equal(wide.mean[kept], own.mean)
    assert np.array_equal(wide.covariance[np.ix_(kept, kept)], own.covariance)
    further = slice(narrow.dimensions, space.dimensions)
    assert not wide.mean[further].any()
    assert np.array_equal(wide.covariance[further, further], np.eye(projection.dimensions))
    assert np.linalg.eigvalsh(wide.covariance).min() > 0


def test_a_taste_for_what_only_the_learned_encoder_hears_is_learned(heard, projection):
    space, narrow = wider_space(projection), default_space()
    rng = np.random.default_rng(7)
    features = rng.normal(size=(300, len(narrow._centre))) * narrow._scale + narrow._centre
    liked = projection.project(heard)[:, 0] > 0
    found = {}
    for one, phi in (
        (space, space.project(features, projection.project(heard))),
        (narrow, narrow.project(features)),
    ):
        rated = [
            Rated(clip=i, rating=1.0 if liked[i] else -1.0, round="", age=0) for i in range(60)
        ]
        taste = fit_taste(default_prior(one), phi, rated)
        score = predict([taste], phi[60:]).mean[0]
        found[one.id] = float(np.mean((score > np.median(score)) == liked[60:]))
        assert explain(taste, phi[0], one)
        assert describe(taste, one) is not None
    assert found[space.id] > 0.8
    assert found[narrow.id] < 0.65
