"""What a generation of 100 costs in requests and time, and what an imperfect server can break: nothing, if all is well.

Both systems breed 100 from the same rated 100 with the same operators (a cross of two, then three variants of the
child, tournament 25, sampling, a tenth of elites and of novel prompts), with the same scripted model behind the same
server. A simulated second is shortened; latencies, waits and the outage's minute shrink with it.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from bench.imperfect_server import Imperfect
from bench.searchers_evomusic import EvoMusicSearch, Member
from bench.searchers_world import (
    candidate,
    kit_for,
    model_at,
    random_prompt,
    rated,
    report_settings,
)
from domain.candidate import Brief, Candidate, Evaluation, Proposal
from evolution.language.metered import Metered
from evolution.registry import create_searcher
from evolution.searcher import Searcher
from prompts.operators import STAND_IN
from prompts.reader import read

POPULATION, TOURNAMENT = 100, 25
CALL_SECONDS = 8.0
"""Seconds of the simulated world that every answer takes."""
SECOND = 0.05
"""How long a simulated second is here."""
QUICK_SECOND = 0.02
"""Likewise for EvoMusic in a quick run; it does little but wait."""
STALL = 120.0
"""Simulated seconds after which an ask counts as a stall."""
MINUTE = 60.0
LANGUAGE_SEARCHERS = ("evolve", "full", "auto")


@dataclass(slots=True, kw_only=True)
class Cost:
    """What generations of one system cost, one number for each seed.

    Attributes:
        requests: Requests that reached the server, retries included.
        seconds: Simulated seconds from asking to the last child.
        by_model: Share of the children that the model wrote.
        different: Different prompts in the generation.
        thrown_away: Answers that were not used at all.
    """

    requests: list[int] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)
    by_model: list[float] = field(default_factory=list)
    different: list[int] = field(default_factory=list)
    thrown_away: list[int] = field(default_factory=list)


@dataclass(slots=True, kw_only=True)
class Robustness:
    """What happened over generations on the imperfect server, and through an outage."""

    asks: int = 0
    stalls: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    longest: float = 0.0
    outage: dict[str, float | str | bool | int] = field(default_factory=dict)


def first_generation(seed: int, count: int = POPULATION) -> list[Evaluation]:
    """Return rated random prompts; the rating is a made-up one that has something to be found."""
    rng = np.random.default_rng([seed, 1])
    prompts = list(dict.fromkeys(random_prompt(rng) for _ in range(2 * count)))[:count]
    made = [candidate(n + 1, 1, text, int(rng.integers(2**31))) for n, text in enumerate(prompts)]
    return rated(made, [liking(one.prompt, rng) for one in made])


def liking(prompt: str, rng: np.random.Generator) -> float:
    """Return how much a made-up listener likes a prompt, by its words alone."""
    facets = read(prompt)
    value = 0.3 + 0.3 * ("piano" in facets.instruments) + 0.2 * ((facets.tempo or 104.0) < 100.0)
    return float(np.clip(value + 0.08 * rng.standard_normal(), 0.0, 1.0))


async def ours(seed: int) -> Cost:
    """Breed one generation with the searcher "evolve"."""
    async with Imperfect(seed=seed, latency=CALL_SECONDS * SECOND) as server:
        model = model_at(server, second=SECOND, seed=seed)
        searcher = _searcher("evolve", model, seed)
        searcher.tell(first_generation(seed))
        began = time.perf_counter()
        proposals = await searcher.ask(Brief(count=POPULATION))
        spent = (time.perf_counter() - began) / SECOND
        await model.close()
        return Cost(
            requests=[len(server.calls)],
            seconds=[spent],
            by_model=[_by_model(proposals) / POPULATION],
            different=[len({one.prompt.casefold() for one in proposals})],
            thrown_away=[0],
        )


async def theirs(seed: int, second: float = SECOND) -> Cost:
    """Breed one generation with EvoMusic's algorithm."""
    settings = report_settings(population_size=POPULATION, tournament_size=TOURNAMENT)
    async with Imperfect(seed=seed, latency=CALL_SECONDS * second) as server:
        search = EvoMusicSearch(
            base_url=server.base_url,
            settings=settings,
            novel=random_prompt,
            rng=np.random.default_rng(seed),
        )
        search.members = [
            Member(
                prompt=one.candidate.prompt, seed=one.candidate.seed, fitness=2 * one.fitness - 1
            )
            for one in first_generation(seed)
        ]
        async with search:
            began = time.perf_counter()
            members = await search.evolve()
            spent = (time.perf_counter() - began) / second
        kept = int(POPULATION * settings.elites) + int(POPULATION * settings.novel_prompts)
        return Cost(
            requests=[len(server.calls)],
            seconds=[spent],
            by_model=[1 - kept / POPULATION],
            different=[len({one.prompt.casefold() for one in members})],
            thrown_away=[search.thrown_away],
        )


async def costs(seeds: Sequence[int], *, quick: bool = False) -> dict[str, Cost]:
    """Measure both: ours one after the other, since it computes, EvoMusic's beside each other, since it waits."""
    mine = [await ours(seed) for seed in seeds]
    second = QUICK_SECOND if quick else SECOND
    others = await asyncio.gather(*(theirs(seed, second) for seed in seeds))
    return {"evolve": _joined(mine), "EvoMusic": _joined(others)}


