from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.errors import ScoringError
from domain.vote import Grade
from scoring.answers import chance
from scoring.taste import (
    Pair,
    Rated,
    default_prior,
    draw,
    fit,
    fit_prior,
    herd,
    influence,
    newcomer,
    predict,
    trust,
)
from tests.scoring.listeners import KINDS, Listener, learn, middling, single_kind, top

CLIPS = 24
RATED = st.builds(
    Rated,
    clip=st.integers(0, CLIPS - 1),
    rating=st.sampled_from([grade.rating for grade in Grade]),
    weight=st.sampled_from([0.0, 0.3, 1.0]),
    age=st.integers(0, 60),
    round=st.integers(0, 4),
    favourite=st.booleans(),
)


@pytest.fixture(scope="module")
def phi(space):
    rows = np.random.default_rng(0).normal(size=(CLIPS, space.dimensions + 1)) * 0.4
    rows[:, -1] = 1.0
    return rows


@pytest.fixture(scope="module")
def prior(space):
    return default_prior(space)


def same(one, two):
    return (
        np.array_equal(one.mean, two.mean)
        and np.array_equal(one.covariance, two.covariance)
        and (one.evidence, one.gain) == (two.evidence, two.gain)
    )


@settings(max_examples=60, deadline=None)
@given(rated=st.lists(RATED, max_size=25), seed=st.integers(0, 99))
def test_the_order_of_ratings_does_not_matter(phi, prior, rated, seed):
    shuffled = [rated[i] for i in np.random.default_rng(seed).permutation(len(rated))]
    assert same(fit(prior, phi, rated), fit(prior, phi, shuffled))


@settings(max_examples=40, deadline=None)
@given(rated=st.lists(RATED, max_size=25))
def test_a_taste_is_always_a_proper_belief(phi, prior, rated):
    taste = fit(prior, phi, rated)
    assert np.linalg.eigvalsh(taste.covariance).min() > 0
    assert np.array_equal(taste.covariance, taste.covariance.T)
    seen = predict([taste], phi)
    assert ((seen.liking > 0) & (seen.liking < 1)).all()
    assert ((seen.spread >= 0) & (seen.spread <= 0.5)).all()
    # Evidence only ever takes uncertainty away.
    assert (seen.variance <= predict([newcomer(prior)], phi).variance + 1e-9).all()


def test_nothing_rated_is_the_newcomer(phi, prior):
    assert same(fit(prior, phi, []), newcomer(prior))
    shown = [Rated(clip=1, rating=0.0, weight=0.0, round="a")]
    assert same(fit(prior, phi, shown), newcomer(prior))


@settings(max_examples=40, deadline=None)
@given(rated=st.lists(RATED, max_size=12), clip=st.integers(0, CLIPS - 1))
def test_another_like_raises_the_score_and_another_dislike_lowers_it(phi, prior, rated, clip):
    before = predict([fit(prior, phi, rated)], phi).mean[0, clip]
    for rating, sign in ((1.0, 1), (-1.0, -1)):
        more = [*rated, Rated(clip=clip, rating=rating, round="new")]
        assert sign * (predict([fit(prior, phi, more)], phi).mean[0, clip] - before) > 0


def test_better_grades_score_higher(phi, prior):
    scores = [
        predict([fit(prior, phi, [Rated(clip=3, rating=grade.rating)])], phi).liking[0, 3]
        for grade in Grade
    ]
    assert scores == sorted(scores)
    assert scores[-1] - scores[0] > 0.2


def test_reactions_move_less_than_buttons_and_old_ratings_less_than_new(phi, prior):
    def score(**changes):
        taste = fit(prior, phi, [replace(Rated(clip=3, rating=1.0), **changes)])
        return predict([taste], phi).mean[0, 3]

    start = predict([newcomer(prior)], phi).mean[0, 3]
    assert start < score(weight=0.3) < score()
    assert start < score(age=100) < score(age=10) < score()


def test_a_favourite_wins_over_the_clips_of_its_round_only(phi, prior):
    rounds = [Rated(clip=c, rating=0.5, round="a" if c < 4 else "b") for c in range(8)]
    starred = [replace(r, favourite=r.clip == 0) for r in rounds]
    before = predict([fit(prior, phi, rounds)], phi).mean[0]
    after = predict([fit(prior, phi, starred)], phi).mean[0]
    change = after - before
    assert (change[0] > change[1:4]).all()
    assert change[1:4].mean() < 0
    assert change[1:4].mean() < change[4:8].mean()


