"""How children are made from the archive, and how much credit each way has earned in this run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from domain.description import Description
from domain.facets import Facets
from evolution.archive import Individual
from evolution.facets_ops import LATE_AXES, MUTABLE, Breeder
from prompts.operators import STAND_IN

PRIORS: Mapping[str, float] = {
    "cross": 3.0,
    "retain": 1.5,
    "vary:subtle": 2.0,
    "vary:bold": 0.8,
    "splice": 1.8,
    "splice:bars": 0.8,
    "mutate:instruments": 1.2,
    "mutate:moods": 1.0,
    "mutate:genre": 1.0,
    "mutate:tempo": 0.8,
    **{
        f"mutate:{field}": 0.35
        for field in MUTABLE
        if field not in ("instruments", "moods", "genre", "tempo")
    },
    **{f"mutate:{field}": 0.2 for field in MUTABLE if field in LATE_AXES},
}
"""How often an exploiting operator is used before anything is known about it, relative to the others."""
WITH_PIECES = ("vary:bold", "splice", "splice:bars")
"""Operators that need parents whose pieces are known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A child that may become a proposal.

    Attributes:
        facets: What its prompt will say.
        operator: What made it.
        parents: Told candidates that it comes from.
        description: The piece that it is, telling the same as ``facets``; ``None`` leaves composing to the words.
        embedding: What a text encoder would say of it, float32, flattened; ``b""`` leaves that to the words.
    """

    facets: Facets
    operator: str
    parents: tuple[int, ...] = ()
    description: Description | None = None
    embedding: bytes = b""


def credit(members: Sequence[Individual]) -> dict[str, float]:
    """Return the weight of every operator of ``PRIORS``: its prior times what its children gained over their parents.

    The gain is the mean of child minus parents, shrunk by three pretended children without gain, so that one lucky
    child moves little; a tenth of the prior is always kept.
    """
    fitness = {member.id: member.fitness for member in members}
    gains: dict[str, list[float]] = {name: [] for name in PRIORS}
    for member in members:
        parents = [fitness[parent] for parent in member.parents if parent in fitness]
        operator = member.operator.removeprefix(STAND_IN)
        if parents and operator in gains:
            gains[operator].append(member.fitness - sum(parents) / len(parents))
    return {
        name: PRIORS[name] * max(float(np.exp(4 * sum(found) / (len(found) + 3))), 0.1)
        for name, found in gains.items()
    }


def vary(breeder: Breeder, parent: Individual, strength: float, rng: np.random.Generator) -> Draft:
    """Change one or two small things of ``parent``, or more of them with more ``strength`` in [0, 1]."""
    count = 1 + int(rng.integers(0, 2)) + (strength >= 0.5)
    child = parent.facets
    fields = [field for field in MUTABLE if field not in ("genre", "uses", "era")]
    for field in rng.permutation(fields)[:count]:
        child = breeder.mutate(child, str(field), strength, rng)
    name = "vary:subtle" if strength < 0.5 else "vary:bold"
    return Draft(facets=child, operator=name, parents=(parent.id,))
