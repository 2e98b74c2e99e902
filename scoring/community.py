"""What a community has in common, learned from the votes of all its listeners."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from scoring.beliefs import Pair, Prior, Rated
from scoring.space import TasteSpace
from scoring.taste import PRIOR_EVIDENCE, PRIOR_MEMBERS, default_prior, fit, fit_prior

ROUNDS = 5
"""Steps of expectation and maximisation at most."""
SETTLED = 0.02
"""Movement of the mean, in standard deviations of a stranger's weights, below which a step is the last."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Member:
    """What one listener of a community said.

    Attributes:
        phi: (n, k + 1) of the clips that they voted on.
        rated: As in ``taste.fit``.
        pairs: As in ``taste.fit``.
    """

    phi: NDArray[np.float64]
    rated: Sequence[Rated]
    pairs: Sequence[Pair] = ()

    @property
    def clips(self) -> int:
        """How many clips that was about."""
        rows = {one.clip for one in self.rated if one.counts}
        return len(rows | {row for pair in self.pairs for row in (pair.better, pair.worse)})


def refit(members: Sequence[Member], space: TasteSpace, *, rounds: int = ROUNDS) -> Prior:
    """Learn the prior of a community from the votes of its members, by expectation and maximisation.

    Whoever is not among ``members`` has no influence at all: nothing of an earlier prior is kept. Too few members, or
    too few votes, give the default prior (see ``taste.fit_prior``).

    Args:
        members: In any order; of the last bits of the result alone does it matter.
        space: What their clips were projected by.
        rounds: Steps at most.
    """
    prior = default_prior(space)
    if sum(member.clips >= PRIOR_EVIDENCE for member in members) < PRIOR_MEMBERS:
        return prior
    deviation = np.sqrt(np.diagonal(prior.covariance))
    for _ in range(rounds):
        tastes = [fit(prior, member.phi, member.rated, member.pairs) for member in members]
        learned = fit_prior(tastes, space)
        moved = float((np.abs(learned.mean - prior.mean) / deviation).max())
        prior = learned
        if moved < SETTLED:
            break
    return prior
