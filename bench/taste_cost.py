"""What learning costs: the nightly prior of a thousand members, and a hundred thousand clips foretold for one."""

from __future__ import annotations

import time
from dataclasses import dataclass

import numpy as np

from bench.taste_world import Doubles
from domain.vote import Grade
from playground.tastes import GOOD, LOVE, MEH
from scoring.community import Member, refit
from scoring.space import default_space
from scoring.taste import Rated, fit, predict

MEMBERS, VOTES, CLIPS, TRIES = 1000, 30, 100_000, 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """CPU seconds: of the prior of ``MEMBERS``, and of foretelling ``CLIPS`` for one listener (best of some tries)."""

    refit: float
    foretell: float


def cost(phi: Doubles) -> Cost:
    """Measure on members who each weigh the measures in their own way."""
    rng = np.random.default_rng(0)
    members = []
    for _ in range(MEMBERS):
        rows = rng.choice(len(phi), VOTES, replace=False)
        felt = phi[rows] @ rng.standard_normal(phi.shape[1]) - 1.0
        grades = (felt > MEH).astype(int) + (felt > GOOD) + (felt > LOVE)
        rated = [
            Rated(clip=int(row), rating=Grade(int(grade)).rating, age=age)
            for age, (row, grade) in enumerate(zip(rows, grades, strict=True))
        ]
        members.append(Member(phi=phi, rated=rated))
    start = time.process_time()
    prior = refit(members, default_space())
    learned = time.process_time() - start
    taste = fit(prior, phi, members[0].rated)
    archive = phi[rng.integers(len(phi), size=CLIPS)]
    taken = []
    for _ in range(TRIES):
        start = time.process_time()
        predict([taste], archive)
        taken.append(time.process_time() - start)
    return Cost(refit=learned, foretell=min(taken))
