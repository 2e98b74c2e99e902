from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.errors import ScoringError
from scoring.quality import BROKEN
from scoring.slate import FAMILY_CAP, Role, choose, fairness, settle_debts

FAMILIES = ("jazz", "lofi", "techno", "ambient", "rock", "folk")


def round_of(seed, listeners=3, clips=12, families=None):
    rng = np.random.default_rng(seed)
    phi = rng.normal(size=(clips, 7))
    phi[:, -1] = 1.0
    return {
        "liking": rng.random((listeners, clips)),
        "spread": 0.3 * rng.random((listeners, clips)),
        "quality": np.ones(clips),
        "families": families or [FAMILIES[i] for i in rng.integers(0, 6, clips)],
        "phi": phi,
        "debts": np.zeros(listeners),
        "rng": np.random.default_rng(seed + 1),
    }


@settings(max_examples=80, deadline=None)
@given(
    seed=st.integers(0, 10_000),
    listeners=st.integers(0, 5),
    clips=st.integers(0, 16),
    count=st.integers(0, 6),
    broken=st.floats(0, 1),
)
def test_every_round_keeps_the_rules(seed, listeners, clips, count, broken):
    given_ = round_of(seed, listeners, clips)
    given_["quality"] = np.where(np.random.default_rng(seed).random(clips) < broken, 0.1, 0.9)
    picks = choose(**given_, count=count)
    usable = int((given_["quality"] >= BROKEN).sum())
    assert len(picks) == min(count, usable)
    indices = [pick.index for pick in picks]
    assert len(set(indices)) == len(indices)
    assert all(given_["quality"][i] >= BROKEN for i in indices)
    names = [given_["families"][i] for i in range(clips) if given_["quality"][i] >= BROKEN]
    most = max(Counter(given_["families"][i] for i in indices).values(), default=0)
    possible = sum(min(FAMILY_CAP, n) for n in Counter(names).values())
    assert most <= FAMILY_CAP or possible < count
    assert picks == choose(
        **round_of(seed, listeners, clips) | {"quality": given_["quality"]}, count=count
    )


def test_four_picks_have_their_roles():
    picks = choose(**round_of(1))
    assert [pick.role for pick in picks] == [Role.EXPLOIT, Role.EXPLOIT, Role.UNCERTAIN, Role.WILD]
    assert [pick.listener is None for pick in picks] == [False, False, True, True]


def test_who_is_owed_most_picks_first_and_picks_their_own():
    given_ = round_of(2)
    given_["liking"][:] = 0.2
    given_["liking"][0, 3] = given_["liking"][1, 5] = given_["liking"][2, 8] = 0.9
    given_["debts"] = np.array([0.1, 2.0, -1.0])
    picks = choose(**given_)
    assert (picks[0].listener, picks[0].index) == (1, 5)


def test_the_second_pick_goes_to_who_lost_the_first():
    given_ = round_of(2, listeners=2)
    given_["liking"][:] = 0.2
    given_["liking"][0, 3] = given_["liking"][1, 5] = 0.9
    for seed in range(5):
        picks = choose(**given_ | {"rng": np.random.default_rng(seed)})
        assert {picks[0].index, picks[1].index} == {3, 5}


def test_nobody_missed_what_cannot_be_posted():
    given_ = round_of(2, listeners=2, clips=4)
    given_["liking"] = np.array([[1.0, 0.6, 0.1, 0.1], [0.1, 0.5, 0.6, 0.2]])
    given_["quality"] = np.array([0.1, 1.0, 1.0, 1.0])
    given_["debts"] = np.array([0.01, 0.0])
    turns = [pick.listener for pick in choose(**given_) if pick.role is Role.EXPLOIT]
    assert turns == [0, 1]  # the first one got the best that there was


def test_poor_quality_loses_against_equal_liking():
    given_ = round_of(3, listeners=1)
    given_["liking"][:] = 0.3
    given_["liking"][0, [2, 6]] = 0.9
    given_["quality"][2] = 0.5
    assert choose(**given_)[0].index == 6


def test_the_uncertain_pick_is_one_that_may_surprise():
    hits = 0
    for seed in range(40):
        given_ = round_of(4, listeners=1)
        given_["liking"][:] = 0.4
        given_["spread"][:] = 0.02
        given_["spread"][0, 7] = 0.35
        picks = choose(**given_ | {"rng": np.random.default_rng(seed)})
        hits += any(pick.index == 7 and pick.role is Role.UNCERTAIN for pick in picks)
    assert hits > 30


def test_the_wild_card_is_of_another_family_and_of_one_not_heard_lately():
    families = ["jazz"] * 6 + ["lofi"] * 3 + ["techno"] * 3
    given_ = round_of(5, listeners=2, families=families)
    given_["liking"][:, :6] = 0.9
    given_["liking"][:, 6:] = 0.3
    given_["spread"][:] = 0.01
    given_["spread"][:, :9] = 0.2
    seen = Counter()
    for seed in range(20):
        picks = choose(
            **given_ | {"rng": np.random.default_rng(seed)},
            recent_families={"lofi": 9, "techno": 0},
        )
        shown = [families[p.index] for p in picks[:3]]
        wild = families[picks[3].index]
        assert wild not in shown
        seen[wild] += 1
    assert seen["techno"] > 0


