"""Measure an encoder on this machine: how long it takes to load, and how many clips it hears in a second."""

from __future__ import annotations

import time
from dataclasses import dataclass

import numpy as np

from cli.measuring import SECONDS, peak_memory
from scoring.encoder import Weights
from scoring.encoders import BUILT_IN, create_encoder

RATE, CLIPS = 44100, 4
"""What is heard: clips of the length that rounds post, stereo."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """How fast an encoder is here.

    Attributes:
        name: The encoder.
        device: Where it ran.
        load_seconds: Until it could hear, import of its libraries included.
        clips_per_second: Of 10 s each, one after another.
        cpu_seconds_per_clip: Of this process.
        memory_mb: The most that its process held, in MB.
    """

    name: str
    device: str
    load_seconds: float
    clips_per_second: float
    cpu_seconds_per_clip: float
    memory_mb: float


def measure(weights: Weights | None, device: str) -> Heard:
    """Load an encoder and let it hear clips.

    Raises:
        ScoringError: It cannot be loaded.
    """
    start = time.perf_counter()
    encoder = create_encoder(weights, device=device)
    loaded = time.perf_counter()
    rng = np.random.default_rng(0)
    clips = [_clip(rng) for _ in range(CLIPS)]
    encoder.encode(clips[0], RATE)
    begun, cpu = time.perf_counter(), time.process_time()
    for clip in clips:
        encoder.encode(clip, RATE)
    seconds = time.perf_counter() - begun
    return Heard(
        name=weights.name if weights else BUILT_IN,
        device=encoder.info.device,
        load_seconds=round(loaded - start, 2),
        clips_per_second=round(CLIPS / seconds, 3),
        cpu_seconds_per_clip=round((time.process_time() - cpu) / CLIPS, 3),
        memory_mb=peak_memory(),
    )


def _clip(rng: np.random.Generator) -> np.ndarray:
    """Return pulsed noise over a chord: as much to do as music is."""
    time_axis = np.arange(int(SECONDS * RATE)) / RATE
    chord = sum(np.sin(2 * np.pi * pitch * time_axis) for pitch in rng.uniform(80, 800, 4))
    pulse = np.exp(-12 * (time_axis % 0.5))
    sound = 0.05 * chord + 0.1 * pulse * rng.normal(size=len(time_axis))
    return np.stack([sound, sound], axis=1).astype(np.float32)
