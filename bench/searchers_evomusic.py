"""EvoMusic's "LLM evolve" search with a language model, written from its description, as a baseline.

One generation: elites and novel prompts first; then, until the population is full, a tournament of individuals drawn
without replacement, parents drawn from it by softmax, and the operators one after the other, each a request of its own
that is repeated until it has given enough prompts. An answer with unbalanced tags is thrown away whole. Requests go out
one after the other and know nothing of each other.

Left out, so that the comparison is with its rule and not with its faults: the wait of 300 seconds after an error, and
the global seed that makes every generation draw the same.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

import aiohttp
import numpy as np

from domain.operators import EvolveSettings, Operator

SYSTEM = (
    "You write prompts for a music generator. Put every prompt between <prompt> and </prompt> and use these tags for "
    "nothing else. For example: <prompt>calm piano with soft rain</prompt> <prompt>fast punk with loud guitars</prompt>"
)
MOST_TRIES = 200
"""Requests for one operator before the bench calls it a stall; the original has no limit."""


@dataclass(slots=True, kw_only=True)
class Member:
    """An individual; ``fitness`` is in [-1, 1], as a cosine would be. The same seed plays elites again unchanged."""

    prompt: str
    seed: int
    fitness: float = 0.0
    elite: bool = False


@dataclass(slots=True, kw_only=True)
class EvoMusicSearch:
    """The search; an asynchronous context manager for its connection.

    Args:
        base_url: Of the language model.
        settings: Its numbers and operators.
        novel: Draws a prompt that no operator made.
        rng: Chance.
    """

    base_url: str
    settings: EvolveSettings
    novel: Callable[[np.random.Generator], str]
    rng: np.random.Generator
    members: list[Member] = field(default_factory=list)
    requests: int = 0
    failures: int = 0
    thrown_away: int = 0
    stalled: bool = False
    _session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        self._session = aiohttp.ClientSession()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._session is not None:
            await self._session.close()

    async def evolve(self) -> list[Member]:
        """Replace the population by the next one and return it."""
        old, size = self.members, len(self.members)
        new = [
            Member(prompt=one.prompt, seed=one.seed, elite=True)
            for one in self._sampled(old, int(self.settings.elites * size))
        ]
        new += [
            self._member(self.novel(self.rng))
            for _ in range(int(self.settings.novel_prompts * size))
        ]
        chain = [one for one in self.settings.operators if one.enabled]
        for _ in range(math.ceil((size - len(new)) / chain[-1].output)):
            texts = [one.prompt for one in self._parents(old, chain[0].input)]
            for operator in chain:
                texts = await self._apply(operator, texts)
            new += [self._member(text) for text in texts]
        self.members = new[:size]
        return self.members

    def _member(self, prompt: str) -> Member:
        return Member(prompt=prompt, seed=int(self.rng.integers(2**31)))

    def _sampled(self, members: Sequence[Member], count: int) -> list[Member]:
        """Draw by softmax of fitness without replacement, or take the best where sampling is off."""
        if not self.settings.sample:
            return sorted(members, key=lambda one: -one.fitness)[:count]
        fitness = np.array([one.fitness for one in members])
        odds = np.exp((fitness - fitness.max()) / self.settings.temperature) + 1e-12
        chosen = self.rng.choice(len(members), count, replace=False, p=odds / odds.sum())
        return [members[int(one)] for one in chosen]

    def _parents(self, members: Sequence[Member], count: int) -> list[Member]:
        entered = self.rng.choice(
            len(members), min(self.settings.tournament_size, len(members)), replace=False
        )
        return self._sampled([members[int(one)] for one in entered], count)

    async def _apply(self, operator: Operator, texts: list[str]) -> list[str]:
        if self.rng.random() >= operator.probability:
            kept = self.rng.choice(len(texts), operator.output, replace=False)
            return [texts[int(one)] for one in kept]
        listed = str([f"\n{number}. {text}" for number, text in enumerate(texts, start=1)])
        request = operator.template.replace("{prompts}", listed)
        out: list[str] = []
        for _ in range(MOST_TRIES):
            out += self._parsed(await self._ask(request))
            if len(out) >= operator.output:
                return out[: operator.output]
        self.stalled = True
        return [*out, *texts * operator.output][: operator.output]

    async def _ask(self, request: str) -> str:
        if self._session is None:
            raise RuntimeError("open the search with async with first")
        self.requests += 1
        body = {
            "model": "imperfect",
            "temperature": 0.7,
            "max_tokens": 5000,
            "messages": [
                {"role": "system", "content": SYSTEM},
                {"role": "user", "content": request},
            ],
        }
        try:
            async with self._session.post(f"{self.base_url}/chat/completions", json=body) as answer:
                answer.raise_for_status()
                found = await answer.json()
        except aiohttp.ClientError:
            self.failures += 1
            return ""
        return str(found["choices"][0]["message"]["content"])

    def _parsed(self, text: str) -> list[str]:
        if text.count("<prompt>") != text.count("</prompt>"):
            self.thrown_away += 1
            return []
        pieces = text.split("</prompt>")[:-1]
        return [piece.rpartition("<prompt>")[2].strip() for piece in pieces]
