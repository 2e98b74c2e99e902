"""How new a clip is: its distance in the taste space to what is there already."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from domain.errors import ScoringError
from scoring.beliefs import Doubles

NEIGHBOURS = 5
"""Nearest clips that novelty looks at."""
USUAL = 2.0
"""A usual distance in the shipped space: clips of one family lie about 2.2 apart, of different ones about 4.4."""
LATEST = 500
"""Clips of an archive that are compared with each other, the latest: more would take the event loop's time."""


def distances(phi: NDArray[np.float64], others: NDArray[np.float64]) -> Doubles:
    """Return the Euclidean distances (n, m) of clips (n, k + 1) to others (m, k + 1); the intercept cancels out.

    Raises:
        ScoringError: They are of different spaces.
    """
    left, right = np.asarray(phi, dtype=np.float64), np.asarray(others, dtype=np.float64)
    if left.ndim != 2 or right.ndim != 2 or left.shape[1] != right.shape[1]:
        message = f"Clips of shapes {left.shape} and {right.shape} are not of one space."
        raise ScoringError(message)
    squares = (
        (left**2).sum(axis=1)[:, None] + (right**2).sum(axis=1)[None, :] - 2.0 * left @ right.T
    )
    out: Doubles = np.sqrt(np.maximum(squares, 0.0))
    return out


def novelty(near: NDArray[np.float64], scale: float = USUAL) -> Doubles:
    """Return how new clips are, (n,) in [0, 1]: 0 for a copy, a half at ``scale``, 1 where nothing is there yet.

    It is the mean over the nearest clips of d / (d + scale), averaged geometrically with that of the very nearest: a
    copy is not new however far everything else lies.

    Args:
        near: (n, m) distances to the archive.
        scale: Above 0.
    """
    if not near.shape[1]:
        return np.ones(len(near))
    closest = np.sort(near, axis=1)[:, :NEIGHBOURS]
    share = closest / (closest + scale)
    out: Doubles = np.sqrt(share.mean(axis=1) * share[:, 0])
    return out


def among(phi: NDArray[np.float64], scale: float = USUAL) -> Doubles:
    """Return how new each of the ``LATEST`` clips of an archive (n, k + 1) is among them, (n,); NaN before them."""
    latest = phi[-LATEST:]
    count = len(latest)
    others = ~np.eye(count, dtype=bool)
    near = distances(latest, latest)[others].reshape(count, max(count - 1, 0))
    older: Doubles = np.full(len(phi) - count, np.nan)
    return np.concatenate([older, novelty(near, scale)])