def test_a_favourite_is_compared_with_clips_that_were_only_shown(phi, prior):
    alone = [Rated(clip=0, rating=1.0, round="a", favourite=True)]
    shown = [*alone, *(Rated(clip=c, rating=0.0, weight=0.0, round="a") for c in (1, 2, 3))]
    one, two = (predict([fit(prior, phi, rated)], phi).mean[0] for rated in (alone, shown))
    assert two[0] - two[1:4].mean() > one[0] - one[1:4].mean()
    assert fit(prior, phi, shown).evidence == 1


@pytest.mark.parametrize(
    ("item", "words"),
    [
        (Rated(clip=99, rating=1.0), "row 99"),
        (Rated(clip=-1, rating=1.0), "row -1"),
        (Rated(clip=0, rating=1.5), "-1 to 1"),
        (Rated(clip=0, rating=float("nan")), "-1 to 1"),
        (Rated(clip=0, rating=1.0, weight=-1.0), "0 or more"),
        (Rated(clip=0, rating=1.0, age=float("nan")), "0 or more"),
    ],
)
def test_impossible_ratings_are_refused(phi, prior, item, words):
    with pytest.raises(ScoringError, match=words):
        fit(prior, phi, [item])


def test_clips_of_another_space_are_refused(phi, prior):
    with pytest.raises(ScoringError, match="do not fit"):
        fit(prior, phi[:, 1:], [Rated(clip=0, rating=1.0)])
    with pytest.raises(ScoringError, match="do not fit"):
        predict([newcomer(prior)], phi[:, 1:])


def test_nobody_foretells_nothing(phi):
    seen = predict([], phi)
    assert seen.liking.shape == (0, CLIPS)
    group = herd(seen, [])
    assert (group.fitness == 0.5).all()


def test_the_herd_is_a_weighted_mean(phi, prior):
    one = fit(prior, phi, [Rated(clip=0, rating=1.0)])
    two = fit(prior, phi, [Rated(clip=0, rating=-1.0)])
    seen = predict([one, two], phi)
    group = herd(seen, [3.0, 1.0])
    assert group.fitness == pytest.approx(0.75 * seen.liking[0] + 0.25 * seen.liking[1])
    assert group.discord[0] > 0.05
    assert herd(seen, [1.0, 0.0]).fitness == pytest.approx(seen.liking[0])
    with pytest.raises(ScoringError, match="weights"):
        herd(seen, [1.0])
    with pytest.raises(ScoringError, match="weights"):
        herd(seen, [1.0, -1.0])


def test_draws_spread_as_the_belief_does(prior):
    taste = newcomer(prior)
    assert np.array_equal(draw(taste, np.random.default_rng(1), boldness=0.0).mean, taste.mean)
    drawn = [draw(taste, np.random.default_rng(seed)).mean[0] for seed in range(400)]
    assert np.std(drawn) == pytest.approx(np.sqrt(taste.covariance[0, 0]), rel=0.15)


def test_probabilities_mean_what_they_say(bank, prior):
    """Among clips foretold at p, about a share of p is liked."""
    rng = np.random.default_rng(2)
    foretold, truth = [], []
    for number in range(40):
        listener = middling(bank.pieces, 60 + 3 * number, (number % 5) / 4, number % 2 == 0)
        taste = learn(listener, bank.phi, prior, rng, ratings=30)
        # What a rating is expected to be, on the scale of the targets.
        target = 0.5 * (0.75 + 1.0) * listener.chance + 0.5 * (0.0 + 0.3) * (1 - listener.chance)
        foretold.append(predict([taste], bank.phi).liking[0])
        truth.append(target)
    p, q = np.concatenate(foretold), np.concatenate(truth)
    order = np.argsort(p)
    for part in np.array_split(order, 8):
        assert p[part].mean() == pytest.approx(q[part].mean(), abs=0.1)


