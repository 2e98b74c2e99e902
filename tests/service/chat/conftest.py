from __future__ import annotations

from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace

import pytest

from domain.errors import UserError
from domain.ids import ChannelId
from service.chat.agent import ChatAgent
from service.chat.cases import UseCases
from service.chat.doing import Doer
from service.chat.memory import ChatMemory
from service.chat.turns import Speaker, Where
from service.views import Actor
from tests.service.conftest import EVENTS, Stage, settings, stage  # noqa: F401 - fixtures


@dataclass
class FakeFront:
    """A front end that makes places and says which view it was shown."""

    refuse: str = ""
    places: list[str] = field(default_factory=list)

    def check_may_post(self) -> None:
        if self.refuse:
            raise UserError(self.refuse)

    @asynccontextmanager
    async def private_place(self, title: str):
        self.places.append(title)
        yield Where(channel_id=ChannelId(77), guild_id=1, link="<#77>")

    @asynccontextmanager
    async def branch_thread(self, title: str):
        self.places.append(title)
        yield Where(channel_id=ChannelId(78), guild_id=1, link="<#78>")

    def words(self, view: object) -> str:
        return f"<{type(view).__name__}>"


def speaker(actor: Actor, **changes: object) -> Speaker:
    return replace(Speaker(actor=actor, event_id=next(EVENTS), front=FakeFront()), **changes)


@dataclass
class Talk:
    """A stage with a conversation on it; ``model`` is ``None`` until a test sets it."""

    stage: Stage
    doer: Doer
    memory: ChatMemory
    agent: ChatAgent
    model: object = None
    shown: list[str] = field(default_factory=list)

    async def say(self, who: Speaker | Actor, text: str):
        if isinstance(who, Actor):
            who = speaker(who)

        async def show(so_far: str) -> None:
            self.shown.append(so_far)

        reply = await self.agent.answer(who, text, show)
        await self.finish(reply)
        return reply

    async def finish(self, reply) -> None:
        for outcome in reply.outcomes:
            if outcome.ticket is not None:
                await outcome.ticket.done()
                if outcome.after is not None:
                    await outcome.after()
        await self.stage.settle()


@pytest.fixture
def talk(stage):  # noqa: F811 - the fixture
    services = stage.services
    cases = UseCases(
        runs=services.runs,
        conductor=services.conductor,
        feedback=services.feedback,
        listeners=services.listeners,
        library=services.clips,
        exports=services.exports,
        like_this=services.like_this,
        moods=services.moods,
        about=services.about,
        duels=services.duels,
    )
    doer = Doer(services.db, cases)
    memory = ChatMemory(services.db, stage.clock)
    made = Talk(stage=stage, doer=doer, memory=memory, agent=None)  # type: ignore[arg-type]
    made.agent = ChatAgent(
        db=services.db,
        runs=services.runs,
        doer=doer,
        memory=memory,
        clock=stage.clock,
        model=lambda: made.model,
        templates=services.operators.templates,
    )
    return made
