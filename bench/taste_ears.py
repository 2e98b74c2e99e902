"""The bot with its listeners' ears: what the same learner is worth where the measures are those that tastes are about.

The heard properties, their squares and their products are its columns, and its prior is made as the shipped one is,
from imagined tastes. What this learner reaches and ours does not, the measures of the encoder cost.
"""

from __future__ import annotations

from functools import cache

import numpy as np

from bench.taste_bank import shipped_clips
from bench.taste_prior import prior_of
from bench.taste_world import Doubles
from playground.tastes import shipped_bank
from scoring.taste import Prior

REACH = 3.0
LINEAR, SQUARE, PRODUCT = 0.6, 0.3, 0.3
"""Scale of the columns."""


@cache
def ears() -> tuple[Doubles, Prior]:
    """Return phi (n, k + 1) of the bench's clips, and what is expected of a stranger there."""
    heard = shipped_bank().standard(shipped_clips().heard)
    heard = REACH * np.tanh(heard / REACH)
    one, other = np.triu_indices(heard.shape[1], 1)
    parts = [
        LINEAR * heard,
        SQUARE * (heard**2 - 1.0),
        PRODUCT * heard[:, one] * heard[:, other],
        np.ones((len(heard), 1)),
    ]
    phi = np.concatenate(parts, axis=1)
    mean, covariance = prior_of(phi, heard)
    return phi, Prior(space_id="ears", mean=mean, covariance=covariance, members=0)
