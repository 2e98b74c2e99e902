"""Votes at a steady pace, timed from when each was due, so that a loop that stands still is not forgiven."""

from __future__ import annotations

import asyncio
import itertools
import time

from bench.headless import HOST, Loop
from domain.ids import ListenerId
from domain.vote import Grade
from service.views import Actor, RoundView

VOTES_PER_SECOND = 50
PEOPLE = 200
TICK = 0.002
"""Seconds between two looks at the loop's own work."""


async def longest_turn(over: asyncio.Event) -> float:
    """Return the most CPU milliseconds that this process took between two turns of its event loop, until it is over.

    That is how long it can stand still by its own doing: what other processes take of the cores is not in it.
    """
    longest, before = 0.0, time.process_time()
    while not over.is_set():
        await asyncio.sleep(TICK)
        now = time.process_time()
        longest, before = max(longest, now - before), now
    return 1000 * longest


class Voters:
    """People who press buttons, whatever else goes on.

    Args:
        loop: The open system.
        view: The round that they vote on.
    """

    def __init__(self, loop: Loop, view: RoundView) -> None:
        self._loop, self._view = loop, view
        self._events = itertools.count(1)

    async def press(self, least: int, done: asyncio.Event) -> list[float]:
        """Vote until ``done``, but ``least`` times, and return milliseconds from each press to its committed row."""
        times: list[float] = []
        begun = time.perf_counter()
        async with asyncio.TaskGroup() as group:
            number = 0
            while number < least or not done.is_set():
                due = begun + number / VOTES_PER_SECOND
                await asyncio.sleep(due - time.perf_counter())
                group.create_task(self._vote(due, times))
                number += 1
        return times

    async def _vote(self, due: float, times: list[float]) -> None:
        event = next(self._events)
        actor = Actor(
            user_id=ListenerId(1000 + event % PEOPLE),
            guild_id=HOST.guild_id,
            channel_id=HOST.channel_id,
        )
        clip = self._view.clips[event % len(self._view.clips)].clip
        await self._loop.services.feedback.rate(actor, clip.id, Grade(event % 4), event)
        times.append(1000 * (time.perf_counter() - due))
