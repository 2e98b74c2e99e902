"""From drafts to proposals: finds words that a run has not had."""

from __future__ import annotations

import dataclasses

import numpy as np

from domain.candidate import Proposal
from domain.facets import TONICS, Facets
from domain.ids import CandidateId
from evolution.memory import PromptMemory
from evolution.operators import Draft
from prompts.levels import FASTEST, SLOWEST
from prompts.vocabulary import Vocabulary
from prompts.writer import write, written

_SEED_LIMIT = 2**31


class Wording:
    """Writes the prompts of one run."""

    def __init__(
        self, vocabulary: Vocabulary, memory: PromptMemory, rng: np.random.Generator
    ) -> None:
        """Write with the run's own ``rng``; what is written goes into its ``memory``."""
        self._vocabulary = vocabulary
        self._memory = memory
        self._rng = rng

    def proposal(self, draft: Draft) -> tuple[Proposal, Facets]:
        """Return a draft as a proposal, and what its prompt says."""
        facets, prompt = self._worded(draft)
        self._memory.add(prompt)
        genome = facets.to_json()
        if draft.description is not None:
            genome["description"] = draft.description.to_json()
        made = Proposal(
            prompt=prompt,
            genome=genome,
            operator=draft.operator,
            parents=tuple(CandidateId(parent) for parent in draft.parents),
            seed=int(self._rng.integers(_SEED_LIMIT)),
            embedding=draft.embedding,
        )
        return made, facets

    def _worded(self, draft: Draft) -> tuple[Facets, str]:
        """Find words for a draft that this run has not had, changing small things where all were had.

        A piece is not changed for the sake of its words: where all were had, its prompt gets a number.
        """
        facets = draft.facets
        for attempt in range(24 if draft.description is None else 6):
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
