"""What a searcher has been told, in the shape it breeds from."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from domain.candidate import Evaluation
from domain.facets import Facets
from evolution.selection import elites
from prompts.levels import clamp
from prompts.reader import read
from prompts.tidy import tidy
from prompts.vocabulary import Vocabulary

T = TypeVar("T")

MAX_ELITES = 128
MAX_RECENT = 128
"""An archive keeps its best and its latest; more would only slow the breeder down."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Individual:
    """A told candidate.

    Attributes:
        id: Its ``CandidateId`` as a plain number.
        fitness: As told, limited to [0, 1].
        uncertainty: As told, limited to [0, 1].
        description: What was played, as JSON that nobody has checked, where the candidate has it; see
            ``evolution.pieces``.
    """

    id: int
    facets: Facets
    operator: str
    parents: tuple[int, ...]
    fitness: float
    uncertainty: float
    rated: bool
    description: Mapping[str, Any] | None = None

    @property
    def promise(self) -> float:
        """Fitness with a bonus for what is not yet known about it."""
        return self.fitness + 0.3 * self.uncertainty

    def to_json(self) -> dict[str, Any]:
        """Return it for the searcher's state, without its description."""
        return {
            "id": self.id,
            "facets": self.facets.to_json(),
            "operator": self.operator,
            "parents": list(self.parents),
            "fitness": self.fitness,
            "uncertainty": self.uncertainty,
            "rated": self.rated,
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any], vocabulary: Vocabulary) -> Individual:
        """Rebuild from ``to_json``."""
        return cls(
            id=int(data["id"]),
            facets=tidy(data["facets"], vocabulary),
            operator=str(data["operator"]),
            parents=tuple(int(parent) for parent in data["parents"]),
            fitness=float(data["fitness"]),
            uncertainty=float(data["uncertainty"]),
            rated=bool(data["rated"]),
            description=data.get("description"),
        )


def individuals(evaluations: Iterable[Evaluation], vocabulary: Vocabulary) -> Iterator[Individual]:
    """Turn evaluations into individuals one by one, in their order.

    One without a finite fitness is left out. A genome of another searcher is read from its prompt. Of a long list the
    best ``MAX_ELITES`` and the latest ``MAX_RECENT`` stay.
    """
    found = {
        int(evaluation.candidate.id): evaluation
        for evaluation in evaluations
        if math.isfinite(evaluation.fitness)
    }
    kept = bounded(list(found.values()), [evaluation.fitness for evaluation in found.values()])
    for evaluation in kept:
        yield _individual(evaluation, vocabulary)


def bounded(members: Sequence[T], fitness: Sequence[float]) -> list[T]:
    """Keep the best and the latest of ``members``, in their order."""
    if len(members) <= MAX_ELITES + MAX_RECENT:
        return list(members)
    best = set(elites(fitness, MAX_ELITES))
    first_recent = len(members) - MAX_RECENT
    return [
        member for index, member in enumerate(members) if index in best or index >= first_recent
    ]


def _individual(evaluation: Evaluation, vocabulary: Vocabulary) -> Individual:
    candidate = evaluation.candidate
    genome = candidate.genome if isinstance(candidate.genome, Mapping) else {}
    facets = tidy(genome, vocabulary)
    if facets == Facets():
        facets = tidy(read(candidate.prompt, vocabulary), vocabulary)
    played = genome.get("description")
    spread = evaluation.uncertainty if math.isfinite(evaluation.uncertainty) else 0.0
    return Individual(
        id=int(candidate.id),
        facets=facets,
        operator=candidate.operator,
        parents=tuple(int(parent) for parent in candidate.parents),
        fitness=clamp(evaluation.fitness),
        uncertainty=clamp(spread),
        rated=evaluation.rated,
        description=played if isinstance(played, Mapping) else None,
    )
