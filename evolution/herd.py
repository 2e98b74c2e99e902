"""What a searcher breeds from, as one thing that others can breed from as well."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from evolution.archive import Individual
from evolution.facets_ops import Breeder
from evolution.memory import PromptMemory
from evolution.pieces import Pieces
from evolution.screening import Screen
from evolution.surrogate import FeatureMap


@dataclass(frozen=True, slots=True, kw_only=True)
class Herd:
    """The told archive and the tools around it.

    Attributes:
        members: What was told, bounded.
        pieces: What the members sound like.
        screen: Predicts fitness from words and chooses among drafts.
        features: Facets as vectors.
        memory: Prompts that the run has had; shared, so what is added counts for all.
        breeder: Operators on facets, with the vocabulary.
        vibe: What the run is about, in a person's words.
        rng: The run's own; shared.
    """

    members: Sequence[Individual]
    pieces: Pieces
    screen: Screen
    features: FeatureMap
    memory: PromptMemory
    breeder: Breeder
    vibe: str
    rng: np.random.Generator
