"""Searchers with a language model: evolve, full, and auto, which mixes both with the offline breeder by credit."""

from __future__ import annotations

import asyncio
import dataclasses
import math
from collections.abc import Mapping, Sequence
from typing import Any

from domain.candidate import Brief, Directive, Evaluation, Proposal
from domain.ids import CandidateId
from evolution.archive import Individual
from evolution.herd import Herd
from evolution.language.calling import Caller
from evolution.language.credit import ARMS, EVOLVED, FULL, OFFLINE, Told, allocate, merits
from evolution.language.directed import breed_directed
from evolution.language.drafting import Drafting, Written
from evolution.language.evolve import Evolution
from evolution.language.full import WholePopulation
from evolution.language.kit import LanguageKit
from evolution.language.reflection import LONGEST_NOTE, ranking_of, reflect
from evolution.memory import fingerprint
from evolution.offline import OfflineBreeder
from prompts.operators import STAND_IN
from prompts.vocabulary import Vocabulary

MIXES: Mapping[str, tuple[str, ...]] = {
    "evolve": (EVOLVED,),
    "full": (FULL,),
    "auto": ARMS,
}
"""What each searcher's candidates come from."""
NO_MODEL = "The offline breeder writes the prompts; no language model is set up."
_TO_CHOOSE = 1.5
"""Drafts that auto wants of the model for each one that it proposes."""
_LONGEST_PROMPT = 500


