from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.errors import ScoringError
from scoring.taste import Rated, default_prior, fit, pack, pack_prior, predict, unpack, unpack_prior


@pytest.fixture(scope="module")
def taste(space):
    rng = np.random.default_rng(4)
    phi = np.c_[rng.normal(size=(12, space.dimensions)), np.ones(12)]
    return fit(default_prior(space), phi, [Rated(clip=i, rating=(-1) ** i) for i in range(12)])


def test_a_taste_survives_the_database(taste):
    back = unpack(pack(taste))
    assert (back.space_id, back.evidence) == (taste.space_id, taste.evidence)
    assert back.gain == pytest.approx(taste.gain, rel=1e-6)
    assert back.mean == pytest.approx(taste.mean, abs=1e-6)
    assert back.covariance == pytest.approx(taste.covariance, abs=1e-5)
    phi = np.random.default_rng(0).normal(size=(5, len(taste.mean)))
    assert predict([back], phi).liking == pytest.approx(predict([taste], phi).liking, abs=1e-4)


def test_a_prior_survives_the_database(space):
    prior = default_prior(space)
    back = unpack_prior(pack_prior(prior))
    assert (back.space_id, back.members) == (prior.space_id, prior.members)
    assert back.mean == pytest.approx(prior.mean, abs=1e-6)


def test_a_prior_is_no_taste(space, taste):
    with pytest.raises(ScoringError, match="kind"):
        unpack(pack_prior(default_prior(space)))
    with pytest.raises(ScoringError, match="kind"):
        unpack_prior(pack(taste))


def test_a_later_version_is_refused(taste):
    payload = bytearray(pack(taste))
    payload[3] = 9
    with pytest.raises(ScoringError, match="version 9"):
        unpack(bytes(payload))


@given(data=st.data())
def test_cut_or_damaged_bytes_are_refused(taste, data):
    payload = pack(taste)
    if data.draw(st.booleans()):
        broken = payload[: data.draw(st.integers(0, len(payload) - 1))]
    else:
        place = data.draw(st.integers(0, len(payload) - 1))
        flip = data.draw(st.integers(1, 255))
        broken = payload[:place] + bytes([payload[place] ^ flip]) + payload[place + 1 :]
    with pytest.raises(ScoringError):
        unpack(broken)


@given(st.binary(max_size=200))
def test_foreign_bytes_are_refused(payload):
    with pytest.raises(ScoringError, match="taste"):
        unpack(payload)
