from __future__ import annotations

import dataclasses
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.errors import ScoringError
from domain.fitness import Component, Weights
from scoring.features import FeatureEncoder
from scoring.fitness import COPY, NEUTRAL, combine, gated, originality, preference, share_of
from scoring.novelty import among, distances, novelty
from scoring.quality import BROKEN, assess
from tests.scoring.damage import DAMAGE

RATE = 32000
WEIGHT = st.floats(0.0, 10.0)
WEIGHTS = st.builds(
    Weights, taste=WEIGHT, target=WEIGHT, adherence=WEIGHT, novelty=WEIGHT, preference=WEIGHT
)
SHARE = st.floats(0.01, 1.0)


class FixedReward:
    def __init__(self, mean: list[float], deviation: list[float]) -> None:
        self.mean, self.deviation = np.array(mean), np.array(deviation)

    def of(self, phi):
        return self.mean, self.deviation


def test_with_the_default_weights_fitness_is_liking_times_quality():
    liking, quality = np.array([[0.2, 0.9], [0.7, 0.4]]), np.array([1.0, 0.8])
    parts = {
        Component.TASTE: liking,
        Component.ADHERENCE: np.array([0.1, 1.0]),
        Component.NOVELTY: np.array([1.0, 0.0]),
    }
    weights = Weights().after(50, has_target=False)
    assert np.array_equal(combine(parts, weights, gated(quality)), liking * quality)


def test_weights_are_proportions_and_what_is_unknown_takes_no_part():
    parts = {
        Component.TASTE: np.array([0.8, 0.8]),
        Component.ADHERENCE: np.array([0.2, math.nan]),
    }
    ones = np.ones(2)
    for scale in (1.0, 7.0):
        weights = Weights(taste=3 * scale, adherence=scale)
        assert combine(parts, weights, ones) == pytest.approx([0.65, 0.8])
        assert share_of(Component.TASTE, parts, weights) == pytest.approx([0.75, 1.0])
    nothing = Weights(taste=0.0)
    assert combine(parts, nothing, ones) == pytest.approx([NEUTRAL, NEUTRAL])
    assert share_of(Component.TASTE, parts, nothing) == pytest.approx([0.0, 0.0])


def test_a_track_leads_until_votes_take_over():
    weights = Weights(target_votes=10.0)
    first = weights.after(0, has_target=True)
    assert (first.taste, first.target) == (0.0, 1.0)
    later = weights.after(10, has_target=True)
    assert later.taste == later.target
    shares = [weights.after(n, has_target=True).taste for n in range(40)]
    assert shares == sorted(shares)
    alone = weights.after(0, has_target=False)
    assert (alone.taste, alone.target) == (1.0, 0.0)


def test_weights_survive_storage_and_nonsense():
    weights = Weights(taste=0.5, novelty=0.1)
    assert Weights.from_json(weights.to_json()) == weights
    assert Weights.from_json({"taste": -1.0, "novelty": float("nan"), "new": 3}) == Weights()


def test_a_reward_that_is_unsure_is_worth_less():
    sure, unsure = preference(FixedReward([1.0, 1.0], [0.0, 3.0]), np.zeros((2, 4)))
    assert sure > 0.7
    assert unsure < 0.2


def test_what_is_not_a_number_opens_no_gate():
    assert gated(np.array([math.nan, 1.0, BROKEN - 0.01])).tolist() == [0.0, 1.0, 0.0]
    parts = {Component.TASTE: np.array([1.0])}
    assert combine(parts, Weights(), np.array([math.nan])).tolist() == [0.0]


