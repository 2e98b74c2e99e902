"""A learned encoder beside the features: what is heard, what is not heard twice, when tastes move into its space."""

from __future__ import annotations

import asyncio
import dataclasses
import hashlib
import io
from pathlib import Path

import numpy as np
import pytest
import soundfile

from domain.clip import ClipFailure, ClipRequest
from domain.vote import Consent, Grade
from scoring.adherence import by_text
from scoring.encoder import Kind, Weights
from scoring.projection import FEWEST
from scoring.space import default_space
from service import spaces
from service.bootstrap import open_services
from service.ears import EncoderProcess, _hear, _read
from service.evidence import _further
from service.hearing import CatchingUp, HearingDevice
from service.spaces import due
from storage import clips, embeddings, projections, tastes
from storage.files import AudioStore
from tests.fakes import FakeClock, FakeDevice, FakeSink
from tests.service.conftest import ANN, GUILD, MOD, Stage

LAYERS, WIDTH = 2, 6
WEIGHTS = Weights(
    name="tiny",
    kind=Kind.MERT,
    folder=Path("nowhere"),
    licence="CC-BY-NC-4.0",
    fingerprint="12345678",
    dimensions=WIDTH,
)


class FakeEars:
    """Hears the hash of a file."""

    weights = WEIGHTS

    def __init__(self) -> None:
        self.files: list[bytes] = []
        self.deaf = False
        self.unreadable: set[bytes] = set()
        self.closed = False
        self.unread = ""
        self.texts: list[str] = []
        self.words: dict[str, bytes] = {}

    @property
    def trouble(self) -> str:
        return "Its process died." if self.deaf else ""

    async def warm_up(self) -> None:
        pass

    async def hear(self, audio: bytes) -> bytes | ClipFailure:
        self.files.append(audio)
        await asyncio.sleep(0)
        if self.deaf or audio in self.unreadable:
            return ClipFailure(reason="Its process died." if self.deaf else "No audio.")
        seed = int.from_bytes(hashlib.sha256(audio).digest()[:4], "little")
        return np.random.default_rng(seed).normal(size=LAYERS * WIDTH).astype("<f4").tobytes()

    async def read(self, text: str) -> bytes | None:
        self.texts.append(text)
        return self.words.get(text)

    async def close(self) -> None:
        self.closed = True


async def opened(settings, ears):
    clock, device, sink = FakeClock(), FakeDevice(), FakeSink()
    manager = open_services(settings, clock=clock, device=device, ears=ears)
    services = await manager.__aenter__()
    await services.outbox.attach(sink)
    stage = Stage(services=services, clock=clock, device=device, sink=sink, settings=settings)
    return stage, manager


@pytest.fixture
async def ears():
    return FakeEars()


@pytest.fixture
async def stage(settings, ears):
    made, manager = await opened(settings, ears)
    yield made
    await manager.__aexit__(None, None, None)


async def count(stage) -> int:
    async with stage.services.db.reading() as tx:
        return await embeddings.heard(tx, WEIGHTS.encoder_id)


async def test_every_clip_of_a_round_is_heard_once_and_kept(stage, ears):
    await stage.start()
    assert len(ears.files) == len(set(ears.files)) == 8
    assert await count(stage) == 8
    run = await stage.run()
    async with stage.services.db.reading() as tx:
        made = await clips.clips_of_run(tx, run.id)
        found, vectors = await clips.embeddings(tx, [one.id for one in made], WEIGHTS.encoder_id)
        kept, _ = await clips.embeddings(tx, found, default_space().encoder_id)
    assert kept == found == [one.id for one in made]
    assert vectors.shape == (8, LAYERS * WIDTH)
    assert await stage.services.db.integrity() == []


async def test_the_same_audio_is_never_heard_twice(stage, ears):
    device = HearingDevice(stage.device, ears, stage.services.db)
    request = ClipRequest(prompt="slow lofi", seed=5, seconds=8.0)
    await stage.start()
    ears.files.clear()
    run = await stage.run()
    async with stage.services.db.reading() as tx:
        (first, *_) = await clips.clips_of_run(tx, run.id)
    again = stage.device.requests[0]
    (outcome,) = await device.render([again], lambda _: None)
    assert ears.files == []
    assert outcome.further.keys() == {WEIGHTS.encoder_id}
    assert first.prompt == again.prompt
    await device.render([request], lambda _: None)
    assert len(ears.files) == 1


