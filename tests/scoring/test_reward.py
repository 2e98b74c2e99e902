from __future__ import annotations

import dataclasses
import struct
import zlib

import numpy as np
import pytest

from domain.errors import ScoringError
from scoring.reward import (
    MEMBERS,
    MIN_LISTENERS,
    MIN_PAIRS,
    Choices,
    calibration_error,
    learn,
    too_few,
)
from scoring.reward_packing import HEAD, pack_reward, unpack_reward
from scoring.taste import default_prior, newcomer, predict

CLIPS = 200


@pytest.fixture(scope="module")
def phi(space):
    rows = np.random.default_rng(0).normal(size=(CLIPS, space.dimensions + 1)) * 0.3
    rows[:, -1] = 1.0
    return rows


def community(phi, listeners=12, pairs=25, *, seed=1, liked=3.0, trolls=0):
    """Listeners who all like the first column, each with a taste of their own beside it; trolls say the opposite."""
    rng = np.random.default_rng(seed)
    better, worse, owner = [], [], []
    for who in range(listeners):
        own = rng.normal(size=phi.shape[1] - 1) * 0.25
        own[0] += liked
        utility = phi[:, :-1] @ own
        for _ in range(pairs):
            a, b = rng.choice(len(phi) // 2, 2, replace=False)
            ahead = utility[a] - utility[b] + 0.5 * rng.normal()
            if (ahead > 0) != (who < trolls):
                better.append(a), worse.append(b)
            else:
                better.append(b), worse.append(a)
            owner.append(who)
    return Choices(
        better=np.array(better),
        worse=np.array(worse),
        weight=np.ones(len(better)),
        listener=np.array(owner) + 10**17,
    )


def agreement(reward, phi):
    """Return the share of pairs of clips that nobody compared which are in the order of what all like."""
    value, _ = reward.of(phi[CLIPS // 2 :])
    first = phi[CLIPS // 2 :, 0]
    right = np.sign(value[:, None] - value) == np.sign(first[:, None] - first)
    return right[np.triu_indices(len(value), 1)].mean()


def test_what_all_like_is_found_and_told_with_its_uncertainty(space, phi):
    reward = learn(space, phi, community(phi))
    assert agreement(reward, phi) > 0.68
    mean, spread = reward.of(phi)
    assert mean.shape == spread.shape == (CLIPS,)
    assert (spread > 0).all()
    assert reward.weights.shape == (MEMBERS, space.dimensions)
    assert reward.evidence.accuracy > 0.58
    assert reward.evidence.ece < 0.1
    assert (reward.evidence.pairs, reward.evidence.listeners) == (300, 12)
    few = learn(space, phi, community(phi, listeners=4, pairs=15))
    assert agreement(reward, phi) > agreement(few, phi)


def test_it_is_deterministic_and_the_listeners_numbers_do_not_matter(space, phi):
    said = community(phi)
    one = learn(space, phi, said)
    other = learn(space, phi, dataclasses.replace(said, listener=said.listener - 10**17 + 5))
    assert np.array_equal(one.weights, other.weights)
    assert not np.array_equal(one.weights, learn(space, phi, said, seed=1).weights)


def test_where_nothing_is_shared_it_has_hardly_an_opinion(space, phi):
    shared = learn(space, phi, community(phi))
    none = learn(space, phi, community(phi, liked=0.0))
    assert none.of(phi)[0].std() < 0.3 * shared.of(phi)[0].std()
    assert none.prefers(phi[:50], phi[50:100]) == pytest.approx(0.5, abs=0.25)


def test_trolls_and_diligence_move_it_little(space, phi):
    calm = agreement(learn(space, phi, community(phi, listeners=15)), phi)
    trolled = agreement(learn(space, phi, community(phi, listeners=15, trolls=3)), phi)
    assert trolled > calm - 0.1
    said = community(phi, listeners=15)
    spam = community(phi, listeners=1, pairs=1500, trolls=1, seed=9)
    both = Choices(
        **{
            one.name: np.concatenate([getattr(said, one.name), getattr(spam, one.name)])
            for one in dataclasses.fields(Choices)
        }
    )
    both.listener[len(said.weight) :] = 7
    assert agreement(learn(space, phi, both), phi) > calm - 0.1


def test_probabilities_are_those_of_new_listeners(space, phi):
    reward = learn(space, phi, community(phi, listeners=20))
    new = community(phi, listeners=20, seed=77)
    chance = reward.prefers(phi[new.better], phi[new.worse])
    assert calibration_error(chance, new.weight) < 0.08
    one, other = phi[new.better], phi[new.worse]
    assert reward.prefers(other, one) == pytest.approx(1.0 - chance)


@pytest.mark.parametrize(("listeners", "pairs"), [(2, 60), (12, 3), (0, 0), (1, 1)])
def test_with_too_little_it_says_so(space, phi, listeners, pairs):
    said = community(phi, listeners, pairs) if listeners else nobody()
    assert f"{listeners * pairs} preferences of {listeners} listeners" in too_few(said)
    with pytest.raises(ScoringError, match=f"{MIN_PAIRS} of {MIN_LISTENERS} or more"):
        learn(space, phi, said)


def nobody():
    none = np.zeros(0, dtype=np.intp)
    return Choices(better=none, worse=none, weight=np.zeros(0), listener=none)


def test_a_choice_of_no_clip_is_refused(space, phi):
    said = community(phi)
    said.better[0] = CLIPS
    with pytest.raises(ScoringError, match="not there"):
        learn(space, phi, said)
    said.better[0] = 0
    broken = phi.copy()
    broken[5, 3] = np.nan
    with pytest.raises(ScoringError, match="not finite"):
        learn(space, broken, said)


def test_contradictory_pairs_cancel_out(space, phi):
    said = community(phi)
    both = Choices(
        better=np.concatenate([said.better, said.worse]),
        worse=np.concatenate([said.worse, said.better]),
        weight=np.full(2 * len(said.weight), 0.5),
        listener=np.tile(said.listener, 2),
    )
    assert np.abs(learn(space, phi, both).weights.mean(axis=0)).max() < 0.05


def test_a_newcomer_leans_towards_what_all_like(space, phi):
    prior = default_prior(space)
    reward = learn(space, phi, community(phi))
    leaning = reward.lean(prior)
    assert np.array_equal(leaning.covariance, prior.covariance)
    assert leaning.mean[-1] == prior.mean[-1]
    more = predict([newcomer(leaning)], phi).mean[0] - predict([newcomer(prior)], phi).mean[0]
    assert np.corrcoef(more, phi[:, 0])[0, 1] > 0.5


def test_it_is_packed_and_read_back(space, phi):
    reward = learn(space, phi, community(phi))
    again = unpack_reward(pack_reward(reward))
    assert (again.space_id, again.evidence.pairs) == (space.id, 300)
    assert again.weights == pytest.approx(reward.weights, rel=1e-6)
    assert len(pack_reward(reward)) < 6000
    other = dataclasses.replace(reward, space_id="another")
    with pytest.raises(ScoringError, match="another"):
        other.predict(space, np.zeros((1, 3), dtype=np.float32))


def damaged(payload):
    body = payload[HEAD.size :]
    yield b""
    yield b"PK\x03\x04" + payload
    yield payload[:-5]
    yield payload[:40]
    yield payload[:60] + bytes([payload[60] ^ 255]) + payload[61:]
    yield struct.pack("<2sBI", b"TR", 9, zlib.crc32(body)) + body


def test_bytes_that_are_no_reward_are_refused(space, phi):
    payload = pack_reward(learn(space, phi, community(phi)))
    for broken in damaged(payload):
        with pytest.raises(ScoringError):
            unpack_reward(broken)
