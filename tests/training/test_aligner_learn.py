"""Training an aligner: its loss and figures by hand, going on after a kill, and a world that it learns to hear."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="TORCH IS MISSING: training was not tested")

from bench.aligner_world import WorldSize, make_world  # noqa: E402
from cli.main import main  # noqa: E402
from domain.errors import UserError  # noqa: E402
from scoring.aligner.folder import load  # noqa: E402
from scoring.aligner.listeners import table_listeners  # noqa: E402
from scoring.aligner.protocol import AlignerKind  # noqa: E402
from scoring.aligner.seed_network import SeedNetwork, SeedShape  # noqa: E402
from training.aligner.data import Plays, checks, sides  # noqa: E402
from training.aligner.learn import Plan, train  # noqa: E402
from training.aligner.log import Listening  # noqa: E402
from training.aligner.loss import MOST_SCALE, info_nce, scale_of  # noqa: E402
from training.aligner.make import divided, untrained  # noqa: E402
from training.aligner.metrics import figures, pr_auc, roc_auc  # noqa: E402
from training.aligner.network import weights_of  # noqa: E402
from training.aligner.progress import FILE, Progress  # noqa: E402

PLAN = Plan(epochs=5, each=20, batch=128, strangers=64, rate=5e-3, threads=1, patience=5)
SIZE = WorldSize(users=60, tracks=2000, layers=2, dimensions=48, noise=0.2, steepness=3.0)


def test_the_loss_is_the_one_on_paper():
    rng = np.random.default_rng(0)
    users, music = rng.normal(size=(2, 4)), rng.normal(size=(3, 4))
    often = np.array([0.5, 2.0, 0.1])
    known = np.array([[True, False, False], [True, True, False]])  # user 1 also knows track 0
    unit = users / np.linalg.norm(users, axis=1, keepdims=True)
    cosine = unit @ (music / np.linalg.norm(music, axis=1, keepdims=True)).T
    odds = np.exp(7.0 * cosine) / often
    expected = -(np.log(odds[0, 0] / odds[0].sum()) + np.log(odds[1, 1] / odds[1, 1:].sum())) / 2
    given = [torch.from_numpy(x) for x in (users, music)]
    found = info_nce(*given, torch.tensor(7.0), torch.from_numpy(often), torch.from_numpy(known))
    assert found.item() == pytest.approx(expected)


def test_its_gradient_is_that_of_small_steps():
    rng = torch.Generator().manual_seed(1)
    users, music = (
        torch.randn(n, 4, generator=rng, dtype=torch.float64, requires_grad=True) for n in (3, 5)
    )
    log_scale = torch.tensor(1.5, dtype=torch.float64, requires_grad=True)
    often = torch.rand(5, generator=rng, dtype=torch.float64) + 0.1
    known = torch.zeros(3, 5, dtype=torch.bool)
    known[0, 1] = True
    assert torch.autograd.gradcheck(
        lambda u, m, s: info_nce(u, m, scale_of(s), often, known), (users, music, log_scale)
    )


def test_the_scale_is_bounded():
    assert scale_of(torch.tensor(100.0)).item() == MOST_SCALE
    assert scale_of(torch.tensor(-100.0)).item() == 1.0


def test_figures_are_those_of_the_definitions():
    rng = np.random.default_rng(2)
    scores, truth = rng.integers(0, 5, 60).astype(float), rng.random(60) < 0.4
    user = rng.integers(0, 4, 60)

    def auc(s, t):
        right, wrong = s[t][:, None], s[~t][None, :]
        return ((right > wrong) + 0.5 * (right == wrong)).mean()

    steps = []
    for level in np.unique(scores)[::-1]:
        above = scores >= level
        steps.append((truth[above].sum() / truth.sum(), truth[above].mean()))
    recall, precision = np.array([(0.0, 0.0), *steps]).T
    found = figures(scores, user, truth)
    assert found.roc_auc == pytest.approx(auc(scores, truth))
    assert found.pr_auc == pytest.approx((np.diff(recall) * precision[1:]).sum())
    assert found.pairwise == pytest.approx(
        np.mean([auc(scores[user == u], truth[user == u]) for u in range(4)])
    )
    assert (found.pairs, found.users) == (60, 4)
    assert np.isnan(roc_auc(scores, np.ones(60, dtype=bool)))
    assert np.isnan(pr_auc(scores, np.zeros(60, dtype=bool)))
    assert pr_auc(np.arange(4.0), np.array([False, False, True, True])) == 1.0


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    return make_world(tmp_path_factory.mktemp("world"), SIZE, seed=1)


def _material(world, listening=None):
    return divided(world.store, listening or world.listening, seed=0)[0]


@pytest.fixture(scope="module")
def material(world):
    return _material(world)


def _network(world):
    return untrained(AlignerKind.COMPACT, world.listening.users, world.store, seed=0)


def test_tracks_are_on_one_side_whoever_else_is_there(world):
    found = sides(world.store.tracks, 0)
    assert found.learned.mean() == pytest.approx(0.8, abs=0.05)
    assert found.checked.mean() == pytest.approx(0.1, abs=0.05)
    together = found.learned.astype(int) + found.checked + found.tested
    assert (together == 1).all()
    assert np.array_equal(sides(world.store.tracks[::-1], 0).learned, found.learned[::-1])
    assert not np.array_equal(sides(world.store.tracks, 1).learned, found.learned)


def test_checks_are_of_tracks_that_nobody_learns_from(world, material):
    found = material.checks
    _, tests = divided(world.store, world.listening, seed=0)
    assert not set(tests.tracks) & {*found.tracks, *material.plays.learned}
    assert not set(found.tracks) & set(material.plays.learned)
    heard = set(zip(world.listening.user.tolist(), world.listening.track.tolist(), strict=True))
    pairs = zip(found.user.tolist(), found.tracks[found.track].tolist(), strict=True)
    assert [pair in heard for pair in pairs] == found.listened.tolist()
    assert found.listened.mean() == 0.5


def test_what_is_drawn_was_listened_to_and_goes_with_plays():
    listening = Listening(
        users=3,
        tracks=5,
        user=np.array([0, 0, 2]),
        track=np.array([1, 3, 4]),
        plays=np.array([1, 16, 7]),
    )
    plays = Plays(listening, np.array([True, True, False, True, True]))
    users, tracks = plays.draw(4000, np.random.default_rng(0))
    assert set(zip(users.tolist(), tracks.tolist(), strict=True)) == {(0, 1), (0, 3), (2, 4)}
    share = (tracks[users == 0] == 3).mean()
    assert share == pytest.approx(4 / 5, abs=0.03)  # the square root of 16 to that of 1
    assert plays.popularity == pytest.approx([0, 0.1, 0, 0.4, 0.5])
    expected = [[False, True, True], [False, False, False], [False, False, False]]
    assert plays.listened(np.array([0, 1, 2]), np.array([2, 1, 3])).tolist() == expected
    assert 2 not in plays.strangers(200, np.random.default_rng(0))


def test_nobody_to_learn_from_or_check_on_is_a_sentence():
    one = Listening(users=1, tracks=2, user=np.array([0]), track=np.array([0]), plays=np.array([1]))
    with pytest.raises(UserError, match="learned from"):
        Plays(one, np.array([False, True]))
    with pytest.raises(UserError, match="held-out"):
        checks(one, np.array([True, False]), np.array([False, True]), rng=np.random.default_rng(0))
    assert Plays(one, np.array([True, False])).draw(2, np.random.default_rng(0))[1].tolist() == [
        0,
        0,
    ]


@pytest.mark.parametrize("kind", AlignerKind)
def test_it_learns_to_tell_what_somebody_would_listen_to(world, material, kind):
    if kind is AlignerKind.SEED:
        small = SeedShape(users=60, layers=2, dimensions=48, user_size=32, hidden=64)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(0)
            network, plan = SeedNetwork(small), replace(PLAN, rate=3e-3, epochs=8)
    else:
        network, plan = _network(world), PLAN
    state = train(network, material, plan, say=lambda _: None)
    assert state.figures.roc_auc > 0.65
    assert state.figures.pairwise > 0.65
    oracle = world.liking[material.checks.user, material.checks.tracks[material.checks.track]]
    best = roc_auc(oracle.astype(float), material.checks.listened)
    assert state.figures.roc_auc < best


def test_with_listeners_shuffled_it_stays_at_chance(world):
    """The same plays dealt out to anybody: nothing of a taste is left, and nothing must be found."""
    given = world.listening
    rng = np.random.default_rng(3)
    popular = np.bincount(given.track, minlength=given.tracks)
    pairs = {
        (int(u), int(t)) for u, t in zip(rng.permutation(given.user), given.track, strict=True)
    }
    user, track = np.array(sorted(pairs)).T
    shuffled = replace(given, user=user, track=track, plays=np.ones(len(user), dtype=np.int64))
    assert popular.max() > 10  # what is left to be found is which tracks are popular
    found = train(_network(world), _material(world, shuffled), PLAN, say=lambda _: None)
    assert 0.4 < np.mean([one.roc_auc for one in found.history]) < 0.6


def test_a_training_that_was_killed_ends_as_one_that_was_not(tmp_path, world, material):
    about = {"a": 1}

    def run(folder, **plan):
        network, said = _network(world), []
        state = train(
            network,
            material,
            replace(PLAN, each=5, **plan),
            say=said.append,
            progress=Progress(folder, about),
        )
        return weights_of(network), state, said

    whole, state, _ = run(tmp_path / "whole", epochs=3)
    run(tmp_path / "killed", epochs=2)
    resumed, again, said = run(tmp_path / "killed", epochs=3)
    assert said[0] == "Going on after epoch 2."
    assert again.history == state.history
    assert (again.best, again.positives) == (state.best, state.positives)
    assert all(np.array_equal(whole[name], resumed[name]) for name in whole)


def test_a_checkpoint_of_another_training_or_a_damaged_one_is_a_sentence(tmp_path, world, material):
    plan = replace(PLAN, epochs=1, each=2)
    train(
        _network(world), material, plan, say=lambda _: None, progress=Progress(tmp_path, {"a": 1})
    )
    with pytest.raises(UserError, match="other settings or data"):
        train(
            _network(world),
            material,
            plan,
            say=lambda _: None,
            progress=Progress(tmp_path, {"a": 2}),
        )
    (tmp_path / FILE).write_bytes((tmp_path / FILE).read_bytes()[:200])
    with pytest.raises(UserError, match="Delete it"):
        train(
            _network(world),
            material,
            plan,
            say=lambda _: None,
            progress=Progress(tmp_path, {"a": 1}),
        )


@pytest.fixture(scope="module")
def brought(tmp_path_factory, world):
    """A log and embeddings as somebody would bring them."""
    folder = tmp_path_factory.mktemp("brought")
    names = world.store.tracks
    np.savez(
        folder / "e.npz",
        ids=np.array(names),
        embeddings=world.store.read(np.arange(len(names))).astype(np.float16),
    )
    rows = ["userid,id,count", "u0,nobody has it,3", "broken"]
    given = world.listening
    rows += [
        f"u{u},{names[t]},{p}" for u, t, p in zip(given.user, given.track, given.plays, strict=True)
    ]
    rows += ["lonely,track-1,1"]  # a user with one track
    (folder / "log.csv").write_text("\n".join(rows))
    return folder


def _command(brought, out, *more):
    given = ["--log", str(brought / "log.csv"), "--embeddings", str(brought / "e.npz")]
    small = ["--epochs", "2", "--each", "5", "--batch", "64", "--strangers", "32", "--threads", "1"]
    return main(["train", "aligner", *given, "--out", str(out), *small, *more])


def test_the_command_makes_an_aligner_whose_listeners_like_music(brought, tmp_path, capsys, world):
    assert _command(brought, tmp_path) == 0
    said = capsys.readouterr().out
    assert "Skipped 1: a row that has not 3 fields (line 3)" in said
    assert "Skipped 1: a track without an embedding (line 2)" in said
    assert "61 listeners" in said
    assert "ROC AUC" in said
    aligner = load(tmp_path)
    assert (aligner.info.users, aligner.info.layers) == (61, 2)
    assert np.abs(aligner.centre).max() > 0
    bank = world.store.read(np.arange(50))
    (listener,) = table_listeners(aligner, [4], bank, base_rate=0.4)
    assert 0 < listener.likes(bank[0]) < 1
    card = (tmp_path / "CARD.md").read_text()
    assert "| listening log | log.csv |" in card
    figures_of = json.loads((tmp_path / "aligner.json").read_text())["card"]["figures"]
    assert f"{figures_of['roc_auc']:.3f}" in card
    assert not (tmp_path / FILE).exists()


def test_the_command_refuses_what_cannot_be(brought, tmp_path, capsys):
    for more, code, words in (
        (["--epochs", "0"], 2, "--epochs must be from 1"),
        (["--rate", "nan"], 2, "--rate must be above 0"),
        (["--log", str(tmp_path / "none.csv")], 1, "cannot be read"),
    ):
        assert _command(brought, tmp_path / "out", *more) == code
        assert words in capsys.readouterr().err


def test_the_command_trains_the_other_network_too(brought, tmp_path, capsys):
    assert _command(brought, tmp_path, "--network", "alignerv2", "--rate", "0.001") == 0
    assert load(tmp_path).info.kind is AlignerKind.SEED
    assert "alignerv2" in (tmp_path / "CARD.md").read_text()
