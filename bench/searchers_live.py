"""An outage as a channel sees it: the real services, database, composer and rounds, with a server that goes away.

Waits are real here. Every round is voted on; at the end every vote must be there.
"""

from __future__ import annotations

import asyncio
import itertools
import time
from collections.abc import Iterator
from typing import Any

from bench.headless import HOST, Loop, open_loop
from bench.imperfect_server import Imperfect
from domain.run import RunSettings
from domain.vote import Grade
from service.device import DeviceWorker
from service.settings import LanguageSettings, RunDefaults, Settings
from service.views import RoundView

LATENCY = 0.3
"""Seconds of each answer."""
DOWN_FOR = 5.0
"""Seconds for which the server stays away after the round that missed it."""
LONGEST_WAIT = 90.0
STEPS = ("with", "without", "after", "back", "later")
"""Rounds after the first one: all is well, the server is down, up but left alone, asked again, all is well."""
RUN = RunSettings(seconds=4.0, candidates=8, quorum=1, timer=0.0)
STAND_IN = "built-in breeder"
"""Is in every sentence that announces it."""


async def outage_live(device: DeviceWorker, seed: int = 0) -> dict[str, Any]:
    """Let a run go on through an outage.

    Returns:
        Seconds of each of ``STEPS``; what every round said of stand-ins; clips posted and votes kept.
    """
    async with Imperfect(seed=seed, latency=LATENCY) as server:
        settings = Settings(
            language=LanguageSettings(base_url=server.base_url, model="imperfect", retries=1),
            runs=RunDefaults(searcher="evolve"),
        )
        async with open_loop(device, settings) as loop:
            return await _through(loop, server)


async def _through(loop: Loop, server: Imperfect) -> dict[str, Any]:
    events = itertools.count(1)
    await loop.services.runs.start(HOST, settings=RUN)
    rounds = [await loop.inbox.rounds.get()]
    rounds_votes = await _vote(loop, rounds[-1], events)
    seconds = []
    for step in STEPS:
        if step == "without":
            server.down = True
        elif step == "after":
            await asyncio.sleep(DOWN_FOR)
            server.down = False
        elif step == "back":
            await _rested(loop)
        began = time.perf_counter()
        ticket = await loop.services.runs.next(HOST)
        done = await ticket.done()
        if done.error:
            raise RuntimeError(done.error)
        rounds.append(await loop.inbox.rounds.get())
        seconds.append(time.perf_counter() - began)
        rounds_votes += await _vote(loop, rounds[-1], events)
    kept = await loop.services.listeners.export(HOST)
    return {
        "seconds": dict(zip(STEPS, seconds, strict=True)),
        "said": [[one for one in view.stand_ins if STAND_IN in one] for view in rounds],
        "clips": [len(view.clips) for view in rounds],
        "votes": rounds_votes,
        "votes_kept": len(kept["votes"]),
        "tries": sum(call.status == 0 for call in server.calls),
    }


async def _vote(loop: Loop, view: RoundView, events: Iterator[int]) -> int:
    for place, clip in enumerate(view.clips):
        await loop.services.feedback.rate(HOST, clip.clip.id, Grade(place % 4), next(events))
    return len(view.clips)


async def _rested(loop: Loop) -> None:
    """Wait until the server is asked again after its rest."""
    waited = 0.0
    while waited < LONGEST_WAIT and any(
        "stands in" in line for line in loop.services.language.describe()
    ):
        await asyncio.sleep(0.5)
        waited += 0.5
