"""How well scores tell what was listened to from what was not."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata

Doubles = NDArray[np.float64]
Truth = NDArray[np.bool_]


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """Quality on held-out tracks; 0.5 is chance in all three when half of the pairs were listened to.

    Attributes:
        roc_auc: Probability that a pair that was listened to scores above one that was not, whoever the users.
        pr_auc: Average precision over all pairs.
        pairwise: The same as ``roc_auc`` within a user, mean over users.
        pairs: How many were checked.
        users: Whose.
    """

    roc_auc: float
    pr_auc: float
    pairwise: float
    pairs: int
    users: int


def roc_auc(scores: Doubles, truth: Truth) -> float:
    """Return the area under the ROC curve, ties counting half; not a number where one side is empty."""
    right = int(truth.sum())
    wrong = len(truth) - right
    if not right or not wrong:
        return float("nan")
    ranks = rankdata(scores)
    return float((ranks[truth].sum() - right * (right + 1) / 2) / (right * wrong))


def pr_auc(scores: Doubles, truth: Truth) -> float:
    """Return the average precision; what is tied is taken together. Not a number where nothing is true."""
    if not truth.any():
        return float("nan")
    order = np.argsort(-scores, kind="stable")
    ordered = scores[order]
    last = np.append(np.flatnonzero(np.diff(ordered)), len(ordered) - 1)
    found = np.cumsum(truth[order])[last]
    precision = found / (last + 1)
    recall = np.diff(np.concatenate([[0], found])) / truth.sum()
    return float((precision * recall).sum())


def figures(scores: Doubles, user: NDArray[np.int64], truth: Truth) -> Figures:
    """Return all figures of pairs (m,)."""
    order = np.argsort(user, kind="stable")
    groups = np.split(order, np.flatnonzero(np.diff(user[order])) + 1)
    within = [roc_auc(scores[group], truth[group]) for group in groups]
    return Figures(
        roc_auc=roc_auc(scores, truth),
        pr_auc=pr_auc(scores, truth),
        pairwise=float(np.nanmean(within)),
        pairs=len(scores),
        users=len(groups),
    )