async def test_progress_counts_clips_that_are_heard(stage, ears):
    device, told = HearingDevice(stage.device, ears, stage.services.db), []
    requests = [ClipRequest(prompt=f"lofi {i}", seed=i, seconds=8.0) for i in range(3)]
    outcomes = await device.render(requests, told.append)
    assert told == [1, 2, 3]
    assert [one.request for one in outcomes] == requests


async def test_an_encoder_that_knows_words_says_whether_a_clip_keeps_to_its_prompt(stage, ears):
    device = HearingDevice(stage.device, ears, stage.services.db)
    requests = [ClipRequest(prompt=f"lofi {i}", seed=i, seconds=8.0) for i in range(3)]
    (plain, *_) = await device.render(requests[:1], lambda _: None)
    heard = np.frombuffer(plain.further[WEIGHTS.encoder_id], "<f4")
    ears.words["lofi 0"] = (0.3 * heard / (heard @ heard)).astype("<f4").tobytes()
    ears.words["lofi 1"] = np.full(len(heard), np.nan, "<f4").tobytes()
    made = await device.render(requests, lambda _: None)
    assert made[0].adherence == pytest.approx(0.6)
    assert made[1].adherence == made[2].adherence == plain.adherence
    assert sorted(ears.texts) == ["lofi 0", "lofi 0", "lofi 1", "lofi 2"]
    ears.deaf = True
    (unheard,) = await device.render([dataclasses.replace(requests[0], seed=9)], lambda _: None)
    assert unheard.adherence == plain.adherence
    assert len(ears.texts) == 4


async def test_words_that_cannot_be_read_are_told(stage, ears):
    await stage.start()
    await hear_many(stage, FEWEST)
    services = stage.services
    keeper = spaces.SpaceKeeper(services.db, services.tastes, ears, stage.clock, lambda: True)
    await keeper.keep()
    assert keeper.view().stand_in == ""
    ears.unread = "There is no tokenizer."
    assert "tiny cannot read prompts: There is no tokenizer." in keeper.view().stand_in


async def test_a_deaf_encoder_costs_no_clip(stage, ears):
    ears.deaf = True
    assert (await stage.start()).error is None
    assert len(stage.rounds()) == 1
    assert await count(stage) == 0


async def test_what_was_missed_is_caught_up_with(stage, ears):
    ears.deaf = True
    await stage.start()
    services = stage.services
    store = AudioStore(stage.settings.storage.data_dir / "audio")
    catching = CatchingUp(services.db, store, ears, stage.clock, lambda: None)
    ears.files.clear()
    assert await catching.catch_up() == 0
    assert len(ears.files) == 1  # it does not ask a deaf one again and again
    assert "Its process died" in await about(stage)
    ears.deaf = False
    assert await catching.catch_up() == 8
    assert await count(stage) == 8
    ears.files.clear()
    assert await catching.catch_up() == 0
    assert ears.files == []


async def test_a_clip_that_cannot_be_heard_is_left_alone(stage, ears):
    ears.deaf = True
    await stage.start()
    ears.deaf, ears.unreadable = False, {ears.files[3]}
    catching = CatchingUp(
        stage.services.db,
        AudioStore(stage.settings.storage.data_dir / "audio"),
        ears,
        stage.clock,
        lambda: None,
    )
    assert await catching.catch_up() == 7
    ears.files.clear()
    assert await catching.catch_up() == 0
    assert ears.files == []


async def test_audio_that_is_gone_is_left_alone(stage, ears):
    ears.deaf = True
    await stage.start()
    folder = stage.settings.storage.data_dir / "audio"
    for path in [*folder.rglob("*.mp3")][:3]:
        path.unlink()
    ears.deaf = False
    catching = CatchingUp(stage.services.db, AudioStore(folder), ears, stage.clock, lambda: None)
    assert await catching.catch_up() == 5


