"""Measure encoders on this machine: how long they take to load, and how many clips they hear in a second."""

from __future__ import annotations

import json
import multiprocessing
import resource
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass, replace

import numpy as np

from domain.errors import ScoringError, UserError
from scoring.encoder import Weights
from scoring.encoders import BUILT_IN, create_encoder
from service.models.catalogue import Role, entry
from service.models.chosen import weights_of
from service.models.store import ModelStore

RATE, SECONDS, CLIPS = 44100, 10.0, 4
"""What is heard: clips of the length that rounds post, stereo."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
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


def bench(store: ModelStore, name: str | None, *, device: str, as_json: bool) -> int:
    """Measure one model, or every encoder that is here beside the built-in one; keep what was found for the list.

    Raises:
        UserError: The model is not here, is no encoder, or cannot be used.
    """
    wanted = [None, *_encoders(store)] if name is None else [_one(store, name)]
    rows = []
    for weights in wanted:
        try:
            row = _alone(weights, device)
        except ScoringError as error:
            if name is not None:
                raise UserError(str(error)) from None
            print(f"{weights.name if weights else BUILT_IN}: {error}", file=sys.stderr)
            continue
        rows.append(row)
        here = store.installed(weights.name) if weights else None
        if here is not None:
            store.note(replace(here, measured=asdict(row)))
    if as_json:
        print(json.dumps([asdict(row) for row in rows], indent=2))
        return 0
    print(f"{'encoder':24}{'load s':>8}{'clips/s':>9}{'CPU-s/clip':>12}{'memory MB':>11}  device")
    for row in rows:
        print(
            f"{row.name:24}{row.load_seconds:8.1f}{row.clips_per_second:9.2f}{row.cpu_seconds_per_clip:12.2f}"
            f"{row.memory_mb:11.0f}  {row.device}"
        )
    return 0


def _encoders(store: ModelStore) -> list[Weights]:
    names = [one.name for one in store.every() if entry(one.name).role is Role.ENCODER]
    return [weights_of(store, name) for name in names]


def _one(store: ModelStore, name: str) -> Weights | None:
    if name == BUILT_IN:
        return None
    known = entry(name)
    if known.role is not Role.ENCODER:
        raise UserError(f"{known.name} is a generator; this version measures encoders.")
    return weights_of(store, known.name)


def _alone(weights: Weights | None, device: str) -> Measured:
    """Measure in a process of its own, so that its time and memory are the encoder's alone."""
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, mp_context=context) as pool:
        return pool.submit(measure, weights, device).result()


def measure(weights: Weights | None, device: str) -> Measured:
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
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return Measured(
        name=weights.name if weights else BUILT_IN,
        device=encoder.info.device,
        load_seconds=round(loaded - start, 2),
        clips_per_second=round(CLIPS / seconds, 3),
        cpu_seconds_per_clip=round((time.process_time() - cpu) / CLIPS, 3),
        memory_mb=round(memory / (1e6 if sys.platform == "darwin" else 1e3)),
    )


def _clip(rng: np.random.Generator) -> np.ndarray:
    """Return pulsed noise over a chord: as much to do as music is."""
    time_axis = np.arange(int(SECONDS * RATE)) / RATE
    chord = sum(np.sin(2 * np.pi * pitch * time_axis) for pitch in rng.uniform(80, 800, 4))
    pulse = np.exp(-12 * (time_axis % 0.5))
    sound = 0.05 * chord + 0.1 * pulse * rng.normal(size=len(time_axis))
    return np.stack([sound, sound], axis=1).astype(np.float32)
