"""Bayesian logistic regression with fractional targets by Newton's method and Laplace's approximation."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Doubles = NDArray[np.float64]

STEPS, TOLERANCE = 40, 1e-9


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """Weighted fractional targets.

    Attributes:
        rows: (n, d).
        target: (n,) in [0, 1].
        weight: (n,), 0 or more.
    """

    rows: Doubles
    target: Doubles
    weight: Doubles


def sigmoid(value: Doubles) -> Doubles:
    """Return 1 / (1 + exp(-value)) without overflow."""
    return 0.5 * (1.0 + np.tanh(0.5 * value))


def cross_entropy(target: Doubles, probability: Doubles) -> Doubles:
    """Return the log loss of fractional targets in nats, probabilities kept off 0 and 1."""
    safe = np.clip(probability, 1e-6, 1 - 1e-6)
    return -(target * np.log(safe) + (1.0 - target) * np.log1p(-safe))


def posterior(evidence: Evidence, mean: Doubles, precision: Doubles) -> tuple[Doubles, Doubles]:
    """Return the mode and the covariance of the weights under a Gaussian prior.

    The objective is concave, so damped Newton steps from the prior mean always arrive at the one maximum.
    """
    rows, target, weight = evidence.rows, evidence.target, evidence.weight
    at = mean.copy()
    value = _objective(evidence, at, mean, precision)
    for _ in range(STEPS):
        chance = sigmoid(rows @ at)
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
    covariance = np.linalg.inv(_hessian(rows, weight, sigmoid(rows @ at), precision))
    return at, 0.5 * (covariance + covariance.T)


def _hessian(rows: Doubles, weight: Doubles, chance: Doubles, precision: Doubles) -> Doubles:
    curvature = weight * chance * (1.0 - chance)
    out: Doubles = (rows * curvature[:, None]).T @ rows + precision
    return out


def _objective(evidence: Evidence, at: Doubles, mean: Doubles, precision: Doubles) -> float:
    logits = evidence.rows @ at
    # log sigmoid(x) = -log(1 + exp(-x)); a fractional target adds target * x to log(1 - sigmoid(x)).
    likelihood = evidence.target * logits - np.logaddexp(0.0, logits)
    off = at - mean
    return float(evidence.weight @ likelihood - 0.5 * off @ precision @ off)


def left_out(evidence: Evidence, at: Doubles, covariance: Doubles) -> Doubles:
    """Return for each row the probability that the other rows foretell (the cavity of Laplace's approximation)."""
    logits = evidence.rows @ at
    chance = sigmoid(logits)
    variance = ((evidence.rows @ covariance) * evidence.rows).sum(axis=1)
    curvature = evidence.weight * chance * (1.0 - chance)
    without = variance / np.maximum(1.0 - curvature * variance, 1e-3)
    centre = logits - without * evidence.weight * (evidence.target - chance)
    return sigmoid(centre / np.sqrt(1.0 + np.pi * without / 8.0))
