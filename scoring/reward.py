"""The preference reward: what the members of a community have in common in what they prefer, learned from pairs.

A Bradley-Terry model over the columns of the taste space: the log odds that one clip is preferred to another are the
difference of their rewards, and a reward is a weighted sum of the columns. An ensemble of ridge regressions, each on
listeners drawn with replacement, says how sure it is; a temperature found on listeners who were left out makes its
probabilities mean what they say. A listener whose preferences the others foretell no better than chance counts little,
so trolls move it little. With too few listeners or pairs there is no reward, and a sentence that says so.

It speaks of what is shared and of nobody's own taste: listeners with opposite tastes give a reward near 0 everywhere.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from domain.errors import ScoringError
from scoring.beliefs import Doubles, Prior
from scoring.laplace import sigmoid
from scoring.space import TasteSpace

MIN_PAIRS, MIN_LISTENERS = 40, 3
MEMBERS = 16
"""Regressions of the ensemble."""
FOLDS = 5
RIDGES = (8.0, 32.0, 128.0)
"""Precisions of each weight before anything is known, of which the one is taken that foretells left-out listeners best.

What is shared is smaller than a taste, whose precision is 1. The more answers are wrong, the stronger a ridge must be.
"""
MOST_PAIRS = 40.0
"""Weight of pairs above which one listener counts no more."""
DOUBT = 10.0
"""Pairs at chance that a listener is credited with before their own count for or against them."""
LOW, HIGH = 0.45, 0.6
"""Share of a listener's pairs that others foretell: below the first they count a tenth, above the second in full."""
LEAST = 0.1
LEAN = 0.5
"""How far a newcomer's prior is moved: all the way counts twice what the prior of strangers knows already."""
STEPS, TOLERANCE = 30, 1e-8
BINS = 10
COLDEST, HOTTEST = 0.02, 64.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Choices:
    """What listeners preferred; n of each.

    Attributes:
        better: Rows of phi.
        worse: Rows of phi.
        weight: In (0, 1]: a tie is two of half the weight, one in each direction.
        listener: A number for each listener.
    """

    better: NDArray[np.intp]
    worse: NDArray[np.intp]
    weight: Doubles
    listener: NDArray[np.intp]


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """What a reward rests on.

    Attributes:
        pairs: Preferences, ties as two.
        listeners: Who gave them.
        accuracy: Share of the pairs of listeners who were left out that the others foretell, in [0, 1].
        ece: Expected calibration error on those pairs, in [0, 0.5].
    """

    pairs: int
    listeners: int
    accuracy: float
    ece: float


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Reward:
    """A learned reward.

    Attributes:
        space_id: The taste space that the weights belong to.
        weights: (members, k): the ensemble, its temperature applied.
        evidence: What it rests on.
    """

    space_id: str
    weights: Doubles
    evidence: Evidence

    def predict(
        self, space: TasteSpace, embeddings: NDArray[np.float32]
    ) -> tuple[Doubles, Doubles]:
        """Return the reward (n,) of clips in log odds, and its standard deviation (n,) over the ensemble.

        Args:
            space: The space that it was learned in.
            embeddings: (n, dimensions) of the space's encoder.

        Raises:
            ScoringError: It was learned in another space, or the embeddings are not of its encoder.
        """
        if space.id != self.space_id:
            message = f"A reward of space {self.space_id} cannot judge clips of space {space.id}; learn it again."
            raise ScoringError(message)
        return self.of(space.project(embeddings))

    def of(self, phi: Doubles) -> tuple[Doubles, Doubles]:
        """Return the same from phi (n, k + 1)."""
        each = phi[:, :-1] @ self.weights.T
        return each.mean(axis=1), each.std(axis=1)

    def prefers(self, one: Doubles, other: Doubles) -> Doubles:
        """Return the probability (n,) that clips with phi ``one`` (n, k + 1) are preferred to those with ``other``."""
        out: Doubles = sigmoid((one - other)[:, :-1] @ self.weights.T).mean(axis=1)
        return out

    def lean(self, prior: Prior) -> Prior:
        """Return a prior for newcomers that expects of them what the community prefers.

        Each weight is moved by half the ensemble's mean, less the more its members disagree about it; how far
        listeners differ stays as it was.
        """
        mean, spread = self.weights.mean(axis=0), self.weights.std(axis=0)
        kept = mean**2 / (mean**2 + spread**2 + 1e-12)
        moved = prior.mean.copy()
        moved[:-1] += LEAN * kept * mean
        return Prior(
            space_id=prior.space_id,
            mean=moved,
            covariance=prior.covariance,
            members=prior.members,
        )