def test_novelty_is_0_for_a_copy_and_grows_with_distance(bank):
    phi = bank.phi
    near = distances(phi[:1], phi[:20])
    assert near[0, 0] == pytest.approx(0.0, abs=1e-6)
    assert novelty(near)[0] == pytest.approx(0.0, abs=1e-3)
    assert novelty(np.array([[1.0, 2.0]]))[0] < novelty(np.array([[2.0, 4.0]]))[0]
    assert novelty(np.array([[2.0]]), 2.0)[0] == pytest.approx(0.5)
    assert novelty(np.zeros((3, 0))).tolist() == [1.0, 1.0, 1.0]
    inside = among(phi)
    assert inside.shape == (len(phi),)
    assert ((inside > 0) & (inside < 1)).all()
    assert among(phi[:1]).tolist() == [1.0]
    assert among(np.concatenate([phi[:3], phi[:1]]))[[0, 3]] == pytest.approx([0.0, 0.0], abs=1e-3)
    many = among(np.repeat(phi[:6], 100, axis=0))
    assert np.isnan(many[:100]).all()
    assert np.isfinite(many[100:]).all()
    with pytest.raises(ScoringError):
        distances(phi, phi[:, 1:])


def test_another_take_passes_for_original_and_the_same_take_at_another_level_does_not(clips, space):
    encoder = FeatureEncoder()
    take = clips[0]
    rows = [take, 0.3 * take, take[:, ::-1], clips[1]]
    phi = space.project(np.concatenate([encoder.encode(row, RATE) for row in rows]))
    nearest = distances(phi[1:], phi[:1])[:, 0]
    assert originality(nearest)[:2] == pytest.approx([0.0, 0.0], abs=0.05)
    assert originality(nearest)[2] == 1.0
    assert originality(np.array([COPY])).tolist() == [1.0]


# Hackability ---------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def broken(clips) -> dict[str, float]:
    """The quality of everything that has ever fooled a score, the seed's own failures first."""
    rng = np.random.default_rng(3)
    frames = len(clips[0])
    sounds = {
        "pure silence": np.zeros((frames, 2), np.float32),
        "white noise": rng.normal(size=(frames, 2)).astype(np.float32) * 0.2,
        "quiet noise": rng.normal(size=(frames, 2)).astype(np.float32) * 0.01,
        "DC": np.full((frames, 2), 0.5, np.float32),
        "half silent": np.concatenate([clips[1][: frames // 20], np.zeros((frames, 2))]),
        "clipped hard": np.clip(40.0 * clips[0], -0.9, 0.9).astype(np.float32),
        "empty": np.zeros((0, 2), np.float32),
        "not a number": np.full((frames, 2), np.nan, np.float32),
    }
    sounds |= {name: damage(clips[2], RATE, 1.0, rng) for name, damage in DAMAGE.items()}
    return {name: assess(sound, RATE).score for name, sound in sounds.items()}


@pytest.fixture(scope="module")
def clean(clips) -> float:
    """The quality of a clip with nothing wrong."""
    return assess(clips[4], RATE).score


def test_every_broken_sound_is_stopped_at_the_gate(broken):
    assert {name for name, quality in broken.items() if gated(np.array([quality]))[0] > 0} == set()


@settings(max_examples=200, deadline=None)
@given(weights=WEIGHTS, best=st.lists(SHARE, min_size=5, max_size=5), data=st.data())
def test_no_weights_let_broken_sound_or_a_copy_win(clean, broken, weights, best, data):
    """Clean music with low marks everywhere, against broken sound and a copy with full marks everywhere."""
    quality = np.array([clean, *broken.values(), clean])
    near = np.array([[2.0], *[[2.0]] * len(broken), [0.0]])
    parts = {
        name: np.array([low, *[1.0] * (len(broken) + 1)])
        for name, low in zip(Component, best, strict=True)
    }
    unknown = data.draw(st.sampled_from([None, *Component]))
    if unknown is not None:
        parts[unknown][1:] = math.nan
    fitness = combine(parts, weights, gated(quality, near))
    assert fitness[0] > 0
    assert (fitness[1:] == 0).all()


def test_mild_damage_never_beats_its_clean_source(clips):
    rng = np.random.default_rng(0)
    for damage in DAMAGE.values():
        scores = [
            assess(damage(clips[4], RATE, severity, rng), RATE).score
            for severity in (0.0, 0.5, 0.9)
        ]
        gate = gated(np.array(scores))
        for part in Component:
            weights = dataclasses.replace(Weights(taste=0.0), **{part.value: 1.0})
            fitness = combine({part: np.full(3, 0.7)}, weights, gate)
            assert (fitness[1:] <= fitness[0] + 1e-9).all()
