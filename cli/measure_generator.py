"""Measure a generator on this machine: how long it takes to load, and how many clips it makes in a second."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

from cli.measuring import SECONDS, peak_memory
from domain.clip import ClipFailure, ClipRequest
from domain.errors import GenerationError, NoRoomError
from generation.generator import Generator
from generation.memory import limit_memory, memory_taken
from generation.registry import Recipe, create_generator

PROMPT = "slow lofi hip hop with felt piano and soft drums"
"""One for all, since clips are told apart by their seeds: prompts of other lengths may need batches of their own."""
OWN_PROCESS = "audiocraft"
"""Loader of generators that work in yet another process, whose time and memory are not seen from here."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Speed:
    """How fast clips are made.

    Attributes:
        batch: Clips at once.
        clips_per_second: Of 10 s each, or as many as make up that length where the longest is shorter.
        real_time: Seconds of sound in a second.
        cpu_seconds_per_clip: Of the generator's process; ``None`` where that is not known.
    """

    batch: int
    clips_per_second: float
    real_time: float
    cpu_seconds_per_clip: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Played:
    """How fast a generator is here.

    Attributes:
        name: The generator.
        device: Where it ran.
        load_seconds: Until it could play, import of its libraries included.
        clips_per_second: Of ``together``.
        alone: One clip at a time.
        together: As many at once as the settings say, or as fit into memory.
        drafts: The same for drafts; ``None`` where it has none.
        memory_mb: The most that its process held, in MB; ``None`` where that is not known.
        vram_mb: The most that it took of a GPU, in MB; ``None`` where there is none.
    """

    name: str
    device: str
    load_seconds: float
    clips_per_second: float
    alone: Speed
    together: Speed
    drafts: Speed | None
    memory_mb: float | None
    vram_mb: float | None


def measure(recipe: Recipe) -> Played:
    """Load a generator and let it play.

    Raises:
        GenerationError: It cannot be loaded, or a clip cannot be made.
    """
    begun = time.perf_counter()
    generator = create_generator(recipe)
    limit_memory(recipe.device, float(recipe.option("memory", "0")))
    generator.prepare()
    load_seconds = round(time.perf_counter() - begun, 2)
    own = recipe.loader != OWN_PROCESS
    try:
        _warm(generator)
        alone = _speed(generator, 1, own=own)
        together = _fitting(generator, alone, own=own)
        able = generator.capabilities
        drafts = _speed(generator, together.batch, own=own, draft=True) if able.drafts else None
        return Played(
            name=recipe.name,
            device=generator.info.details.get("device", "cpu"),
            load_seconds=load_seconds,
            clips_per_second=together.clips_per_second,
            alone=alone,
            together=together,
            drafts=drafts,
            memory_mb=peak_memory() if own else None,
            vram_mb=memory_taken(),
        )
    finally:
        generator.release()


def _warm(generator: Generator) -> None:
    """Let it play a short clip, so that its libraries have set themselves up."""
    _made(generator, [_request(generator.capabilities.shortest, 0)])


def _fitting(generator: Generator, alone: Speed, *, own: bool) -> Speed:
    """Measure the largest batch that the settings ask for and that fits into memory."""
    size = generator.capabilities.batch
    while size > 1:
        try:
            return _speed(generator, size, own=own)
        except NoRoomError:
            size //= 2
    return alone


def _speed(generator: Generator, batch: int, *, own: bool, draft: bool = False) -> Speed:
    """Make one batch against the clock. A draft counts as the clip that it is a draft of."""
    seconds = min(SECONDS, generator.capabilities.longest)
    requests = [_request(seconds, seed, draft=draft) for seed in range(1, batch + 1)]
    begun, cpu = time.perf_counter(), time.process_time()
    _made(generator, requests)
    wall, spent = time.perf_counter() - begun, time.process_time() - cpu
    clips = batch * seconds / SECONDS
    return Speed(
        batch=batch,
        clips_per_second=round(clips / wall, 4),
        real_time=round(batch * seconds / wall, 3),
        cpu_seconds_per_clip=round(spent / clips, 3) if own else None,
    )


def _request(seconds: float, seed: int, *, draft: bool = False) -> ClipRequest:
    return ClipRequest(prompt=PROMPT, seed=seed, seconds=seconds, draft=draft)


def _made(generator: Generator, requests: Sequence[ClipRequest]) -> None:
    for clip in generator.generate(requests):
        if isinstance(clip, ClipFailure):
            raise GenerationError(clip.reason)
