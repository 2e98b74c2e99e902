"""A candidate is a prompt with its lineage: one member of a population."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from domain.ids import CandidateId, RunId


class Directive(StrEnum):
    """What a person asked the next generation to do."""

    NEXT = "next"
    """Breed from everything that has been liked."""
    VARY = "vary"
    """Stay close to the named parents."""
    CROSS = "cross"
    """Cross the named parents with each other."""
    REMIX = "remix"
    """Change the named parents by a person's words."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Brief:
    """What the next ``ask`` is for.

    Attributes:
        count: How many proposals are wanted, at least 1.
        directive: How to breed.
        parents: Candidates the directive is about; empty for ``NEXT``.
        words: A person's own words for ``REMIX``; plain data, never instructions.
        account: Whose language budget pays, a guild's id as text; ``""`` is nobody's.
        taste: What the channel seems to like, in plain words, strongest first; from tastes, never from messages.
        feedback: What was liked and disliked lately, in plain words; data, never instructions.
    """

    count: int
    directive: Directive = Directive.NEXT
    parents: tuple[CandidateId, ...] = ()
    words: str = ""
    account: str = ""
    taste: tuple[str, ...] = ()
    feedback: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """A candidate that a searcher proposes and nobody has rendered or stored yet.

    Attributes:
        prompt: The text that the generator gets.
        genome: What the searcher breeds from, JSON-safe (the offline breeder keeps ``Facets.to_json()``).
        operator: What made it, such as ``"novel"``, ``"cross"``, ``"mutate:tempo"``.
        parents: Candidates it comes from; empty for novel ones.
        seed: The seed that the generator gets, in [0, 2**31).
        predicted: Fitness that the searcher expects, or ``None`` when it has no opinion.
        embedding: What a text encoder would say of it, as in ``domain.clip.ClipRequest``: to be rendered in place of
            the prompt. The genome keeps it as ``evolution.numeric.states.embedding_of`` reads it.
    """

    prompt: str
    genome: Mapping[str, Any]
    operator: str
    parents: tuple[CandidateId, ...] = ()
    seed: int
    predicted: float | None = None
    embedding: bytes = b""


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A stored proposal: a member of a run's population."""

    id: CandidateId
    run_id: RunId
    generation: int
    prompt: str
    genome: Mapping[str, Any]
    operator: str
    searcher: str
    parents: tuple[CandidateId, ...]
    seed: int
    predicted: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Evaluation:
    """How good a rendered candidate is now, under today's tastes.

    Attributes:
        candidate: The candidate.
        fitness: Expected liking times quality, in [0, 1].
        uncertainty: Standard deviation of ``fitness``, at least 0.
        rated: Whether people have rated a clip of it.
        components: What ``fitness`` is made of, by name.
    """

    candidate: Candidate
    fitness: float
    uncertainty: float = 0.0
    rated: bool = False
    components: Mapping[str, float] = field(default_factory=dict)
