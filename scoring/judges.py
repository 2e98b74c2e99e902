"""The four things that music can be measured against: a known listener, a track, one taste, everybody's tastes.

Each gives clips a fitness in [0, 1] and says how unsure it is. All take clips as places in the space that they were
learned in. What else counts (quality, novelty, adherence) is put on top in ``scoring.fitness``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from domain.errors import ScoringError
from domain.fitness import Mode
from scoring.beliefs import Doubles, Prediction, Taste
from scoring.likeness import likeness
from scoring.taste import herd, predict

UNKNOWN, UNSURE = 0.5, 0.25
"""Fitness and its deviation where nobody has voted yet."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Opinion:
    """What a judge thinks of n clips.

    Attributes:
        fitness: (n,) in [0, 1].
        deviation: (n,), at least 0; 0 where a judge knows.
    """

    fitness: Doubles
    deviation: Doubles


class Judge(Protocol):
    """Anything that music is bred for."""

    @property
    def mode(self) -> Mode:
        """What kind of judge it is."""

    def judge(self, places: NDArray[np.float64]) -> Opinion:
        """Return what it thinks of clips.

        Args:
            places: (n, d), in the judge's own space.

        Raises:
            ScoringError: They are of another space.
        """


@dataclass(frozen=True, slots=True, kw_only=True)
class ListenerJudge:
    """A listener whose vector is known, such as a synthetic user of an aligner: the cosine, brought to [0, 1]."""

    vector: NDArray[np.float64]
    mode: Mode = Mode.LISTENER

    def judge(self, places: NDArray[np.float64]) -> Opinion:
        """Return (1 + cosine) / 2 of each clip and the listener, without doubt."""
        rows = np.asarray(places, dtype=np.float64)
        if rows.ndim != 2 or rows.shape[1:] != np.shape(self.vector):
            message = (
                f"Clips of shape {rows.shape} do not fit a listener of {np.shape(self.vector)}."
            )
            raise ScoringError(message)
        lengths = np.linalg.norm(rows, axis=1) * np.linalg.norm(self.vector)
        cosine = np.divide(rows @ self.vector, lengths, out=np.zeros(len(rows)), where=lengths > 0)
        return Opinion(fitness=(1.0 + cosine) / 2.0, deviation=np.zeros(len(rows)))


@dataclass(frozen=True, slots=True, kw_only=True)
class MusicJudge:
    """A track; see ``scoring.likeness``."""

    target: NDArray[np.float64]
    mode: Mode = Mode.MUSIC

    def judge(self, places: NDArray[np.float64]) -> Opinion:
        """Return how like the track each clip is, without doubt."""
        return Opinion(fitness=likeness(places, self.target), deviation=np.zeros(len(places)))


@dataclass(frozen=True, slots=True, kw_only=True)
class TasteJudge:
    """One listener's learned taste."""

    taste: Taste
    mode: Mode = Mode.DYNAMIC

    def judge(self, places: NDArray[np.float64]) -> Opinion:
        """Return the probability that the listener likes each clip."""
        one = predict([self.taste], places)
        return Opinion(fitness=one.liking[0], deviation=one.spread[0])


@dataclass(frozen=True, slots=True, kw_only=True)
class HerdJudge:
    """Everybody who steers a channel, each with a weight."""

    tastes: Sequence[Taste]
    weights: NDArray[np.float64]
    mode: Mode = Mode.HERD

    def each(self, places: NDArray[np.float64]) -> Prediction:
        """Return what each listener thinks of each clip, (L, n)."""
        return predict(self.tastes, places)

    def judge(self, places: NDArray[np.float64]) -> Opinion:
        """Return the weighted average of their likings; ``UNKNOWN`` where there is nobody."""
        if not self.tastes:
            count = len(places)
            return Opinion(fitness=np.full(count, UNKNOWN), deviation=np.full(count, UNSURE))
        opinion = herd(self.each(places), self.weights)
        return Opinion(fitness=opinion.fitness, deviation=opinion.uncertainty)
