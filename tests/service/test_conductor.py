"""When rounds and duels close, while the database answers late, or whoever asked gives up."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager

import pytest

from domain.duel import Choice
from domain.run import CloseReason, GenerationState, RunSettings, RunState
from domain.vote import Grade
from service.duel_views import DuelView, VerdictView
from storage import runs
from tests.service.conftest import ANN, BOB, EVENTS, MOD


class Late:
    """A database whose first answer is late."""

    def __init__(self, db) -> None:
        self._db, self.transaction = db, db.transaction
        self.asked, self.gate = asyncio.Event(), asyncio.Event()

    @asynccontextmanager
    async def reading(self):
        first = not self.asked.is_set()
        async with self._db.reading() as tx:
            yield tx
        if first:
            self.asked.set()
            await self.gate.wait()


async def test_a_quorum_closes_the_round_though_an_earlier_look_is_answered_later(stage):
    await stage.start(settings=RunSettings(candidates=8, quorum=2))
    await stage.rate(ANN, 1, Grade.LOVE)
    await stage.settle()
    run, conductor = await stage.run(), stage.services.conductor
    late = conductor._db = Late(stage.services.db)
    early = asyncio.ensure_future(conductor._arm(run.id, 1))
    await late.asked.wait()  # it has seen one voter
    await stage.rate(BOB, 1, Grade.LOVE)
    await stage.until(lambda: not conductor._arming)
    later = asyncio.ensure_future(conductor._arm(run.id, 1))
    await asyncio.wait([later], timeout=0.2)
    late.gate.set()
    await asyncio.gather(early, later)
    stage.clock.advance(stage.settings.runs.settle + 1)
    await stage.until(lambda: len(stage.rounds()) == 2)
    await stage.settle()
    async with stage.services.db.reading() as tx:
        closed = await runs.generation(tx, run.id, 1)
    assert (closed.state, closed.close_reason) == (GenerationState.CLOSED, CloseReason.QUORUM)


class Stuck:
    """A database whose next change is stored, but whose answer does not come."""

    def __init__(self, db) -> None:
        self._db, self.reading = db, db.reading
        self.stored = asyncio.Event()

    @asynccontextmanager
    async def transaction(self):
        async with self._db.transaction() as tx:
            yield tx
        if not self.stored.is_set():
            self.stored.set()
            await asyncio.Event().wait()


async def given_up(stuck: Stuck, call) -> None:
    """Make a call and give up on it once its change is stored."""
    task = asyncio.ensure_future(call)
    async with asyncio.timeout(20):
        await stuck.stored.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_who_gives_up_on_a_start_that_is_stored_still_gets_the_round(stage):
    stuck = stage.services.runs._db = Stuck(stage.services.db)
    await given_up(stuck, stage.services.runs.start(MOD))
    await stage.until(stage.rounds)
    await stage.settle()
    assert await stage.state(1) is GenerationState.OPEN


async def test_who_gives_up_on_a_next_that_is_stored_still_gets_reveal_and_round(stage):
    await stage.start()
    await stage.rate(ANN, 1, Grade.LOVE)
    stuck = stage.services.conductor._db = Stuck(stage.services.db)
    await given_up(stuck, stage.services.runs.next(MOD))
    await stage.until(lambda: len(stage.rounds()) == 2)
    await stage.settle()
    assert [view.post.kind.value for view in stage.sink.sent] == ["round", "reveal", "round"]


async def test_who_gives_up_on_a_stop_that_is_stored_still_gets_the_reveal(stage):
    await stage.start()
    await stage.rate(ANN, 1, Grade.LOVE)
    stuck = stage.services.conductor._db = Stuck(stage.services.db)
    await given_up(stuck, stage.services.runs.stop(MOD))
    await stage.until(lambda: len(stage.sink.sent) == 2)
    assert stage.sink.sent[-1].post.kind.value == "reveal"
    assert (await stage.run()).state is RunState.STOPPED


async def test_who_gives_up_on_a_cancel_leaves_no_round_half_made(stage):
    stage.device.hold = asyncio.Event()
    ticket = await stage.services.runs.start(MOD)
    await stage.until(lambda: ticket.task)
    dropping = asyncio.ensure_future(stage.services.conductor.drop(ticket))
    await asyncio.sleep(0)
    dropping.cancel()
    await stage.settle()
    assert await stage.state(1) is GenerationState.CANCELLED
    assert (await stage.run()).state is RunState.STOPPED


async def test_who_gives_up_on_a_reset_between_the_end_and_the_beginning_still_gets_the_new_run(
    stage,
):
    await stage.start()
    await stage.rate(ANN, 1, Grade.LOVE)
    old = await stage.run()
    ended, may_go_on = asyncio.Event(), asyncio.Event()

    async def learn(_run, _number):
        ended.set()
        await may_go_on.wait()

    stage.services.conductor.teach(learn)
    resetting = asyncio.ensure_future(stage.services.runs.reset(MOD))
    await stage.until(ended.is_set)
    resetting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await resetting
    may_go_on.set()
    await stage.until(lambda: len(stage.rounds()) == 2)
    run = await stage.run()
    assert (run.id, run.state) == (old.id + 1, RunState.ACTIVE)


async def duel_of(stage) -> DuelView:
    """Start a duel and return how it was posted."""
    started = await stage.services.duels.start(MOD)
    if started.ticket is not None:
        await started.ticket.done()
    await stage.settle()
    return next(view for view in stage.sink.sent if isinstance(view, DuelView))


async def test_a_quorum_decides_a_duel_though_an_earlier_look_is_answered_later(stage):
    view = await duel_of(stage)
    service = stage.services.duels
    assert view.duel.quorum == 2
    late = service._db = Late(stage.services.db)
    late.asked.set()
    await service.vote(ANN, view.duel.id, Choice.A, next(EVENTS))
    late.asked.clear()
    early = asyncio.ensure_future(service._arm(view.duel.id))
    await late.asked.wait()  # it has seen one answer
    later = asyncio.ensure_future(service.vote(BOB, view.duel.id, Choice.A, next(EVENTS)))
    await asyncio.wait([later], timeout=0.2)
    late.gate.set()
    await asyncio.gather(early, later)
    stage.clock.advance(stage.settings.runs.settle + 1)
    await stage.until(lambda: isinstance(stage.sink.sent[-1], VerdictView))


async def test_who_gives_up_on_a_duel_or_its_end_that_is_stored_still_gets_the_post(stage):
    view = await duel_of(stage)
    service = stage.services.duels
    await service.vote(ANN, view.duel.id, Choice.A, next(EVENTS))
    stuck = service._db = Stuck(stage.services.db)
    await given_up(stuck, service.decide(MOD, view.duel.id))
    await stage.until(lambda: isinstance(stage.sink.sent[-1], VerdictView))
    await stage.settle()
    stuck = service._db = Stuck(stage.services.db)
    await given_up(stuck, service.start(MOD))
    await stage.until(lambda: isinstance(stage.sink.sent[-1], DuelView))