def too_few(choices: Choices) -> str:
    """Return why there can be no reward yet, in a sentence; ``""`` when there can."""
    pairs, people = len(choices.weight), len(np.unique(choices.listener))
    if pairs >= MIN_PAIRS and people >= MIN_LISTENERS:
        return ""
    wanted = f"{MIN_PAIRS} of {MIN_LISTENERS} or more"
    return f"There are {pairs} preferences of {people} listeners; a reward needs {wanted}."


def learn(space: TasteSpace, phi: Doubles, choices: Choices, *, seed: int = 0) -> Reward:
    """Learn a reward. The same preferences and seed give the same one.

    Args:
        space: The taste space.
        phi: (n, k + 1) of the clips that the choices name.
        choices: Of at least ``MIN_LISTENERS`` listeners, ``MIN_PAIRS`` in all.
        seed: Draws the ensemble's listeners.

    Raises:
        ScoringError: There is too little to learn from, or a choice names no clip.
    """
    refusal = too_few(choices)
    if refusal:
        raise ScoringError(refusal)
    ends = np.concatenate([choices.better, choices.worse])
    if ends.min() < 0 or ends.max() >= len(phi) or not np.isfinite(phi).all():
        message = (
            "A preference names a clip that is not there, or one whose features are not finite."
        )
        raise ScoringError(message)
    rows = (phi[choices.better] - phi[choices.worse])[:, :-1]
    _, owner = np.unique(choices.listener, return_inverse=True)
    people = int(owner.max()) + 1
    rng = np.random.default_rng(seed)
    folds = rng.permutation(people) % min(FOLDS, people)
    weight = choices.weight * _cap(choices.weight, owner, people)
    left_out = _left_out(rows, weight, owner, folds, RIDGES[1])
    weight = weight * _standing(left_out, choices.weight, owner, people)[owner]
    tried = [(_left_out(rows, weight, owner, folds, ridge), ridge) for ridge in RIDGES]
    left_out, ridge = min(tried, key=lambda one: _loss(one[0], choices.weight))
    heat = _temperature(left_out, choices.weight)
    members = np.stack(
        [_fit(rows, weight * _drawn(people, rng)[owner], ridge) for _ in range(MEMBERS)]
    )
    return Reward(
        space_id=space.id,
        weights=members / heat,
        evidence=Evidence(
            pairs=len(rows),
            listeners=people,
            accuracy=_accuracy(left_out, choices.weight),
            ece=calibration_error(sigmoid(left_out / heat), choices.weight),
        ),
    )


def _drawn(people: int, rng: np.random.Generator) -> Doubles:
    """Return how often each listener was drawn with replacement."""
    drawn = np.bincount(rng.integers(people, size=people), minlength=people)
    return drawn.astype(np.float64)


def _cap(weight: Doubles, owner: NDArray[np.intp], people: int) -> Doubles:
    """Return the factor (n,) that keeps each listener's pairs at ``MOST_PAIRS`` in all."""
    total = np.bincount(owner, weights=weight, minlength=people)
    out: Doubles = np.minimum(1.0, MOST_PAIRS / np.maximum(total, 1e-12))[owner]
    return out


def _left_out(
    rows: Doubles,
    weight: Doubles,
    owner: NDArray[np.intp],
    folds: NDArray[np.intp],
    ridge: float,
) -> Doubles:
    """Return the log odds (n,) of each pair under a fit to the listeners of the other folds."""
    out = np.zeros(len(rows))
    for fold in range(int(folds.max()) + 1):
        own = folds[owner] == fold
        out[own] = rows[own] @ _fit(rows[~own], weight[~own], ridge)
    return out


