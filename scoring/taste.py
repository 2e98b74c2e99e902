"""A taste for each listener: Bayesian logistic regression from the community's prior, refitted from the rating log.

A rating r in [-1, 1] is the fractional target (1 + r) / 2. A favourite adds a comparison with every other clip of its
round. Evidence fades by 0.98 with each newer rating, so that a listener may change. Silence is no evidence at all.
Everything here is pure: the same ratings in any order give the same taste, bit for bit.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from domain.errors import ScoringError
from scoring.beliefs import Doubles, Herd, Pair, Prediction, Prior, Rated, Reason, Taste
from scoring.explain import describe, explain
from scoring.laplace import Evidence, cross_entropy, left_out, posterior, sigmoid
from scoring.packing import pack, pack_prior, unpack, unpack_prior
from scoring.space import TasteSpace

__all__ = [
    "Herd",
    "Pair",
    "Prediction",
    "Prior",
    "Rated",
    "Reason",
    "Taste",
    "default_prior",
    "describe",
    "draw",
    "explain",
    "fit",
    "fit_prior",
    "herd",
    "newcomer",
    "pack",
    "pack_prior",
    "predict",
    "temperature",
    "trust",
    "unpack",
    "unpack_prior",
]

DECAY = 0.98
PAIR_WEIGHT = 1.0
INTERCEPT, INTERCEPT_VARIANCE = -0.4, 1.5
PRIOR_MEMBERS, PRIOR_EVIDENCE = 10, 8
KAPPA, NU = 2.0, 10.0
GAIN_LOW, GAIN_HIGH = 0.0, 0.06
SETTLED = 20
LADDER, CALM = (0.0, 0.25, 0.5, 0.75, 1.0), 0.3


def default_prior(space: TasteSpace) -> Prior:
    """Return the prior of a community nobody knows yet: every property may matter, clips are slightly disliked."""
    size = space.dimensions + 1
    mean = np.zeros(size)
    mean[-1] = INTERCEPT
    covariance = np.eye(size)
    covariance[-1, -1] = INTERCEPT_VARIANCE
    return Prior(space_id=space.id, mean=mean, covariance=covariance, members=0)


def newcomer(prior: Prior) -> Taste:
    """Return the taste of somebody who has not rated anything: the prior itself."""
    return Taste(space_id=prior.space_id, mean=prior.mean, covariance=prior.covariance, evidence=0)


def fit(
    prior: Prior, phi: NDArray[np.float64], rated: Sequence[Rated], pairs: Sequence[Pair] = ()
) -> Taste:
    """Learn one listener's taste from all of their ratings and comparisons.

    Args:
        prior: Where the listener starts.
        phi: (n, k + 1) from ``TasteSpace.project``.
        rated: In any order.
        pairs: Answers to duels, in any order. Without these and ratings it is the newcomer's taste.

    Raises:
        ScoringError: ``phi`` does not fit the prior, or a rating or a pair names no row or holds a number out of range.
    """
    phi = np.asarray(phi, dtype=np.float64)
    if phi.ndim != 2 or phi.shape[1] != len(prior.mean):
        message = f"Clips of shape {phi.shape} do not fit a taste of {len(prior.mean)} weights."
        raise ScoringError(message)
    for item in rated:
        _check(item, len(phi))
    for pair in pairs:
        _check_pair(pair, len(phi))
    # Sums of floats depend on their order, so the order is made the same first.
    ordered = sorted(
        rated, key=lambda r: (r.clip, str(r.round), r.rating, r.weight, r.age, r.favourite)
    )
    own = [item for item in ordered if item.weight > 0]
    compared = _pairs(ordered) + sorted(
        (pair.better, pair.worse, pair.weight * DECAY**pair.age) for pair in pairs
    )
    if not own and not compared:
        return newcomer(prior)
    evidence = _evidence(phi, own, compared)
    mean, covariance = posterior(evidence, prior.mean, _inverse(prior.covariance))
    return Taste(
        space_id=prior.space_id,
        mean=mean,
        covariance=covariance,
        evidence=len(
            {item.clip for item in own}
            | {row for pair in pairs for row in (pair.better, pair.worse)}
        ),
        gain=_gain(evidence, len(own), mean, covariance),
    )


def _inverse(matrix: Doubles) -> Doubles:
    out: Doubles = np.linalg.inv(matrix).astype(np.float64)
    return 0.5 * (out + out.T)


def _check(item: Rated, rows: int) -> None:
    if not 0 <= item.clip < rows:
        message = f"A rating names clip row {item.clip}, but there are only {rows} rows."
        raise ScoringError(message)
    if not -1.0 <= item.rating <= 1.0:
        message = f"A rating of {item.rating} is outside -1 to 1."
        raise ScoringError(message)
    if not (0.0 <= item.weight < np.inf and 0.0 <= item.age < np.inf):
        message = "The weight and the age of a rating must be numbers of 0 or more."
        raise ScoringError(message)


def _check_pair(pair: Pair, rows: int) -> None:
    if not (0 <= pair.better < rows and 0 <= pair.worse < rows) or pair.better == pair.worse:
        message = f"A pair compares clip rows {pair.better} and {pair.worse}; there are {rows} rows, and it needs two."
        raise ScoringError(message)
    if not (0.0 < pair.weight < np.inf and 0.0 <= pair.age < np.inf):
        message = "The weight of a pair must be a number above 0, and its age one of 0 or more."
        raise ScoringError(message)


def _pairs(ordered: Sequence[Rated]) -> list[tuple[int, int, float]]:
    """Return (better, worse, weight): each favourite against the clips of its round that are no favourites."""
    rounds: dict[str | int, dict[int, float]] = {}
    stars: dict[str | int, dict[int, float]] = {}
    for item in ordered:
        fresh = DECAY**item.age
        rounds.setdefault(item.round, {})
        rounds[item.round][item.clip] = max(fresh, rounds[item.round].get(item.clip, 0.0))
        if item.favourite:
            stars.setdefault(item.round, {})[item.clip] = fresh
    return [
        (star, other, PAIR_WEIGHT * fresh)
        for key, clips in stars.items()
        for star, fresh in clips.items()
        for other in rounds[key]
        if other not in clips
    ]


def _evidence(
    phi: Doubles, own: Sequence[Rated], pairs: Sequence[tuple[int, int, float]]
) -> Evidence:
    rows = phi[[item.clip for item in own]] if own else np.empty((0, phi.shape[1]))
    if pairs:
        better, worse, _ = zip(*pairs, strict=True)
        rows = np.concatenate([rows, phi[list(better)] - phi[list(worse)]])
    target = [(1.0 + item.rating) / 2.0 for item in own] + [1.0] * len(pairs)
    weight = [item.weight * DECAY**item.age for item in own] + [pair[2] for pair in pairs]
    return Evidence(rows=rows, target=np.array(target), weight=np.array(weight))


def _gain(evidence: Evidence, own: int, mean: Doubles, covariance: Doubles) -> float:
    """Return the log loss that the taste saves against the listener's average of their other ratings."""
    target, weight = evidence.target[:own], evidence.weight[:own]
    if own < 2:
        return 0.0
    foretold = left_out(evidence, mean, covariance)[:own]
    base, strength = 0.4, 2.0
    others = weight.sum() - weight + strength
    average = ((weight * target).sum() - weight * target + base * strength) / others
    saved = cross_entropy(target, average) - cross_entropy(target, foretold)
    return float((weight * saved).sum() / weight.sum())


