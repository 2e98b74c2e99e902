"""The searcher by numbers: a genetic algorithm, CMA-ES or an evolution strategy over one of four genomes."""

from __future__ import annotations

import asyncio
import dataclasses
import itertools
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from domain.candidate import Brief, Directive, Evaluation, Proposal
from domain.errors import ConfigError
from evolution.archive import Individual
from evolution.founding import Founder
from evolution.herd import Herd
from evolution.numeric.directed import crossed, varied
from evolution.numeric.embeddings import RATES, EmbeddingGenome, cells_of
from evolution.numeric.engine import Child, Engine, Point
from evolution.numeric.engines import ENGINES
from evolution.numeric.genetic import Genetic, Rates
from evolution.numeric.genome import Genome
from evolution.numeric.places import KEY, Place
from evolution.numeric.spaces import ANCHORS, BANK, PIECES, TOKENS, choose
from evolution.numeric.states import StateTable, packed, unpacked
from evolution.offline import OfflineBreeder
from evolution.operators import Draft
from evolution.wording import Wording
from prompts.levels import clamp
from prompts.vocabulary import shipped

_SUFFIXES = {"": PIECES, "-anchors": ANCHORS, "-bank": BANK, "-tokens": TOKENS}
SEARCHES: Mapping[str, tuple[str, str]] = {
    **{name: (name, PIECES) for name in ENGINES},
    **{
        f"{name}{suffix}": (name, space)
        for suffix, space in _SUFFIXES.items()
        if suffix
        for name in ("ga", "cmaes", "snes")
    },
}
"""Engine and genome of each searcher by numbers."""
FAR = 0.3
"""Fitness that a candidate loses in the search for being wholly away from words."""
NO_STATES = (
    "{name} searches what a text encoder says in place of words, and what plays here is given words alone. Choose "
    "another searcher, such as ga-anchors, or a generator that is given embeddings."
)
_LARGE = 96
"""Rows of a large genome that are kept: a searcher's state is saved with every generation."""
_SATISFIED = 0.6
"""Where the best are thought to be worth this much, nothing more is in doubt."""
_EXPLORING, _IN_DOUBT = 0.15, 0.5
"""Share of a generation that is new altogether, and how much more of it while nothing is liked."""


