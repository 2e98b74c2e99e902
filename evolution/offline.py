"""The offline breeder: evolves prompts as facets, with no model and no network."""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from domain.candidate import Brief, Directive, Evaluation, Proposal
from domain.facets import TONICS, Facets
from domain.ids import CandidateId
from evolution.archive import Individual, individuals
from evolution.breeding import breed_next
from evolution.directed import DirectedBreeding
from evolution.facets_ops import Breeder
from evolution.founding import Founder
from evolution.memory import PromptMemory
from evolution.operators import Draft
from evolution.screening import Screen
from evolution.surrogate import FeatureMap
from prompts.levels import FASTEST, SLOWEST
from prompts.reader import interpret
from prompts.vocabulary import Vocabulary, shipped
from prompts.writer import write, written

_SEED_LIMIT = 2**31


class OfflineBreeder:
    """A ``Searcher`` that crosses and mutates facets; see ``evolution/searcher.py`` for the seam.

    It keeps no more than the told archive, its RNG and the prompts it has had. What an operator has earned and what a
    text is expected to be worth are worked out afresh from the archive, so a rescored archive is never half believed.
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
        self._vibe = vibe
        if state:
            self._restore(state)
        self._founder = Founder(self._breeder, self._vibe)
        self._directed = DirectedBreeding(self._breeder, self._rng)

    def state(self) -> dict[str, Any]:
        """Return the RNG, the prompts so far and the told archive, ready for ``json.dumps``."""
        return {
            "version": 1,
            "vibe": self._vibe,
            "rng": self._rng.bit_generator.state,
            "prompts": self._memory.to_json(),
            "archive": [member.to_json() for member in self._members],
        }

    def _restore(self, state: Mapping[str, Any]) -> None:
        self._rng.bit_generator.state = dict(state["rng"])
        self._vibe = str(state.get("vibe", self._vibe))
        self._memory = PromptMemory(str(print_) for print_ in state.get("prompts", ()))
        self._members = tuple(
            Individual.from_json(data, self._vocabulary) for data in state.get("archive", ())
        )

    def tell(self, evaluations: Sequence[Evaluation]) -> None:
        """Take the rescored archive. Evaluations without a finite fitness are ignored."""
        self._members = individuals(evaluations, self._vocabulary)
        for evaluation in evaluations:
            self._memory.add(evaluation.candidate.prompt)

    async def ask(self, brief: Brief) -> list[Proposal]:
        """Return exactly ``brief.count`` proposals, each with a prompt that this run has not had.

        Twenty milliseconds of work for a usual generation; the event loop gets its turn in between.
        """
        screen = Screen(self._features, self._members)
        await asyncio.sleep(0)
        drafts = self._drafts(brief, screen)
        proposals = []
        for draft in drafts[: brief.count]:
            await asyncio.sleep(0)
            proposals.append(self._proposal(draft))
        predictions = screen.predict(
            [Draft(facets=Facets.from_json(p.genome), operator="") for p in proposals]
        )
        return [
            dataclasses.replace(proposal, predicted=predicted)
            for proposal, predicted in zip(proposals, predictions, strict=True)
        ]

    def _drafts(self, brief: Brief, screen: Screen) -> list[Draft]:
        note = ""
        if brief.directive is not Directive.NEXT:
            told = {member.id: member for member in self._members}
            named = dict.fromkeys(int(parent) for parent in brief.parents)
            parents = [told[parent] for parent in named if parent in told]
            if parents:
                return self._directed.breed(brief, parents, self._members, screen)
            note = " (parents unknown)"
        reading = interpret(brief.words, self._vocabulary) if note and brief.words else None
        if reading is not None and reading.stated(self._vocabulary) != Facets():
            founder = Founder(self._breeder, brief.words)
            drafts = founder.found(brief.count, self._rng)
        elif self._members:
            drafts = breed_next(brief.count, self._breeder, self._members, screen, self._rng)
        else:
            drafts = self._founder.found(brief.count, self._rng)
        return [dataclasses.replace(draft, operator=draft.operator + note) for draft in drafts]

    # From drafts to proposals.

    def _proposal(self, draft: Draft) -> Proposal:
        facets, prompt = self._worded(draft.facets)
        self._memory.add(prompt)
        return Proposal(
            prompt=prompt,
            genome=facets.to_json(),
            operator=draft.operator,
            parents=tuple(CandidateId(parent) for parent in draft.parents),
            seed=int(self._rng.integers(_SEED_LIMIT)),
        )

    def _worded(self, facets: Facets) -> tuple[Facets, str]:
        """Find words for ``facets`` that this run has not had, changing small things where all were had."""
        for attempt in range(24):
            if attempt >= 6:
                facets = dataclasses.replace(
                    facets,
                    tempo=float(self._rng.integers(int(SLOWEST), int(FASTEST) + 1)),
                    tonic=TONICS[int(self._rng.integers(len(TONICS)))]
                    if attempt >= 12
                    else facets.tonic,
                )
            prompt = write(facets, self._rng, self._vocabulary)
            if prompt not in self._memory:
                return written(facets, self._vocabulary), prompt
        number = 2
        while f"{prompt}, take {number}" in self._memory:
            number += 1
        return written(facets, self._vocabulary), f"{prompt}, take {number}"
