"""(f) Search by numbers: what our genomes and engines are worth a rendered clip, against the seed's setting and chance.

Listeners, clips, ratings and founders are those of the searchers' bench (``bench.searchers_quality``). Every system
renders the same number of clips; what counts is the listener's true liking, which nobody under test sees.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from bench.report import Bar, Report, interval
from bench.search_seed import SeedSearch, Tokens, seed_engines, tokens
from bench.searchers_quality import (
    Audience,
    Course,
    Played,
    Size,
    Stage,
    at_random,
    drawn,
    founders,
    listeners,
    request_of,
    stored,
)
from bench.searchers_world import rated
from domain.candidate import Brief
from domain.clip import ClipRequest
from evolution.registry import create_searcher
from playground.tastes import Bank, shipped_bank
from scoring.quality import BROKEN
from service.device import ProcessWorker, RenderSpec

SECONDS = 4.0
OURS = ("ga", "cmaes", "snes", "ga-anchors", "cmaes-anchors", "snes-anchors")
RANDOM = "random"
SEEDS, QUICK_SEEDS = 20, 2
GENERATIONS, CANDIDATES = 3, 8
NOISE_WEIGHT = 0.25
"""Of the seed's noise penalty in its fitness."""
FEWEST = 5
"""Listeners from which on intervals say something."""


@dataclass(slots=True, kw_only=True)
class Trial:
    """One system with one listener: its course, and how whole its winner is, the clip with the best rating.

    ``start`` is the mean true liking of the random clips that ours begin with.
    """

    course: Course = field(default_factory=Course)
    start: float = 0.0
    best: float = -1.0
    quality: float = 1.0

    @property
    def gain(self) -> float:
        """Mean true liking of the clips bred, above that of the random ones."""
        bred = [value for generation in self.course.likes[1:] for value in generation]
        return float(np.mean(bred)) - self.start

    def hear(self, played: list[Played]) -> None:
        """Take a generation."""
        self.course.likes.append([one.likes for one in played])
        for one in played:
            if one.rating > self.best:
                self.best, self.quality = one.rating, one.quality


async def ours(name: str, stage: Stage) -> Trial:
    """Let one of this project's searches breed."""
    trial = Trial()
    searcher = create_searcher(name, seed=stage.seed)
    archive, played = await founders(stage)
    trial.hear(played)
    for generation in range(2, stage.size.generations + 2):
        searcher.tell(archive)
        proposals = await searcher.ask(Brief(count=stage.size.candidates))
        played = await stage.audience.play([request_of(one, SECONDS) for one in proposals])
        trial.hear(played)
        made = [
            stored(one, heard.genome, len(archive) + n + 1, generation)
            for n, (one, heard) in enumerate(zip(proposals, played, strict=True))
        ]
        archive = [*archive, *rated(made, [one.rating * one.quality for one in played])]
    return trial


async def seed(name: str, stage: Stage, known: Tokens) -> Trial:
    """Let the seed's search breed; its first generation is its own, as its genome is."""
    trial = Trial()
    rng = np.random.default_rng([stage.seed, 9])
    search = SeedSearch(name, population=stage.size.candidates, rng=rng, known=known)
    for _ in range(stage.size.generations + 1):
        requests = [
            ClipRequest(prompt=prompt, seed=int(rng.integers(2**31)), seconds=SECONDS)
            for prompt in search.prompts()
        ]
        played = await stage.audience.play(requests)
        trial.hear(played)
        search.rate([2 * one.rating - 1 - NOISE_WEIGHT * one.penalty for one in played])
    return trial


async def chance(stage: Stage) -> Trial:
    """Draw random prompts."""
    trial = Trial()
    trial.course = await at_random(RANDOM, stage, seconds=SECONDS)
    return trial


