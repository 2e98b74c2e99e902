"""Clips to learn tastes over: ``python -m bench.taste_bank`` writes bench/taste_bank.npz again (five minutes).

Needed when the composer's sound or the encoder changes. Seventeen clips of eight seconds of every family, as the
breeder invents them, from other seeds than those that the taste space and the playground's listeners were fitted on.
Kept are what the learner measures of a clip, what a listener hears in it and its family, but not its sound.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench.evomusic import noise_penalty
from domain.clip import ClipFailure, ClipRequest
from domain.facets import FAMILIES
from evolution.facets_ops import Breeder
from generation.registry import composer, create_generator
from playground.hearing import PROPERTIES, hear
from prompts.vocabulary import shipped
from prompts.writer import write
from scoring.features import FeatureEncoder
from scoring.quality import assess

FILE = Path(__file__).with_name("taste_bank.npz")
Row = tuple[NDArray[np.float32], NDArray[np.float64], int, float, float]

EACH, SECONDS, SEED = 17, 8.0, 20260


@dataclass(frozen=True, slots=True, kw_only=True)
class Clips:
    """What is known of n clips.

    Attributes:
        embeddings: (n, d) float32 of the built-in encoder.
        heard: (n, p) float64, the properties that listeners hear.
        families: Genre family of each clip.
        penalties: (n,) float64, the noise penalty of the EvoMusic rule.
        quality: (n,) float64 in [0, 1], what the quality gate gave.
        about: What they were made by: generator, encoder, seed.
    """

    embeddings: NDArray[np.float32]
    heard: NDArray[np.float64]
    families: tuple[str, ...]
    penalties: NDArray[np.float64]
    quality: NDArray[np.float64]
    about: dict[str, Any]


def shipped_clips() -> Clips:
    """Return the clips that come with the benchmark.

    Raises:
        ValueError: They were measured by another encoder or another ear than the ones here.
    """
    with np.load(FILE, allow_pickle=False) as data:
        about = json.loads(str(data["about"]))
        if about["encoder"] != FeatureEncoder.info.id or about["properties"] != list(PROPERTIES):
            message = (
                f"{FILE.name} was measured by {about['encoder']}; run python -m bench.taste_bank"
            )
            raise ValueError(message)
        return Clips(
            embeddings=data["embeddings"].astype(np.float32),
            heard=data["heard"].astype(np.float64),
            families=tuple(FAMILIES[row] for row in data["families"]),
            penalties=data["penalties"].astype(np.float64),
            quality=data["quality"].astype(np.float64),
            about=about,
        )


def keep(rows: Sequence[Row], about: dict[str, Any]) -> None:
    """Write the file. Half precision is 1/2000 of a value: far less than two renderings of a prompt differ by."""
    embeddings, heard, families, penalties, quality = zip(*rows, strict=True)
    np.savez_compressed(
        FILE,
        embeddings=np.array(embeddings, dtype=np.float16),
        heard=np.array(heard, dtype=np.float32),
        families=np.array(families, dtype=np.uint8),
        penalties=np.array(penalties, dtype=np.float16),
        quality=np.array(quality, dtype=np.float16),
        about=np.array(json.dumps(about)),
    )


def main() -> None:
    """Render, measure and write."""
    rng = np.random.default_rng(SEED)
    breeder, generator, encoder = Breeder(shipped()), create_generator(composer()), FeatureEncoder()
    rows: list[Row] = []
    for number in range(EACH * len(FAMILIES)):
        asked = FAMILIES[number % len(FAMILIES)]
        request = ClipRequest(
            prompt=write(breeder.invent(asked, rng), rng),
            seed=int(rng.integers(2**31)),
            seconds=SECONDS,
        )
        made = generator.generate([request])[0]
        if isinstance(made, ClipFailure):
            print(f"left out: {made.reason}", file=sys.stderr)
            continue
        sound, rate = made.audio.samples, made.audio.sample_rate
        rows.append(
            (
                encoder.encode(sound, rate)[0],
                hear(sound, rate).vector(),
                FAMILIES.index(str(made.description["family"])),
                noise_penalty(sound, rate),
                assess(sound, rate).score,
            )
        )
        print(f"\r{len(rows)} clips", end="", file=sys.stderr, flush=True)
    about = {
        "generator": f"{generator.info.name} {generator.info.version}",
        "encoder": encoder.info.id,
        "properties": list(PROPERTIES),
        "seconds": SECONDS,
        "seed": SEED,
    }
    keep(rows, about)
    print(f"\n{FILE}: {len(rows)} clips, {FILE.stat().st_size // 1024} KB", file=sys.stderr)


if __name__ == "__main__":
    main()
