"""The taste bench: listeners vote as their chances say, and its own arithmetic is right."""

from __future__ import annotations

import numpy as np
import pytest

from bench.silence import AT as RATINGS
from bench.silence import Manner, Student, answer
from bench.silence import course as silent_course
from bench.taste import EACH, course, one_seed, open_hall, systems
from bench.taste_bank import shipped_clips
from bench.taste_cost import Cost
from bench.taste_prior import prior_weights
from bench.taste_table import Found, Seed, closed, recovered, report
from bench.taste_world import Kind, Troll, server
from domain.vote import Grade
from playground.tastes import shipped_bank
from scoring.space import default_space
from scoring.taste import default_prior


@pytest.fixture(scope="module")
def clips():
    return shipped_clips()


@pytest.fixture(scope="module")
def tastes(clips):
    return server(clips, shipped_bank(), np.random.default_rng(0))


def found(likes, foretold=(0.5,), truth=(0.5,)):
    return Found(
        likes=np.array(likes), posted=0.5, foretold=np.array(foretold), truth=np.array(truth)
    )


@pytest.mark.parametrize("kind", list(Kind))
def test_votes_follow_the_chances(tastes, kind):
    rng = np.random.default_rng(1)
    who = tastes.listener(kind, rng)
    rows = np.argsort(who.chance())[[5, len(who.felt) // 2, -5]]
    for row in rows:
        likes = np.mean([who.grade(row, rng) >= Grade.GOOD for _ in range(600)])
        assert likes == pytest.approx(who.chance()[row], abs=0.07)
    assert np.array_equal(who.felt, who.later) == (kind is not Kind.DRIFTING)


def test_trolls_say_what_they_are_made_for(tastes):
    rng = np.random.default_rng(2)
    random, brigade = (tastes.troll(kind, rng, "gamelan") for kind in (Troll.RANDOM, Troll.BRIGADE))
    assert np.allclose(random.chance(), 0.5)
    own = [family == "gamelan" for family in tastes.clips.families]
    assert brigade.chance()[own].mean() > 0.5 > brigade.chance()[~np.array(own)].mean()


def test_the_shipped_prior_is_the_one_that_the_command_makes(clips):
    space = default_space()
    mean, covariance = prior_weights(space, clips.embeddings)
    shipped = default_prior(space)
    assert shipped.mean == pytest.approx(mean, abs=1e-3)
    assert shipped.covariance == pytest.approx(covariance, abs=2e-3)
    assert np.linalg.eigvalsh(shipped.covariance).min() > 0


def test_shares_of_the_gap_and_calibration():
    seed = Seed()
    seed.add(Kind.ONE, "chance", found([0.2, 0.2]))
    seed.add(Kind.ONE, "oracle", found([0.8, 0.8]))
    seed.add(Kind.ONE, "ours", found([0.2, 0.5], [0.15, 0.25, 0.9], [0.15, 0.45, 0.9]))
    assert closed([seed], Kind.ONE, "ours")[0] == pytest.approx([0.0, 0.5])
    assert seed.error(["ours"], [Kind.ONE]) == pytest.approx(0.2 / 3)
    seed.add(Kind.DRIFTING, "chance", found([0.2, 0.2]))
    seed.add(Kind.DRIFTING, "ours", found([0.6, 0.4]))
    seed.add_oracle([1.0, 0.6])
    assert recovered([seed])[0] == pytest.approx([0.5, 0.5])


def test_one_small_server_runs_and_reports(clips, monkeypatch):
    monkeypatch.setattr("bench.taste.MEMBERS", 12)
    monkeypatch.setattr("bench.taste.MEMBER_ROUNDS", 2)
    monkeypatch.setattr("bench.taste.MADE_UP", 4)
    monkeypatch.setattr("bench.taste.TESTED", dict.fromkeys((Kind.ONE, Kind.TWO, Kind.NOISY), 1))
    monkeypatch.setattr("bench.taste.DRIFTERS", 1)
    monkeypatch.setattr("bench.taste_herd.ROUNDS", 4)
    done = [one_seed(clips, 0)]
    made = report(
        done,
        (0, 5, 10, 20, 40),
        (20, 25, 30, 35, 40),
        clips=len(clips.families),
        cost=Cost(refit=1.0, foretell=0.01),
    )
    assert len(made.rows) == 3 * len(systems(open_hall(clips, 0), None))
    assert len(made.bars) == 13
    assert made.as_json()["figures"]["update ms"]["median"] > 0


def test_nobody_learns_from_what_is_only_foretold(clips, monkeypatch):
    monkeypatch.setattr("bench.taste.MEMBERS", 1)
    monkeypatch.setattr("bench.taste.MADE_UP", 1)
    hall = open_hall(clips, 1)
    assert not set(hall.heard) & set(hall.fresh)
    who = hall.tastes.listener(Kind.ONE, np.random.default_rng(0))
    learner = systems(hall, who)["ours"](rng=np.random.default_rng(0))
    done = course(hall, learner, who, [0], at=(0, 10))
    heard = [vote.clip for vote in learner.votes()]
    assert len(heard) == 10 == len(set(heard))
    assert set(heard) <= set(hall.heard)
    assert len(done.likes) == 2 == len(done.posted) * EACH // 5


# Silence ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("manner", list(Manner))
def test_people_rate_few_of_a_round_in_their_manner(tastes, manner):
    rng = np.random.default_rng(3)
    who = tastes.listener(Kind.ONE, rng)
    rounds = [
        answer(who, manner, [int(one) for one in rng.permutation(600)[:4]], rng) for _ in range(200)
    ]
    spoken = [sum(grade is not None for grade in one.grades) for one in rounds]
    if manner in {Manner.STRONG, Manner.CHANCE}:
        assert set(spoken) == {1, 2}
    assert 0.1 < np.mean(spoken) < 2.0
    extreme = [
        grade in {Grade.AWFUL, Grade.LOVE}
        for one in rounds
        for grade in one.grades
        if grade is not None
    ]
    assert np.mean(extreme) > (0.6 if manner is Manner.STRONG else 0.3)
    for one in rounds:
        assert one.star is None or one.grades[one.rows.index(one.star)] is Grade.LOVE


def test_a_student_counts_silence_by_its_weight_and_goes_its_course(clips):
    hall = open_hall(clips, 0)
    who = hall.tastes.listener(Kind.ONE, np.random.default_rng(1))
    silent, deaf = (Student(hall=hall, prior=hall.start, weight=weight) for weight in (0.15, 0.0))
    likes = silent_course(silent, who, Manner.STRONG, [0, 0])
    assert len(likes) == len(RATINGS)
    assert all(0.0 < one < 1.0 for one in likes)
    votes = silent.votes()
    assert {one.weight for one in votes if one.silent} == {0.15}
    assert sum(one.counts for one in votes) == silent.ratings >= RATINGS[-1]
    assert silent.taste.evidence == silent.ratings
    deaf.rounds = silent.rounds
    assert not any(one.silent for one in deaf.votes())