def test_personal_taste_beats_chance_soon_and_improves(bank, prior):
    rates = {
        ratings: np.mean(
            [
                top(
                    learn(listener, bank.phi, prior, np.random.default_rng(7 * i), ratings=ratings),
                    bank.phi,
                    listener,
                )
                for i, listener in enumerate(
                    middling(bank.pieces, (75, 95, 120, 150)[i % 4], (0.2, 0.7)[i % 2], i % 3 == 0)
                    for i in range(16)
                )
            ]
        )
        for ratings in (0, 10, 40)
    }
    assert rates[10] > rates[0] + 0.2
    assert rates[40] > rates[10] + 0.03


def test_a_listener_of_one_kind_is_found_out(bank, prior):
    by_round = []
    for number, kind in enumerate(KINDS):
        listener = single_kind(bank.kinds, kind)
        rng = np.random.default_rng(number)

        def pick(taste, free, rng=rng):
            bold = draw(taste, rng, boldness=0.5)
            return free[int(predict([bold], bank.phi[free]).mean[0].argmax())]

        tastes = [
            learn(listener, bank.phi, prior, np.random.default_rng(number), ratings=n, pick=pick)
            for n in (0, 24)
        ]
        by_round.append([top(taste, bank.phi, listener) for taste in tastes])
    first, last = np.mean(by_round, axis=0)
    assert last > 2.5 * first


def many(bank, prior, count, ratings=20, seed=0):
    """Members who mostly like it slow and dark, each in their own way."""
    rng = np.random.default_rng(seed)
    return [
        learn(
            middling(
                bank.pieces,
                float(rng.uniform(62, 85)),
                float(rng.uniform(0, 0.3)),
                bool(rng.integers(2)),
            ),
            bank.phi,
            prior,
            rng,
            ratings=ratings,
        )
        for _ in range(count)
    ]


def at_random(bank, prior, count, seed=1):
    rng = np.random.default_rng(seed)
    half = Listener(chance=np.full(len(bank.phi), 0.5))
    return [learn(half, bank.phi, prior, rng, ratings=20) for _ in range(count)]


def test_a_small_or_silent_community_keeps_the_default(bank, prior, space):
    tastes = many(bank, prior, 9)
    assert fit_prior(tastes, space).members == 0
    quiet = many(bank, prior, 12, ratings=5)
    assert fit_prior(quiet, space).members == 0
    foreign = [replace(taste, space_id="other") for taste in many(bank, prior, 12)]
    assert fit_prior(foreign, space).members == 0


def test_the_community_helps_its_next_newcomer(bank, prior, space):
    learned = fit_prior(many(bank, prior, 24), space)
    assert learned.members == 24
    assert np.linalg.eigvalsh(learned.covariance).min() > 0
    newcomers = [middling(bank.pieces, 72, 0.15, i % 2 == 0) for i in range(8)]
    chance = np.mean([who.chance.mean() for who in newcomers])
    untaught = [top(newcomer(learned), bank.phi, who) for who in newcomers]
    assert np.mean(untaught) > chance + 0.3
    for ratings, gain in ((3, 0.03), (6, 0.03)):
        helped, alone = (
            np.mean(
                [
                    top(
                        learn(who, bank.phi, start, np.random.default_rng(i), ratings=ratings),
                        bank.phi,
                        who,
                    )
                    for i, who in enumerate(newcomers)
                ]
            )
            for start in (learned, prior)
        )
        assert helped > alone + gain


def test_random_voters_are_hardly_trusted(bank, prior, space):
    honest, random = many(bank, prior, 20), at_random(bank, prior, 20)
    assert np.mean([trust(t) for t in honest]) > 0.6
    assert np.mean([trust(t) for t in random]) < 0.3
    clean = fit_prior(honest, space)
    mixed = fit_prior([*honest, *random], space)
    moved = np.linalg.norm(mixed.mean - clean.mean) / np.linalg.norm(clean.mean - prior.mean)
    assert moved < 0.35


def test_the_prior_does_not_depend_on_the_order_of_members(bank, prior, space):
    tastes = many(bank, prior, 12)
    one, two = fit_prior(tastes, space), fit_prior(tastes[::-1], space)
    assert one.mean == pytest.approx(two.mean, abs=1e-12)


PAIR = st.builds(
    lambda one, step, weight, age: Pair(
        better=one, worse=(one + step) % CLIPS, weight=weight, age=age
    ),
    st.integers(0, CLIPS - 1),
    st.integers(1, CLIPS - 1),
    st.sampled_from([0.5, 1.0]),
    st.integers(0, 40),
)


