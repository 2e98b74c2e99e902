from __future__ import annotations

import asyncio
import itertools
from collections.abc import Callable
from dataclasses import dataclass

import pytest

from domain.ids import ChannelId, GuildId, ListenerId
from domain.run import GenerationState, Run
from domain.vote import Grade
from service.bootstrap import Services, open_services
from service.settings import Settings
from service.views import Actor, Progress, RoundView
from storage import clips, posts, runs
from tests.draws import same_draws  # noqa: F401 - a fixture of every test here
from tests.fakes import FakeClock, FakeDevice, FakeSink

GUILD = GuildId(1)
MUSIC = ChannelId(10)
EVENTS = itertools.count(1)


def actor(user: int, *, moderator: bool = False, channel: int = MUSIC, guild: int = GUILD) -> Actor:
    return Actor(
        user_id=ListenerId(user),
        guild_id=GuildId(guild),
        channel_id=ChannelId(channel),
        is_moderator=moderator,
        name=f"user {user}",
    )


MOD = actor(1, moderator=True)
ANN = actor(2)
BOB = actor(3)
CAT = actor(4)


@dataclass
class Stage:
    services: Services
    clock: FakeClock
    device: FakeDevice
    sink: FakeSink
    settings: Settings

    async def start(self, who: Actor = MOD, **options: object) -> Progress:
        ticket = await self.services.runs.start(who, **options)  # type: ignore[arg-type]
        done = await ticket.done()
        await self.settle()
        return done

    async def next(self, who: Actor = MOD, **options: object) -> Progress:
        ticket = await self.services.runs.next(who, **options)  # type: ignore[arg-type]
        done = await ticket.done()
        await self.settle()
        return done

    async def settle(self) -> None:
        """Let everything that can happen without time passing happen."""
        quiet = 0
        async with asyncio.timeout(20):
            while quiet < 5:
                await asyncio.sleep(0.004)
                async with self.services.db.transaction():
                    pass  # whatever waited for the database has had it, however slow the machine is
                conductor = self.services.conductor
                busy = conductor._queue._all() or conductor._arming or self.services.outbox._busy
                quiet = 0 if busy else quiet + 1
        await self.services.tastes.flush()

    async def until(self, there: Callable[[], object]) -> None:
        """Wait until something is so."""
        async with asyncio.timeout(20):
            while not there():
                await asyncio.sleep(0.004)
                async with self.services.db.transaction():
                    pass

    def rounds(self) -> list[RoundView]:
        return [view for view in self.sink.sent if isinstance(view, RoundView)]

    async def run(self, channel: ChannelId = MUSIC) -> Run:
        async with self.services.db.reading() as tx:
            found = await runs.latest_run_in_channel(tx, channel)
        assert found is not None
        return found

    async def state(self, number: int) -> GenerationState:
        run = await self.run()
        async with self.services.db.reading() as tx:
            return (await runs.generation(tx, run.id, number)).state

    async def shown(self, number: int | None = None):
        run = await self.run()
        async with self.services.db.reading() as tx:
            return await clips.posted_clips(tx, run.id, number or run.generation)

    async def message_of(self, number: int):
        run = await self.run()
        async with self.services.db.reading() as tx:
            post = await posts.post_of(tx, run.id, number, "round")
        assert post is not None
        return post.message_id

    async def rate(self, who: Actor, slot: int, grade: Grade, event: int | None = None):
        clip = (await self.shown())[slot - 1]
        return await self.services.feedback.rate(who, clip.id, grade, event or next(EVENTS))


@pytest.fixture
def settings(tmp_path) -> Settings:
    return Settings.model_validate(
        {"storage": {"data_dir": str(tmp_path / "data")}, "runs": {"candidates": 8, "settle": 10}}
    )


@pytest.fixture
async def stage(settings):
    clock, device, sink = FakeClock(), FakeDevice(), FakeSink()
    async with open_services(settings, clock=clock, device=device) as services:
        await services.outbox.attach(sink)
        yield Stage(services=services, clock=clock, device=device, sink=sink, settings=settings)
