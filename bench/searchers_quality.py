"""How much better than random do the clips get that a searcher breeds, for each clip that is rendered?

Every listener has a hidden taste over what sound is like (``playground.tastes``) and rates every clip; the rating is
all that any searcher is told. All systems start from the same rated random prompts, render the same number of clips and
have the same scripted model behind the same imperfect server, with as many requests as they like. What counts is the
listener's true liking, which nobody under test sees.
"""

from __future__ import annotations

import asyncio
import sys
from collections import defaultdict
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from bench.evomusic import noise_penalty
from bench.headless import hear_all
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
from domain.clip import ClipRequest, RenderedClip
from domain.facets import FAMILIES
from domain.ids import CandidateId, RunId
from evolution.registry import create_searcher
from generation.encode import decode
from playground.tastes import CHARACTERS, Bank, HiddenTaste, character, genre_lover
from prompts.operators import STAND_IN
from prompts.reader import read
from service.briefing import feedback_words
from service.device import ProcessWorker

SECONDS = 5.0
TOURNAMENT = 4
RATINGS = (0.05, 0.35, 0.65, 0.95)
"""Fitness that a listener's grades, from awful to love, are told as."""
SECOND = 0.3
"""How long a simulated second is: waits between tries are shortened, but computing must not look like a slow server."""
OURS = ("offline", "evolve", "full", "auto")
RANDOM, EVOMUSIC = "random", "EvoMusic"
SYSTEMS = (*OURS, EVOMUSIC, RANDOM)
BASE = 0.25
"""Like rate of all music up to which a genre counts as one that an ear tells from the others."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """How much is measured: listeners, generations after the first one, and clips of each."""

    listeners: int
    generations: int
    candidates: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Played:
    """A clip as its listener hears it: true liking, the rating given, what was played, and how whole it is.

    ``penalty`` is EvoMusic's noise penalty, where the audience was asked for it.
    """

    likes: float
    rating: float
    genome: Mapping[str, Any] | None
    quality: float = 0.0
    penalty: float = 0.0


@dataclass(slots=True, kw_only=True)
class Course:
    """One system with one listener: true likings by generation, and requests made."""

    likes: list[list[float]] = field(default_factory=list)
    requests: int = 0
    stood_in: int = 0

    @property
    def gain(self) -> float:
        """Mean true liking of the clips bred, above that of the random ones all systems began with."""
        bred = [value for generation in self.likes[1:] for value in generation]
        return float(np.mean(bred) - np.mean(self.likes[0]))


class Audience:
    """Renders for one listener. What was rendered once is not rendered again, and is rated the same."""

    def __init__(
        self,
        device: ProcessWorker,
        bank: Bank,
        taste: HiddenTaste,
        seed: int,
        *,
        penalties: bool = False,
    ) -> None:
        self._penalties = penalties
        self._device = device
        self._bank = bank
        self._taste = taste
        self._seed = seed
        self._known: dict[str, Played] = {}
        self.rendered = 0

    async def play(self, requests: Sequence[ClipRequest]) -> list[Played]:
        """Return how clips are liked; one that cannot be made is liked not at all."""
        keys = [repr((one.prompt, one.seed, one.description)) for one in requests]
        missing = {
            key: one for key, one in zip(keys, requests, strict=True) if key not in self._known
        }
        outcomes = await self._device.render(list(missing.values()), lambda _: None)
        clips = [one for one in outcomes if isinstance(one, RenderedClip)]
        heard = iter(await hear_all([one.audio for one in clips]))
        self.rendered += len(missing)
        for key, outcome in zip(missing, outcomes, strict=True):
            if not isinstance(outcome, RenderedClip):
                self._known[key] = Played(likes=0.0, rating=RATINGS[0], genome=None)
                continue
            sound = next(heard)
            mood = np.random.default_rng([self._seed, outcome.request.seed, 3])
            grade, _ = self._taste.grade(sound, self._bank, mood)
            self._known[key] = Played(
                likes=self._taste.likes(sound, self._bank),
                rating=RATINGS[grade],
                genome=outcome.description.get("genome"),
                quality=outcome.quality,
                penalty=await asyncio.to_thread(_penalty, outcome) if self._penalties else 0.0,
            )
        return [self._known[key] for key in keys]


def _penalty(clip: RenderedClip) -> float:
    sound = decode(clip.audio)
    return noise_penalty(sound.samples, sound.sample_rate)


@dataclass(slots=True, kw_only=True)
class Stage:
    """What one system has for one listener."""

    audience: Audience
    first: list[ClipRequest]
    size: Size
    seed: int


async def ours(name: str, stage: Stage) -> Course:
    """Let one of this project's searchers breed."""
    course = Course()
    async with Imperfect(seed=stage.seed) as server:
        model = model_at(server, second=SECOND, seed=stage.seed)
        settings = report_settings(tournament_size=TOURNAMENT)
        kit = kit_for(model, settings, second=SECOND) if name != "offline" else None
        searcher = create_searcher(name, seed=stage.seed, kit=kit)
        archive, first = await founders(stage)
        course.likes.append([one.likes for one in first])
        for generation in range(2, stage.size.generations + 2):
            searcher.tell(archive)
            taste, feedback = in_words(archive)
            brief = Brief(count=stage.size.candidates, taste=taste, feedback=feedback)
            proposals = await searcher.ask(brief)
            course.stood_in += sum(one.operator.startswith(STAND_IN) for one in proposals)
            played = await stage.audience.play([request_of(one) for one in proposals])
            course.likes.append([one.likes for one in played])
            made = [
                stored(one, heard.genome, len(archive) + n + 1, generation)
                for n, (one, heard) in enumerate(zip(proposals, played, strict=True))
            ]
            archive = [*archive, *rated(made, [one.rating for one in played])]
        await model.close()
        course.requests = len(server.calls)
    return course