@settings(max_examples=40, deadline=None)
@given(rated=st.lists(RATED, max_size=8), pairs=st.lists(PAIR, max_size=12), seed=st.integers(0, 9))
def test_the_order_of_comparisons_does_not_matter(phi, prior, rated, pairs, seed):
    shuffled = [pairs[i] for i in np.random.default_rng(seed).permutation(len(pairs))]
    taste = fit(prior, phi, rated, pairs)
    assert same(taste, fit(prior, phi, rated, shuffled))
    assert np.linalg.eigvalsh(taste.covariance).min() > 0


def test_a_comparison_moves_the_two_clips_apart_and_counts_as_evidence(phi, prior):
    taste = fit(prior, phi, [], [Pair(better=3, worse=7)])
    before = predict([newcomer(prior)], phi).mean[0]
    after = predict([taste], phi).mean[0]
    assert after[3] - after[7] > before[3] - before[7] + 0.1
    assert taste.evidence == 2
    half = fit(prior, phi, [], [Pair(better=3, worse=7, weight=0.5)])
    apart = predict([half], phi).mean[0]
    assert before[3] - before[7] < apart[3] - apart[7] < after[3] - after[7]


def test_a_tie_as_two_halves_pulls_two_clips_together(phi, prior):
    sure = [Pair(better=3, worse=7, age=1.0) for _ in range(4)]
    tie = [Pair(better=3, worse=7, weight=0.5), Pair(better=7, worse=3, weight=0.5)]
    apart = predict([fit(prior, phi, [], sure)], phi).mean[0]
    nearer = predict([fit(prior, phi, [], sure + tie)], phi).mean[0]
    assert nearer[3] - nearer[7] < apart[3] - apart[7]


@pytest.mark.parametrize("rated", [[], [Rated(clip=0, rating=1.0), Rated(clip=1, rating=-1.0)]])
def test_whoever_answers_duels_keeps_their_say_unless_they_toss_a_coin(space, prior, rated):
    rng = np.random.default_rng(4)
    rows = rng.normal(size=(200, space.dimensions + 1)) * 0.4
    says: dict[str, list[float]] = {"honest": [], "coin": []}
    for _ in range(12):
        loved = draw(newcomer(prior), rng).mean
        for manner, found in says.items():
            pairs = []
            for age in range(60):
                one, other = (int(row) for row in rng.choice(len(rows), size=2, replace=False))
                first = (rows[one] - rows[other]) @ loved > 0
                if manner == "coin":
                    first = rng.random() < 0.5
                better, worse = (one, other) if first else (other, one)
                pairs.append(Pair(better=better, worse=worse, age=age))
            found.append(influence(fit(prior, rows, rated, pairs)))
    assert np.mean(says["honest"]) > 0.9
    assert np.mean(says["coin"]) < 0.4


def test_what_was_said_of_two_clips_only_foretells_nothing(phi, prior):
    again = [Pair(better=3, worse=7, age=float(age)) for age in range(9)]
    assert fit(prior, phi, [], again).gain == 0.0
    faded = [Rated(clip=clip, rating=1.0, age=1e6) for clip in range(4)]
    assert fit(prior, phi, faded).gain == 0.0


@pytest.mark.parametrize(
    "pair",
    [
        Pair(better=3, worse=3),
        Pair(better=-1, worse=3),
        Pair(better=0, worse=CLIPS),
        Pair(better=0, worse=1, weight=0.0),
        Pair(better=0, worse=1, weight=float("nan")),
        Pair(better=0, worse=1, age=-1.0),
    ],
)
def test_pairs_that_mean_nothing_are_refused(phi, prior, pair):
    with pytest.raises(ScoringError, match="pair"):
        fit(prior, phi, [], [pair])


def test_a_rating_is_a_like_probability_on_the_scale_of_predictions():
    said = [chance(grade.rating) for grade in Grade]
    assert said == sorted(said)
    assert said[Grade.MEH] < 0.5 < said[Grade.GOOD]
    assert (
        said[Grade.LOVE] == pytest.approx(1.0 - said[Grade.AWFUL]) == pytest.approx(0.909, abs=1e-3)
    )
    assert said[Grade.MEH] < chance(0.0) < said[Grade.GOOD]
    assert 0.0 < chance(-1.0) < chance(-0.7) < chance(-0.4)
