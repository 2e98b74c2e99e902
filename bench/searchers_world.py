"""What the parts of the searchers' bench share: populations, evaluations, and models behind the imperfect server."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from bench.imperfect_server import Imperfect
from domain.candidate import Candidate, Evaluation
from domain.facets import FAMILIES
from domain.ids import CandidateId, RunId
from domain.operators import EvolveSettings, Operator
from evolution.facets_ops import Breeder
from evolution.language.client import Endpoint, OpenAIModel
from evolution.language.kit import LanguageKit
from evolution.language.metered import Limits, Metered
from prompts import templates
from prompts.operators import shipped as shipped_operators
from prompts.reader import read
from prompts.vocabulary import shipped
from prompts.writer import write

CALL_TIMEOUT, ASK_TIMEOUT = 60.0, 90.0
"""Seconds of the simulated world that one try and one ask of a searcher may take."""


def random_prompt(rng: np.random.Generator) -> str:
    """Return a prompt of a random genre, as a file of starting prompts would hold it."""
    family = FAMILIES[int(rng.integers(len(FAMILIES)))]
    return write(Breeder(shipped()).invent(family, rng), rng, shipped())


def report_settings(
    *, population_size: int = 0, tournament_size: int, temperature: float = 0.2
) -> EvolveSettings:
    """Return the operators of EvoMusic's report in our words: a cross of two, then three variants of the child."""
    by_name = {one.name: one for one in shipped_operators().operators}
    chain = [by_name["crossover"], by_name["mutation"]]
    operators = tuple(
        Operator(
            name=one.name,
            template=one.template,
            input=one.input,
            output=one.output,
            probability=1.0,
        )
        for one in chain
    )
    return EvolveSettings(
        population_size=population_size,
        tournament_size=tournament_size,
        sample=True,
        temperature=temperature,
        novel_prompts=0.1,
        elites=0.1,
        operators=operators,
    )


def model_at(server: Imperfect, *, second: float, seed: int) -> Metered:
    """Return the real, metered client for a server whose simulated seconds take ``second`` real ones."""
    loop = asyncio.get_running_loop()

    async def sleep(seconds: float) -> None:
        await asyncio.sleep(seconds * second)

    endpoint = Endpoint(
        base_url=server.base_url, model="imperfect", timeout=max(CALL_TIMEOUT * second, 0.5)
    )
    client = OpenAIModel(endpoint, rng=np.random.default_rng(seed), sleep=sleep)
    limits = Limits(per_minute=0)
    return Metered(client, now=lambda: loop.time() / second, sleep=sleep, limits=limits)


def kit_for(model: Metered, settings: EvolveSettings, *, second: float) -> LanguageKit:
    """Return what a searcher needs, with the shipped templates."""
    return LanguageKit(
        model=model,
        settings=settings,
        templates=templates.shipped(),
        seconds=max(ASK_TIMEOUT * second, 1.0),
    )


def candidate(
    number: int, generation: int, prompt: str, seed: int, genome: Mapping[str, Any] | None = None
) -> Candidate:
    """Return a stored candidate that no searcher made."""
    facets = genome if genome is not None else read(prompt, shipped()).to_json()
    return Candidate(
        id=CandidateId(number),
        run_id=RunId(1),
        generation=generation,
        prompt=prompt,
        genome=facets,
        operator="novel",
        searcher="random",
        parents=(),
        seed=seed,
    )


def rated(candidates: Sequence[Candidate], fitness: Sequence[float]) -> list[Evaluation]:
    """Return candidates with the fitness that people gave them."""
    return [
        Evaluation(
            candidate=one,
            fitness=value,
            uncertainty=0.1,
            rated=True,
            components={"observed": value, "raters": 1.0},
        )
        for one, value in zip(candidates, fitness, strict=True)
    ]
