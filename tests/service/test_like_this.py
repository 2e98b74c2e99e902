"""Breeding towards a track: hearing it, starting, what counts when, what is kept, and what is refused."""

from __future__ import annotations

import asyncio
import io

import numpy as np
import pytest
import soundfile

from domain.clip import ClipFailure, ClipRequest, HeardTrack
from domain.errors import BusyError, ForbiddenError, UploadError, UserError
from domain.fitness import Component, Mode, Weights
from domain.run import RunSettings
from domain.vote import Consent, Grade
from generation.registry import composer
from scoring.reward import Evidence, Reward
from scoring.reward_packing import pack_reward
from service.device import RenderSpec
from service.like_this import Upload
from service.rendering import RenderEngine
from storage import judgements, preferences, targets
from tests.service.conftest import ANN, BOB, GUILD, MOD

RATE = 16000


def upload(
    content: bytes = b"RIFFtechno", name: str = "My_Song.final.mp3", size: int | None = None
):
    async def fetch() -> bytes:
        return content

    return Upload(filename=name, size=len(content) if size is None else size, fetch=fetch)


async def breed(stage, who=ANN, wish="", **options):
    track = await stage.services.like_this.hear(who.user_id, upload(), wish)
    await stage.start(who, vibe=track.vibe, track=track, **options)
    return track


async def records(stage, number=None):
    run = await stage.run()
    made = await stage.services.clips.of_round(run.id, number or run.generation)
    async with stage.services.db.reading() as tx:
        return made, await judgements.judgements(tx, [clip.id for clip in made])


async def test_a_track_is_heard_and_told_in_words(stage):
    track = await stage.services.like_this.hear(ANN.user_id, upload(), "  slower \n please ")
    assert track.title == "My Song.final"
    assert track.vibe.startswith("slower please")
    assert track.words
    assert track.heard.seconds == 180.0


async def test_the_first_round_holds_what_is_nearest_to_the_track(stage):
    await breed(stage)
    made, judged = await records(stage)
    posted = [judged[clip.id].components[Component.TARGET] for clip in made if clip.posted_slot]
    rest = [judged[clip.id].components[Component.TARGET] for clip in made if not clip.posted_slot]
    assert all(clip.role == "nearest" for clip in made if clip.posted_slot)
    assert max(posted) >= max(rest)
    assert {one.mode for one in judged.values()} == {Mode.MUSIC}


async def test_generations_come_closer_and_votes_take_over(stage):
    await breed(stage, seed=8)
    status = await stage.services.runs.status(MOD.channel_id)
    assert (status.target.title, status.target.votes_share) == ("My Song.final", 0.0)
    for _ in range(4):
        await stage.next()
    likeness = []
    for number in range(1, 6):
        _, judged = await records(stage, number)
        likeness.append(np.mean([one.components[Component.TARGET] for one in judged.values()]))
    assert max(likeness[1:]) >= likeness[0]
    for slot in (1, 2):
        await stage.rate(ANN, slot, Grade.LOVE)
    await stage.next()
    status = await stage.services.runs.status(MOD.channel_id)
    assert status.target.rated == 2
    assert status.target.votes_share == pytest.approx(2 / 14)
    _, judged = await records(stage)
    weights = next(iter(judged.values())).weights
    assert (weights.taste, weights.target) == (pytest.approx(1 / 7), pytest.approx(6 / 7))


async def test_a_run_without_a_track_records_what_it_went_by(stage):
    await stage.start()
    await stage.rate(ANN, 1, Grade.LOVE)
    await stage.rate(BOB, 1, Grade.LOVE)
    await stage.next()
    made, judged = await records(stage)
    assert len(judged) == len(made) == 8
    one = judged[made[0].id]
    assert one.mode is Mode.HERD
    assert set(one.components) == {Component.TASTE, Component.NOVELTY}
    assert one.fitness == pytest.approx(one.components[Component.TASTE] * one.gate)
    assert one.weights.target == 0.0
    why = await stage.services.clips.why(ANN, made[0].id)
    assert why.judgement == one
    lineage = await stage.services.clips.lineage(ANN, made[0].id)
    assert lineage.fitness[made[0].candidate_id] == pytest.approx(one.fitness)


