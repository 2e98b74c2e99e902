"""The listening world that aligners are compared in, and the comparison's own arithmetic."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="TORCH IS MISSING: the aligners' bench was not tested")

from bench.aligner import StandardisedSeed, _report, _Trained  # noqa: E402
from bench.aligner_world import WorldSize, make_world  # noqa: E402
from scoring.aligner.seed_network import SeedNetwork, SeedShape  # noqa: E402
from training.aligner.learn import State  # noqa: E402
from training.aligner.metrics import Figures, roc_auc  # noqa: E402

SIZE = WorldSize(users=30, tracks=600, layers=4, dimensions=16, median=30)


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    return make_world(tmp_path_factory.mktemp("world"), SIZE, seed=1)


def test_a_world_is_the_same_for_the_same_seed(tmp_path, world):
    again = make_world(tmp_path / "again", SIZE, seed=1)
    other = make_world(tmp_path / "other", SIZE, seed=2)
    rows = np.arange(SIZE.tracks)
    assert np.array_equal(again.store.read(rows), world.store.read(rows))
    assert np.array_equal(again.listening.track, world.listening.track)
    assert not np.array_equal(other.liking, world.liking)


def test_people_listen_to_what_they_like_and_to_what_is_popular(world):
    heard = np.zeros((SIZE.users, SIZE.tracks), dtype=bool)
    heard[world.listening.user, world.listening.track] = True
    assert 0.65 < roc_auc(world.liking.ravel().astype(float), heard.ravel()) < 0.98
    listeners = np.sort(heard.sum(axis=0))
    assert listeners[-len(listeners) // 10 :].sum() > 0.25 * listeners.sum()


def test_neighbouring_layers_are_more_alike_than_the_ends(tmp_path):
    found = make_world(tmp_path, replace(SIZE, noise=0.05, dimensions=64), seed=3)
    numbers = found.store.read(np.arange(SIZE.tracks)).astype(float)
    numbers = (numbers - numbers.mean(axis=0)) / numbers.std(axis=0)
    alike = [np.abs((numbers[:, 0] * numbers[:, other]).mean(axis=0)).mean() for other in (1, 3)]
    assert alike[0] > alike[1] + 0.1


def test_the_standardised_network_is_the_other_one_on_standardised_numbers():
    shape = SeedShape(users=3, layers=2, dimensions=6, user_size=4, hidden=8)
    torch.manual_seed(0)
    plain, ours = SeedNetwork(shape).eval(), StandardisedSeed(shape).eval()
    ours.load_state_dict(plain.state_dict(), strict=False)
    clips, mean = torch.randn(5, 2, 6), torch.randn(2, 6)
    ours.observe(mean, torch.full((2, 6), 2.0))
    with torch.inference_mode():
        assert torch.allclose(ours.pieces(clips), plain.pieces((clips - mean) / 2))


def _trained(name, auc, parameters, plays, seconds):
    found = Figures(roc_auc=auc, pr_auc=auc, pairwise=auc, pairs=10, users=2)
    state = State(rate=1.0, epoch=1, best=1, positives=plays, cpu_seconds=seconds, history=(found,))
    return _Trained(name=name, parameters=parameters, state=state, figures=found)


@pytest.mark.parametrize(
    ("auc", "parameters", "seconds", "met"),
    [
        (0.7, 100, 1.0, [True, True, True]),
        (0.6, 101, 1.0, [False, False, True]),
        (0.7, 100, 10.1, [True, True, False]),
    ],
)
def test_its_bars_are_against_the_better_and_the_faster_of_the_seeds(auc, parameters, seconds, met):
    seeds = [_trained("a", 0.5, 1000, 100, 100.0), _trained("b", 0.65, 1000, 100, 120.0)]
    ours = _trained("c", auc, parameters, 100, seconds)
    report = _report(seeds, [ours], ours, 0.9)
    assert [bar.met for bar in report.bars] == met
    assert "0.650" in report.bars[0].value
