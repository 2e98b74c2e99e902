"""Clean music for the gate's bench: clips of every composer family, and sound that no composer of ours made.

Seeds below ``HELD_OUT`` are for tuning the gate; the bench reports on seeds from there on.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bench.composer_part import RATE, Studio, families
from evolution.facets_ops import Breeder
from prompts.vocabulary import shipped

Floats = NDArray[np.float32]
HELD_OUT = 100
SECONDS = 6.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Clean:
    """A clip that nothing is wrong with.

    Attributes:
        name: Its family, or what it stands for.
        seed: Which one of them.
        samples: float32 (frames, channels).
        sample_rate: In Hz.
    """

    name: str
    seed: int
    samples: Floats
    sample_rate: int = RATE


def composed(seeds: range, seconds: float = SECONDS) -> Iterator[Clean]:
    """Yield a clip of every family for each seed, from prompts as the breeder invents them."""
    studio, breeder = Studio(), Breeder(shipped())
    for seed in seeds:
        for number, family in enumerate(families()):
            rng = np.random.default_rng([seed, number])
            made = studio.make(breeder.invent(family, rng), int(rng.integers(2**31)), seconds)
            yield Clean(name=family, seed=seed, samples=made.audio.samples)
