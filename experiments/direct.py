"""The short loop: ask, render, score, tell. Fitness is what the listeners truly think, or likeness to a clip."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from bench.searchers_quality import request_of, stored
from domain.candidate import Brief, Evaluation, Proposal
from domain.clip import ClipRequest, RenderedClip
from domain.errors import UserError
from evolution.language.client import Endpoint, OpenAIModel
from evolution.language.kit import LanguageKit
from evolution.language.metered import Limits, Metered
from evolution.numeric.genetic import Rates
from evolution.numeric.searcher import SEARCHES, NumericSearcher
from evolution.registry import create_searcher
from evolution.searcher import Searcher
from experiments.listeners import Listener, truth
from experiments.models import PATIENCE, Speech, rng_of
from experiments.records import Row
from experiments.sounds import Sound, joined, standard
from experiments.spec import Condition
from playground.tastes import Bank
from prompts import templates
from scoring.space import default_space
from service.device import DeviceWorker

Doubles = NDArray[np.float64]
Course = tuple[list[Row], list[Sound]]


class Judge(Protocol):
    """Says what clips are worth."""

    def __call__(
        self, clips: Sequence[RenderedClip], sounds: Sequence[Sound], progress: float
    ) -> tuple[Doubles, Doubles]:
        """Return how clips are truly liked and what the searcher is told of them, (n,) each, in [0, 1]."""


def by_listeners(listeners: Sequence[Listener]) -> Judge:
    """Tell the searcher what the listeners truly think, times the quality gate."""

    def judge(
        clips: Sequence[RenderedClip], sounds: Sequence[Sound], progress: float
    ) -> tuple[Doubles, Doubles]:
        liked = truth(listeners, sounds, progress)
        return liked, liked * np.array([clip.quality for clip in clips])

    return judge


async def by_target(prompt: str, seconds: float, device: DeviceWorker, bank: Bank) -> Judge:
    """Tell the searcher how like a clip is to the target in the space of tastes, times the quality gate.

    The truth is likeness by ear, which the searcher is not told: exp of minus the distance in heard properties.

    Raises:
        UserError: The target cannot be made.
    """
    made = (await device.render([ClipRequest(prompt=prompt, seed=1, seconds=seconds)], _silent))[0]
    if not isinstance(made, RenderedClip):
        raise UserError(f'The target "{prompt}" cannot be made: {made.reason}')
    space = default_space()
    goal = _places(space.project(_embeddings([made])))[0]
    ear = standard(await _heard([made]), bank)[0]

    def judge(
        clips: Sequence[RenderedClip], sounds: Sequence[Sound], progress: float
    ) -> tuple[Doubles, Doubles]:
        del progress
        places = _places(space.project(_embeddings(clips)))
        apart = np.sqrt(((standard(sounds, bank) - ear) ** 2).mean(axis=1))
        quality = np.array([clip.quality for clip in clips])
        return np.exp(-apart), (1 + places @ goal) / 2 * quality

    return judge


def _silent(_: int) -> None:
    """Say nothing of progress."""


def _embeddings(clips: Sequence[RenderedClip]) -> NDArray[np.float32]:
    return np.stack([np.frombuffer(clip.embedding, dtype=np.float32) for clip in clips])


def _places(phi: Doubles) -> Doubles:
    """Return directions in the space of tastes, without the constant."""
    places = phi[:, :-1]
    return np.asarray(places / np.maximum(np.linalg.norm(places, axis=1, keepdims=True), 1e-9))


async def _heard(clips: Sequence[RenderedClip]) -> list[Sound]:
    from bench.headless import hear_all  # noqa: PLC0415 - brings the services, which this loop does without

    heard = await hear_all([clip.audio for clip in clips])
    return joined(heard, list(_embeddings(clips)))


async def play(
    condition: Condition,
    seed: int,
    seconds: float,
    device: DeviceWorker,
    judge: Judge,
    speech: Speech | None,
) -> Course:
    """Run a condition with one seed.

    Raises:
        UserError: Not one clip of a generation could be made.
    """
    async with _searcher(condition, seed, speech) as searcher:
        rows: list[Row] = []
        heard: list[Sound] = []
        archive: list[Evaluation] = []
        for number in range(1, condition.rounds + 1):
            searcher.tell(archive)
            proposals = await searcher.ask(Brief(count=condition.population))
            outcomes = await device.render([request_of(one, seconds) for one in proposals], _silent)
            made = [
                (proposal, outcome)
                for proposal, outcome in zip(proposals, outcomes, strict=True)
                if isinstance(outcome, RenderedClip)
            ]
            if not made:
                raise UserError(f"No clip of generation {number} could be made.")
            clips = [clip for _, clip in made]
            sounds = await _heard(clips)
            liked, told = judge(clips, sounds, number / condition.rounds)
            archive += _evaluated(made, told, len(archive) + 1, number)
            rows += _rows(condition, seed, archive[-len(made) :], made, liked)
            heard += sounds
    return rows, heard


def _evaluated(
    made: Sequence[tuple[Proposal, RenderedClip]], told: Doubles, first: int, generation: int
) -> list[Evaluation]:
    out = []
    for number, ((proposal, clip), value) in enumerate(zip(made, told, strict=True), start=first):
        candidate = stored(proposal, clip.description.get("genome"), number, generation)
        out.append(
            Evaluation(candidate=candidate, fitness=float(value), uncertainty=0.05, rated=True)
        )
    return out


def _rows(
    condition: Condition,
    seed: int,
    evaluations: Sequence[Evaluation],
    made: Sequence[tuple[Proposal, RenderedClip]],
    liked: Doubles,
) -> list[Row]:
    return [
        Row(
            condition=condition.name,
            seed=seed,
            generation=one.candidate.generation,
            candidate=int(one.candidate.id),
            prompt=one.candidate.prompt,
            operator=one.candidate.operator,
            parents=" ".join(str(parent) for parent in one.candidate.parents),
            family=str(clip.description.get("family", "")),
            liked=round(float(true), 5),
            estimated=round(one.fitness, 5),
            quality=round(clip.quality, 5),
            posted=True,
        )
        for one, (_, clip), true in zip(evaluations, made, liked, strict=True)
    ]


@asynccontextmanager
async def _searcher(
    condition: Condition, seed: int, speech: Speech | None
) -> AsyncIterator[Searcher]:
    if condition.searcher in SEARCHES:
        rates = Rates(population=condition.population, tournament=condition.tournament)
        yield NumericSearcher(condition.searcher, seed=seed, rates=rates)
    elif speech is None:
        yield create_searcher(condition.searcher, seed=seed)
    else:
        told = speech.language
        endpoint = Endpoint(
            base_url=told.base_url,
            model=told.model,
            models=told.models,
            key=speech.key,
            temperature=told.temperature,
            extra=told.extra,
            timeout=told.timeout,
            retries=told.retries,
        )
        model = Metered(
            OpenAIModel(endpoint, rng=rng_of(seed)), now=time.monotonic, limits=Limits(per_minute=0)
        )
        kit = LanguageKit(
            model=model,
            settings=condition.evolving(),
            templates=templates.shipped(),
            seconds=PATIENCE * told.timeout,
        )
        try:
            yield create_searcher(condition.searcher, seed=seed, kit=kit)
        finally:
            await model.close()
