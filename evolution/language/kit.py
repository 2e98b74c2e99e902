"""What a searcher needs to breed with a language model."""

from __future__ import annotations

from dataclasses import dataclass

from domain.operators import EvolveSettings
from evolution.language.seam import LanguageModel
from prompts.templates import Templates


@dataclass(frozen=True, slots=True, kw_only=True)
class LanguageKit:
    """A model and what it is told.

    Attributes:
        model: Answers requests.
        settings: How "evolve" breeds, with its operators.
        templates: What the model is told besides.
        seconds: How long one ``ask`` of a searcher may wait for the model in all; then the offline breeder fills in.
    """

    model: LanguageModel
    settings: EvolveSettings
    templates: Templates
    seconds: float = 90.0
