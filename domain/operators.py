"""Operators of the language searchers as data: what moderators see, edit and roll back."""

from __future__ import annotations

from dataclasses import dataclass

MOST_OPERATORS = 12
MOST_ARITY = 10
LONGEST_TEMPLATE = 2000
"""Characters of a template."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Operator:
    """One step that makes children from parents. ``prompts.operators`` checks and loads them.

    Attributes:
        name: Unique; lower-case letters, digits, spaces and hyphens, up to 40 characters.
        template: What the model is asked; holds ``{prompts}`` once. Other braces are plain text.
        input: Prompts it reads, in [1, MOST_ARITY].
        output: Prompts it makes of them, in [1, MOST_ARITY].
        probability: How often it is applied, in [0, 1]; else its input goes on unchanged.
        enabled: Whether it is used.
    """

    name: str
    template: str
    input: int
    output: int
    probability: float = 1.0
    enabled: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class EvolveSettings:
    """How the searcher "evolve" breeds, by the names that EvoMusic's configuration has.

    Attributes:
        population_size: Candidates of a generation; 0 takes what the run asks for.
        tournament_size: Contestants for each set of parents.
        sample: Whether parents are drawn by softmax of fitness, rather than the best of each tournament.
        temperature: Of that softmax, above 0.
        novel_prompts: Share of each generation that is new, in [0, 1].
        elites: Share of the best that can always be parents and are never lost, in [0, 1].
        operators: In the order in which they are applied.
    """

    population_size: int = 0
    tournament_size: int = 4
    sample: bool = True
    temperature: float = 0.2
    novel_prompts: float = 0.1
    elites: float = 0.1
    operators: tuple[Operator, ...] = ()