class NumericSearcher:
    """A ``Searcher`` that asks an engine for rows of numbers and says them in words.

    Every ``ask`` makes the engine afresh and tells it all steps of the run under today's fitness, so nothing that it
    believes is older than the last vote. What people ask for by name (variations, crosses, remixes) is bred by the
    offline breeder, whose archive, memory and RNG this searcher shares; so are the prompts before there is anything to
    search among, and a few in every generation that look elsewhere. Variations and crosses of embeddings are
    embeddings again, near their parents or between them.
    """

    def __init__(
        self,
        name: str,
        *,
        seed: int,
        vibe: str = "",
        state: Mapping[str, Any] | None = None,
        rates: Rates | None = None,
        table: StateTable | None = None,
    ) -> None:
        """Start a run, or go on with one.

        Args:
            name: A key of ``SEARCHES``.
            seed: The run's seed.
            vibe: What the run is about, in a person's words; may be empty.
            state: From ``state()`` of the searcher that this one succeeds; an offline breeder's will do.
            rates: How a genetic algorithm breeds, where it is not as usual.
            table: What searches over embeddings search: states of the run's generator.

        Raises:
            ConfigError: There is no table for a search over embeddings.
        """
        self.name = name
        self._engine, self._wanted = SEARCHES[name]
        if self._wanted == TOKENS and table is None:
            raise ConfigError(NO_STATES.format(name=name))
        self._table = table
        self._rates = rates or (RATES if self._wanted == TOKENS else None)
        self._vocabulary = shipped()
        state = state or {}
        self._offline = OfflineBreeder(
            seed=seed, vibe=vibe, state=state.get("offline", state), vocabulary=self._vocabulary
        )
        self._places: dict[int, Place] = {}
        for key, data in state.get("places", {}).items():
            place = Place.from_json(data)
            if place is not None:
                self._places[int(key)] = place
        self._step = int(state.get("step", 0))
        root = state.get("root")
        self._root = Individual.from_json(root, self._vocabulary) if root else None

    def state(self) -> dict[str, Any]:
        """Return the offline breeder's state, where its archive lies, and the root, ready for ``json.dumps``."""
        offline = self._offline.state()
        kept = [int(member["id"]) for member in offline["archive"]]
        root = self._root
        return {
            "version": 1,
            "offline": offline,
            "places": {
                str(one): self._places[one].to_json() for one in kept if one in self._places
            },
            "step": self._step,
            "root": None if root is None else root.to_json() | {"description": root.description},
        }

    def tell(self, evaluations: Sequence[Evaluation]) -> None:
        """Take the rescored archive. Evaluations without a finite fitness are ignored."""
        self._offline.tell(evaluations)
        found = {
            int(one.candidate.id): self._place(one.candidate.genome)
            for one in self._kept(evaluations)
            if isinstance(one.candidate.genome, Mapping)
        }
        self._places = {one: place for one, place in found.items() if place is not None}

    def _kept(self, evaluations: Sequence[Evaluation]) -> Sequence[Evaluation]:
        """Return those whose places are kept: all of a small genome, the best and the latest of a large one."""
        if self._wanted != TOKENS or len(evaluations) <= _LARGE:
            return evaluations
        best = sorted(evaluations[: -_LARGE // 2], key=lambda one: -_finite(one.fitness))
        return [*best[: _LARGE // 2], *evaluations[-_LARGE // 2 :]]

    def _place(self, genome: Mapping[str, Any]) -> Place | None:
        """Return where a candidate lies; that of an embedding is read from the embedding itself."""
        place = Place.from_json(genome.get(KEY))
        if place is None or place.space != TOKENS or self._table is None:
            return place
        states = unpacked(genome.get("embedding"), self._table.width)
        cells = cells_of(self._table, states)
        return dataclasses.replace(place, where={} if cells is None else {"cells": cells})

    def notices(self) -> tuple[str, ...]:
        """Return nothing: no outside help is used, so none can fail."""
        return ()

    def note(self) -> str:
        """Return nothing: it writes no notes."""
        return ""

    async def ask(self, brief: Brief) -> list[Proposal]:
        """Return exactly ``brief.count`` proposals, each with a prompt that this run has not had."""
        if brief.directive is not Directive.NEXT:
            return await self._directed(brief) or await self._offline.ask(brief)
        herd = await self._offline.herd()
        space = choose(self._wanted, herd, self._places, self._root, self._table)
        exploring = brief.count if space is None else _exploring(brief.count, herd)
        self._begin_step()
        if space is not None and isinstance(space[1], EmbeddingGenome):
            exploring = exploring if self._places else brief.count
            drafts = await self._searched(brief.count - exploring, herd, *space)
            drafts += [
                (draft, self._placed(TOKENS, far, {}))
                for draft, far in await space[1].found(exploring, herd.rng)
            ]
            return self._proposals(drafts, herd)
        drafts = []
        if space is not None:
            drafts += await self._searched(brief.count - exploring, herd, *space)
        founder = Founder(herd.breeder, herd.vibe)
        drafts += [(draft, None) for draft in await founder.found(exploring, herd.rng)]
        return self._proposals(drafts, herd)

    def _placed(self, space: str, far: float, where: Mapping[str, Any]) -> Place:
        return Place(space=space, step=self._step, far=round(far, 4), where=where)

    async def _searched(
        self, count: int, herd: Herd, name: str, genome: Genome
    ) -> list[tuple[Draft, Place | None]]:
        """Tell a new engine everything, and return ``count`` drafts of what it proposes with their places."""
        self._root = getattr(genome, "root", None) or self._root
        if self._engine == "ga":
            engine: Engine = Genetic(genome.start, genome.spread, self._rates)
        else:
            engine = ENGINES[self._engine](genome.start, genome.spread)
        steps = await self._points(herd, name, genome)
        await _tell(engine, steps)
        points = [point for _, point in steps]
        return await self._drafts(engine.ask(count, herd.rng), points, name, genome)

    async def _directed(self, brief: Brief) -> list[Proposal]:
        """Return children of named embeddings; none of other parents, or where words are to change them."""
        if self._wanted != TOKENS or brief.directive is Directive.REMIX:
            return []
        herd = await self._offline.herd()
        space = choose(self._wanted, herd, self._places, self._root, self._table)
        if space is None:
            return []
        points = {point.id: point for _, point in await self._points(herd, *space)}
        named = dict.fromkeys(int(parent) for parent in brief.parents)
        if not named or not named.keys() <= points.keys():
            return []
        parents = [points[one] for one in named]
        spread = space[1].spread
        if brief.directive is Directive.VARY:
            children = varied(parents, spread, brief.count, herd.rng)
        else:
            others = list(points.values())
            children = crossed(parents, others, spread, brief.count, herd.rng)
        self._begin_step()
        return self._proposals(await self._drafts(children, parents, *space), herd)

    async def _drafts(
        self, children: Sequence[Child], points: Sequence[Point], name: str, genome: Genome
    ) -> list[tuple[Draft, Place | None]]:
        """Return children in words, with their places; one without parents is the nearest point's."""
        out: list[tuple[Draft, Place | None]] = []
        for child in children:
            draft, far = genome.draft(child.row)
            parents = child.parents or draft.parents or _nearest(child, points)
            made = dataclasses.replace(
                draft, operator=f"{self._engine}:{child.how}", parents=parents
            )
            out.append((made, self._placed(name, far, genome.place(child.row))))
            await asyncio.sleep(0)
        return out

    async def _points(self, herd: Herd, name: str, genome: Genome) -> list[tuple[int, Point]]:
        """Return the points of the run with their steps, in the order of these.

        A candidate that others made belongs to the step that was the latest when it was told.
        """
        steps: list[tuple[int, Point]] = []
        latest = 0
        for member in herd.members:
            place = self._places.get(member.id)
            if place is not None and place.space != name:
                place = None
            row = genome.row(member, place.where if place is not None else None)
            if row is None:
                continue
            latest = max(latest, place.step if place is not None else 0)
            worth = member.fitness - (FAR * place.far if place is not None else 0.0)
            step = place.step if place is not None else latest
            steps.append((step, Point(id=member.id, row=row, fitness=worth)))
            await asyncio.sleep(0)
        return sorted(steps, key=lambda one: one[0])

    def _begin_step(self) -> None:
        self._step = max([self._step, *(place.step for place in self._places.values())]) + 1

    def _proposals(
        self, drafts: Sequence[tuple[Draft, Place | None]], herd: Herd
    ) -> list[Proposal]:
        wording = Wording(self._vocabulary, herd.memory, herd.rng)
        said, proposals = [], []
        for draft, place in drafts:
            proposal, facets = wording.proposal(draft)
            said.append(Draft(facets=facets, operator=""))
            if place is not None:
                genome = {**proposal.genome, KEY: place.to_json()}
                if proposal.embedding:
                    states = np.frombuffer(proposal.embedding, dtype=np.float32)
                    genome["embedding"] = packed(states)
                proposal = dataclasses.replace(proposal, genome=genome)
            proposals.append(proposal)
        expected = herd.screen.predict(said)
        return [
            dataclasses.replace(proposal, predicted=predicted)
            for proposal, predicted in zip(proposals, expected, strict=True)
        ]


def _exploring(count: int, herd: Herd) -> int:
    """Return how many of a generation are new altogether."""
    doubt = clamp((_SATISFIED - herd.screen.level) / 0.2)
    return min(max(round(count * (_EXPLORING + _IN_DOUBT * doubt)), 1), max(count - 1, 0))


async def _tell(engine: Engine, steps: Sequence[tuple[int, Point]]) -> None:
    """Tell an engine the steps of the run in their order; one of a single point is told together with the next one."""
    waiting: list[Point] = []
    for _, group in itertools.groupby(steps, key=lambda one: one[0]):
        waiting += [point for _, point in group]
        if len(waiting) > 1:
            engine.tell(waiting)
            waiting = []
        await asyncio.sleep(0)
    if waiting:
        engine.tell(waiting)


def _nearest(child: Child, points: Sequence[Point]) -> tuple[int, ...]:
    """Return the told candidate that lies nearest to a child drawn from a distribution."""
    if not points:
        return ()
    return (min(points, key=lambda point: float(np.linalg.norm(point.row - child.row))).id,)


def _finite(fitness: float) -> float:
    return fitness if np.isfinite(fitness) else -np.inf