@pytest.mark.parametrize(
    ("heard", "fitted", "wanted"),
    [
        (0, 0, False),
        (FEWEST - 1, 0, False),
        (FEWEST, 0, True),
        (399, 200, False),
        (400, 200, True),
        (10_000, 1000, False),
    ],
)
def test_when_axes_are_due(heard, fitted, wanted):
    assert due(heard, fitted) is wanted


async def hear_many(stage, number: int) -> None:
    """Store as many further embeddings as if clips had been heard for weeks."""
    run = await stage.run()
    rng = np.random.default_rng(1)
    async with stage.services.db.transaction() as tx:
        made = await clips.clips_of_run(tx, run.id)
        for place in range(number):
            await tx.rows(
                "INSERT INTO clips SELECT NULL, candidate_id, run_id, generation, prompt, family, seed, seconds,"
                " sha256, extension, media_type, loudness, waveform, encoder_id, quality, defects_json, generator,"
                " generator_version, licence, description_json, NULL, NULL, 0 FROM clips WHERE id = ?",
                (made[place % 8].id,),
            )
        rows = await tx.rows("SELECT id FROM clips ORDER BY id DESC LIMIT ?", (number,))
        _, own = await clips.embeddings(tx, [made[0].id], default_space().encoder_id)
        for row in rows:
            vector = rng.normal(size=LAYERS * WIDTH).astype("<f4").tobytes()
            await clips.add_embedding(tx, row["id"], WEIGHTS.encoder_id, vector)
            await clips.add_embedding(tx, row["id"], default_space().encoder_id, own[0].tobytes())


async def about(stage) -> str:
    view = await stage.services.about.view()
    return " ".join([*view.parts.values(), *view.stand_ins])


async def test_tastes_move_into_the_wider_space_and_stay_there(stage, ears, settings):
    await stage.start()
    await stage.services.listeners.set_consent(ANN, Consent.TASTE)
    for slot in (1, 2, 3):
        await stage.rate(ANN, slot, Grade.LOVE)
    services = stage.services
    keeper = spaces.SpaceKeeper(services.db, services.tastes, ears, stage.clock, lambda: True)
    assert await keeper.keep() is False
    assert "has heard 8 clips" in keeper.view().stand_in
    assert "tiny (CC-BY-NC-4.0)" in await about(stage)
    await hear_many(stage, FEWEST)
    assert await keeper.keep() is True
    assert await keeper.keep() is False
    assert keeper.view().stand_in == ""
    space = services.tastes.space
    assert space.learned is not None
    assert space.learned.dimensions <= WIDTH
    assert space.id.startswith(f"{default_space().id}+tiny-1.12345678/pca-")
    assert (await stage.next(MOD)).error is None  # a round bred, scored and chosen in the new space
    run = await stage.run()
    async with services.db.reading() as tx:
        stored = await projections.latest_projection(tx, WEIGHTS.encoder_id)
        found, phi = await services.tastes.phi(
            tx, [one.id for one in await clips.clips_of_run(tx, run.id)]
        )
    assert stored is not None
    assert f"{default_space().id}+{stored.id}" == space.id
    assert phi.shape == (len(found), space.dimensions + 1)
    assert np.linalg.norm(phi[:, -1 - space.learned.dimensions : -1], axis=1) == pytest.approx(1.0)


async def test_a_restart_begins_in_the_space_that_was_left(stage, ears, settings):
    await stage.start()
    await hear_many(stage, FEWEST)
    keeper = spaces.SpaceKeeper(
        stage.services.db, stage.services.tastes, ears, stage.clock, lambda: True
    )
    await keeper.keep()
    space_id = stage.services.tastes.space.id
    async with stage.services.db.reading() as tx:
        assert (await spaces.stored_space(tx, WEIGHTS)).id == space_id
        assert (await spaces.stored_space(tx, None)).id == default_space().id
        other = dataclasses.replace(WEIGHTS, fingerprint="0")
        assert (await spaces.stored_space(tx, other)).id == default_space().id
    async with stage.services.db.transaction() as tx:
        await tx.rows("UPDATE projections SET payload = x'00'")
    async with stage.services.db.reading() as tx:
        assert (await spaces.stored_space(tx, WEIGHTS)).id == default_space().id


