"""Keeps, of many drafts, those that the surrogate prefers and that differ from each other."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from domain.facets import Facets
from evolution.archive import Individual
from evolution.operators import Draft
from evolution.pieces import traits_of
from evolution.surrogate import FeatureMap, Surrogate, similarity

Array = NDArray[np.float64]

_OTHER_PIECE = 0.2
"""How much less alike two drafts of the same words are when their pieces have nothing in common."""
NEAR = 0.985
"""Drafts more alike than this (cosine of features) count as the same music."""
_CROWDING = 0.12
"""Fitness that a draft loses for being wholly like one that is already chosen."""


class Screen:
    """Scores drafts by the text-side prediction of fitness, greedily or by a draw from the posterior."""

    def __init__(self, features: FeatureMap, members: Sequence[Individual]) -> None:
        self._features = features
        self._told = features.matrix([member.facets for member in members])
        self._surrogate = Surrogate(self._told, members) if members else None

    def prepare(self, facets: Facets) -> None:
        """Work out the features of one draft beforehand, so that choosing among many takes no long stretch."""
        self._features.matrix([facets])

    @property
    def level(self) -> float:
        """What the best three told are thought to be worth, noise smoothed away; 0 while nothing is told."""
        if self._surrogate is None:
            return 0.0
        return float(np.sort(self._surrogate.mean(self._told))[-3:].mean())

    def predict(self, drafts: Sequence[Draft]) -> list[float | None]:
        """Return the expected fitness of each draft in [0, 1]; ``None`` while nothing has been told."""
        if self._surrogate is None or not drafts:
            return [None] * len(drafts)
        rows = self._features.matrix([draft.facets for draft in drafts])
        return [float(value) for value in np.clip(self._surrogate.mean(rows), 0, 1)]

    def choose(
        self,
        drafts: Sequence[Draft],
        count: int,
        rng: np.random.Generator,
        *,
        daring: float,
        pieces: int | None = None,
    ) -> list[Draft]:
        """Choose up to ``count`` drafts, the best first, never two that are nearly the same.

        Args:
            drafts: What to choose from.
            count: How many are wanted.
            rng: For the draws from the posterior.
            daring: Share of the choices in [0, 1] made by Thompson sampling instead of by the mean.
            pieces: The most drafts with a description that are chosen; any number unless given.
        """
        if not drafts or count < 1:
            return []
        rows = self._features.matrix([draft.facets for draft in drafts])
        alike = similarity(rows, rows) * _same_piece(drafts)
        described = np.array([draft.description is not None for draft in drafts])
        crowd = np.zeros(len(drafts))
        usable = np.ones(len(drafts), dtype=bool)
        chosen: list[int] = []
        expected = self._scores(rows, None)
        if pieces == 0:
            usable &= ~described
        while len(chosen) < count and usable.any():
            bold = rng.random() < daring
            scores = self._scores(rows, rng) if bold else expected
            scores = np.where(usable, scores - _CROWDING * crowd, -np.inf)
            best = int(np.argmax(scores))
            chosen.append(best)
            usable &= alike[best] < NEAR
            usable[best] = False
            crowd = np.maximum(crowd, alike[best])
            if pieces is not None and described[chosen].sum() >= pieces:
                usable &= ~described
        return [drafts[index] for index in chosen]

    def _scores(self, rows: Array, rng: np.random.Generator | None) -> Array:
        if self._surrogate is None:
            return np.zeros(len(rows))
        return self._surrogate.mean(rows) if rng is None else self._surrogate.draw(rows, rng)


def _same_piece(drafts: Sequence[Draft]) -> Array:
    """Return a factor for each pair: 1 but for two pieces that differ. Shape (len(drafts), len(drafts))."""
    traits = {
        index: traits_of(draft.description)
        for index, draft in enumerate(drafts)
        if draft.description is not None
    }
    out = np.ones((len(drafts), len(drafts)))
    for one, other in itertools.combinations(traits, 2):
        shared = len(traits[one] & traits[other])
        union = len(traits[one]) + len(traits[other]) - shared
        out[one, other] = out[other, one] = 1 - _OTHER_PIECE * (1 - shared / union)
    return out
