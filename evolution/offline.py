"""The offline breeder: evolves prompts as facets, with no model and no network."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from domain.candidate import Brief, Directive, Evaluation, Proposal
from domain.facets import TONICS, Facets
from domain.ids import CandidateId
from evolution.archive import Individual, individuals
from evolution.facets_ops import Breeder
from evolution.founding import Founder
from evolution.memory import PromptMemory
from evolution.operators import Draft, Nursery, vary
from evolution.remix import remix
from evolution.screening import Screen
from evolution.selection import elites
from evolution.surrogate import FeatureMap
from prompts.levels import FASTEST, SLOWEST, clamp
from prompts.reader import interpret
from prompts.vocabulary import Vocabulary, shipped
from prompts.writer import write, written

BREED_FACTOR = 8
"""Texts bred for each one that is proposed."""
MIN_FAMILIES = 3
"""Families that every generation of at least as many proposals has."""
_SATISFIED = 0.6
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
            state: From ``state()`` of the searcher that this one succeeds.
            vocabulary: The shipped one unless given.
        """
        self._vocabulary = vocabulary or shipped()
        self._breeder = Breeder(self._vocabulary)
        self._features = FeatureMap(self._vocabulary)
        self._rng = np.random.Generator(np.random.PCG64(seed))
        self._memory = PromptMemory()
        self._members: tuple[Individual, ...] = ()
        self._vibe = vibe
        if state is not None:
            self._restore(state)
        self._founder = Founder(self._breeder, self._vibe)

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
        """Return exactly ``brief.count`` proposals, each with a prompt that this run has not had."""
        screen = Screen(self._features, self._members)
        drafts = self._drafts(brief, screen)
        proposals = [self._proposal(draft) for draft in drafts[: brief.count]]
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
                return self._directed(brief, parents, screen)
            note = " (parents unknown)"
        reading = interpret(brief.words, self._vocabulary) if note and brief.words else None
        if reading is not None and reading.stated(self._vocabulary) != Facets():
            founder = Founder(self._breeder, brief.words)
            drafts = founder.found(brief.count, self._rng)
        elif self._members:
            drafts = self._next(brief.count, screen)
        else:
            drafts = self._founder.found(brief.count, self._rng)
        return [dataclasses.replace(draft, operator=draft.operator + note) for draft in drafts]

    # The next generation of a run.

    def _next(self, count: int, screen: Screen) -> list[Draft]:
        """Breed most of a generation from what is liked and keep some slots for other families."""
        exploring = self._exploring(count, screen)
        nursery = Nursery(self._breeder, self._members, self._rng)
        bred = [nursery.exploit() for _ in range(BREED_FACTOR * (count - exploring))]
        chosen = screen.choose(bred, count - exploring, self._rng, daring=0.2)
        while len(chosen) < count - exploring:  # too many were alike
            parent = nursery.parent()
            chosen.append(vary(self._breeder, parent, 0.5, self._rng))
        return [*chosen, *self._explorers(chosen, exploring, nursery, screen)]

    def _exploring(self, count: int, screen: Screen) -> int:
        """Return how many slots explore: a quarter once the best are liked, three quarters while nothing is.

        Liked means what the best three are thought to be worth, so a run that finds nothing keeps looking around.
        """
        doubt = clamp((_SATISFIED - screen.level) / 0.2)
        wanted = round(count * (0.25 + 0.5 * doubt))
        return min(max(wanted, MIN_FAMILIES - 1), max(count - 1, 0))

    def _explorers(
        self, chosen: Sequence[Draft], count: int, nursery: Nursery, screen: Screen
    ) -> list[Draft]:
        """Choose ``count`` drafts of families that are rare among ``chosen``, no two of the same while others are left.

        Which families to look into is a draw from the posterior, so those that might be liked come first and those
        that were tried without success come back now and then.
        """
        used = Counter(draft.facets.family for draft in chosen)
        out: list[Draft] = []
        while len(out) < count:
            least = min(used[family] for family in self._breeder.families)
            open_families = [f for f in self._breeder.families if used[f] == least]
            order = self._rng.permutation(len(open_families))[: 2 * BREED_FACTOR]
            drafts = [nursery.explore(open_families[index]) for index in order]
            best = screen.choose(drafts, 1, self._rng, daring=1.0)[0]
            used[best.facets.family] += 1
            out.append(best)
        return out

    # What a person asked for.

    def _directed(self, brief: Brief, parents: Sequence[Individual], screen: Screen) -> list[Draft]:
        make = {
            Directive.VARY: self._varied,
            Directive.CROSS: self._crossed,
            Directive.REMIX: self._remixed,
        }[brief.directive]
        drafts = make(brief, parents)
        out: list[Draft] = []
        for index, parent in enumerate(parents[: brief.count]):
            share = len(range(index, brief.count, len(parents)))
            own = [draft for draft in drafts if draft.parents[0] == parent.id]
            chosen = screen.choose(own, share, self._rng, daring=0.5)
            rest = (draft for draft in own if draft not in chosen)
            out += [*chosen, *(next(rest, own[0]) for _ in range(share - len(chosen)))]
        return out

    def _varied(self, brief: Brief, parents: Sequence[Individual]) -> list[Draft]:
        return [
            vary(
                self._breeder,
                parents[index % len(parents)],
                0.5 if index % 4 == 3 else 0.25,
                self._rng,
            )
            for index in range(3 * brief.count)
        ]

    def _crossed(self, brief: Brief, parents: Sequence[Individual]) -> list[Draft]:
        pool = list(parents)
        if len(pool) == 1:
            order = elites([member.promise for member in self._members], 6)
            pool += [self._members[i] for i in order if self._members[i].id != pool[0].id]
        drafts = []
        for index in range(3 * brief.count):
            mother = pool[index % len(parents)]
            mates = [member for member in pool if member.id != mother.id]
            if not mates:
                drafts.append(vary(self._breeder, mother, 0.5, self._rng))
                continue
            father = mates[int(self._rng.integers(len(mates)))]
            child = self._breeder.cross(mother.facets, father.facets, self._rng)
            drafts.append(Draft(facets=child, operator="cross", parents=(mother.id, father.id)))
        return drafts

    def _remixed(self, brief: Brief, parents: Sequence[Individual]) -> list[Draft]:
        """Apply the words to each parent; beyond that only change what the words do not touch."""
        reading = interpret(brief.words, self._vocabulary)
        drafts = []
        for index in range(3 * brief.count):
            parent = parents[index % len(parents)]
            start = parent
            if index >= len(parents):
                start = dataclasses.replace(
                    parent, facets=vary(self._breeder, parent, 0.2, self._rng).facets
                )
            child = remix(start.facets, reading, self._vocabulary)
            drafts.append(Draft(facets=child, operator="remix", parents=(parent.id,)))
        return drafts

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
