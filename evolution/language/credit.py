"""Which ways of making candidates have earned more of the next generation, by what their candidates were worth."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from evolution.archive import Individual
from prompts.operators import EVOLVE, STAND_IN

OFFLINE, EVOLVED, FULL = "offline", "evolve", "full"
ARMS = (OFFLINE, EVOLVED, FULL)
WHOLE = "full:"
"""Begins the operator of what the model wrote from the ranking."""
DIRECTED = "directed:"
"""Begins the operator of what the model wrote from parents and wishes."""
NOVEL = "novel:model"
"""Operator of what the model wrote without parents."""
_NOISE = 0.15
"""Least standard deviation of one candidate's fitness around what its way of making is worth."""
_PRIOR = 0.15
"""Standard deviation, before anything is known, of what a way of making is worth."""
_UNCERTAIN = 0.04
"""A way whose worth is known less well than this gets at least one candidate."""
_LEAST = 20
"""Every arm gets one in so many: tastes move."""
_NEVER_SURER = 0.03
"""Least standard deviation of a belief: tastes move, and what failed before must be able to come back."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What is remembered of a told candidate beside its ``Individual``."""

    prompt: str
    generation: int

    def to_json(self) -> list[Any]:
        """Return what ``from_json`` takes."""
        return [self.prompt, self.generation]

    @classmethod
    def from_json(cls, data: Sequence[Any]) -> Told:
        """Rebuild from ``to_json``."""
        return cls(prompt=str(data[0]), generation=int(data[1]))


def arm_of(operator: str) -> str:
    """Return which searcher an operator belongs to."""
    if operator.startswith(WHOLE):
        return FULL
    if operator.startswith((EVOLVE, DIRECTED)) or operator == NOVEL:
        return EVOLVED
    return OFFLINE


def way_of(operator: str) -> str:
    """Return what makes a difference about an operator, without who stood in for whom."""
    return operator.removeprefix(STAND_IN)


def merits(
    members: Sequence[Individual], told: Mapping[int, Told], key: str = "arm"
) -> dict[str, list[float]]:
    """Return, for each searcher (``key="arm"``) or operator, how far its candidates were above their generation.

    All candidates of a generation were bred from the same archive, so their mean is what the others made of it; a
    comparison with parents would punish whoever breeds from the best. A generation all of one kind says nothing.
    """
    rounds: dict[int, list[Individual]] = defaultdict(list)
    for member in members:
        if member.id in told:
            rounds[told[member.id].generation].append(member)
    name = arm_of if key == "arm" else way_of
    out: dict[str, list[float]] = defaultdict(list)
    for those in rounds.values():
        mean = sum(member.fitness for member in those) / len(those)
        if len({name(member.operator) for member in those}) > 1:
            for member in those:
                out[name(member.operator)].append(member.fitness - mean)
    return dict(out)


def gains(members: Sequence[Individual]) -> dict[str, list[float]]:
    """Return, for each operator, what its children were worth above the mean of their parents."""
    fitness = {member.id: member.fitness for member in members}
    out: dict[str, list[float]] = defaultdict(list)
    for member in members:
        parents = [fitness[parent] for parent in member.parents if parent in fitness]
        if parents:
            out[way_of(member.operator)].append(member.fitness - sum(parents) / len(parents))
    return dict(out)


def belief(values: Sequence[float], noise: float = _NOISE) -> tuple[float, float]:
    """Return mean and standard deviation of what a way of making is worth after ``values`` with that ``noise``."""
    precision = 1 / _PRIOR**2 + len(values) / noise**2
    return sum(values) / noise**2 / precision, max(precision**-0.5, _NEVER_SURER)


def _noise(earned: Mapping[str, Sequence[float]]) -> float:
    """Return how far values lie from the mean of their own way of making."""
    apart = [value - sum(values) / len(values) for values in earned.values() for value in values]
    return max(_NOISE, float(np.std(apart))) if len(apart) > 1 else _NOISE


def allocate(
    arms: Sequence[str],
    earned: Mapping[str, Sequence[float]],
    count: int,
    rng: np.random.Generator,
    prior: Mapping[str, float] | None = None,
) -> dict[str, int]:
    """Share ``count`` candidates out by Thompson sampling: each goes to the arm with the best draw.

    Args:
        arms: Who may get some; their order decides nothing but ties.
        earned: As from ``merits`` or ``gains``.
        count: What is to be shared out.
        rng: Draws.
        prior: What an arm is thought to be worth beforehand, 0 unless said.

    Returns:
        A number for each arm. One of which little is known gets at least one while there are enough, and of many
        candidates each gets a twentieth.
    """
    shares = dict.fromkeys(arms, count // _LEAST if len(arms) > 1 else 0)
    noise = _noise(earned)
    for arm in arms:
        unsure = belief(earned.get(arm, ()), noise)[1] > _UNCERTAIN
        if unsure and not shares[arm] and sum(shares.values()) < count:
            shares[arm] = 1
    while sum(shares.values()) < count:
        shares[best_draw(arms, earned, rng, prior)] += 1
    return shares


def best_draw(
    arms: Sequence[str],
    earned: Mapping[str, Sequence[float]],
    rng: np.random.Generator,
    prior: Mapping[str, float] | None = None,
) -> str:
    """Return the arm whose draw from what is believed of it is the highest; arguments as for ``allocate``."""
    drawn, noise = {}, _noise(earned)
    for arm in arms:
        mean, spread = belief(earned.get(arm, ()), noise)
        drawn[arm] = (prior or {}).get(arm, 0.0) + mean + spread * rng.standard_normal()
    return max(arms, key=lambda arm: drawn[arm])


def tilted(probability: float, values: Sequence[float], others: Sequence[float]) -> float:
    """Return how often an optional operator is used after what it has gained over what all have gained.

    Args:
        probability: Its setting, in [0, 1]; 0 and 1 stay.
        values: Gains of children that it had a part in.
        others: Gains of all children.
    """
    if not 0 < probability < 1 or not values or not others:
        return probability
    mean = sum(others) / len(others)
    odds = probability / (1 - probability)
    odds *= float(np.exp(8 * belief([value - mean for value in values])[0]))
    return min(max(odds / (1 + odds), probability / 4), 1 - (1 - probability) / 4)
