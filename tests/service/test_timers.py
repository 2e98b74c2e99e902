"""Alarms while the clock is set, or the machine sleeps."""

from __future__ import annotations

import asyncio

from domain.errors import StorageError
from service.tasks import TaskSet
from service.timers import LOOK_AGAIN, Timers
from tests.fakes import FakeClock


class Wall:
    """A clock on a wall: what it shows and how long one has slept have little to do with each other."""

    def __init__(self) -> None:
        self.shows = 1000.0
        self.sleeps: list[asyncio.Future[None]] = []
        self.wanted: list[float] = []

    def now(self) -> float:
        return self.shows

    async def sleep(self, seconds: float) -> None:
        self.wanted.append(seconds)
        self.sleeps.append(asyncio.get_running_loop().create_future())
        await self.sleeps[-1]


async def woken(wall: Wall, shows: float) -> None:
    """Let who sleeps wake up at a time, and do what they do then."""
    wall.shows = shows
    wall.sleeps[-1].set_result(None)
    for _ in range(5):
        await asyncio.sleep(0)


async def test_an_alarm_rings_by_the_wall_whatever_was_done_to_the_clock():
    wall, tasks, rung = Wall(), TaskSet(), []

    async def ring() -> None:
        rung.append(wall.now())

    timers = Timers[str](wall, tasks)
    try:
        timers.set("run", 2000.0, ring)
        await asyncio.sleep(0)
        await woken(wall, 1060.0)
        assert not rung
        await woken(wall, 9000.0)  # the machine slept for hours
        assert rung == [9000.0]
        timers.set("run", 9100.0, ring)
        await asyncio.sleep(0)
        await woken(wall, 400.0)  # set back
        assert wall.wanted[-2:] == [60.0, 40.0]
        await woken(wall, 440.0)
        assert rung == [9000.0, 440.0]
        timers.set("run", 100.0, ring)  # long ago
        await asyncio.sleep(0)
        assert rung == [9000.0, 440.0, 440.0]
    finally:
        await tasks.close()


async def test_what_a_full_disk_keeps_from_being_done_is_done_later():
    clock, tasks, tried = FakeClock(), TaskSet(), []

    async def act() -> None:
        tried.append(clock.now())
        if len(tried) < 3:
            raise StorageError("The disk is full.")

    timers = Timers[str](clock, tasks)
    try:
        timers.set("run", clock.now(), act)
        for _ in range(5):
            for _ in range(5):
                await asyncio.sleep(0)
            clock.advance(LOOK_AGAIN)
        first = tried[0]
        assert tried == [first, first + LOOK_AGAIN, first + 2 * LOOK_AGAIN]
        assert not timers._alarms
    finally:
        await tasks.close()
