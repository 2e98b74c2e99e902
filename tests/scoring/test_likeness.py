from __future__ import annotations

import numpy as np
import pytest

from domain.clip import ClipRequest
from domain.errors import ScoringError
from domain.fitness import Mode
from generation.composer import Composer
from scoring.features import FeatureEncoder
from scoring.judges import UNKNOWN, HerdJudge, ListenerJudge, MusicJudge, TasteJudge
from scoring.likeness import likeness, listen, places, pool, windows
from scoring.portrait import portrait
from scoring.taste import Rated, default_prior, fit, newcomer
from tests.scoring.synth import Piece, play

RATE = 22050
FAMILIES = ("techno", "ambient", "folk")


def place_of(samples, rate, space):
    """Return where a track of any length lies."""
    heard = pool(listen(samples, rate, FeatureEncoder()))
    return places(space.project(heard[None, :]), space)[0]


@pytest.fixture(scope="module")
def long_clip():
    return play(Piece(tempo=120.0, drums=0.8), seed=3, seconds=30.0, rate=RATE)


def test_a_track_is_cut_into_windows_and_a_short_rest_is_left_out():
    assert windows(8 * RATE, RATE) == [slice(0, 8 * RATE)]
    assert [one.stop - one.start for one in windows(24 * RATE, RATE)] == [10 * RATE, 10 * RATE]
    assert len(windows(26 * RATE, RATE)) == 3
    assert windows(100, RATE) == [slice(0, 100)]


def test_length_does_not_matter(long_clip, space):
    whole = place_of(long_clip, RATE, space)
    twice = place_of(np.concatenate([long_clip, long_clip]), RATE, space)
    cut = place_of(long_clip[: 20 * RATE], RATE, space)
    other = place_of(
        play(Piece(tempo=75.0, minor=True), seed=1, seconds=20.0, rate=RATE), RATE, space
    )
    assert likeness(twice[None, :], whole)[0] > 0.99
    assert likeness(cut[None, :], whole)[0] > 0.9
    assert likeness(other[None, :], whole)[0] < likeness(cut[None, :], whole)[0] - 0.1


def test_a_window_that_is_out_of_line_moves_the_track_little():
    heard = [np.array([1.0, 2.0], np.float32)] * 4 + [np.array([9.0, -9.0], np.float32)]
    assert pool(heard).tolist() == [1.0, 2.0]
    with pytest.raises(ScoringError):
        pool([])


def test_clips_of_the_composer_are_calibrated(space):
    """Of one family they are alike, of different ones they lie middle-low; a clip is itself."""
    composer, encoder = Composer(), FeatureEncoder()
    rows = []
    for family in FAMILIES:
        for seed in (1, 2):
            made = composer.generate([ClipRequest(prompt=family, seed=seed, seconds=5.0)])[0]
            rows.append(encoder.encode(made.audio.samples, made.audio.sample_rate)[-1])
    at = places(space.project(np.stack(rows)), space)
    table = np.stack([likeness(at, target) for target in at])
    assert np.diag(table) == pytest.approx(1.0)
    same = [table[2 * i, 2 * i + 1] for i in range(len(FAMILIES))]
    different = table[np.kron(np.eye(len(FAMILIES)), np.ones((2, 2))) == 0]
    assert np.mean(same) > 0.55
    assert 0.05 < np.mean(different) < 0.5
    assert min(same) > np.median(different)


def test_clips_of_another_space_are_refused(space):
    with pytest.raises(ScoringError):
        likeness(np.zeros((2, 3)), np.zeros(4))
    with pytest.raises(ScoringError):
        ListenerJudge(vector=np.ones(4)).judge(np.zeros((2, 3)))


def test_a_portrait_says_what_is_clear(space):
    fast = play(Piece(tempo=150.0, minor=True, bright=0.9), seed=2, seconds=10.0, rate=RATE)
    facets = portrait(FeatureEncoder().encode(fast, RATE)[-1], space)
    assert min(abs(facets.tempo - 150), abs(facets.tempo - 75)) <= 3  # an octave off is forgiven
    assert facets.mode in {None, "minor"}
    assert facets.unknown == ()


# What music is measured against ------------------------------------------------------------------------


@pytest.fixture(scope="module")
def judges(bank, space):
    prior = default_prior(space)
    liked = [
        Rated(clip=row, rating=1.0 if kind == bank.kinds[0] else -1.0, weight=1.0, age=0, round=0)
        for row, kind in enumerate(bank.kinds[:40])
    ]
    taste = fit(prior, bank.phi, liked)
    at = places(bank.phi, space)
    return {
        Mode.LISTENER: (ListenerJudge(vector=bank.phi[0]), bank.phi),
        Mode.MUSIC: (MusicJudge(target=at[0]), at),
        Mode.DYNAMIC: (TasteJudge(taste=taste), bank.phi),
        Mode.HERD: (
            HerdJudge(tastes=[taste, newcomer(prior)], weights=np.array([3.0, 1.0])),
            bank.phi,
        ),
    }


@pytest.mark.parametrize("mode", list(Mode))
def test_every_judge_prefers_what_it_stands_for(judges, bank, mode):
    judge, at = judges[mode]
    opinion = judge.judge(at)
    assert judge.mode is mode
    assert opinion.fitness.shape == opinion.deviation.shape == (len(at),)
    assert ((opinion.fitness >= 0) & (opinion.fitness <= 1)).all()
    assert (opinion.deviation >= 0).all()
    mine = np.array([kind == bank.kinds[0] for kind in bank.kinds])
    assert opinion.fitness[mine].mean() > opinion.fitness[~mine].mean() + 0.02
    assert judge.judge(at[:0]).fitness.shape == (0,)


def test_a_herd_of_one_is_that_one_and_of_nobody_knows_nothing(judges, bank):
    taste = judges[Mode.DYNAMIC][0].taste
    one = HerdJudge(tastes=[taste], weights=np.ones(1)).judge(bank.phi)
    assert one.fitness == pytest.approx(judges[Mode.DYNAMIC][0].judge(bank.phi).fitness)
    nobody = HerdJudge(tastes=[], weights=np.zeros(0)).judge(bank.phi)
    assert (nobody.fitness == UNKNOWN).all()
    assert (nobody.deviation > 0).all()
