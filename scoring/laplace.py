"""Bayesian logistic regression with thresholds by Newton's method and Laplace's approximation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Doubles = NDArray[np.float64]

STEPS, TOLERANCE = 40, 1e-9


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """Weighted answers to "is it above this threshold?".

    Attributes:
        rows: (n, d).
        threshold: (n,) log odds.
        target: (n,) in [0, 1]; 1 is yes.
        weight: (n,), 0 or more.
    """

    rows: Doubles
    threshold: Doubles
    target: Doubles
    weight: Doubles


def sigmoid(value: Doubles) -> Doubles:
    """Return 1 / (1 + exp(-value)) without overflow."""
    return 0.5 * (1.0 + np.tanh(0.5 * value))


def cross_entropy(target: Doubles, probability: Doubles) -> Doubles:
    """Return the log loss of fractional targets in nats, probabilities kept off 0 and 1."""
    safe = np.clip(probability, 1e-6, 1 - 1e-6)
    return -(target * np.log(safe) + (1.0 - target) * np.log1p(-safe))


def posterior(evidence: Evidence, mean: Doubles, covariance: Doubles) -> tuple[Doubles, Doubles]:
    """Return the mode and the covariance of the weights under a Gaussian prior.

    The objective is concave, so damped Newton steps from the prior mean always arrive at the one maximum. They are
    taken over the answers where those are fewer than the weights, else over the weights: the same result, sooner.
    """
    if len(evidence.rows) < len(mean):
        return _by_answers(evidence, mean, covariance)
    return _by_weights(evidence, mean, covariance)


def _by_answers(evidence: Evidence, mean: Doubles, covariance: Doubles) -> tuple[Doubles, Doubles]:
    """Newton's method for mean + covariance @ rows.T @ force (Rasmussen and Williams 2006, algorithm 3.1)."""
    rows, weight, target = evidence.rows, evidence.weight, evidence.target
    carried = covariance @ rows.T
    kernel = rows @ carried
    start = rows @ mean - evidence.threshold
    force = np.zeros(len(rows))
    pull = kernel @ force
    value = _likelihood(evidence, start + pull)
    one = np.eye(len(rows))
    for _ in range(STEPS):
        chance = sigmoid(start + pull)
        root = np.sqrt(weight * chance * (1.0 - chance))
        inner = root * root * pull + weight * (target - chance)
        matrix = one + root[:, None] * kernel * root
        wanted = inner - root * np.linalg.solve(matrix, root * (kernel @ inner))
        step, size = wanted - force, 1.0
        reach = kernel @ step
        while True:
            trial = force + size * step
            moved = pull + size * reach
            found = _likelihood(evidence, start + moved) - 0.5 * float(trial @ moved)
            if found >= value - 1e-12 or size < 1e-4:
                break
            size *= 0.5
        force, pull, value = trial, moved, found
        if float(np.abs(size * reach).max(initial=0.0)) < TOLERANCE:
            break
    chance = sigmoid(start + pull)
    root = np.sqrt(weight * chance * (1.0 - chance))
    matrix = one + root[:, None] * kernel * root
    half = np.linalg.solve(np.linalg.cholesky(matrix), root[:, None] * carried.T)
    return mean + carried @ force, _symmetric(covariance - half.T @ half)


def _by_weights(evidence: Evidence, mean: Doubles, covariance: Doubles) -> tuple[Doubles, Doubles]:
    rows, target, weight = evidence.rows, evidence.target, evidence.weight
    precision = _symmetric(np.linalg.inv(covariance))
    at = mean.copy()
    value = _objective(evidence, at, mean, precision)
    for _ in range(STEPS):
        chance = sigmoid(rows @ at - evidence.threshold)
        gradient = rows.T @ (weight * (target - chance)) - precision @ (at - mean)
        step = np.linalg.solve(_hessian(rows, weight, chance, precision), gradient)
        size = 1.0
        while True:
            trial = at + size * step
            found = _objective(evidence, trial, mean, precision)
            if found >= value - 1e-12 or size < 1e-4:
                break
            size *= 0.5
        at, value = trial, found
        if float(np.abs(size * step).max()) < TOLERANCE:
            break
    chance = sigmoid(rows @ at - evidence.threshold)
    return at, _symmetric(np.linalg.inv(_hessian(rows, weight, chance, precision)))


def _symmetric(matrix: NDArray[Any]) -> Doubles:
    out: Doubles = 0.5 * (matrix + matrix.T)
    return out


def _hessian(rows: Doubles, weight: Doubles, chance: Doubles, precision: Doubles) -> Doubles:
    curvature = weight * chance * (1.0 - chance)
    out: Doubles = (rows * curvature[:, None]).T @ rows + precision
    return out


def _likelihood(evidence: Evidence, logits: Doubles) -> float:
    # log sigmoid(x) = -log(1 + exp(-x)); a fractional target adds target * x to log(1 - sigmoid(x)).
    return float(evidence.weight @ (evidence.target * logits - np.logaddexp(0.0, logits)))


def _objective(evidence: Evidence, at: Doubles, mean: Doubles, precision: Doubles) -> float:
    off = at - mean
    logits = evidence.rows @ at - evidence.threshold
    return _likelihood(evidence, logits) - 0.5 * float(off @ precision @ off)


def left_out(
    evidence: Evidence, owner: NDArray[np.intp], mean: Doubles, covariance: Doubles
) -> Doubles:
    """Return for each rating the probability of a like that the other ratings foretell.

    This is the cavity of Laplace's approximation: the answers of a rating are taken out of the posterior together.

    Args:
        evidence: Answers; all those of one rating have the same row.
        owner: (n,) the rating, from 0, that each answer belongs to.
        mean: The posterior's.
        covariance: The posterior's.
    """
    logits = evidence.rows @ mean
    chance = sigmoid(logits - evidence.threshold)
    first = np.unique(owner, return_index=True)[1]
    variance = ((evidence.rows[first] @ covariance) * evidence.rows[first]).sum(axis=1)
    curvature = np.bincount(owner, evidence.weight * chance * (1.0 - chance))
    gradient = np.bincount(owner, evidence.weight * (evidence.target - chance))
    without = variance / np.maximum(1.0 - curvature * variance, 1e-3)
    centre = logits[first] - without * gradient
    return sigmoid(centre / np.sqrt(1.0 + np.pi * without / 8.0))
