from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from scoring.community import Member, refit
from scoring.taste import (
    PRIOR_MEMBERS,
    Rated,
    default_prior,
    fit,
    influence,
    newcomer,
    predict,
    trust,
)
from tests.scoring.listeners import Listener, middling, top


def votes(listener, clips, rng, count=24):
    heard = rng.permutation(clips)[:count]
    return [
        Rated(clip=int(row), rating=listener.rate(row, rng), age=age)
        for age, row in enumerate(heard)
    ]


def slow_and_dark(bank, rng):
    return middling(bank.pieces, float(rng.uniform(62, 85)), float(rng.uniform(0, 0.3)), True)


@pytest.fixture(scope="module")
def members(bank):
    rng = np.random.default_rng(0)
    return [
        Member(phi=bank.phi, rated=votes(slow_and_dark(bank, rng), len(bank.phi), rng))
        for _ in range(14)
    ]


@pytest.fixture(scope="module")
def learned(members, space):
    return refit(members, space)


def same(one, two):
    return np.array_equal(one.mean, two.mean) and np.array_equal(one.covariance, two.covariance)


def test_a_community_is_learned_and_helps_a_newcomer(bank, learned, space):
    assert learned.members == 14
    assert np.linalg.eigvalsh(learned.covariance).min() > 0
    rng = np.random.default_rng(1)
    people = [slow_and_dark(bank, rng) for _ in range(8)]
    knowing, stranger = (
        np.mean([top(newcomer(prior), bank.phi, one) for one in people])
        for prior in (learned, default_prior(space))
    )
    assert knowing > stranger + 0.15


def test_more_steps_explain_the_votes_better(members, learned, space):
    def foretold(prior):
        """Mean log odds by which likes are told from dislikes before anything is learned about a member."""
        return np.mean(
            [
                np.sign(one.rating) * float(member.phi[one.clip] @ prior.mean)
                for member in members
                for one in member.rated
            ]
        )

    assert foretold(learned) > foretold(refit(members, space, rounds=1))


def test_who_is_erased_leaves_nothing_behind(bank, members, learned, space):
    fanatic = Member(
        phi=bank.phi, rated=[Rated(clip=row, rating=1.0, age=row) for row in range(40)]
    )
    assert not np.allclose(refit([*members, fanatic], space).mean, learned.mean)
    assert same(refit(members, space), learned)


def test_the_order_of_members_hardly_matters(members, learned, space):
    other = refit(members[::-1], space)
    assert other.mean == pytest.approx(learned.mean, abs=1e-9)


def test_too_few_members_or_votes_keep_the_default(members, space):
    default = default_prior(space)
    assert same(refit(members[: PRIOR_MEMBERS - 1], space), default)
    quiet = [replace(member, rated=member.rated[:4]) for member in members]
    assert same(refit(quiet, space), default)
    assert same(refit([], space), default)


def test_random_voters_lose_their_say_and_newcomers_keep_it(bank, space):
    prior, rng = default_prior(space), np.random.default_rng(3)
    nobody = Listener(chance=np.full(len(bank.phi), 0.5))

    def say(people, count):
        tastes = [fit(prior, bank.phi, votes(one, len(bank.phi), rng, count)) for one in people]
        return np.mean([influence(taste) for taste in tastes])

    honest = [slow_and_dark(bank, rng) for _ in range(12)]
    assert influence(newcomer(prior)) == 1.0
    assert say(honest, 40) > 0.7
    assert say([nobody] * 12, 40) < 0.55
    assert say([nobody] * 12, 3) > 0.6


@pytest.mark.parametrize("rating", [1.0, 0.5, -0.4, -1.0])
def test_only_likes_or_only_dislikes_are_a_proper_taste(bank, space, rating):
    prior = default_prior(space)
    rated = [Rated(clip=row, rating=rating, age=row) for row in range(30)]
    taste = fit(prior, bank.phi, rated)
    assert np.isfinite(taste.mean).all()
    assert np.linalg.eigvalsh(taste.covariance).min() > 0
    liking = predict([taste], bank.phi).liking[0].mean()
    assert liking > 0.6 if rating > 0 else liking < 0.35
    assert trust(taste) <= 1.0


def test_contradictory_votes_meet_in_the_middle(bank, space):
    prior = default_prior(space)
    torn = [Rated(clip=3, rating=rating) for rating in (1.0, -1.0)] * 6
    sure = [Rated(clip=3, rating=1.0)] * 6
    liking = [predict([fit(prior, bank.phi, one)], bank.phi).liking[0, 3] for one in (torn, sure)]
    assert 0.3 < liking[0] < 0.6 < liking[1]
