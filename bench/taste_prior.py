"""What to expect of a stranger: ``python -m bench.taste_prior`` writes scoring/prior.npz again (some seconds).

Needed when the taste space changes. Until a community has voted, the best guess about a listener is that they love a
place: music near some clip in some properties, and less of it the further away. Thousands of such tastes are imagined,
over the learner's own measures and around clips of the bank. Their weights in the taste space have a mean and a
covariance, and those are the prior. No listener of a benchmark takes part in this.
"""

from __future__ import annotations

import sys

import numpy as np
from numpy.typing import NDArray

from bench.taste_bank import shipped_clips
from scoring.features import NAMED
from scoring.space import TasteSpace, default_space
from scoring.taste import PRIOR

Doubles = NDArray[np.float64]

IMAGINED, SEED = 3000, 5
SECOND = 0.3
"""Share of the imagined who love two places."""
WIDTHS = (0.5, 1.2)
"""How far a liking reaches in one property, in standard deviations of all music."""
GENEROSITY = (0.1, 0.3)
"""Share of all music that somebody likes."""
STEEPNESS, LIMIT = 3.0, 8.0
"""Log odds lost for each width further from the place, and where they end."""
RIDGE, DOUBT = 3.0, 0.02
"""Of the regression on the space, and the variance that every weight keeps."""


def imagine(measures: Doubles, rng: np.random.Generator) -> Doubles:
    """Return (n,) the log odds with which an imagined listener likes each clip.

    Args:
        measures: (n, d) in standard deviations.
        rng: Chance.
    """
    places = 2 if rng.random() < SECOND else 1
    best = np.max([_place(measures, rng) for _ in range(places)], axis=0)
    return np.asarray(np.clip(best, -LIMIT, LIMIT))


def _place(measures: Doubles, rng: np.random.Generator) -> Doubles:
    clips, size = measures.shape
    centre = measures[rng.integers(clips)] + 0.2 * rng.standard_normal(size)
    # A few properties as often as many: the number is drawn evenly over its logarithm.
    matter = int(np.clip(np.exp(rng.uniform(np.log(2), np.log(size + 1))), 2, size))
    used = rng.choice(size, matter, replace=False)
    widths = rng.uniform(*WIDTHS, size=matter)
    away = np.sqrt((((measures[:, used] - centre[used]) / widths) ** 2).mean(axis=1))
    return np.asarray(STEEPNESS * (np.quantile(away, rng.uniform(*GENEROSITY)) - away))


def prior_weights(space: TasteSpace, embeddings: NDArray[np.float32]) -> tuple[Doubles, Doubles]:
    """Return mean and covariance of the weights of imagined listeners."""
    raw = embeddings[:, : len(NAMED)].astype(np.float64)
    centre, scale = np.median(raw, axis=0), raw.std(axis=0) + 1e-9
    return prior_of(space.project(embeddings), 3.0 * np.tanh((raw - centre) / (3.0 * scale)))


def prior_of(phi: Doubles, measures: Doubles) -> tuple[Doubles, Doubles]:
    """Return mean and covariance of the weights over phi (n, k + 1) of tastes imagined over measures (n, d)."""
    rng = np.random.default_rng(SEED)
    measures = (measures - measures.mean(axis=0)) / measures.std(axis=0)
    felt = np.array([imagine(measures, rng) for _ in range(IMAGINED)])
    solve = np.linalg.inv(phi.T @ phi + RIDGE * np.eye(phi.shape[1])) @ phi.T
    weights = felt @ solve.T
    return weights.mean(axis=0), np.cov(weights.T) + DOUBT * np.eye(phi.shape[1])


def main() -> None:
    """Imagine and write."""
    space = default_space()
    mean, covariance = prior_weights(space, shipped_clips().embeddings)
    upper = covariance[np.triu_indices(len(mean))]
    np.savez_compressed(
        PRIOR,
        mean=mean.astype(np.float32),
        upper=upper.astype(np.float32),
        space=np.array(space.id),
    )
    print(f"{PRIOR}: {len(mean)} weights, {PRIOR.stat().st_size // 1024} KB", file=sys.stderr)


if __name__ == "__main__":
    main()