def trust(taste: Taste) -> float:
    """Return in [0, 1] how far a taste may move the community's prior: votes that follow no taste move it little."""
    return float(np.clip((taste.gain - GAIN_LOW) / (GAIN_HIGH - GAIN_LOW), 0.0, 1.0))


def fit_prior(tastes: Sequence[Taste], space: TasteSpace) -> Prior:
    """Learn what a community has in common from its listeners' tastes.

    One M-step of the hierarchical model; refitting the tastes from the new prior and calling this again, night after
    night, is its EM algorithm. Each listener counts by ``trust``. With few listeners the default prior stays.
    """
    base = default_prior(space)
    known = [t for t in tastes if t.space_id == space.id and t.evidence >= PRIOR_EVIDENCE]
    if len(known) < PRIOR_MEMBERS:
        return base
    weights = np.array([trust(taste) for taste in known])
    means = np.stack([taste.mean for taste in known])
    total = float(weights.sum())
    mean = (weights @ means + KAPPA * base.mean) / (total + KAPPA)
    off = means - mean
    scatter = (off * weights[:, None]).T @ off
    scatter += np.einsum("u,uij->ij", weights, np.stack([taste.covariance for taste in known]))
    shift = mean - base.mean
    scatter += KAPPA * np.outer(shift, shift) + NU * base.covariance
    covariance = scatter / (total + NU)
    return Prior(
        space_id=space.id,
        mean=mean,
        covariance=0.5 * (covariance + covariance.T),
        members=len(known),
    )