async def evomusic(_: str, stage: Stage) -> Course:
    """Let EvoMusic's algorithm breed, with the same operators, ratings and model."""
    course = Course()
    async with Imperfect(seed=stage.seed) as server:
        search = EvoMusicSearch(
            base_url=server.base_url,
            settings=report_settings(tournament_size=TOURNAMENT),
            novel=random_prompt,
            rng=np.random.default_rng([stage.seed, 4]),
        )
        search.members = [Member(prompt=one.prompt, seed=one.seed) for one in stage.first]
        async with search:
            for generation in range(stage.size.generations + 1):
                members = await search.evolve() if generation else search.members
                requests = [
                    ClipRequest(prompt=one.prompt, seed=one.seed, seconds=SECONDS)
                    for one in members
                ]
                played = await stage.audience.play(requests)
                course.likes.append([one.likes for one in played])
                for member, one in zip(members, played, strict=True):
                    member.fitness = 2 * one.rating - 1
        course.requests = len(server.calls)
    return course


async def at_random(_: str, stage: Stage, seconds: float = SECONDS) -> Course:
    """Draw random prompts for every generation."""
    course = Course()
    rng = np.random.default_rng([stage.seed, 5])
    _archive, played = await founders(stage)
    course.likes.append([one.likes for one in played])
    for _number in range(stage.size.generations):
        played = await stage.audience.play(drawn(rng, stage.size.candidates, seconds))
        course.likes.append([one.likes for one in played])
    return course


RUNNERS: Mapping[str, Callable[[str, Stage], Awaitable[Course]]] = {
    **dict.fromkeys(OURS, ours),
    EVOMUSIC: evomusic,
    RANDOM: at_random,
}


