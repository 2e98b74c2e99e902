"""Turns texts of a model into drafts that can be screened, and drafts into proposals."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from domain.candidate import Proposal
from domain.description import Description
from domain.facets import Facets
from domain.ids import CandidateId
from evolution.descriptions import follow
from evolution.herd import Herd
from evolution.operators import Draft
from prompts.reader import read
from prompts.tidy import tidy

_SEED_LIMIT = 2**31


@dataclass(frozen=True, slots=True, kw_only=True)
class Written(Draft):
    """A draft that has its words already.

    Attributes:
        prompt: The words.
        read: Everything that the reader made of them; ``facets`` is the tidy part.
    """

    prompt: str
    read: Facets


@dataclass(frozen=True, slots=True, kw_only=True)
class Text:
    """What a model wrote as a prompt: nobody has read it yet."""

    text: str
    operator: str
    parents: tuple[int, ...] = ()


class Drafting:
    """Judges texts against a herd."""

    def __init__(self, herd: Herd) -> None:
        self.herd = herd
        self._vocabulary = herd.breeder.vocabulary
        self._by_id = {member.id: member for member in herd.members}
        self._meanings = {member.facets for member in herd.members}
        self._taken: set[str] = set()

    def is_music(self, text: str) -> bool:
        """Return whether the reader understands anything of a text; the talk around an answer is none."""
        return tidy(read(text, self._vocabulary), self._vocabulary) != Facets()

    def draft(
        self, prompt: str, operator: str, parents: Sequence[int] = (), *, tune: bool = True
    ) -> Written | None:
        """Return a draft of a text, or ``None`` when it is of no use.

        Of no use is what the run has had, what is no music to the reader (the talk around an answer, above all), and
        what reads exactly like a told candidate.

        Args:
            prompt: Cleaned text.
            operator: What made it.
            parents: Where it comes from.
            tune: Whether it may keep the tune of a single parent.
        """
        key = "".join(char for char in prompt.casefold() if char.isalnum())
        if not key or key in self._taken or prompt in self.herd.memory:
            return None
        said = read(prompt, self._vocabulary)
        facets = tidy(said, self._vocabulary)
        if facets == Facets() or (facets in self._meanings and not said.unknown):
            return None
        self._taken.add(key)
        piece = self._piece(facets, parents) if tune else None
        self.herd.screen.prepare(facets)
        return Written(
            prompt=prompt,
            read=said,
            facets=facets,
            operator=operator,
            parents=tuple(dict.fromkeys(parents)),
            description=piece,
        )

    async def drafts(self, texts: Sequence[Text], *, tune: bool = True) -> list[Written]:
        """Return drafts of those texts that are of use, in their order. The event loop gets its turn after each."""
        out = []
        for text in texts:
            draft = self.draft(text.text, text.operator, text.parents, tune=tune)
            if draft is not None:
                out.append(draft)
            await asyncio.sleep(0)
        return out

    def _piece(self, facets: Facets, parents: Sequence[int]) -> Description | None:
        """Return the single parent's piece as the words want it, where they allow it."""
        parent = self._by_id.get(parents[0]) if len(set(parents)) == 1 else None
        piece = self.herd.pieces.of(parent) if parent is not None else None
        if parent is None or piece is None:
            return None
        return follow(piece, parent.facets, facets, self._vocabulary)

    def proposals(self, drafts: Sequence[Written]) -> list[Proposal]:
        """Remember drafts and return them as proposals, each with its seed and what is expected of it."""
        expected = self.herd.screen.predict(drafts)
        out = []
        for draft, predicted in zip(drafts, expected, strict=True):
            self.herd.memory.add(draft.prompt)
            genome = draft.read.to_json()
            if draft.description is not None:
                genome["description"] = draft.description.to_json()
            out.append(
                Proposal(
                    prompt=draft.prompt,
                    genome=genome,
                    operator=draft.operator,
                    parents=tuple(CandidateId(parent) for parent in draft.parents),
                    seed=int(self.herd.rng.integers(_SEED_LIMIT)),
                    predicted=predicted,
                )
            )
        return out


def spawned(rng: np.random.Generator) -> np.random.Generator:
    """Return a generator for work that goes on beside other work; drawn in a fixed order, it is always the same."""
    return np.random.Generator(np.random.PCG64(int(rng.integers(2**63))))


def part_of(part: int, parts: int) -> str:
    """Return what tells requests apart that are alike but for it; ``part`` counts from 0."""
    return f"This is part {part + 1} of {parts} of one list; the other parts are written elsewhere."
