"""Which two clips to put side by side: the pair whose better one is expected to be liked most.

EUBO (Lin and others 2022; Astudillo and others 2023): the expected utility of the better of two. It asks about clips
that are probably good and of which it is not known which is better, so that a duel is worth hearing and teaches
something. With a Gaussian belief it has a closed form.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from domain.errors import ScoringError
from scoring.beliefs import Doubles, Taste

SHORTLIST = 256
"""Clips of which every pair is compared. Of more, those that may turn out best are kept."""


def eubo(taste: Taste, phi_a: NDArray[np.float64], phi_b: NDArray[np.float64]) -> float:
    """Return the expected log odds of the better of two clips, whichever that is.

    Args:
        taste: Of the listener who will be asked.
        phi_a: (k + 1,) of one clip.
        phi_b: (k + 1,) of the other. The order does not matter.

    Raises:
        ScoringError: A clip is of another space than the taste, or not finite.
    """
    return float(_table(taste, _checked([taste], np.stack([phi_a, phi_b])))[0, 1])


def choose_pair(
    taste_or_tastes: Taste | Sequence[Taste], phi: NDArray[np.float64], rng: np.random.Generator
) -> tuple[int, int]:
    """Choose two clips for a duel.

    Args:
        taste_or_tastes: Of those who will be asked; each counts the same. With nobody, a clip and one that is as
            different from it as can be.
        phi: (n, k + 1) of the clips to choose from, at least two.
        rng: Settles ties, and which of the two comes first: people lean towards the first.

    Returns:
        Two different rows of ``phi``, in the order in which to show them.

    Raises:
        ScoringError: There are fewer than two clips, or they are of another space than a taste, or not finite.
    """
    tastes = [taste_or_tastes] if isinstance(taste_or_tastes, Taste) else list(taste_or_tastes)
    clips = _checked(tastes, phi)
    if len(clips) < 2:
        message = f"A duel needs two clips, but there are {len(clips)}."
        raise ScoringError(message)
    if not tastes:
        first = int(rng.integers(len(clips)))
        away = np.linalg.norm(clips - clips[first], axis=1)
        away[first] = -1.0
        return first, int(away.argmax())
    order = rng.permutation(len(clips))
    if len(order) > SHORTLIST:
        hope = np.mean([_hope(taste, clips) for taste in tastes], axis=0)
        order = order[np.argsort(-hope[order], kind="stable")[:SHORTLIST]]
        order = rng.permutation(order)
    worth = np.mean([_table(taste, clips[order]) for taste in tastes], axis=0)
    np.fill_diagonal(worth, -np.inf)
    # Both orders of a pair are worth the same, and the clips were shuffled: which of them is found first is chance.
    one, other = np.unravel_index(int(worth.argmax()), worth.shape)
    pair = (int(order[one]), int(order[other]))
    return pair if rng.random() < 0.5 else (pair[1], pair[0])


def _checked(tastes: Sequence[Taste], phi: NDArray[np.float64]) -> Doubles:
    clips = np.asarray(phi, dtype=np.float64)
    for taste in tastes:
        if clips.ndim != 2 or clips.shape[1] != len(taste.mean):
            message = (
                f"Clips of shape {clips.shape} do not fit a taste of {len(taste.mean)} weights."
            )
            raise ScoringError(message)
    if clips.ndim != 2 or not np.isfinite(clips).all():
        message = "The clips of a duel must be rows of finite numbers."
        raise ScoringError(message)
    return clips


def _hope(taste: Taste, phi: Doubles) -> Doubles:
    """Return (n,) how good each clip may turn out: a standard deviation above what is expected."""
    variance = np.square(phi @ np.linalg.cholesky(taste.covariance)).sum(axis=1)
    out: Doubles = phi @ taste.mean + np.sqrt(variance)
    return out


def _table(taste: Taste, phi: Doubles) -> Doubles:
    """Return (n, n) the expected log odds of the better of each two clips."""
    mean = phi @ taste.mean
    rows = phi @ np.linalg.cholesky(taste.covariance)
    inner = rows @ rows.T
    own = np.diagonal(inner)
    spread = np.sqrt(np.maximum(own[:, None] + own[None, :] - 2.0 * inner, 1e-12))
    ahead = mean[:, None] - mean[None, :]
    ratio = ahead / spread
    density = np.exp(-0.5 * ratio**2) / math.sqrt(2.0 * math.pi)
    out: Doubles = mean[None, :] + ahead * _normal_cdf(ratio) + spread * density
    # The same by mathematics for both orders; made the same to the last bit, so that no order is favoured.
    return 0.5 * (out + out.T)


def _normal_cdf(value: Doubles) -> Doubles:
    """Return the distribution function of the standard normal, to 1e-7 (Abramowitz and Stegun 26.2.17)."""
    size = np.abs(value)
    step = 1.0 / (1.0 + 0.2316419 * size)
    series = step * (
        0.319381530
        + step * (-0.356563782 + step * (1.781477937 + step * (-1.821255978 + step * 1.330274429)))
    )
    upper = np.exp(-0.5 * size**2) / math.sqrt(2.0 * math.pi) * series
    return np.where(value >= 0, 1.0 - upper, upper)
