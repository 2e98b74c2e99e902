"""(a) Personalisation: does a run lean towards what its listener likes, and how near to the best possible?

Listeners with a hidden taste over what sound is like (``playground.tastes``: measured by other means than the
learner's features) rate real clips through the real loop. Beside it, from the same seeds: random prompts, and the
EvoMusic rule.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from bench.evomusic import NOISE_WEIGHT, Population, UserVector, noise_penalty
from bench.headless import Heading, hear_all, listen, open_loop
from bench.report import Bar, Report, interval
from domain.clip import ClipRequest, RenderedClip
from domain.facets import FAMILIES
from domain.run import RunSettings
from generation.encode import decode
from playground.hearing import Heard
from playground.tastes import Bank, HiddenTaste, genre_lover, shipped_bank
from prompts.vocabulary import shipped
from scoring.space import TasteSpace, default_space
from service.device import ProcessWorker, RenderSpec

ROUNDS, CANDIDATES, POSTED, SECONDS = 10, 12, 4, 8.0
SEEDS, QUICK_SEEDS = 12, 3
LAST = slice(7, 10)
"""Rounds 8 to 10."""
LEAST_FAMILIES = 3
BASE = 0.25
"""Like rate of all music up to which a genre counts as one that an ear tells from the others."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hall:
    """What all systems under test share."""

    device: ProcessWorker
    bank: Bank
    space: TasteSpace

    async def render(self, prompts: Sequence[str], rng: np.random.Generator) -> list[RenderedClip]:
        """Render prompts; failures are left out."""
        requests = [
            ClipRequest(prompt=prompt, seed=int(rng.integers(2**31)), seconds=SECONDS)
            for prompt in prompts
        ]
        made = await self.device.render(requests, lambda _: None)
        return [clip for clip in made if isinstance(clip, RenderedClip)]


async def ours(hall: Hall, taste: HiddenTaste, seed: int) -> list[Heading]:
    """Return the rounds of this project's loop."""
    settings = RunSettings(seconds=SECONDS, candidates=CANDIDATES, quorum=1, timer=0.0)
    async with open_loop(hall.device) as loop:
        return await listen(loop, taste, hall.bank, rounds=ROUNDS, settings=settings, seed=seed)


async def at_random(hall: Hall, taste: HiddenTaste, seed: int) -> list[Heading]:
    """Return rounds of four random prompts each."""
    rng = np.random.default_rng(seed)
    out = []
    for _ in range(ROUNDS):
        population = Population(vocabulary=shipped(), size=POSTED, rng=rng)
        population.begin()
        clips = await hall.render([member.prompt for member in population.members], rng)
        likes = _likes(await hear_all([clip.audio for clip in clips]), taste, hall.bank)
        out.append(
            Heading(
                posted=float(np.mean(likes)),
                oracle=float(np.mean(likes)),
                families=_families(clips),
            )
        )
    return out


async def evomusic(hall: Hall, taste: HiddenTaste, seed: int) -> list[Heading]:
    """Return the rounds of the EvoMusic rule."""
    rng = np.random.default_rng(seed)
    population = Population(vocabulary=shipped(), size=CANDIDATES, rng=rng)
    population.begin()
    user = UserVector(hall.space.dimensions, rng)
    heard_so_far: list[np.ndarray] = []
    liked_so_far: list[bool] = []
    out = []
    for number in range(ROUNDS):
        if number:
            population.evolve()
        clips = await hall.render([member.prompt for member in population.members], rng)
        places = _places(hall.space, clips)
        penalties = [
            noise_penalty(sound.samples, sound.sample_rate)
            for sound in (decode(c.audio) for c in clips)
        ]
        fitness = user.scores(places) - NOISE_WEIGHT * np.array(penalties)
        for member, value in zip(population.members, fitness, strict=True):
            member.fitness = float(value)
        playlist = np.argsort(-fitness)[:POSTED]
        sounds = await hear_all([clip.audio for clip in clips])
        likes = _likes(sounds, taste, hall.bank)
        for row in playlist:
            grade, _ = taste.grade(sounds[row], hall.bank, rng)
            heard_so_far.append(places[row])
            liked_so_far.append(grade >= 2)
        user.train(np.stack(heard_so_far), np.array(liked_so_far))
        out.append(
            Heading(
                posted=float(np.mean([likes[row] for row in playlist])),
                oracle=float(np.mean(sorted(likes)[-POSTED:])),
                families=_families(clips),
            )
        )
    return out


