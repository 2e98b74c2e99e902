"""A taste for each listener: Bayesian logistic regression from the community's prior, refitted from the rating log.

Grades are answers about thresholds of a liking (``scoring.answers``). A favourite adds a comparison with every other
clip of its round. Evidence fades by 0.98 with each newer rating, so that a listener may change. Silence about a
clip whose neighbours were rated is weak evidence against it, and is never counted as a rating.
Everything here is pure: the same ratings in any order give the same taste, bit for bit.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.linalg.blas import dtrmm

from domain.errors import ScoringError
from scoring.answers import DECAY, answers, check, check_pair, favourites, liked, with_pairs
from scoring.beliefs import Doubles, Herd, Pair, Prediction, Prior, Rated, Reason, Taste
from scoring.explain import FAINT, describe, explain
from scoring.laplace import Evidence, cross_entropy, left_out, posterior, sigmoid
from scoring.packing import pack, pack_prior, unpack, unpack_prior
from scoring.space import TasteSpace

__all__ = [
    "FAINT",
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
    "influence",
    "newcomer",
    "pack",
    "pack_prior",
    "predict",
    "trust",
    "unpack",
    "unpack_prior",
]

PRIOR = Path(__file__).with_name("prior.npz")
INTERCEPT, INTERCEPT_VARIANCE = -0.4, 1.5
PRIOR_MEMBERS, PRIOR_EVIDENCE = 10, 8
KAPPA, NU = 2.0, 30.0
"""Listeners that the default prior counts as: for the mean, and for how far listeners differ."""
LEAST_WEIGHT = 0.3
"""What a listener who votes at random still counts in the prior. With less, many honest ones would count too little."""
GAIN_LOW, GAIN_HIGH = 0.0, 0.06
BENEFIT, LEAST_SAY = 8.0, 0.1
"""Votes for which a newcomer has the benefit of the doubt, and what is left to whoever votes at random."""
BLOCK = 2048
"""Clips that are foretold at once."""


def default_prior(space: TasteSpace) -> Prior:
    """Return the prior of a community nobody knows yet.

    For the built-in space that is a guess that ships with it: people love places, and what is far from these is
    disliked (``bench/taste_prior.py`` says how it was made). Of the columns that a learned encoder adds to it, every
    one may matter. In other spaces every property may matter, and clips are slightly disliked.
    """
    shipped = _shipped()
    if shipped.space_id == space.id and len(shipped.mean) == space.dimensions + 1:
        return shipped
    size = space.dimensions + 1
    mean = np.zeros(size)
    mean[-1] = INTERCEPT
    covariance = np.eye(size)
    covariance[-1, -1] = INTERCEPT_VARIANCE
    if space.learned is not None and space.id == f"{shipped.space_id}+{space.learned.id}":
        own = [*range(len(shipped.mean) - 1), size - 1]
        mean[own] = shipped.mean
        covariance[np.ix_(own, own)] = shipped.covariance
    return Prior(space_id=space.id, mean=mean, covariance=covariance, members=0)


@cache
def _shipped() -> Prior:
    with np.load(PRIOR, allow_pickle=False) as data:
        mean, upper = data["mean"].astype(np.float64), data["upper"].astype(np.float64)
        space_id = str(data["space"])
    covariance = np.zeros((len(mean), len(mean)))
    covariance[np.triu_indices(len(mean))] = upper
    covariance += np.triu(covariance, 1).T
    return Prior(space_id=space_id, mean=mean, covariance=covariance, members=0)


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
        check(item, len(phi))
    for pair in pairs:
        check_pair(pair, len(phi))
    # Sums of floats depend on their order, so the order is made the same first.
    ordered = sorted(
        rated,
        key=lambda r: (r.clip, str(r.round), r.rating, r.weight, r.age, r.favourite, r.silent),
    )
    own = [item for item in ordered if item.weight > 0]
    compared = favourites(ordered) + sorted(
        (pair.better, pair.worse, pair.weight * DECAY**pair.age) for pair in pairs
    )
    if not own and not compared:
        return newcomer(prior)
    evidence, owner = answers(phi, own)
    mean, covariance = posterior(with_pairs(evidence, phi, compared), prior.mean, prior.covariance)
    saved, weight = _saved(evidence, owner, own, mean, covariance)
    more, further = _saved_in_duels(phi, pairs, mean, covariance)
    return Taste(
        space_id=prior.space_id,
        mean=mean,
        covariance=covariance,
        evidence=len(
            {item.clip for item in own if item.counts}
            | {row for pair in pairs for row in (pair.better, pair.worse)}
        ),
        gain=(saved + more) / (weight + further) if weight + further > 0.0 else 0.0,
    )


def _saved(
    evidence: Evidence,
    owner: NDArray[np.intp],
    own: Sequence[Rated],
    mean: Doubles,
    covariance: Doubles,
) -> tuple[float, float]:
    """Return the log loss that the taste saves against the listener's average of their other likes, and its weight."""
    if sum(item.counts for item in own) < 2:
        return 0.0, 0.0
    likes = np.array([liked(item.rating) for item in own])
    weight = np.array([item.counts * item.weight * DECAY**item.age for item in own])
    foretold = left_out(evidence, owner, mean, covariance)
    base, strength = 0.4, 2.0
    others = weight.sum() - weight + strength
    average = ((weight * likes).sum() - weight * likes + base * strength) / others
    saved = cross_entropy(likes, average) - cross_entropy(likes, foretold)
    return float((weight * saved).sum()), float(weight.sum())


