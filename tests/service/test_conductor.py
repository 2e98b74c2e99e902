"""When rounds close, while the database answers in an order of its own."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager

from domain.run import CloseReason, GenerationState, RunSettings
from domain.vote import Grade
from storage import runs
from tests.service.conftest import ANN, BOB


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