async def test_weights_belong_to_the_run(stage):
    settings = RunSettings(candidates=8, weights=Weights(taste=0.0, novelty=1.0))
    await stage.start(settings=settings)
    assert (await stage.run()).settings == settings
    await stage.next()
    _, judged = await records(stage)
    for one in judged.values():
        assert one.fitness == pytest.approx(one.components[Component.NOVELTY] * one.gate)


async def test_reset_keeps_the_track_and_erasing_its_sender_takes_it_away(stage):
    await breed(stage)
    ticket = await stage.services.runs.reset(MOD)
    await ticket.done()
    await stage.settle()
    run = await stage.run()
    async with stage.services.db.reading() as tx:
        assert (await targets.target_of(tx, run.id)).listener_id == ANN.user_id
    held = await stage.services.listeners.export(ANN)
    assert {one["title"] for one in held["targets"]} == {"My Song.final"}
    await stage.services.listeners.erase(ANN)
    async with stage.services.db.reading() as tx:
        assert await targets.target_of(tx, run.id) is None
    assert (await stage.services.runs.status(MOD.channel_id)).target is None
    await stage.next()
    _, judged = await records(stage)
    assert {one.mode for one in judged.values()} == {Mode.HERD}


@pytest.mark.parametrize("how", ["erase", "reset_taste"])
async def test_what_was_foretold_of_a_listener_goes_with_their_votes(stage, how):
    await stage.services.listeners.set_consent(ANN, Consent.TASTE)
    await stage.start()
    await stage.rate(ANN, 1, Grade.LOVE)
    await stage.next()
    await getattr(stage.services.listeners, how)(ANN)
    _, judged = await records(stage)
    for one in judged.values():
        assert one.fitness is None
        assert set(one.components) == {Component.NOVELTY}


async def test_a_track_heard_by_another_encoder_is_left_out(stage, caplog):
    track = await stage.services.like_this.hear(ANN.user_id, upload())
    heard = HeardTrack(encoder_id="other-1", embedding=track.heard.embedding, seconds=9.0)
    await stage.start(ANN, track=type(track)(title="x", words="", vibe="", heard=heard))
    _, judged = await records(stage)
    assert {one.mode for one in judged.values()} == {Mode.HERD}
    assert "heard by other-1" in caplog.text


async def test_what_cannot_be_heard_is_refused_in_a_sentence(stage):
    hear = stage.services.like_this.hear
    with pytest.raises(UploadError, match="30 MB; the most is 25 MB"):
        await hear(ANN.user_id, upload(size=30 * 2**20))
    with pytest.raises(UploadError, match="26 MB"):  # announced small, and large all the same
        await hear(ANN.user_id, upload(b"\0" * (26 * 2**20), size=10))
    with pytest.raises(UserError, match="no sound"):
        await hear(ANN.user_id, upload(b"%PDF-1.7"))


async def test_one_track_at_a_time(stage):
    gate = asyncio.Event()

    async def slow() -> bytes:
        await gate.wait()
        return b"RIFFlofi"

    waiting = Upload(filename="a.mp3", size=8, fetch=slow)
    hear = stage.services.like_this.hear
    first = asyncio.ensure_future(hear(ANN.user_id, waiting))
    await asyncio.sleep(0)
    with pytest.raises(BusyError, match="the last track you sent"):
        await hear(ANN.user_id, upload())
    second = asyncio.ensure_future(hear(BOB.user_id, waiting))
    await asyncio.sleep(0)
    with pytest.raises(BusyError, match="other people"):
        await hear(MOD.user_id, upload())
    gate.set()
    assert (await first).title == (await second).title == "a"
    await hear(ANN.user_id, upload())