async def trials(
    device: ProcessWorker, bank: Bank, size: Size, first_seed: int = 0
) -> dict[str, list[Trial]]:
    """Run every system for every listener."""
    out: dict[str, list[Trial]] = {name: [] for name in (*OURS, *seed_engines(1), RANDOM)}
    known = tokens()
    chosen = listeners(bank, first_seed + size.listeners)[first_seed:]
    for number, taste in enumerate(chosen, start=first_seed):
        audience = Audience(device, bank, taste, number, penalties=True)
        first = drawn(np.random.default_rng([number, 6]), size.candidates, SECONDS)
        stage = Stage(audience=audience, first=first, size=size, seed=number)
        for name in OURS:
            out[name].append(await ours(name, stage))
        for name in seed_engines(1):
            out[name].append(await seed(name, stage, known))
        out[RANDOM].append(await chance(stage))
        start = float(np.mean(out[RANDOM][-1].course.likes[0]))
        for some in out.values():
            some[-1].start = start
        print(
            f"{number - first_seed + 1} of {size.listeners} listeners ({taste.name}): {audience.rendered} clips, gain "
            + ", ".join(f"{name} {found[-1].gain:.2f}" for name, found in out.items()),
            file=sys.stderr,
            flush=True,
        )
    return out


async def measure(*, quick: bool = False, seeds: int | None = None) -> Report:
    """Measure.

    Args:
        quick: Two listeners.
        seeds: Listeners.
    """
    count = seeds or (QUICK_SEEDS if quick else SEEDS)
    size = Size(listeners=count, generations=GENERATIONS, candidates=CANDIDATES)
    device = ProcessWorker(RenderSpec(extension="wav"))
    try:
        found = await trials(device, shipped_bank(), size)
    finally:
        await device.close()
    return report_of(found, size)


def report_of(found: dict[str, list[Trial]], size: Size) -> Report:
    """Return the table, with bars where there are enough listeners for an interval."""
    report = Report(
        name="search: true taste gain by numbers",
        header=["system", "gain of a rendered clip", "last generation", "first", "noise won"],
    )
    gains = {name: np.array([one.gain for one in some]) for name, some in found.items()}
    for name, some in found.items():
        last = interval([float(np.mean(one.course.likes[-1])) for one in some])
        first = float(np.mean([np.mean(one.course.likes[0]) for one in some]))
        noise = sum(one.quality < BROKEN for one in some)
        report.rows.append(
            [name, str(interval(gains[name])), str(last), f"{first:.3f}", str(noise)]
        )
    names = [one.name for one in listeners(shipped_bank(), size.listeners)]
    report.notes.append(
        f"{size.listeners} listeners ({', '.join(names)}), clips of {SECONDS:.0f} s, {size.candidates} a generation, "
        f"{size.generations} generations after the first. Ours and random begin with the same random prompts, the "
        "seed's settings with random prompts of their own genome. The gain is over the first generation of random."
    )
    report.figures = {
        "listeners": names,
        "likes": {name: [one.course.likes for one in some] for name, some in found.items()},
        "quality of winners": {name: [one.quality for one in some] for name, some in found.items()},
    }
    if size.listeners >= FEWEST:
        _bars(report, found, gains)
    else:
        report.notes.append(f"{size.listeners} listeners are too few for an interval: no bars.")
    return report


def _bars(
    report: Report, found: dict[str, list[Trial]], gains: dict[str, NDArray[np.float64]]
) -> None:
    baselines = (*seed_engines(1), RANDOM)
    strongest = max(baselines, key=lambda name: float(gains[name].mean()))
    for name in OURS:
        gap = interval(gains[name] - gains[strongest])
        report.bars.append(
            Bar(
                name=f"{name} gains more a clip than {strongest}, the best baseline; same listeners",
                value=str(gap),
                asked="95 % interval above 0",
                met=gap.low > 0,
            )
        )
    noise = sum(one.quality < BROKEN for name in OURS for one in found[name])
    report.bars.append(
        Bar(
            name="winners of ours that the quality gate calls noise",
            value=str(noise),
            asked="0",
            met=noise == 0,
        )
    )
