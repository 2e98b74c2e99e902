"""The line of rounds of one generator: how many at a time, whose turn it is, and what a cancel does to the others."""

from __future__ import annotations

import asyncio
import itertools

import pytest

from domain.ids import GuildId, RunId
from domain.run import RunSettings
from service.queue import NOBODY, JobQueue
from service.settings_rules import LimitSettings
from service.tasks import TaskSet
from tests.bot.fakes import make_run
from tests.fakes import FakeClock

NUMBERS = itertools.count(1)


class Line:
    """A queue whose jobs end when they are told to."""

    def __init__(self, room: int, tasks: TaskSet) -> None:
        self.room, self.asked = room, []
        self.began: list[str] = []
        self.gates: dict[str, asyncio.Event] = {}
        self.clock = FakeClock()
        self.queue = JobQueue(
            LimitSettings(), self.clock, tasks, generators=("fake",), room=self._room
        )
        tasks.spawn(self.queue.serve(), "queue")

    async def _room(self, generator: str) -> int:
        self.asked.append(generator)
        await asyncio.sleep(0)
        return self.room

    def add(self, name: str, clips: int, guild: int, generator: str = "fake"):
        self.gates[name] = asyncio.Event()

        async def work(_ticket) -> None:
            self.began.append(name)
            await self.gates[name].wait()

        run = make_run(
            id=RunId(next(NUMBERS)),
            guild_id=GuildId(guild),
            settings=RunSettings(generator=generator),
        )
        return self.queue.submit(run, NOBODY, clips, work)

    async def settled(self) -> list[str]:
        """Return which jobs have begun, once nothing more happens by itself."""
        for _ in range(20):
            await asyncio.sleep(0)
        return self.began


@pytest.fixture
async def line():
    tasks = TaskSet()
    yield lambda room: Line(room, tasks)
    await tasks.close()


async def test_as_many_rounds_are_made_at_once_as_fit(line):
    one = line(16)
    tickets = [one.add(name, 8, guild) for guild, name in enumerate("abc")]
    assert await one.settled() == ["a", "b"]
    assert set(one.asked) == {"fake"}
    assert tickets[2].progress.text.startswith("3rd in line")
    one.gates["b"].set()
    assert await one.settled() == ["a", "b", "c"]
    assert (await tickets[1].done()).error is None
    assert not tickets[0].progress.finished


async def test_without_room_for_two_one_comes_after_the_other_however_large_it_is(line):
    one = line(4)
    first, second = one.add("a", 8, 1), one.add("b", 8, 2)
    assert await one.settled() == ["a"]
    one.gates["a"].set()
    await first.done()
    assert await one.settled() == ["a", "b"]
    assert not second.progress.finished


async def test_servers_take_turns_and_nobody_passes_because_they_are_small(line):
    one = line(10)
    one.add("a", 8, 1)
    assert await one.settled() == ["a"]
    one.add("again", 1, 1)
    one.add("large", 8, 2)
    assert await one.settled() == ["a"], "the turn is the other server's, which has no room yet"
    one.gates["a"].set()
    assert await one.settled() == ["a", "large", "again"]


async def test_to_cancel_one_leaves_the_other_and_makes_room(line):
    one = line(16)
    tickets = [one.add(name, 8, guild) for guild, name in enumerate("abcd")]
    await one.settled()
    one.queue.drop(tickets[3])
    one.queue.drop(tickets[0])
    assert await one.settled() == ["a", "b", "c"]
    assert [ticket.progress.text for ticket in (tickets[0], tickets[3])] == ["Cancelled."] * 2
    assert not tickets[1].progress.finished
    one.gates["b"].set()
    one.gates["c"].set()
    assert (await tickets[1].done()).error is (await tickets[2].done()).error is None
    assert one.queue.idle


async def test_what_is_cancelled_while_the_room_is_looked_at_is_not_begun(line):
    one = line(16)
    one.add("a", 8, 1)
    await one.settled()
    ticket = one.add("b", 8, 2)
    while len(one.asked) < 1:
        await asyncio.sleep(0)
    one.queue.drop(ticket)
    assert await one.settled() == ["a"]
    assert ticket.progress.text == "Cancelled."


async def test_one_generator_holds_up_no_other(line):
    one = line(8)
    one.add("slow", 8, 1)
    one.add("composed", 8, 2, generator="composer")
    assert sorted(await one.settled()) == ["composed", "slow"]


async def test_a_clock_that_is_set_back_makes_no_time_negative(line):
    one = line(8)
    first, second = one.add("a", 8, 1), one.add("b", 8, 2)
    await one.settled()
    one.clock.advance(-3600)
    assert one.queue.standing().oldest == 0
    one.gates["a"].set()
    await first.done()
    await one.settled()
    one.add("c", 8, 1)
    assert second.progress.eta > 0
    one.queue.rendering(second, 2)
    assert second.progress.eta > 0