async def test_who_may_not_start_is_told_before_anything_is_heard(stage, monkeypatch):
    closed = stage.settings.model_copy(
        update={"discord": stage.settings.discord.model_copy(update={"everyone_may_start": False})}
    )
    monkeypatch.setattr(stage.services.runs, "_settings", closed)
    with pytest.raises(ForbiddenError):
        await stage.services.runs.check_may_start(ANN, private=False)
    await stage.services.runs.check_may_start(ANN, private=True)
    await stage.services.runs.check_may_start(MOD, private=False)
    await stage.start(MOD)
    with pytest.raises(BusyError, match="already has a run"):
        await stage.services.runs.check_may_start(MOD, private=False)
    await stage.services.runs.check_may_start(MOD, private=True)


# The real engine -----------------------------------------------------------------------------------------


def sound(seconds: float, form: str = "FLAC", *, level: float = 0.3, rate: int = RATE) -> bytes:
    time = np.arange(int(rate * seconds)) / rate
    beat = np.exp(-8.0 * (time % 0.5))
    samples = (level * beat * np.sin(2 * np.pi * 220 * time)).astype(np.float32)
    out = io.BytesIO()
    soundfile.write(out, samples, rate, format=form)
    return out.getvalue()


@pytest.fixture(scope="module")
def engine() -> RenderEngine:
    return RenderEngine(RenderSpec(generator=composer(renderer="numpy")))


def test_the_engine_hears_a_file_of_any_kind(engine):
    places = {}
    for form in ("FLAC", "MP3", "WAV"):
        heard = engine.listen(sound(12.0, form), 1800.0)
        assert isinstance(heard, HeardTrack)
        assert heard.seconds == pytest.approx(12.0, abs=0.2)
        places[form] = np.frombuffer(heard.embedding, "<f4")
    assert np.allclose(places["FLAC"], places["WAV"], atol=1e-2)


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "."),
        (b"%PDF-1.7 not music", "document"),
        (sound(5.0, level=0.0), "silent"),
        (sound(0.2), "."),
        (sound(5.0)[:200], "."),
    ],
    ids=["empty", "no sound", "silent", "short", "damaged"],
)
def test_the_engine_names_what_is_wrong(engine, content, sentence):
    heard = engine.listen(content, 1800.0)
    assert isinstance(heard, ClipFailure)
    assert sentence in heard.reason


def test_three_hours_are_refused(engine):
    out = io.BytesIO()
    with soundfile.SoundFile(out, "w", samplerate=4000, channels=1, format="FLAC") as file:
        for _ in range(180):
            file.write(np.zeros(60 * 4000, dtype=np.int16))
    heard = engine.listen(out.getvalue(), 1800.0)
    assert isinstance(heard, ClipFailure)
    assert "lasts 180 minutes; the most is 30" in heard.reason


def test_a_rendered_clip_knows_whether_it_keeps_to_its_prompt(engine):
    asked = ClipRequest(prompt="slow ambient in D minor at 70 bpm", seed=3, seconds=4.0)
    assert 0.6 < engine.render(asked).adherence <= 1.0


async def test_a_servers_reward_is_a_part_of_fitness(stage):
    await stage.start(
        settings=RunSettings(candidates=8, weights=Weights(taste=0.0, preference=1.0))
    )
    _, judged = await records(stage)
    assert all(Component.PREFERENCE not in one.components for one in judged.values())

    space = stage.services.tastes.space
    weights = np.zeros((4, space.dimensions))
    weights[:, 0] = 2.0
    learned = Reward(
        space_id=space.id,
        weights=weights,
        evidence=Evidence(pairs=50, listeners=5, accuracy=0.7, ece=0.02),
    )
    stored = preferences.StoredReward(
        guild_id=GUILD,
        version=0,
        space_id=space.id,
        payload=pack_reward(learned),
        pairs=50,
        listeners=5,
        saved_at=0.0,
    )
    async with stage.services.db.transaction() as tx:
        await preferences.save_reward(tx, stored)
    await stage.next()
    made, judged = await records(stage)
    values = [judged[clip.id].components[Component.PREFERENCE] for clip in made]
    assert len(set(values)) > 1
    for one in judged.values():
        assert one.fitness == pytest.approx(one.components[Component.PREFERENCE] * one.gate)
