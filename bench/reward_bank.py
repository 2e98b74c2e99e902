"""Clips to learn a reward over: ``python -m bench.reward_bank`` writes bench/reward_bank.npz again (some minutes).

Needed when the composer's sound or the encoder changes. Fifteen clips of eight seconds of every family, as the breeder
invents them, from other seeds than those that the taste space and the playground's listeners were fitted on. Kept are
what the learner measures of a clip and what a listener hears in it, but not its sound.
"""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from domain.clip import ClipFailure, ClipRequest
from domain.facets import FAMILIES
from evolution.facets_ops import Breeder
from generation.registry import composer, create_generator
from playground.hearing import PROPERTIES, hear
from prompts.vocabulary import shipped
from prompts.writer import write
from scoring.features import FeatureEncoder

FILE = Path(__file__).with_name("reward_bank.npz")
EACH, SECONDS, SEED = 15, 8.0, 20260


@dataclass(frozen=True, slots=True, kw_only=True)
class Clips:
    """What is known of n clips: embeddings (n, d) of the built-in encoder, and heard properties (n, p)."""

    embeddings: NDArray[np.float32]
    heard: NDArray[np.float64]


def shipped_clips() -> Clips:
    """Return the clips that come with the benchmark.

    Raises:
        ValueError: They were measured by another encoder or another ear than the ones here.
    """
    with np.load(FILE, allow_pickle=False) as data:
        about = json.loads(str(data["about"]))
        if about["encoder"] != FeatureEncoder.info.id or about["properties"] != list(PROPERTIES):
            message = (
                f"{FILE.name} was measured by {about['encoder']}; run python -m bench.reward_bank"
            )
            raise ValueError(message)
        return Clips(
            embeddings=data["embeddings"].astype(np.float32),
            heard=data["heard"].astype(np.float64),
        )


def measure(count: int) -> Clips:
    """Render and measure the first ``count`` clips; those that fail are left out."""
    rng = np.random.default_rng(SEED)
    breeder, generator, encoder = Breeder(shipped()), create_generator(composer()), FeatureEncoder()
    embeddings, heard = [], []
    for number in range(count):
        request = ClipRequest(
            prompt=write(breeder.invent(FAMILIES[number % len(FAMILIES)], rng), rng),
            seed=int(rng.integers(2**31)),
            seconds=SECONDS,
        )
        made = generator.generate([request])[0]
        if isinstance(made, ClipFailure):
            print(f"left out: {made.reason}", file=sys.stderr)
            continue
        sound, rate = made.audio.samples, made.audio.sample_rate
        embeddings.append(encoder.encode(sound, rate)[0])
        heard.append(hear(sound, rate).vector())
        print(f"\r{len(heard)} clips", end="", file=sys.stderr, flush=True)
    return Clips(embeddings=np.array(embeddings, dtype=np.float32), heard=np.array(heard))


def save(clips: Clips) -> None:
    """Write them. Half precision is 1/2000 of a value: far below what two renderings of a prompt differ by."""
    about = {
        "encoder": FeatureEncoder.info.id,
        "properties": list(PROPERTIES),
        "seconds": SECONDS,
        "seed": SEED,
    }
    np.savez_compressed(
        FILE,
        embeddings=clips.embeddings.astype(np.float16),
        heard=clips.heard.astype(np.float32),
        about=np.array(json.dumps(about)),
    )


if __name__ == "__main__":
    save(measure(EACH * len(FAMILIES)))
