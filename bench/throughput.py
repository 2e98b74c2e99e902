"""(c) Throughput: clips for each CPU second by stage, and votes for each second with nothing lost."""

from __future__ import annotations

import asyncio
import itertools
import time
from collections.abc import Callable
from typing import ParamSpec, TypeVar

import numpy as np

from bench.headless import HOST, Loop, open_loop
from bench.report import Bar, Interval, Report, interval
from domain.clip import ClipFailure, ClipRequest
from domain.facets import FAMILIES
from domain.ids import ListenerId
from domain.run import RunSettings
from domain.vote import Grade
from evolution.facets_ops import Breeder
from generation.audio import Audio
from generation.encode import encode
from generation.generator import Generator
from generation.registry import composer, create_generator
from prompts.vocabulary import shipped
from prompts.writer import write
from scoring.features import FeatureEncoder
from scoring.quality import assess
from service.device import ProcessWorker, RenderSpec
from service.views import Actor, RoundView
from storage import votes

SECONDS = 8.0
SEEDS, QUICK_SEEDS = 3, 1
VOTES, QUICK_VOTES = 10_000, 3_000
IN_FLIGHT = 200
VOTES_ASKED = 1000.0
T = TypeVar("T")
P = ParamSpec("P")


async def measure(*, quick: bool = False) -> Report:
    """Measure both."""
    report = Report(
        name="throughput",
        header=["stage", "CPU s for a clip of 8 s", "clips for a CPU s", "x real time"],
    )
    stages = _stages(QUICK_SEEDS if quick else SEEDS)
    for name, spent in stages.items():
        mean = spent.mean
        report.rows.append([name, str(spent), f"{1 / mean:.1f}", f"{SECONDS / mean:.0f}"])
    together, alone, stored, sent = await _votes(QUICK_VOTES if quick else VOTES)
    report.notes.append(
        f"Votes: {together:.0f} a second through the real path, {alone:.0f} when each waits for the one before "
        f"(x{together / alone:.1f}); {stored} of {sent} stored."
    )
    report.bars += [
        Bar(
            name="votes sustained",
            value=f"{together:.0f} a second",
            asked=f">= {VOTES_ASKED:.0f} a second",
            met=together >= VOTES_ASKED,
        ),
        Bar(name="votes lost", value=str(sent - stored), asked="0", met=stored == sent),
    ]
    report.figures = {
        "cpu_seconds": {
            name: [spent.mean, spent.low, spent.high] for name, spent in stages.items()
        },
        "votes_per_second": together,
        "votes_per_second_one_by_one": alone,
    }
    return report


def _stages(seeds: int) -> dict[str, Interval]:
    """Return CPU seconds for one clip by stage; each seed is the mean over all families."""
    generator, encoder = create_generator(composer()), FeatureEncoder()
    breeder = Breeder(shipped())
    spent: dict[str, list[float]] = {}
    _compose(generator, "warm up", 0)
    for seed in range(seeds):
        rng = np.random.default_rng(seed)
        took: dict[str, list[float]] = {}
        for family in FAMILIES:
            prompt = write(breeder.invent(family, rng), rng)
            audio = _timed(took, "compose, render, mix, master", _compose, generator, prompt, seed)
            _timed(took, "quality gate", assess, audio.samples, audio.sample_rate)
            _timed(took, "features", encoder.encode, audio.samples, audio.sample_rate)
            _timed(took, "MP3", encode, audio)
        for name, values in took.items():
            spent.setdefault(name, []).append(float(np.mean(values)))
        spent.setdefault("all", []).append(sum(float(np.mean(values)) for values in took.values()))
    return {name: interval(values) for name, values in spent.items()}


def _compose(generator: Generator, prompt: str, seed: int) -> Audio:
    made = generator.generate([ClipRequest(prompt=prompt, seed=seed, seconds=SECONDS)])[0]
    if isinstance(made, ClipFailure):
        raise RuntimeError(made.reason)  # noqa: TRY004 - a failure is a value here
    return made.audio


def _timed(
    took: dict[str, list[float]], name: str, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs
) -> T:
    began = time.process_time()
    result = work(*args, **kwargs)
    took.setdefault(name, []).append(time.process_time() - began)
    return result


async def _votes(count: int) -> tuple[float, float, int, int]:
    """Return votes a second together and one by one, how many were stored and how many sent."""
    device = ProcessWorker(RenderSpec())
    try:
        async with open_loop(device) as loop:
            settings = RunSettings(seconds=4.0, candidates=4, timer=0.0, quorum=100)
            await loop.services.runs.start(HOST, settings=settings)
            view = await loop.inbox.rounds.get()
            events = itertools.count(1)
            began = time.perf_counter()
            for number in range(count // 10):
                await _vote(loop, view, number, next(events))
            alone = count // 10 / (time.perf_counter() - began)
            gate = asyncio.Semaphore(IN_FLIGHT)
            began = time.perf_counter()
            async with asyncio.TaskGroup() as group:
                for number in range(count // 10, count):
                    await gate.acquire()
                    task = group.create_task(_vote(loop, view, number, next(events)))
                    task.add_done_callback(lambda _: gate.release())
            together = (count - count // 10) / (time.perf_counter() - began)
            async with loop.services.db.reading() as tx:
                stored = len(await votes.votes_of_run(tx, view.run.id))
            return together, alone, stored, count
    finally:
        await device.close()


async def _vote(loop: Loop, view: RoundView, number: int, event: int) -> None:
    """Cast the vote of one listener on one clip, each combination once."""
    person, clip = divmod(number, len(view.clips))
    actor = Actor(
        user_id=ListenerId(10_000 + person), guild_id=HOST.guild_id, channel_id=HOST.channel_id
    )
    await loop.services.feedback.rate(actor, view.clips[clip].clip.id, Grade(number % 4), event)