def test_with_nobody_listening_the_picks_differ():
    given_ = round_of(6, listeners=0, families=[FAMILIES[i // 2] for i in range(12)])
    picks = choose(**given_)
    assert len({given_["families"][pick.index] for pick in picks}) == 4
    position = given_["phi"][:, :-1]

    def nearest(indices):
        some = position[list(indices)]
        gaps = np.linalg.norm(some[:, None] - some[None], axis=2)
        return gaps[np.triu_indices(len(some), 1)].min()

    rng = np.random.default_rng(0)
    by_chance = np.mean([nearest(rng.choice(12, 4, replace=False)) for _ in range(200)])
    assert nearest(pick.index for pick in picks) > by_chance


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 10_000), listeners=st.integers(1, 6))
def test_debts_are_conserved_and_fade(seed, listeners):
    given_ = round_of(seed, listeners)
    picks = choose(**given_)
    debts = settle_debts(given_["debts"], given_["liking"], picks)
    assert debts.sum() == pytest.approx(0, abs=1e-9)
    assert np.abs(debts).max() <= 1.0
    equal = np.full_like(given_["liking"], 0.5)
    later = debts
    for _ in range(60):
        later = settle_debts(later, equal, picks)
    assert np.abs(later).max() < 0.01
    assert np.array_equal(settle_debts(debts, equal, []), debts)


def test_who_lost_is_owed():
    liking = np.array([[0.9, 0.9, 0.1, 0.1], [0.1, 0.1, 0.9, 0.9]])
    given_ = round_of(7, listeners=2, clips=4)
    picks = [p for p in choose(**given_ | {"liking": liking}) if p.index in (0, 1)]
    debts = settle_debts(np.zeros(2), liking, picks)
    assert debts[1] > 0 > debts[0]
    weights = fairness(debts)
    assert weights[1] > 1 > weights[0]
    broken = np.array(
        [1.0, 1.0, 0.0, 0.0]
    )  # what the second one would have liked could not be posted
    owed = settle_debts(np.zeros(2), liking, picks, quality=broken)
    assert np.allclose(owed, 0.0)
    assert (fairness(np.array([-99.0, 99.0])) == [0.5, 2.0]).all()


def test_over_time_a_minority_gets_its_share():
    rng = np.random.default_rng(0)
    debts, got = np.zeros(5), np.zeros(5)
    for number in range(30):
        given_ = round_of(number, listeners=5)
        crowd, lone = rng.random(12), rng.random(12)
        liking = np.stack([crowd, crowd, crowd, crowd, lone])
        picks = choose(**given_ | {"liking": liking, "debts": debts})
        debts = settle_debts(debts, liking, picks)
        got += liking[:, [p.index for p in picks if p.role is Role.EXPLOIT]].mean(axis=1) / 30
    assert got[4] > 0.6
    assert got[0] > 0.6


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"debts": np.zeros(2)}, "as many debts"),
        ({"quality": np.ones(3)}, "quality"),
        ({"families": ["jazz"]}, "1 clips"),
        ({"spread": np.zeros((2, 12))}, "spread"),
    ],
)
def test_shapes_that_do_not_match_are_refused(change, words):
    with pytest.raises(ScoringError, match=words):
        choose(**round_of(8) | change)


def test_debts_of_other_listeners_are_refused():
    with pytest.raises(ScoringError, match="do not belong"):
        settle_debts(np.zeros(2), np.zeros((3, 4)), [])


def test_who_counts_for_next_to_nothing_gets_hardly_a_turn():
    turns = Counter()
    for seed in range(60):
        given_ = round_of(seed, listeners=4)
        picks = choose(**given_, weights=np.array([1.0, 1.0, 1.0, 0.05]))
        turns.update(pick.listener for pick in picks if pick.role is Role.EXPLOIT)
    assert turns[3] < 0.3 * min(turns[0], turns[1], turns[2])


def test_less_is_owed_where_somebody_counts_less_and_debts_still_sum_to_nothing():
    given_ = round_of(5, listeners=2)
    given_["liking"] = np.array([np.linspace(0, 1, 12), np.linspace(1, 0, 12)])
    picks = choose(**given_, weights=np.array([1.0, 0.1]))
    settled, same, plain = (
        settle_debts(np.zeros(2), given_["liking"], picks, weights)
        for weights in (np.array([1.0, 0.1]), np.ones(2), None)
    )
    assert settled.sum() == pytest.approx(0.0)
    assert np.abs(settled).max() < np.abs(plain).max()
    assert same == pytest.approx(plain)


@pytest.mark.parametrize("weights", [[1.0], [1.0, 0.0, 1.0], [1.0, -1.0, 1.0], [1.0, np.nan, 1.0]])
def test_weights_that_mean_nothing_are_refused(weights):
    with pytest.raises(ScoringError, match="weights above 0"):
        choose(**round_of(1), weights=np.array(weights))
