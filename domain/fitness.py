"""What the fitness of a clip is made of, and how much each part counts in a run."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any


class Mode(StrEnum):
    """Whom or what a clip is measured against."""

    LISTENER = "listener"
    """A vector that is known: a synthetic user."""
    MUSIC = "music"
    """A track that somebody sent."""
    DYNAMIC = "dynamic"
    """One listener's taste, learned from their votes."""
    HERD = "herd"
    """The tastes of everybody who steers a channel, on average."""


class Component(StrEnum):
    """A part of fitness, in [0, 1]."""

    TASTE = "taste"
    """What the listeners' tastes expect."""
    TARGET = "target"
    """Likeness to the track that the run is bred towards."""
    ADHERENCE = "adherence"
    """Whether the clip does what its prompt says."""
    NOVELTY = "novelty"
    """Distance to what the run has made before."""
    PREFERENCE = "preference"
    """What a model of everybody's choices expects, less its doubt."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Weights:
    """How much each component counts, each at least 0; only their proportions matter.

    Attributes:
        taste: Of ``Component.TASTE``, as the others below.
        target: Only in runs that have a target, and less with every clip that people rate there.
        adherence: See ``Component.ADHERENCE``.
        novelty: See ``Component.NOVELTY``.
        preference: Only where a reward model is there.
        target_votes: Rated clips of a run after which taste and target share their weight equally.
    """

    taste: float = 1.0
    target: float = 1.0
    adherence: float = 0.0
    novelty: float = 0.0
    preference: float = 0.0
    target_votes: float = 12.0

    def of(self, component: Component) -> float:
        """Return what a component counts."""
        return float(getattr(self, component.value))

    def after(self, rated: int, *, has_target: bool) -> Weights:
        """Return the weights as they are once ``rated`` clips of a run were rated.

        A track leads at first and votes take over: with ``target_votes`` clips rated both count alike. Without a track
        tastes count at once.
        """
        if not has_target:
            return dataclasses.replace(self, target=0.0)
        share = rated / (rated + self.target_votes) if rated else 0.0
        return dataclasses.replace(
            self, taste=self.taste * share, target=self.target * (1.0 - share)
        )

    def to_json(self) -> dict[str, float]:
        """Return all of them, ready for ``json.dumps``."""
        return dataclasses.asdict(self)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Weights:
        """Rebuild from ``to_json``; what is missing or no weight gets its default, keys of a later version go."""
        names = {field.name for field in dataclasses.fields(cls)}
        known = {key: float(value) for key, value in data.items() if key in names}
        return cls(**{key: value for key, value in known.items() if 0.0 <= value < math.inf})


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """How a clip stood when its round was chosen.

    Attributes:
        mode: Whom or what it was measured against.
        fitness: In [0, 1]; ``None`` after the votes behind it were erased.
        gate: In [0, 1]: quality, and 0 for a copy.
        adherence: In [0, 1], whether it does what its prompt says; ``None`` where nothing could be checked.
        components: In [0, 1], by name; only those that could be measured.
        weights: As they were in the run at that time.
        at: Unix time.
    """

    mode: Mode
    fitness: float | None
    gate: float
    adherence: float | None
    components: Mapping[Component, float]
    weights: Weights
    at: float
