"""Rounds by a generator in a process of its own, and in two speeds."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest

from domain.clip import DRAFT, ClipFailure
from domain.errors import UserError
from domain.run import GenerationState, RunSettings
from service.bootstrap import open_services
from service.device import ProcessWorker, RenderSpec
from service.heavy.worker import HeavyWorker
from service.settings import Settings
from tests.fakes import FakeClock, FakeDevice, FakeSink, generator_state
from tests.service.conftest import MOD, Stage, actor
from tests.service.heavy.conftest import MODEL


class DraftingDevice(FakeDevice):
    """Makes short drafts."""

    def clip(self, request):
        made = super().clip(request)
        if not request.draft:
            return made
        return replace(made, seconds=2.0, description={**made.description, DRAFT: True})


@asynccontextmanager
async def staged(tmp_path, device, **generation):
    settings = Settings.model_validate(
        {
            "storage": {"data_dir": str(tmp_path / "data")},
            "runs": {"candidates": 8},
            "generation": generation,
        }
    )
    clock, sink = FakeClock(), FakeSink()
    async with open_services(settings, clock=clock, device=device) as services:
        await services.outbox.attach(sink)
        yield Stage(services=services, clock=clock, device=device, sink=sink, settings=settings)


@pytest.fixture
async def drafting(tmp_path):
    async with staged(tmp_path, DraftingDevice(), drafts=True) as stage:
        yield stage


async def test_only_what_is_posted_is_made_in_full(drafting):
    await drafting.start()
    asked = [(one.draft, one.seed) for one in drafting.device.requests]
    assert [draft for draft, _ in asked] == [True] * 8 + [False] * 4
    assert {seed for draft, seed in asked if not draft} <= {seed for draft, seed in asked if draft}
    (view,) = drafting.rounds()
    assert [one.clip.seconds for one in view.clips] == [8.0] * 4
    run = await drafting.run()
    made = await drafting.services.clips.of_round(run.id, 1)
    assert sorted(one.seconds for one in made) == [2.0] * 4 + [8.0] * 4


async def test_a_draft_stands_in_for_a_clip_that_cannot_be_made(drafting):
    drafting.device.fail = lambda one: None if one.draft else "There is no room."
    done = await drafting.start()
    assert done.error is None
    (view,) = drafting.rounds()
    assert [one.clip.seconds for one in view.clips] == [2.0] * 4


async def test_a_run_chooses_what_plays_among_what_the_host_offers(tmp_path):
    device, built_in = FakeDevice(), generator_state(name="composer")
    info = replace(built_in.info, stand_in_for="MusicGen")
    device.generators = [
        replace(built_in, info=info),
        generator_state(name="musicgen-small"),
    ]
    async with staged(tmp_path, device, choices=["musicgen-small"]) as stage:
        await stage.start(settings=RunSettings(candidates=8, generator="musicgen-small"))
        assert not any("composer" in one for one in stage.rounds()[-1].stand_ins)
        there = actor(1, moderator=True, channel=11)
        usual = await stage.services.runs.start(there, settings=RunSettings(candidates=8))
        assert (await usual.done()).error is None
        await stage.settle()
        assert any("composer plays" in one for one in stage.rounds()[-1].stand_ins)
        stage.device.requests = stage.device.requests[:8]
        assert {one.generator for one in stage.device.requests} == {"musicgen-small"}
        assert (await stage.run()).settings.generator == "musicgen-small"
        with pytest.raises(UserError, match="There is: composer, musicgen-small"):
            await stage.services.runs.start(MOD, settings=RunSettings(generator="suno"))


@pytest.mark.parametrize("name", ["musicgen-small", "facebook/musicgen-small"])
async def test_a_slow_generator_holds_up_nobody_elses_rounds(tmp_path, name):
    class Slow(FakeDevice):
        async def render(self, requests, ready, *, party=None):
            if requests[0].generator == "musicgen-small":
                await self.gate.wait()
            return await super().render(requests, ready)

    device = Slow()
    device.gate = asyncio.Event()
    async with staged(tmp_path, device, choices=[name]) as stage:
        slow = await stage.services.runs.start(
            MOD, settings=RunSettings(candidates=8, generator="musicgen-small")
        )
        there = actor(1, moderator=True, channel=11)
        quick = await stage.services.runs.start(there, settings=RunSettings(candidates=8))
        async with asyncio.timeout(60):
            assert (await quick.done()).error is None
        assert not slow.progress.finished
        assert stage.services.conductor._queue.standing().running
        device.gate.set()
        assert (await slow.done()).error is None
        assert len(stage.rounds()) == 2


class Finishing(HeavyWorker):
    """What is made of the model's sound takes no time."""

    async def _finished(self, request, made, info):
        return made if isinstance(made, ClipFailure) else FakeDevice().clip(request)


async def test_rounds_that_fit_are_made_together_and_one_that_is_cancelled_hurts_no_other(
    shop, tmp_path
):
    hands = ProcessWorker(RenderSpec(), workers=1)
    device = Finishing(shop.open("--batch", 24, "--gate", "gate"), MODEL, hands)
    async with staged(tmp_path, device) as stage:
        runs, queue = stage.services.runs, stage.services.conductor._queue
        device._dispatcher.warm_up(MODEL)
        await stage.until(lambda: device._dispatcher.loaded)
        first = await runs.start(MOD, settings=RunSettings(candidates=8))
        await stage.until(lambda: "batch 8" in shop.lines())
        given_up, kept, later = [
            await runs.start(
                actor(1 + guild, moderator=True, channel=10 + guild, guild=guild),
                settings=RunSettings(candidates=8),
            )
            for guild in (2, 3, 4)
        ]
        await stage.until(lambda: (state_of(device).waiting, queue.standing().waiting) == (16, 1))
        assert later.progress.text.startswith("4th in line")
        shop.let(1)
        assert (await first.done()).error is None
        await stage.until(lambda: len(shop.lines()) == 3)
        assert shop.lines() == ["start", "batch 8", "batch 16"]
        await stage.services.conductor.drop(given_up)
        assert given_up.progress.text == "Cancelled."
        for batch in (2, 3):
            shop.let(batch)
        assert (await kept.done()).error is None
        assert (await later.done()).error is None
        assert shop.lines() == ["start", "batch 8", "batch 16", "batch 8"]
        await stage.settle()
        assert sorted(view.run.channel_id for view in stage.rounds()) == [10, 13, 14]


def state_of(device):
    return device._dispatcher.state(MODEL)


async def test_no_round_is_lost_or_posted_twice_when_the_process_keeps_dying(shop, tmp_path):
    hands = ProcessWorker(RenderSpec(), workers=1, deadline=60)
    device = HeavyWorker(shop.open("--crash-at", 4, "--room", 3), MODEL, hands)
    finish = device._finished

    async def passed(request, made, info):
        """A sine is no music: let it through the gate all the same."""
        clip = await finish(request, made, info)
        return clip if isinstance(clip, ClipFailure) else replace(clip, quality=1.0)

    device._finished = passed
    async with staged(tmp_path, device) as stage:
        for _ in range(2):
            done = await (stage.next() if stage.rounds() else stage.start())
            assert done.error is None
        assert [view.number for view in stage.rounds()] == [1, 2]
        assert await stage.state(2) is GenerationState.OPEN
        run = await stage.run()
        for number in (1, 2):
            assert len(await stage.services.clips.of_round(run.id, number)) == 8
        assert shop.lines().count("start") >= 3