async def test_a_clip_of_another_version_says_nothing_in_the_learned_columns(stage, ears):
    await stage.start()
    await hear_many(stage, FEWEST)
    services = stage.services
    await spaces.SpaceKeeper(services.db, services.tastes, ears, stage.clock, lambda: True).keep()
    run = await stage.run()
    async with services.db.transaction() as tx:
        first, *_ = [one.id for one in await clips.clips_of_run(tx, run.id)]
        await tx.rows(
            "UPDATE embeddings SET encoder_id = 'tiny-1.other' WHERE clip_id = ? AND encoder_id = ?",
            (first, WEIGHTS.encoder_id),
        )
    async with services.db.reading() as tx:
        _, phi = await services.tastes.phi(tx, [first])
    learned = services.tastes.space.learned.dimensions
    assert not phi[0, -1 - learned : -1].any()
    assert phi[0, : -1 - learned].any()


class Crowded:
    """A reader while whose query somebody else finds that too many rows are remembered."""

    def __init__(self, tx, known) -> None:
        self._tx, self._known = tx, known

    async def rows(self, *query):
        self._known.clear()
        return await self._tx.rows(*query)


async def test_what_is_forgotten_meanwhile_is_not_taken_for_unheard(stage, ears):
    await stage.start()
    await hear_many(stage, FEWEST)
    services = stage.services
    await spaces.SpaceKeeper(services.db, services.tastes, ears, stage.clock, lambda: True).keep()
    learned, known = services.tastes.space.learned, {}
    run = await stage.run()
    async with services.db.reading() as tx:
        ids = [one.id for one in await clips.clips_of_run(tx, run.id)]
        await _further(tx, ids[:4], learned, known)
        assert sorted(known) == sorted(ids[:4])
        found = await _further(Crowded(tx, known), ids, learned, known)
        assert np.array_equal(found, await _further(tx, ids, learned, {}))
    assert found.any(axis=1).all()
    assert sorted(known) == sorted(ids)


async def test_tastes_of_the_old_space_are_learned_again(stage, ears):
    async with stage.services.db.transaction() as tx:
        await tx.rows("INSERT INTO consents VALUES (?, ?, 'taste')", (GUILD, ANN.user_id))
        await tastes.save_taste(
            tx, GUILD, ANN.user_id, b"old", space_id="old", evidence=1, high_water=0, now=0.0
        )
    await stage.start()
    await hear_many(stage, FEWEST)
    services = stage.services
    await spaces.SpaceKeeper(services.db, services.tastes, ears, stage.clock, lambda: True).keep()
    await services.tastes.flush()
    async with services.db.reading() as tx:
        newest = await tastes.latest_taste(tx, GUILD, ANN.user_id)
        assert newest is not None
        assert newest.space_id == services.tastes.space.id
        assert await tastes.tastes_elsewhere(tx, services.tastes.space.id) == []


def wav(seconds: float = 1.5, rate: int = 22050) -> bytes:
    sound = 0.1 * np.random.default_rng(3).normal(size=int(seconds * rate))
    out = io.BytesIO()
    soundfile.write(out, sound, rate, format="WAV")
    return out.getvalue()


def test_files_of_any_rate_are_heard_and_what_is_no_audio_is_named(tmp_path):
    pytest.importorskip("transformers", reason="TRANSFORMERS IS MISSING: encoders untested")
    from tests.scoring.learned import checkpoints  # noqa: PLC0415 - imports PyTorch

    checkpoints.mert(tmp_path)
    weights = checkpoints.weights(tmp_path, Kind.MERT)
    files = [wav(), b"not audio", wav(rate=16000), wav()]
    first, broken, other, again = _hear(weights, "cpu", files)
    assert len(first) == 4 * (checkpoints.LAYERS + 1) * checkpoints.WIDTH
    assert again == first
    assert isinstance(other, bytes)
    assert other != first
    assert isinstance(broken, ClipFailure)
    assert "cannot be read as audio" in broken.reason


