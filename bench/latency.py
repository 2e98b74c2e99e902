"""(b) Latency: start to ready, ``/evolve start`` to the first round, and a vote to its committed row while composing.

The first two are measured from outside: the real bot as a process of its own, logged in to the playground's server over
HTTP and WebSocket. The third calls what a button press calls; it returns after the COMMIT.
"""

from __future__ import annotations

import asyncio
import itertools
import os
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from bench.headless import HOST, Loop, open_loop
from bench.report import Bar, Report
from domain.ids import ChannelId, ListenerId
from domain.run import RunSettings
from domain.vote import Grade
from playground.option_values import Filled
from playground.people import CommandCall, People, Place
from playground.server import PlaygroundServer
from playground.start import MODERATOR_ID, MUSIC_ID
from service.device import ProcessWorker, RenderSpec
from service.settings import Settings
from service.views import Actor, RoundView

ROOT = Path(__file__).parents[1]
STARTS, QUICK_STARTS = 5, 2
VOTES, QUICK_VOTES = 3000, 800
VOTES_PER_SECOND = 50
READY_CPU, FIRST_ROUND, VOTE_P99 = 1.5, 12.0, 20.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Start:
    """One start: CPU seconds and wall seconds until ready, wall seconds from the command to the first round."""

    ready_cpu: float
    ready_wall: float
    first_round: float


async def measure(*, quick: bool = False) -> Report:
    """Run all three."""
    starts = [await _start() for _ in range(QUICK_STARTS if quick else STARTS)]
    idle, composing = await _votes(QUICK_VOTES if quick else VOTES)
    ready_cpu = [one.ready_cpu for one in starts]
    first = [one.first_round for one in starts]
    report = Report(
        name="latency",
        header=["what", "median", "p95", "p99 or worst"],
        rows=[
            _row("start to ready, CPU s", ready_cpu, "{:.2f}"),
            _row("start to ready, wall s", [one.ready_wall for one in starts], "{:.2f}"),
            _row("/evolve start to first round (12 x 8 s), wall s", first, "{:.1f}"),
            _row("vote to committed row, idle, ms", idle, "{:.2f}"),
            _row("vote to committed row, composing, ms", composing, "{:.2f}"),
        ],
    )
    p99 = float(np.percentile(composing, 99))
    report.notes.append(
        f"A vote at p99 takes {p99 / float(np.percentile(idle, 99)):.1f} times as long while composing as when idle."
    )
    report.bars += [
        _bar("start to ready, worst", max(ready_cpu), READY_CPU, "CPU s"),
        _bar("first round of 12 candidates of 8 s, worst", max(first), FIRST_ROUND, "s"),
        _bar("vote to committed row while composing, p99", p99, VOTE_P99, "ms"),
    ]
    report.figures = {
        "starts": [[one.ready_cpu, one.ready_wall, one.first_round] for one in starts],
        "idle_ms": _quantiles(idle),
        "composing_ms": _quantiles(composing),
    }
    return report


def _row(what: str, values: list[float], form: str) -> list[str]:
    worst = np.percentile(values, 99) if len(values) > 100 else max(values)
    return [
        what,
        *(form.format(value) for value in (np.median(values), np.percentile(values, 95), worst)),
    ]


def _bar(name: str, value: float, asked: float, unit: str) -> Bar:
    return Bar(
        name=name, value=f"{value:.2f} {unit}", asked=f"<= {asked:g} {unit}", met=value <= asked
    )


def _quantiles(values: list[float]) -> dict[str, float]:
    return {f"p{share}": float(np.percentile(values, share)) for share in (50, 95, 99, 100)}


# From outside ---------------------------------------------------------------------------------------------------


