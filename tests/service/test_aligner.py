"""An aligner of one's own beside the features: trained, named in the settings, then a part of what tastes are about."""

from __future__ import annotations

import json
import shutil

import numpy as np
import pytest

from bench.taste_bank import shipped_clips
from cli.main import main
from domain.errors import ConfigError
from domain.run import RunSettings
from domain.vote import Consent, Grade
from scoring.encoder import Kind, Weights
from scoring.projection import Projection
from scoring.space import default_space
from service.bootstrap import open_services
from service.models.chosen import chosen_aligner
from service.spaces import SpaceKeeper
from storage import clips, tastes
from tests.fakes import FakeClock, FakeDevice, FakeSink
from tests.service.conftest import ANN, GUILD, MOD, Stage

pytest.importorskip("torch", reason="PYTORCH IS MISSING: aligners in the service untested")
pytest.importorskip(
    "safetensors", reason="SAFETENSORS IS MISSING: aligners in the service untested"
)

ROUNDS = RunSettings(candidates=8, quorum=99, timer=0)


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """An aligner of people who each listen to four families, trained for a second on the bench's clips."""
    folder = tmp_path_factory.mktemp("aligner")
    bank = shipped_clips()
    names = [f"t{row}" for row in range(len(bank.families))]
    np.savez(folder / "e.npz", ids=np.array(names), embeddings=bank.embeddings[:, None, :])
    rng = np.random.default_rng(1)
    families = sorted(set(bank.families))
    rows = ["userid,id,count"]
    for user in range(40):
        own = set(rng.choice(families, 4, replace=False))
        rows += [
            f"u{user},{name},1"
            for name, one in zip(names, bank.families, strict=True)
            if one in own
        ]
    (folder / "log.csv").write_text("\n".join(rows))
    given = ["--log", str(folder / "log.csv"), "--embeddings", str(folder / "e.npz")]
    small = ["--epochs", "1", "--each", "5", "--batch", "64", "--strangers", "32", "--threads", "1"]
    encoder = ["--encoder-id", default_space().encoder_id]
    assert main(["train", "aligner", *given, *encoder, "--out", str(folder / "made"), *small]) == 0
    return folder / "made"


def asking(settings, folder, encoder="features"):
    scoring = settings.scoring.model_copy(update={"aligner": str(folder), "encoder": encoder})
    return settings.model_copy(update={"scoring": scoring})


@pytest.fixture
async def stage(settings, trained):
    chosen = asking(settings, trained)
    clock, device, sink = FakeClock(), FakeDevice(), FakeSink()
    async with open_services(chosen, clock=clock, device=device) as services:
        await services.outbox.attach(sink)
        yield Stage(services=services, clock=clock, device=device, sink=sink, settings=chosen)


async def test_its_space_is_a_part_of_every_taste(stage):
    space = stage.services.tastes.space
    own = default_space().dimensions
    assert space.id == f"{default_space().id}+{space.learned.id}"
    assert space.dimensions == own + space.learned.dimensions > own
    await stage.services.listeners.set_consent(ANN, Consent.TASTE)
    await stage.start(settings=ROUNDS)
    await stage.rate(ANN, 1, Grade.LOVE)
    await stage.next(MOD)
    run = await stage.run()
    async with stage.services.db.reading() as tx:
        stored = await tastes.latest_taste(tx, GUILD, ANN.user_id)
        made = [clip.id for clip in await clips.clips_of_run(tx, run.id)]
        found, phi = await stage.services.tastes.phi(tx, made)
    assert stored.space_id == space.id
    assert found == made
    assert (np.abs(phi[:, own:-1]).max(axis=1) > 0).all()


async def test_clips_that_are_not_stored_yet_lie_where_they_will(stage):
    await stage.start(settings=ROUNDS)
    outcomes = await stage.device.render([*stage.device.requests], lambda _: None)
    run = await stage.run()
    async with stage.services.db.reading() as tx:
        made = await clips.clips_of_run(tx, run.id)
        _, phi = await stage.services.tastes.phi(tx, [clip.id for clip in made])
    assert stage.services.tastes.phi_of(outcomes) == pytest.approx(phi, abs=1e-5)


async def test_it_is_told_and_no_other_axes_take_its_place(stage, trained):
    view = await stage.services.about.view()
    assert f"the aligner {trained.name}" in view.parts["scorer"]
    assert not any("AlignerV2" in one for one in view.stand_ins)

    class Ears:
        weights = Weights(
            name="tiny", kind=Kind.MERT, folder=trained, licence="MIT", fingerprint="1"
        )
        trouble = unread = ""

    keeper = SpaceKeeper(
        stage.services.db, stage.services.tastes, Ears(), stage.clock, lambda: True
    )
    assert await keeper.keep() is False
    assert not isinstance(stage.services.tastes.space.learned, Projection)


def test_what_cannot_be_used_is_a_sentence(settings, trained, tmp_path):
    assert chosen_aligner(settings, None) is None
    assert chosen_aligner(asking(settings, trained), None).dimensions > 1
    other = Weights(name="tiny", kind=Kind.MERT, folder=trained, licence="MIT", fingerprint="1")
    checkpoint = tmp_path / "aligner.pt"
    checkpoint.write_bytes(b"")
    seed, damaged = tmp_path / "seed", tmp_path / "damaged"
    for folder in (seed, damaged):
        shutil.copytree(trained, folder)
    config = json.loads((seed / "aligner.json").read_text())
    (seed / "aligner.json").write_text(json.dumps({**config, "kind": "alignerv2"}))
    (damaged / "aligner.safetensors").write_bytes(b"cut")
    for folder, weights, says in (
        (trained, other, "clips are heard by tiny-1.1. Train it on that"),
        (tmp_path / "nowhere", None, "There is no aligner in"),
        (checkpoint, None, "needs PyTorch in the bot's own process"),
        (seed, None, "needs PyTorch in the bot's own process"),
        (damaged, None, "cannot be read"),
    ):
        with pytest.raises(ConfigError, match=r"scoring\.aligner is ") as caught:
            chosen_aligner(asking(settings, folder), weights)
        assert says in str(caught.value)