def _saved_in_duels(
    phi: Doubles, pairs: Sequence[Pair], mean: Doubles, covariance: Doubles
) -> tuple[float, float]:
    """Return the log loss that the taste saves against a coin in duels, and its weight.

    All that was said about the same two clips is foretold from the rest.
    """
    ordered = sorted(pairs, key=lambda pair: (pair.better, pair.worse, pair.weight, pair.age))
    duels = sorted({(min(p.better, p.worse), max(p.better, p.worse)) for p in ordered})
    if len(duels) < 2:
        return 0.0, 0.0
    places = {duel: place for place, duel in enumerate(duels)}
    owner = np.array([places[min(p.better, p.worse), max(p.better, p.worse)] for p in ordered])
    low, high = np.array(duels).T
    weight = np.array([pair.weight * DECAY**pair.age for pair in ordered])
    target = np.array([float(pair.better < pair.worse) for pair in ordered])
    evidence = Evidence(
        rows=(phi[low] - phi[high])[owner],
        threshold=np.zeros(len(ordered)),
        target=target,
        weight=weight,
    )
    foretold = left_out(evidence, owner, mean, covariance)[owner]
    saved = math.log(2.0) - cross_entropy(target, foretold)
    return float((weight * saved).sum()), float(weight.sum())


def trust(taste: Taste) -> float:
    """Return in [0, 1] how far a taste may move the community's prior: votes that follow no taste move it little."""
    return float(np.clip((taste.gain - GAIN_LOW) / (GAIN_HIGH - GAIN_LOW), 0.0, 1.0))


def influence(taste: Taste) -> float:
    """Return in (0, 1] how much a listener counts in the herd.

    A newcomer counts in full. With more votes it is ever more ``trust`` that decides, so that somebody whose votes
    follow no taste ends up with next to no say.
    """
    known = taste.evidence / (taste.evidence + BENEFIT)
    return float(1.0 - known * (1.0 - max(LEAST_SAY, trust(taste))))


def fit_prior(tastes: Sequence[Taste], space: TasteSpace) -> Prior:
    """Learn what a community has in common from its listeners' tastes.

    One M-step of the hierarchical model; refitting the tastes from the new prior and calling this again, night after
    night, is its EM algorithm. Each listener counts by ``trust``. With few listeners the default prior stays.
    """
    base = default_prior(space)
    known = [t for t in tastes if t.space_id == space.id and t.evidence >= PRIOR_EVIDENCE]
    if len(known) < PRIOR_MEMBERS:
        return base
    weights = np.array([max(LEAST_WEIGHT, trust(taste)) for taste in known])
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
        # With covariance = R R', the variance is the squared length of R' phi, which is never below 0.
        root = np.linalg.cholesky(taste.covariance)
        # R is triangular, which halves the work, and what fits into a cache is done in half the time.
        for start in range(0, len(phi), BLOCK):
            part = slice(start, start + BLOCK)
            turned = dtrmm(1.0, root, phi[part].T, trans_a=1, lower=1)
            mean[row, part] = phi[part] @ taste.mean
            variance[row, part] = np.einsum("ij,ij->j", turned, turned)
    shrink = 1.0 / np.sqrt(1.0 + np.pi * variance / 8.0)
    liking = sigmoid(mean * shrink)
    spread = liking * (1.0 - liking) * np.sqrt(variance) * shrink
    return Prediction(mean=mean, variance=variance, liking=liking, spread=spread)


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