class LanguageSearcher:
    """A ``Searcher`` that has prompts written by a language model.

    Archive, memory and RNG are those of an offline breeder, which also makes whatever the model fails to: the operator
    of such a proposal begins with ``"offline:"``, and ``notices`` says why.
    """

    def __init__(
        self,
        name: str,
        *,
        seed: int,
        vibe: str = "",
        state: Mapping[str, Any] | None = None,
        kit: LanguageKit | None = None,
        vocabulary: Vocabulary | None = None,
    ) -> None:
        """Start a run, or go on with one.

        Args:
            name: A key of ``MIXES``.
            seed: The run's seed.
            vibe: What the run is about, in a person's words; may be empty.
            state: From ``state()`` of the searcher that this one succeeds; an offline breeder's will do.
            kit: The model and what it is told; ``None`` leaves everything to the offline breeder.
            vocabulary: The shipped one unless given.
        """
        self.name = name
        self._arms = MIXES[name]
        self._kit = kit
        state = state or {}
        self._offline = OfflineBreeder(
            seed=seed, vibe=vibe, state=state.get("offline", state), vocabulary=vocabulary
        )
        self._told = {int(key): Told.from_json(one) for key, one in state.get("told", {}).items()}
        self._note = str(state.get("note", ""))[:LONGEST_NOTE]
        noted = state.get("noted", ())  # a number in older states: then the note is written anew
        self._noted = frozenset(map(int, noted) if isinstance(noted, list) else ())
        self._notices = tuple(str(one) for one in state.get("notices", ()))

    def state(self) -> dict[str, Any]:
        """Return the offline breeder's state, the told prompts, the note and the notices, ready for ``json.dumps``."""
        offline = self._offline.state()
        kept = {int(member["id"]) for member in offline["archive"]}
        return {
            "version": 1,
            "offline": offline,
            "told": {str(key): one.to_json() for key, one in self._told.items() if key in kept},
            "note": self._note,
            "noted": sorted(self._noted),
            "notices": list(self._notices),
        }

    def tell(self, evaluations: Sequence[Evaluation]) -> None:
        """Take the rescored archive. Evaluations without a finite fitness are ignored."""
        self._offline.tell(evaluations)
        self._told = {
            int(one.candidate.id): Told(
                prompt=one.candidate.prompt[:_LONGEST_PROMPT], generation=one.candidate.generation
            )
            for one in evaluations
            if math.isfinite(one.fitness)
        }

    def notices(self) -> tuple[str, ...]:
        """Return why the offline breeder stood in during the last ``ask``, and for how much."""
        return self._notices

    def note(self) -> str:
        """Return what the model has noted of what this herd likes."""
        return self._note

    async def ask(self, brief: Brief) -> list[Proposal]:
        """Return exactly ``brief.count`` proposals, each with a prompt that this run has not had."""
        self._notices = ()
        herd = await self._offline.herd()
        named = dict.fromkeys(int(parent) for parent in brief.parents)
        members = {member.id: member for member in herd.members if member.id in self._told}
        parents = [members[number] for number in named if number in members]
        if self._kit is None:
            self._notices = (NO_MODEL,)
            return await self._filled(brief, [], parents)
        if brief.directive is not Directive.NEXT and not parents:
            return await self._filled(brief, [], parents)
        caller = Caller(self._kit, brief.account, brief.count)
        if brief.directive is Directive.NEXT:
            drafts, planned = await self._next(brief, herd, caller)
        else:
            planned = brief.count // 2 if OFFLINE in self._arms else 0
            part = dataclasses.replace(brief, count=brief.count - planned)
            drafts = await breed_directed(part, parents, herd, self._told, caller)
        proposals = Drafting(herd).proposals(distinct(drafts)[: brief.count - planned])
        self._explain(caller, brief.count, brief.count - planned - len(proposals))
        return await self._filled(brief, proposals, parents)

    async def _next(self, brief: Brief, herd: Herd, caller: Caller) -> tuple[list[Written], int]:
        """Return drafts of the model, and how many candidates are the offline breeder's share."""
        earned = merits(herd.members, self._told)
        shares = allocate(self._arms, earned, brief.count, herd.rng)
        evolution = Evolution(herd, self._told, caller, brief)
        whole = WholePopulation(herd, self._told, caller, brief, self._note)
        alone = not shares.get(OFFLINE, 0)  # else that one explores for all
        more = 1.0 if alone else _TO_CHOOSE
        evolved, full, _ = await asyncio.gather(
            evolution.breed(math.ceil(more * shares.get(EVOLVED, 0)), exploring=alone),
            whole.breed(math.ceil(more * shares.get(FULL, 0)), exploring=alone),
            self._reflect(herd, brief, caller),
        )
        if evolution.problem and shares.get(EVOLVED):
            self._notices = (
                f"The operators cannot be used, and the shipped ones were: {evolution.problem}",
            )
        if alone:
            return [*evolved, *full], 0
        return self._best(herd, {EVOLVED: evolved, FULL: full}, shares), shares[OFFLINE]

    def _best(
        self, herd: Herd, bred: Mapping[str, Sequence[Written]], shares: Mapping[str, int]
    ) -> list[Written]:
        """Choose among the drafts of all: half of its share is certain to each, the rest goes to the most promising."""
        certain = [draft for arm, some in bred.items() for draft in some[: (shares[arm] + 1) // 2]]
        taken = {id(draft) for draft in certain}
        rest = [
            draft for some in bred.values() for draft in distinct(some) if id(draft) not in taken
        ]
        open_places = sum(shares[arm] for arm in bred) - len(certain)
        chosen = herd.screen.choose(rest, open_places, herd.rng, daring=0.2)
        best = [*certain, *(draft for draft in chosen if isinstance(draft, Written))]
        return [*best, *(draft for draft in rest if not any(draft is one for one in best))]

    async def _reflect(self, herd: Herd, brief: Brief, caller: Caller) -> None:
        """Bring the note up to date where people have said something new, or taken something back.

        Which candidates were rated decides, not how many: an archive of a long run holds about as many in every round.
        """
        if FULL not in self._arms:
            return
        rated = frozenset(member.id for member in herd.members if member.rated)
        if not rated:  # nobody has said anything, or nothing is left of it
            self._note, self._noted = "", rated
        if rated == self._noted & {member.id for member in herd.members}:
            return
        note = await reflect(ranking_of(herd.members, self._told), self._note, brief, caller)
        if note:
            self._note, self._noted = note, rated

    def _explain(self, caller: Caller, count: int, missing: int) -> None:
        """Say what the offline breeder does beyond its share, and why."""
        if missing < 1:
            return
        how_many = f"all {count}" if missing >= count else f"{missing} of the {count}"
        why = caller.problem or "The language model gave too few new prompts."
        instead = f"{why} The built-in breeder wrote {how_many} prompts in its place."
        self._notices = (*self._notices, instead)

    async def _filled(
        self, brief: Brief, proposals: Sequence[Proposal], parents: Sequence[Individual]
    ) -> list[Proposal]:
        """Return ``proposals`` and as many of the offline breeder's as are missing."""
        missing = brief.count - len(proposals)
        if missing < 1:
            return list(proposals)
        if parents:  # those that have no child yet come first
            having = {int(number) for one in proposals for number in one.parents}
            order = sorted(parents, key=lambda parent: parent.id in having)
            wanted = tuple(CandidateId(parent.id) for parent in order)
            brief = dataclasses.replace(brief, parents=wanted)
        made = await self._offline.ask(dataclasses.replace(brief, count=missing))
        return [
            *proposals,
            *(dataclasses.replace(one, operator=STAND_IN + one.operator) for one in made),
        ]


def distinct(drafts: Sequence[Written]) -> list[Written]:
    """Return drafts in their order without those whose words an earlier one has."""
    found: dict[str, Written] = {}
    for draft in drafts:
        found.setdefault(fingerprint(draft.prompt), draft)
    return list(found.values())