def predict(tastes: Sequence[Taste], phi: NDArray[np.float64]) -> Prediction:
    """Foretell what each listener thinks of each clip, by matrix products.

    Args:
        tastes: L of them; none gives arrays of shape (0, n).
        phi: (n, k + 1).
    """
    phi = np.asarray(phi, dtype=np.float64)
    for taste in tastes:
        if phi.ndim != 2 or phi.shape[1] != len(taste.mean):
            message = f"Clips of shape {phi.shape} do not fit a taste of {len(taste.mean)} weights."
            raise ScoringError(message)
    mean = np.empty((len(tastes), len(phi)))
    variance = np.empty((len(tastes), len(phi)))
    for row, taste in enumerate(tastes):
        mean[row] = phi @ taste.mean
        # With covariance = R R', the variance is the squared length of R' phi, which is never below 0.
        variance[row] = np.square(phi @ np.linalg.cholesky(taste.covariance)).sum(axis=1)
    shrink = 1.0 / np.sqrt(1.0 + np.pi * variance / 8.0)
    liking = sigmoid(mean * shrink)
    spread = liking * (1.0 - liking) * np.sqrt(variance) * shrink
    return Prediction(mean=mean, variance=variance, liking=liking, spread=spread)


def temperature(evidence: int, slot: int = 0) -> float:
    """Return how boldly to draw from a taste: a ladder over the slots for a newcomer, a calm 0.3 once settled."""
    return LADDER[slot % len(LADDER)] if evidence < SETTLED else CALM


def draw(taste: Taste, rng: np.random.Generator, *, boldness: float = 1.0) -> Taste:
    """Return one plausible taste (Thompson sampling); its covariance is that of the belief it came from."""
    root = np.linalg.cholesky(taste.covariance)
    sampled = taste.mean + boldness * (root @ rng.standard_normal(len(taste.mean)))
    return Taste(
        space_id=taste.space_id,
        mean=sampled,
        covariance=taste.covariance,
        evidence=taste.evidence,
        gain=taste.gain,
    )


def herd(prediction: Prediction, weights: Sequence[float] | NDArray[np.float64]) -> Herd:
    """Average listeners into what the searcher breeds for.

    Args:
        prediction: Of L listeners.
        weights: (L,), 0 or more, such as ``slate.fairness(debts)``. With no listener, or none that counts, every clip
            is as good as another.
    """
    weight = np.asarray(weights, dtype=np.float64)
    if weight.shape != (len(prediction.liking),) or not (weight >= 0).all():
        message = f"{len(prediction.liking)} listeners need as many weights of 0 or more, not {weight.shape}."
        raise ScoringError(message)
    clips = prediction.liking.shape[1]
    if not weight.sum() > 0:
        half = np.full(clips, 0.5)
        return Herd(fitness=half, uncertainty=half.copy(), discord=np.zeros(clips))
    weight = weight / weight.sum()
    fitness = weight @ prediction.liking
    return Herd(
        fitness=fitness,
        uncertainty=weight @ prediction.spread,
        discord=np.sqrt(weight @ (prediction.liking - fitness) ** 2),
    )