def _places(space: TasteSpace, clips: Sequence[RenderedClip]) -> np.ndarray:
    embeddings = np.stack([np.frombuffer(clip.embedding, dtype=np.float32) for clip in clips])
    return space.project(embeddings)[:, :-1]


def _likes(sounds: Sequence[Heard], taste: HiddenTaste, bank: Bank) -> list[float]:
    return [taste.likes(sound, bank) for sound in sounds]


def _families(clips: Sequence[RenderedClip]) -> int:
    return len({str(clip.description["family"]) for clip in clips})


SYSTEMS = {"ours": ours, "random prompts": at_random, "EvoMusic rule": evomusic}


async def measure(*, quick: bool = False) -> Report:
    """Run all systems for listeners who each love what one genre sounds like."""
    seeds = QUICK_SEEDS if quick else SEEDS
    hall = Hall(device=ProcessWorker(RenderSpec()), bank=shipped_bank(), space=default_space())
    loved = _recognisable(hall.bank)[:seeds]
    runs: dict[str, list[list[Heading]]] = {name: [] for name in SYSTEMS}
    try:
        for seed, family in enumerate(loved):
            taste = genre_lover(family, hall.bank, np.random.default_rng(seed))
            for name, system in SYSTEMS.items():
                runs[name].append(await system(hall, taste, seed))
            print(f"{seed + 1} of {len(loved)} listeners", file=sys.stderr, flush=True)
    finally:
        await hall.device.close()
    return _report(runs, loved)


def _recognisable(bank: Bank) -> list[str]:
    """Return the families that a listener can love without liking much else, in an order drawn once."""
    standard = bank.standard(bank.heard)
    order = [str(family) for family in np.random.default_rng(7).permutation(FAMILIES)]
    return [
        family
        for family in order
        if genre_lover(family, bank, np.random.default_rng(0)).probability(standard).mean() <= BASE
    ]


def _report(runs: dict[str, list[list[Heading]]], loved: Sequence[str]) -> Report:
    report = Report(
        name="personalisation: true like rate of posted clips, single-genre listeners",
        header=[
            "system",
            "round 1",
            *(f"{number}" for number in range(2, ROUNDS + 1)),
            "rounds 8-10",
            "of oracle",
        ],
    )
    posted = {
        name: np.array([[one.posted for one in run] for run in found])
        for name, found in runs.items()
    }
    oracle = {
        name: np.array([[one.oracle for one in run] for run in found])
        for name, found in runs.items()
    }
    for name, table in posted.items():
        share = table[:, LAST].mean() / oracle[name][:, LAST].mean()
        means = [f"{value:.2f}" for value in table.mean(axis=0)]
        report.rows.append(
            [name, *means, str(interval(table[:, LAST].mean(axis=1))), f"{share:.2f}"]
        )
    families = [[one.families for one in run] for run in runs["ours"]]
    report.figures = {
        "loved": list(loved),
        "posted": {name: table.tolist() for name, table in posted.items()},
        "oracle": {name: table.tolist() for name, table in oracle.items()},
        "families": families,
    }
    _add_bars(report, posted, families)
    regret = interval((oracle["ours"] - posted["ours"]).mean(axis=1))
    report.notes.append(
        f"{len(loved)} listeners: {', '.join(loved)}. Clips of {SECONDS:.0f} s, {CANDIDATES} a round."
    )
    report.notes.append(f"Regret of ours to the best four that were rendered: {regret} a clip.")
    return report


def _add_bars(report: Report, posted: dict[str, np.ndarray], families: list[list[int]]) -> None:
    first, last = posted["ours"][:, 0].mean(), posted["ours"][:, LAST].mean()
    report.bars.append(
        Bar(
            name="like rate at least doubles from round 1 to rounds 8-10",
            value=f"{first:.3f} -> {last:.3f}, x{last / first:.2f}",
            asked=">= x2",
            met=bool(last >= 2 * first),
        )
    )
    mine = interval(posted["ours"][:, LAST].mean(axis=1))
    theirs = interval(posted["EvoMusic rule"][:, LAST].mean(axis=1))
    report.bars.append(
        Bar(
            name="rounds 8-10 beat the EvoMusic rule",
            value=f"{mine} against {theirs}",
            asked="95 % intervals do not overlap",
            met=mine.low > theirs.high,
        )
    )
    least = min(min(run) for run in families)
    report.bars.append(
        Bar(
            name="genre families alive in every rendered population",
            value=str(least),
            asked=f">= {LEAST_FAMILIES}",
            met=least >= LEAST_FAMILIES,
        )
    )
