"""The records of taste: what is believed about a listener, a community and a clip."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Doubles = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Taste:
    """A Gaussian belief about the weights of one listener.

    Attributes:
        space_id: The taste space that the weights belong to.
        mean: (k + 1,); the last one is the intercept, how generous the listener is.
        covariance: (k + 1, k + 1), symmetric and positive definite.
        evidence: Number of clips that the listener rated.
        gain: How much better the taste foretells the listener's own ratings than their average does, and their duels
            than a coin does, in nats for each, each foretold from the others. About 0 for somebody who votes at random.
    """

    space_id: str
    mean: Doubles
    covariance: Doubles
    evidence: int
    gain: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Prior:
    """What a community's listeners have in common: where a newcomer starts.

    Attributes:
        space_id: The taste space.
        mean: (k + 1,).
        covariance: (k + 1, k + 1): how far listeners differ.
        members: Tastes that it was learned from; 0 for the default.
    """

    space_id: str
    mean: Doubles
    covariance: Doubles
    members: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Rated:
    """One rating as the learner sees it.

    Attributes:
        clip: Row of ``phi``.
        rating: In [-1, 1].
        weight: Evidence, 0 or more: 1 for a button, less for a reaction. 0 means that the clip was there and is only
            compared with the favourite of its round.
        age: Ratings that this listener has given since; older ones count less.
        round: What was heard together; a favourite is compared within it.
        favourite: The best of its round. Its rating counts as well.
        silent: Nothing was said about it while others of its round were rated: weak evidence, and no rating at all when
            ratings are counted.
    """

    clip: int
    rating: float
    weight: float = 1.0
    age: float = 0.0
    round: str | int = ""
    favourite: bool = False
    silent: bool = False

    @property
    def counts(self) -> bool:
        """Whether it is something that the listener said."""
        return self.weight > 0 and not self.silent


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """One clip was preferred to another, side by side.

    Attributes:
        better: Row of ``phi``.
        worse: Row of ``phi``.
        weight: Evidence, above 0: 1 for a plain answer. A tie is two pairs of half the weight, one in each direction.
        age: As in ``Rated``.
    """

    better: int
    worse: int
    weight: float = 1.0
    age: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Prediction:
    """What L listeners will think of n clips; each array is (L, n).

    Attributes:
        mean: Expected log odds.
        variance: Its variance.
        liking: Probability in [0, 1] that the clip is graded good or better, the uncertainty averaged out.
        spread: How unsure ``liking`` is, in [0, 0.5].
    """

    mean: Doubles
    variance: Doubles
    liking: Doubles
    spread: Doubles


@dataclass(frozen=True, slots=True, kw_only=True)
class Herd:
    """What a group thinks of n clips; each array is (n,).

    Attributes:
        fitness: Weighted mean liking in [0, 1].
        uncertainty: Weighted mean spread in [0, 0.5].
        discord: How far the listeners are apart: standard deviation of their liking, in [0, 0.5].
    """

    fitness: Doubles
    uncertainty: Doubles
    discord: Doubles


@dataclass(frozen=True, slots=True, kw_only=True)
class Reason:
    """One line of an explanation.

    Attributes:
        label: The property, such as ``"tempo"``.
        contribution: Log odds that it adds (above 0) or takes away. In a description: how much it matters.
        words: Plain words, such as ``"faster than most"`` or ``"around 92 beats a minute"``.
        certainty: Probability that the direction is right, in [0.5, 1].
    """

    label: str
    contribution: float
    words: str
    certainty: float