def _standing(foretold: Doubles, weight: Doubles, owner: NDArray[np.intp], people: int) -> Doubles:
    """Return in [LEAST, 1] how much each listener counts, by how well the others foretell their pairs."""
    right = np.bincount(owner, weights=weight * _right(foretold), minlength=people)
    total = np.bincount(owner, weights=weight, minlength=people)
    share = (right + 0.5 * DOUBT + DOUBT * 0.03) / (total + DOUBT)
    out: Doubles = np.clip((share - LOW) / (HIGH - LOW), LEAST, 1.0)
    return out


def _right(logits: Doubles) -> Doubles:
    out: Doubles = (logits > 0).astype(np.float64) + 0.5 * (logits == 0)
    return out


def _accuracy(logits: Doubles, weight: Doubles) -> float:
    return float((weight * _right(logits)).sum() / weight.sum())


def _fit(rows: Doubles, weight: Doubles, precision: float) -> Doubles:
    """Return the ridge weights (k,) that make every row's log odds as likely as can be, by Newton's method."""
    at = np.zeros(rows.shape[1])
    ridge = precision * np.eye(rows.shape[1])
    for _ in range(STEPS):
        chance = sigmoid(rows @ at)
        gradient = rows.T @ (weight * (1.0 - chance)) - precision * at
        curvature = weight * chance * (1.0 - chance)
        step = np.linalg.solve((rows * curvature[:, None]).T @ rows + ridge, gradient)
        # The objective is concave and the ridge strong, so plain steps of bounded size arrive.
        at = at + step * min(1.0, 2.0 / max(1e-12, float(np.abs(step).max())))
        if float(np.abs(step).max()) < TOLERANCE:
            break
    return at


def _loss(logits: Doubles, weight: Doubles) -> float:
    """Return the log loss of left-out pairs under the temperature that suits them, in nats for each."""
    scaled = logits / _temperature(logits, weight)
    return float((weight * np.logaddexp(0.0, -scaled)).sum() / weight.sum())


def _temperature(logits: Doubles, weight: Doubles) -> float:
    """Return what left-out log odds are divided by to be calibrated: the likeliest one, by golden section.

    Twenty imagined pairs at chance keep it from trusting a lucky split.
    """
    imagined = 20.0

    def loss(log_heat: float) -> float:
        scaled = logits / np.exp(log_heat)
        doubt = np.logaddexp(0.0, scaled) + np.logaddexp(0.0, -scaled)
        total = float((weight * np.logaddexp(0.0, -scaled)).sum())
        return total + imagined * 0.5 * float((weight * doubt).sum() / weight.sum())

    low, high, ratio = np.log(COLDEST), np.log(HOTTEST), (np.sqrt(5.0) - 1.0) / 2.0
    for _ in range(40):
        left, right = high - ratio * (high - low), low + ratio * (high - low)
        if loss(left) < loss(right):
            high = right
        else:
            low = left
    return float(np.exp(0.5 * (low + high)))


def calibration_error(chance: Doubles, weight: Doubles) -> float:
    """Return the expected calibration error of pairs whose first clip was preferred.

    Args:
        chance: (n,) foretold probability that the first is preferred.
        weight: (n,).
    """
    sure = np.maximum(chance, 1.0 - chance)
    right = (chance > 0.5) + 0.5 * (chance == 0.5)
    place = np.minimum(((sure - 0.5) * 2.0 * BINS).astype(int), BINS - 1)
    gap = np.bincount(place, weights=weight * (right - sure), minlength=BINS)
    return float(np.abs(gap).sum() / weight.sum())


def merged(parts: Sequence[Choices]) -> Choices:
    """Return several choices as one."""
    return Choices(
        better=np.concatenate([one.better for one in parts]),
        worse=np.concatenate([one.worse for one in parts]),
        weight=np.concatenate([one.weight for one in parts]),
        listener=np.concatenate([one.listener for one in parts]),
    )