def test_clap_reads_what_it_hears_by(tmp_path):
    pytest.importorskip("transformers", reason="TRANSFORMERS IS MISSING: encoders untested")
    from tests.scoring.learned import checkpoints  # noqa: PLC0415 - imports PyTorch

    checkpoints.clap(tmp_path)
    weights = checkpoints.weights(tmp_path, Kind.CLAP)
    (heard,) = _hear(weights, "cpu", [wav()])
    said = _read(weights, "cpu", "slow lofi")
    assert len(said) == len(heard) == 4 * checkpoints.CLAP_WIDTH
    assert np.linalg.norm(np.frombuffer(said, "<f4")) == pytest.approx(1.0, abs=1e-3)
    assert 0.0 <= by_text(np.frombuffer(said, "<f4"), np.frombuffer(heard, "<f4")) <= 1.0
    assert _read(weights, "cpu", "  ") == ClipFailure(
        reason="A text to be compared with clips must not be empty."
    )


async def test_only_an_encoder_that_knows_words_is_asked_to_read():
    process = EncoderProcess(WEIGHTS, device="cpu")
    assert await process.read("slow lofi") is None
    clap = EncoderProcess(dataclasses.replace(WEIGHTS, kind=Kind.CLAP), device="cpu")
    try:
        assert await clap.read(" ") is None
        assert (clap.trouble, clap.unread) == ("", "")
        assert await clap.read("slow lofi") is None
        assert "config.json is missing" in clap.trouble
    finally:
        await clap.close()
        await process.close()


async def test_a_process_that_cannot_load_its_weights_says_so_for_every_clip(tmp_path):
    weights = dataclasses.replace(WEIGHTS, folder=tmp_path)
    process = EncoderProcess(weights, device="cpu")
    try:
        await process.warm_up()
        heard = await asyncio.gather(*(process.hear(wav()) for _ in range(20)))
    finally:
        await process.close()
    assert "config.json is missing" in process.trouble
    assert {type(one) for one in heard} == {ClipFailure}
    assert {one.reason for one in heard} == {
        f"There is no model in {tmp_path}: config.json is missing. Fetch it again."
    }


async def test_a_listener_that_gives_up_takes_nobody_with_it(tmp_path):
    process = EncoderProcess(dataclasses.replace(WEIGHTS, folder=tmp_path), device="cpu")
    try:
        first = asyncio.create_task(process.hear(wav()))  # noqa: TID251 - to be cancelled
        others = [asyncio.create_task(process.hear(wav())) for _ in range(3)]  # noqa: TID251
        await asyncio.sleep(0.05)
        first.cancel()
        heard = await asyncio.gather(*others)
    finally:
        await process.close()
    assert {type(one) for one in heard} == {ClipFailure}


async def test_the_clips_of_a_round_wait_in_the_line_as_one(stage, ears):
    parties = []

    class Line(FakeDevice):
        async def render(self, requests, ready, *, party=None):
            parties.append(party)
            return await super().render(requests, ready)

    device = HearingDevice(Line(), ears, stage.services.db)
    asked = [ClipRequest(prompt="lofi", seed=seed, seconds=1.0) for seed in range(3)]
    await device.render(asked, lambda _: None)
    await device.render(asked, lambda _: None)
    assert None not in parties
    assert [parties.count(one) for one in parties] == [3] * 6


async def test_what_nobody_foresaw_in_the_process_leaves_nobody_waiting():
    class Broken:
        async def call(self, *_):
            await asyncio.sleep(0)
            raise RuntimeError("CUDA error: an illegal memory access was encountered")

    process = EncoderProcess(WEIGHTS)
    process._worker = Broken()
    async with asyncio.timeout(10):
        heard = await asyncio.gather(*(process.hear(bytes([number])) for number in range(3)))
    assert all("Something went wrong while listening" in one.reason for one in heard)
    assert process.trouble == heard[0].reason