async def _start() -> Start:
    with tempfile.TemporaryDirectory(prefix="tunebreeder-bench-") as folder:
        server = PlaygroundServer(media_folder=Path(folder) / "media")
        await server.start()
        env = {
            **os.environ,
            "DISCORD_TOKEN": "playground",
            "TUNEBREEDER_DISCORD_API": server.api_url,
            "TUNEBREEDER_DISCORD_GATEWAY": server.gateway_url,
            "TUNEBREEDER_DATA_DIR": folder,
            "TUNEBREEDER_LOG_LEVEL": "error",
        }
        began = time.perf_counter()
        bot = await asyncio.create_subprocess_exec(
            sys.executable, str(ROOT / "bot.py"), "run", env=env, cwd=folder
        )
        try:
            await _until(
                lambda: server.parts.sessions.online and server.parts.commands.listed(None)
            )
            ready_wall, ready_cpu = time.perf_counter() - began, _cpu_seconds(bot.pid)
            place = Place(user_id=MODERATOR_ID, channel_id=MUSIC_ID)
            call = CommandCall(name="evolve", filled=Filled(path=("start",), values={}))
            asked = time.perf_counter()
            People(server.parts).command(place, call)
            channel = server.parts.world.channels[MUSIC_ID]
            await _until(lambda: any(message.attachments for message in channel.messages.values()))
            first_round = time.perf_counter() - asked
        finally:
            bot.terminate()
            await bot.wait()
            await server.close()
    return Start(ready_cpu=ready_cpu, ready_wall=ready_wall, first_round=first_round)


async def _until(fact: Callable[[], object], seconds: float = 120.0) -> None:
    async with asyncio.timeout(seconds):
        while not fact():  # noqa: ASYNC110 - what is waited for is another process
            await asyncio.sleep(0.005)


def _cpu_seconds(pid: int) -> float:
    """Return the user and system time that a process has used (Linux)."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


# A vote ---------------------------------------------------------------------------------------------------------


async def _votes(count: int) -> tuple[list[float], list[float]]:
    """Return milliseconds from press to committed row, idle and while composing."""
    device = ProcessWorker(RenderSpec())
    limits = {
        "limits": {"jobs_per_user": 100, "jobs_per_guild": 1000, "live_runs_per_guild": 10000}
    }
    try:
        async with open_loop(device, Settings.model_validate(limits)) as loop:
            await loop.services.runs.start(
                HOST, settings=RunSettings(seconds=8.0, candidates=4, timer=0.0, quorum=99)
            )
            view = await loop.inbox.rounds.get()
            events = itertools.count(1)
            idle = await _press(loop, view, count // 2, events)
            composing = asyncio.Event()
            busy = loop.services.tasks.spawn(_keep_composing(loop, composing), "keep composing")
            await composing.wait()
            loaded = await _press(loop, view, count, events)
            busy.cancel()
            return idle, loaded
    finally:
        await device.close()


async def _keep_composing(loop: Loop, composing: asyncio.Event) -> None:
    for channel in itertools.count(100):
        actor = Actor(
            user_id=ListenerId(2),
            guild_id=HOST.guild_id,
            channel_id=ChannelId(channel),
            is_moderator=True,
        )
        ticket = await loop.services.runs.start(actor, settings=RunSettings(timer=0.0, quorum=99))
        composing.set()
        await ticket.done()


async def _press(
    loop: Loop, view: RoundView, count: int, events: itertools.count[int]
) -> list[float]:
    """Press buttons at a steady pace, whoever presses and whatever the answer takes."""
    times: list[float] = []

    async def one(number: int) -> None:
        actor = Actor(
            user_id=ListenerId(1000 + number % 200),
            guild_id=HOST.guild_id,
            channel_id=HOST.channel_id,
        )
        clip = view.clips[number % len(view.clips)].clip
        began = time.perf_counter()
        await loop.services.feedback.rate(actor, clip.id, Grade(number % 4), next(events))
        times.append(1000 * (time.perf_counter() - began))

    async with asyncio.TaskGroup() as group:
        for number in range(count):
            group.create_task(one(number))
            await asyncio.sleep(1 / VOTES_PER_SECOND)
    return times