def _joined(found: Sequence[Cost]) -> Cost:
    out = Cost()
    for one in found:
        out.requests += one.requests
        out.seconds += one.seconds
        out.by_model += one.by_model
        out.different += one.different
        out.thrown_away += one.thrown_away
    return out


def _searcher(
    name: str, model: Metered, seed: int, state: dict[str, object] | None = None
) -> Searcher:
    settings = report_settings(tournament_size=TOURNAMENT)
    return create_searcher(
        name, seed=seed, state=state, kit=kit_for(model, settings, second=SECOND)
    )


# What can break -----------------------------------------------------------------------------------------


async def robustness(seeds: Sequence[int], generations: int, count: int = 12) -> Robustness:
    """Let every language searcher breed for generations on the imperfect server, then through an outage."""
    out = Robustness()
    for name in LANGUAGE_SEARCHERS:
        for seed in seeds:
            await _many(name, seed, generations, count, out)
    out.outage = await outage(seeds[0], count)
    return out


async def _many(name: str, seed: int, generations: int, count: int, out: Robustness) -> None:
    async with Imperfect(seed=seed, latency=CALL_SECONDS * SECOND / 20) as server:
        model = model_at(server, second=SECOND, seed=seed)
        searcher = _searcher(name, model, seed)
        herd = Herd(seed=seed)
        for _ in range(generations):
            searcher.tell(herd.evaluations)
            began = time.perf_counter()
            proposals = await searcher.ask(Brief(count=count, taste=("slow", "piano")))
            spent = (time.perf_counter() - began) / SECOND
            out.asks += 1
            out.longest = max(out.longest, spent)
            if spent > STALL:
                out.stalls.append(f"{name}, seed {seed}: {spent:.0f} s")
            out.wrong += herd.wrong(proposals, count)
            herd.add(proposals)
        await model.close()


class Herd:
    """The archive of a run without rendering."""

    def __init__(self, seed: int, count: int = 12) -> None:
        self.rng = np.random.default_rng([seed, 2])
        self.evaluations = first_generation(seed, count)
        self.generation = 1

    def wrong(self, proposals: Sequence[Proposal], count: int) -> list[str]:
        """Return what is wrong with a generation: its size, or a prompt that was there before."""
        had = [one.candidate.prompt.casefold() for one in self.evaluations]
        new = [one.prompt.casefold() for one in proposals]
        out = [] if len(proposals) == count else [f"{len(proposals)} proposals instead of {count}"]
        if len({*had, *new}) < len(set(had)) + len(new):
            out.append("a prompt came twice")
        return out

    def add(self, proposals: Sequence[Proposal]) -> None:
        """Rate proposals and keep them."""
        self.generation += 1
        made = [self._stored(one) for one in proposals]
        self.evaluations += rated(made, [liking(one.prompt, self.rng) for one in made])

    def _stored(self, proposal: Proposal) -> Candidate:
        number = len(self.evaluations) + int(self.rng.integers(10**6)) + 1000
        return Candidate(
            id=candidate(number, 0, "", 0, {}).id,
            run_id=candidate(number, 0, "", 0, {}).run_id,
            generation=self.generation,
            prompt=proposal.prompt,
            genome=proposal.genome,
            operator=proposal.operator,
            searcher="bench",
            parents=proposal.parents,
            seed=proposal.seed,
        )


async def outage(seed: int, count: int = 12) -> dict[str, float | str | bool | int]:
    """Take the server down for a minute in the middle of a run.

    Returns:
        How long the round took, whether it was whole and announced, whether the model bred again afterwards, and
        whether everything told was still there.
    """
    async with Imperfect(seed=seed, latency=CALL_SECONDS * SECOND / 8) as server:
        model = model_at(server, second=SECOND, seed=seed)
        searcher = _searcher("evolve", model, seed)
        herd = Herd(seed=seed)
        searcher.tell(herd.evaluations)
        herd.add(await searcher.ask(Brief(count=count)))
        server.down = True
        began = time.perf_counter()
        searcher.tell(herd.evaluations)
        during = await searcher.ask(Brief(count=count))
        delay = (time.perf_counter() - began) / SECOND
        notices = searcher.notices()
        wrong = herd.wrong(during, count)
        herd.add(during)
        await asyncio.sleep(max(0.0, MINUTE - delay) * SECOND)
        server.down = False
        state = json.loads(json.dumps(searcher.state()))
        again = _searcher("evolve", model, seed, state)
        again.tell(herd.evaluations)
        after = await again.ask(Brief(count=count))
        wrong += herd.wrong(after, count)
        herd.add(after)
        known = _known(again.state())
        again.tell(herd.evaluations)
        later = await again.ask(Brief(count=count))
        wrong += herd.wrong(later, count)
        await model.close()
        return {
            "delay_s": delay,
            "stood_in": count - _by_model(during),
            "notice": " ".join(notices),
            "notice_after": " ".join(again.notices()),
            "announced": bool(notices),
            "whole": not wrong,
            "tries": sum(call.status == 0 for call in server.calls),
            "count": count,
            "model_after": _by_model(after),
            "model_second_after": _by_model(later),
            "archive": len(herd.evaluations) - count,
            "archive_after": known,
        }


def _by_model(proposals: Sequence[Proposal]) -> int:
    return sum(not one.operator.startswith(STAND_IN) for one in proposals)


def _known(state: dict[str, object]) -> int:
    told = state.get("told")
    return len(told) if isinstance(told, dict) else 0