async def courses(device: ProcessWorker, bank: Bank, size: Size) -> dict[str, list[Course]]:
    """Run every system for every listener."""
    out: dict[str, list[Course]] = {name: [] for name in SYSTEMS}
    for seed, taste in enumerate(listeners(bank, size.listeners)):
        audience = Audience(device, bank, taste, seed)
        first = drawn(np.random.default_rng([seed, 6]), size.candidates)
        stage = Stage(audience=audience, first=first, size=size, seed=seed)
        for name in SYSTEMS:
            out[name].append(await RUNNERS[name](name, stage))
        print(
            f"{seed + 1} of {size.listeners} listeners ({taste.name}): {audience.rendered} clips, gain "
            + ", ".join(f"{name} {found[-1].gain:.2f}" for name, found in out.items()),
            file=sys.stderr,
            flush=True,
        )
    return out


def listeners(bank: Bank, count: int) -> list[HiddenTaste]:
    """Return listeners, in turn lovers of a genre that an ear can tell and characters with a taste for a sound."""
    standard = bank.standard(bank.heard)
    order = [str(family) for family in np.random.default_rng(7).permutation(FAMILIES)]
    loved = [
        family
        for family in order
        if family in bank.families
        and genre_lover(family, bank, np.random.default_rng(0)).probability(standard).mean() <= BASE
    ]
    out = []
    for seed in range(count):
        rng = np.random.default_rng([seed, 7])
        names = list(CHARACTERS)
        if seed % 2:
            out.append(character(names[seed // 2 % len(names)], bank, rng))
        else:
            out.append(genre_lover(loved[seed // 2 % len(loved)], bank, rng))
    return out


def in_words(archive: Sequence[Evaluation]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the words that well-rated clips share, and what was liked and disliked lately.

    The first is what a taste in plain words comes to where only prompts are known; it sees ratings and nothing else.
    """
    mean = float(np.mean([one.fitness for one in archive]))
    found: defaultdict[str, list[float]] = defaultdict(list)
    for one in archive:
        facets = read(one.candidate.prompt)
        words = {*facets.instruments, *facets.moods, *facets.textures, facets.genre or ""}
        for word in words - {""}:
            found[word].append(one.fitness - mean)
    worth = {word: sum(values) / (len(values) + 2) for word, values in found.items()}
    best = sorted((word for word in worth if worth[word] > 0), key=lambda word: -worth[word])[:4]
    latest = max(one.candidate.generation for one in archive)
    return tuple(best), feedback_words(archive, latest)


async def founders(stage: Stage) -> tuple[list[Evaluation], list[Played]]:
    """Play and rate the random prompts that all systems begin with."""
    played = await stage.audience.play(stage.first)
    made = []
    for number, (request, one) in enumerate(zip(stage.first, played, strict=True), start=1):
        genome = read(request.prompt).to_json()
        if one.genome is not None:
            genome["description"] = one.genome
        made.append(candidate(number, 1, request.prompt, request.seed, genome))
    return rated(made, [one.rating for one in played]), played


def drawn(rng: np.random.Generator, count: int, seconds: float = SECONDS) -> list[ClipRequest]:
    """Return requests for random prompts."""
    return [
        ClipRequest(prompt=random_prompt(rng), seed=int(rng.integers(2**31)), seconds=seconds)
        for _ in range(count)
    ]


def request_of(proposal: Proposal, seconds: float = SECONDS) -> ClipRequest:
    """Ask for what a searcher proposes."""
    return ClipRequest(
        prompt=proposal.prompt,
        seed=proposal.seed,
        seconds=seconds,
        description=proposal.genome.get("description"),
    )


def stored(
    proposal: Proposal, genome: Mapping[str, Any] | None, number: int, generation: int
) -> Candidate:
    """Return a proposal as the candidate that it becomes, with the piece that was played."""
    kept = dict(proposal.genome) if genome is None else {**proposal.genome, "description": genome}
    return Candidate(
        id=CandidateId(number),
        run_id=RunId(1),
        generation=generation,
        prompt=proposal.prompt,
        genome=kept,
        operator=proposal.operator,
        searcher="bench",
        parents=proposal.parents,
        seed=proposal.seed,
        predicted=proposal.predicted,
    )
