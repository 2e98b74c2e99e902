"""What learns a taste from votes, behind one seam: ours, the EvoMusic rule, and the bounds above and below."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from bench.evomusic import NOISE_WEIGHT, UserVector
from domain.vote import Grade
from scoring.taste import (
    Prior,
    Rated,
    Taste,
    draw,
    fit,
    newcomer,
    predict,
)

Doubles = NDArray[np.float64]

CALM = 0.3
"""How boldly our learner draws from a taste for each clip of a round."""
RIDGE = 3.0


class Learner(Protocol):
    """Somebody's taste, being learned."""

    def observe(self, rows: Sequence[int], grades: Sequence[Grade]) -> None:
        """Take the votes of a round."""

    def worth(self) -> Doubles:
        """Return (n,) by which clips are ranked."""

    def picks(self, rows: NDArray[np.intp], count: int) -> list[int]:
        """Return which of these clips are posted next."""


@dataclass(slots=True, kw_only=True)
class Ours:
    """The learner of this project: greedy where it counts, bold where it learns."""

    phi: Doubles
    prior: Prior
    rng: np.random.Generator
    rated: list[tuple[int, Grade, int]] = field(default_factory=list)
    taste: Taste = field(init=False)
    seconds: list[float] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Begin as a newcomer."""
        self.taste = newcomer(self.prior)

    def observe(self, rows: Sequence[int], grades: Sequence[Grade]) -> None:
        """Learn again from all votes."""
        number = len(self.seconds)
        self.rated += [(row, grade, number) for row, grade in zip(rows, grades, strict=True)]
        votes = self.votes()
        start = time.perf_counter()
        self.taste = fit(self.prior, self.phi, votes)
        self.seconds.append(time.perf_counter() - start)

    def votes(self) -> list[Rated]:
        """Return all votes so far as the learner sees them."""
        return [
            Rated(clip=row, rating=grade.rating, age=age, round=number)
            for age, (row, grade, number) in enumerate(reversed(self.rated))
        ]

    def liking(self) -> Doubles:
        """Return (n,) the predicted probability that each clip is liked."""
        return np.asarray(predict([self.taste], self.phi).liking[0])

    def worth(self) -> Doubles:
        """Return the predicted liking."""
        return self.liking()

    def picks(self, rows: NDArray[np.intp], count: int) -> list[int]:
        """Return one clip for each of ``count`` draws of a taste."""
        taken: list[int] = []
        for _ in range(count):
            worth = self.phi[rows] @ draw(self.taste, self.rng, boldness=CALM).mean
            order = [int(rows[place]) for place in np.argsort(-worth, kind="stable")]
            taken.append(next(row for row in order if row not in taken))
        return taken


@dataclass(slots=True, kw_only=True)
class EvoMusic:
    """The EvoMusic rule: a user vector by InfoNCE and AdamW, ranked by cosine less its noise penalty.

    Args of the dataclass:
        places: (n, d) of the clips.
        mean: (d,) the mean user of the community, where its rule starts a new one ("rmean").
        penalties: (n,) its noise penalty.
    """

    places: Doubles
    mean: Doubles
    penalties: Doubles
    rng: np.random.Generator
    user: UserVector = field(init=False)
    heard: list[int] = field(default_factory=list)
    liked: list[bool] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Start at the mean user, a little off."""
        self.user = UserVector(self.places.shape[1], self.rng)
        self.user.vector += self.mean

    def observe(self, rows: Sequence[int], grades: Sequence[Grade]) -> None:
        """Take the steps of a round over everything heard so far."""
        self.heard += rows
        self.liked += [grade >= Grade.GOOD for grade in grades]
        self.user.train(self.places[self.heard], np.array(self.liked))

    def worth(self) -> Doubles:
        """Return its fitness."""
        return self.user.scores(self.places) - NOISE_WEIGHT * self.penalties

    def picks(self, rows: NDArray[np.intp], count: int) -> list[int]:
        """Return its playlist: the fittest."""
        return best(self.worth(), rows, count)


@dataclass(slots=True, kw_only=True)
class Fixed:
    """A ranking that learns nothing: the average listener, or the truth."""

    values: Doubles

    def observe(self, rows: Sequence[int], grades: Sequence[Grade]) -> None:
        """Learn nothing."""

    def worth(self) -> Doubles:
        """Return the ranking."""
        return self.values

    def picks(self, rows: NDArray[np.intp], count: int) -> list[int]:
        """Return the best."""
        return best(self.values, rows, count)


@dataclass(slots=True, kw_only=True)
class Insider:
    """A bound from above: knows how listeners are made, and compares the votes with thousands of made-up ones.

    Args of the dataclass:
        chances: (m, n) the probability that each made-up listener likes each clip.
    """

    chances: Doubles
    weight: Doubles = field(init=False)

    def __post_init__(self) -> None:
        """Begin with everybody alike."""
        self.weight = np.zeros(len(self.chances))

    def observe(self, rows: Sequence[int], grades: Sequence[Grade]) -> None:
        """Weigh the made-up listeners by the votes."""
        for row, grade in zip(rows, grades, strict=True):
            chance = np.clip(self.chances[:, row], 1e-6, 1 - 1e-6)
            self.weight += np.log(chance if grade >= Grade.GOOD else 1 - chance)

    def worth(self) -> Doubles:
        """Return the mean chance."""
        share = np.exp(self.weight - self.weight.max())
        return np.asarray((share / share.sum()) @ self.chances)

    def picks(self, rows: NDArray[np.intp], count: int) -> list[int]:
        """Return the best."""
        return best(self.worth(), rows, count)


def best(worth: Doubles, rows: NDArray[np.intp], count: int) -> list[int]:
    """Return the clips among ``rows`` that are worth most."""
    return [int(rows[place]) for place in np.argsort(-worth[rows], kind="stable")[:count]]


def known_features(phi: Doubles, felt: Doubles, rows: NDArray[np.intp]) -> Doubles:
    """Return what is left of a taste when only phi can be known: felt log odds regressed on it, without noise."""
    known = phi[rows]
    goal = np.clip(felt, -8.0, 8.0)[rows]
    weights = np.linalg.solve(known.T @ known + RIDGE * np.eye(known.shape[1]), known.T @ goal)
    return np.asarray(phi @ weights)
