"""The offline breeder: evolves prompts as facets, with no model and no network."""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from domain.candidate import Brief, Directive, Evaluation, Proposal
from domain.facets import Facets
from evolution.archive import Individual, individuals
from evolution.breeding import breed_next
from evolution.directed import DirectedBreeding
from evolution.facets_ops import Breeder
from evolution.founding import Founder
from evolution.herd import Herd
from evolution.memory import PromptMemory
from evolution.operators import Draft
from evolution.pieces import Pieces
from evolution.screening import Screen
from evolution.surrogate import FeatureMap
from evolution.wording import Wording
from prompts.reader import interpret
from prompts.vocabulary import Vocabulary, shipped


class OfflineBreeder:
    """A ``Searcher`` that crosses and mutates facets; see ``evolution/searcher.py`` for the seam.

    It keeps no more than the told archive, its RNG and the prompts it has had. Candidates whose ``genome`` has a
    ``"description"`` of what was played have children that keep tunes, and whose genomes have one too. What an operator
    has earned and what a text is expected to be worth are worked out afresh from the archive, so a rescored archive is
    never half believed.
    """

    name = "offline"

    def __init__(
        self,
        *,
        seed: int,
        vibe: str = "",
        state: Mapping[str, Any] | None = None,
        vocabulary: Vocabulary | None = None,
    ) -> None:
        """Start a run, or go on with one.

        Args:
            seed: The run's seed.
            vibe: What the run is about, in a person's words; may be empty.
            state: From ``state()`` of the searcher that this one succeeds; empty is a new start.
            vocabulary: The shipped one unless given.
        """
        self._vocabulary = vocabulary or shipped()
        self._breeder = Breeder(self._vocabulary)
        self._features = FeatureMap(self._vocabulary)
        self._rng = np.random.Generator(np.random.PCG64(seed))
        self._memory = PromptMemory()
        self._members: tuple[Individual, ...] = ()
        self._pieces = Pieces()
        self._told: Sequence[Evaluation] | None = None
        self._vibe = vibe
        if state:
            self._restore(state)
        self._wording = Wording(self._vocabulary, self._memory, self._rng)
        self._founder = Founder(self._breeder, self._vibe)
        self._directed = DirectedBreeding(self._breeder, self._rng)

    def state(self) -> dict[str, Any]:
        """Return the RNG, the prompts so far and the told archive, ready for ``json.dumps``.

        Of the archive's pieces the ``MAX_PIECES`` most promising are kept. A successor that has not been told the
        archive again varies others by their words only.
        """
        for _ in self._taking_in():
            pass
        kept = {
            member.id: piece.to_json()
            for member in self._pieces.favourites
            if (piece := self._pieces.of(member)) is not None
        }
        return {
            "version": 1,
            "vibe": self._vibe,
            "rng": self._rng.bit_generator.state,
            "prompts": self._memory.to_json(),
            "archive": [
                member.to_json() | ({"description": kept[member.id]} if member.id in kept else {})
                for member in self._members
            ],
        }

    def _restore(self, state: Mapping[str, Any]) -> None:
        self._rng.bit_generator.state = dict(state["rng"])
        self._vibe = str(state.get("vibe", self._vibe))
        self._memory = PromptMemory(str(print_) for print_ in state.get("prompts", ()))
        self._members = tuple(
            Individual.from_json(data, self._vocabulary) for data in state.get("archive", ())
        )
        self._pieces = Pieces(self._members)

    def tell(self, evaluations: Sequence[Evaluation]) -> None:
        """Take the rescored archive. Evaluations without a finite fitness are ignored."""
        self._told = list(evaluations)

    def _taking_in(self) -> Iterator[None]:
        """Work through what was told, a little at each step; whoever gives up in between has taken in nothing yet."""
        told = self._told
        if told is None:
            return
        members = []
        for member in individuals(told, self._vocabulary):
            members.append(member)
            self._features.matrix([member.facets])
            yield
        for evaluation in told:
            self._memory.add(evaluation.candidate.prompt)
            yield
        self._members = tuple(members)
        self._pieces = Pieces(members)
        if self._told is told:  # else something newer was told meanwhile
            self._told = None

    def notices(self) -> tuple[str, ...]:
        """Return nothing: nobody stands in for the offline breeder."""
        return ()

    def note(self) -> str:
        """Return nothing: it writes no notes."""
        return ""

    async def herd(self) -> Herd:
        """Take in what was told and return what others may breed from: its archive, memory, RNG and screen."""
        for _ in self._taking_in():
            await asyncio.sleep(0)
        return Herd(
            members=self._members,
            pieces=self._pieces,
            screen=Screen(self._features, self._members),
            features=self._features,
            memory=self._memory,
            breeder=self._breeder,
            vibe=self._vibe,
            rng=self._rng,
        )

    async def ask(self, brief: Brief) -> list[Proposal]:
        """Return exactly ``brief.count`` proposals, each with a prompt that this run has not had.

        The work is done in stretches of a few milliseconds, between which the event loop gets its turn.
        """
        for _ in self._taking_in():
            await asyncio.sleep(0)
        screen = Screen(self._features, self._members)
        await asyncio.sleep(0)
        drafts = await self._drafts(brief, screen)
        proposals, said = [], []
        for draft in drafts[: brief.count]:
            proposal, facets = self._wording.proposal(draft)
            said.append(Draft(facets=facets, operator=""))
            proposals.append(proposal)
            screen.prepare(facets)
            await asyncio.sleep(0)
        return [
            dataclasses.replace(proposal, predicted=predicted)
            for proposal, predicted in zip(proposals, screen.predict(said), strict=True)
        ]

    async def _drafts(self, brief: Brief, screen: Screen) -> list[Draft]:
        note = ""
        if brief.directive is not Directive.NEXT:
            told = {member.id: member for member in self._members}
            named = dict.fromkeys(int(parent) for parent in brief.parents)
            parents = [told[parent] for parent in named if parent in told]
            if parents:
                return await self._directed.breed(
                    brief, parents, self._members, self._pieces, screen
                )
            note = " (parents unknown)"
        reading = interpret(brief.words, self._vocabulary) if note and brief.words else None
        if reading is not None and reading.stated(self._vocabulary) != Facets():
            founder = Founder(self._breeder, brief.words)
            drafts = await founder.found(brief.count, self._rng)
        elif self._members:
            drafts = await breed_next(
                brief.count, self._breeder, self._members, self._pieces, screen, self._rng
            )
        else:
            drafts = await self._founder.found(brief.count, self._rng)
        return [dataclasses.replace(draft, operator=draft.operator + note) for draft in drafts]
