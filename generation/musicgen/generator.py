"""MusicGen as a generator: requests in, mastered clips out."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from domain.clip import ClipFailure, ClipRequest, GeneratorInfo, SourceUse
from domain.errors import NoRoomError
from generation.audio import Audio, Floats, as_floats
from generation.devices import device_here
from generation.finishing import finished
from generation.generator import Capabilities, Composition, Progress, refused
from generation.memory import too_large
from generation.musicgen.checkpoint import Kind, load, text_width
from generation.musicgen.chroma import melody
from generation.musicgen.engine import Engine, Order, Written
from generation.musicgen.loop import bucket_of
from generation.musicgen.sampling import Sampling
from generation.musicgen.shapes import FRAME_RATE
from generation.musicgen.text import TooLongError
from generation.registry import Recipe
from generation.sources import decoded
from generation.telling import Telling

VERSION = "2"
"""Raise it whenever the same request would sound different."""
LICENCE = "CC-BY-NC-4.0"
"""Of the released weights."""
SAMPLE_RATE = 32_000
"""Of the released codecs."""
SHORTEST, LONGEST = 1.0, 300.0
"""Seconds that a clip may last."""
DRAFT = 5.0
"""Seconds of a draft."""
DTYPE = torch.bfloat16
"""Of the decoder."""
_SOURCES = {
    Kind.PLAIN: frozenset({SourceUse.CONTINUE}),
    Kind.MELODY: frozenset({SourceUse.CONTINUE, SourceUse.MELODY}),
}


class MusicGen:
    """A ``Generator`` around an engine, which is loaded when it is first needed.

    A draft is the first ``DRAFT`` seconds of its clip; a clip that is no longer than that is its own draft. The clip
    begins with the very tokens of its draft. It is heard a little differently only at the draft's end, which fades out
    and after which the codec knows nothing, and in its level, since each is mastered as it is. A draft of a clip that
    goes on from a sound is that sound and the first ``DRAFT`` seconds after it.

    Args:
        make: Loads the engine.
        recipe: Says its name, licence and batch.
        device: That the engine is on.
        kind: Of its checkpoint.
    """

    def __init__(
        self,
        make: Callable[[], Engine],
        recipe: Recipe,
        device: torch.device,
        kind: Kind = Kind.PLAIN,
    ) -> None:
        self._make = make
        self._engine: Engine | None = None
        self._recipe = recipe
        self._device = device
        self._sources = _SOURCES[kind]
        self._embedding = text_width(Path(recipe.folder))
        self._bucket = bucket_of(recipe.batch)

    @property
    def info(self) -> GeneratorInfo:
        """What makes the sound. Numbers differ between devices, number formats and sizes of a batch."""
        numbers = str(DTYPE).removeprefix("torch.")
        return GeneratorInfo(
            name=self._recipe.name,
            version=f"{VERSION}-{self._device.type}-{numbers}-{self._bucket}",
            licence=self._recipe.licence or LICENCE,
            details={
                "device": str(self._device),
                "numbers": numbers,
                "batch": str(self._bucket),
            },
        )

    @property
    def capabilities(self) -> Capabilities:
        """What it can do."""
        return Capabilities(
            shortest=SHORTEST,
            longest=LONGEST,
            sample_rate=SAMPLE_RATE,
            commercial=self._recipe.commercial,
            embedding=self._embedding,
            sources=self._sources,
            drafts=True,
            batch=self._bucket,
        )

    @classmethod
    def load(cls, recipe: Recipe, how: Sampling | None = None, kind: Kind = Kind.PLAIN) -> MusicGen:
        """Return what makes clips with a checkpoint, which ``prepare`` loads in bfloat16.

        Args:
            recipe: With the checkpoint's folder and, as option ``threads``, how many threads it takes on a CPU; more
                than one is slower where other processes use the cores too.
            how: To sample.
            kind: Of the checkpoint.

        Raises:
            GenerationError: There is no such device.
        """
        device = device_here(recipe.device)

        def make() -> Engine:
            torch.set_num_threads(max(1, int(recipe.option("threads", "1"))))
            model = load(Path(recipe.folder), kind, device=str(device), dtype=DTYPE)
            return Engine(model, how, bucket=recipe.batch)

        return cls(make, recipe, device, kind)

    def prepare(self) -> None:
        """Load the checkpoint.

        Raises:
            GenerationError: There is none, or it is damaged; says what is wrong.
        """
        self._ready()

    def _ready(self) -> Engine:
        if self._engine is None:
            try:
                self._engine = self._make()
            except (torch.OutOfMemoryError, MemoryError):
                raise too_large(self._recipe.name, str(self._device)) from None
            self._engine.bucket = min(self._engine.bucket, self._bucket)  # what was found to fit
        return self._engine

    def release(self) -> None:
        """Give the memory of the weights back."""
        self._engine = None
        if torch.cuda.is_available():
            torch.cuda.empty_cache()

    def generate(
        self, requests: Sequence[ClipRequest], *, progress: Progress | None = None
    ) -> list[Composition | ClipFailure]:
        """Make one clip for each request; alike ones are written together.

        Where a batch does not fit into memory, batches are half as large from then on, and requests that are no more
        than such a batch has begin again.

        Raises:
            Cancelled: ``progress`` said so.
            NoRoomError: The batch does not fit into memory.
            GenerationError: The checkpoint cannot be loaded.
        """
        engine = self._ready()
        telling = Telling(progress)
        while True:
            try:
                with telling.while_layers_work():
                    out = self._made(engine, requests, telling)
            except (torch.OutOfMemoryError, MemoryError):
                if not self._narrowed(engine, len(requests)):
                    raise NoRoomError(f"{len(requests)} clips do not fit into memory.") from None
            else:
                return [out[place] for place in range(len(requests))]

    def _made(
        self, engine: Engine, requests: Sequence[ClipRequest], telling: Telling
    ) -> dict[int, Composition | ClipFailure]:
        """Return what becomes of each request, by its place."""
        out: dict[int, Composition | ClipFailure] = {}
        orders: dict[int, Order] = {}
        for place, request in enumerate(requests):
            order = self._order(engine, request)
            if isinstance(order, ClipFailure):
                out[place] = order
            else:
                orders[place] = order

        def on_step(done: int, total: int) -> bool:
            telling.step(done, total)
            return True

        written = dict(zip(orders, engine.write(list(orders.values()), on_step), strict=True))
        return out | self._heard(engine, written, telling)

    def _heard(
        self, engine: Engine, written: Mapping[int, Written], telling: Telling
    ) -> dict[int, Composition | ClipFailure]:
        """Return codes as clips; those of one length are heard together."""
        out: dict[int, Composition | ClipFailure] = {}
        alike: defaultdict[int, list[tuple[int, Tensor]]] = defaultdict(list)
        for place, codes in written.items():
            if isinstance(codes, TooLongError):
                out[place] = ClipFailure(reason=str(codes))
            else:
                alike[codes.shape[1]].append((place, codes))
        for group in alike.values():
            sounds = engine.sound([codes for _, codes in group])
            for (place, _), sound in zip(group, sounds, strict=True):
                out[place] = self._finished(sound)
                telling.again()
        return out

    def _narrowed(self, engine: Engine, clips: int) -> bool:
        """Make batches half as large from now on, and return whether so many clips may fit into one now.

        On a GPU each batch is filled up, so fewer clips alone would not help.
        """
        engine.make_room()
        if torch.cuda.is_available():
            torch.cuda.empty_cache()
        if engine.bucket == 1:
            return False
        engine.bucket //= 2
        self._bucket = engine.bucket
        return clips <= engine.bucket

    def states_of(self, prompt: str) -> Floats:
        """Return the text encoder's states (tokens, ``capabilities.embedding``) of a prompt.

        A request with their bytes as its embedding gives the clip of the prompt itself.

        Raises:
            GenerationError: The prompt has more tokens than are read, or the checkpoint cannot be loaded.
        """
        return as_floats(self._ready().model.text.states(prompt).float().cpu().numpy())

    def _order(self, engine: Engine, request: ClipRequest) -> Order | ClipFailure:
        no = refused(request, self.info, self.capabilities)
        if no is not None:
            return no
        frames = round(request.seconds * FRAME_RATE)
        said = _embedding(request, engine.model.text.width) if request.embedding else request.prompt
        if isinstance(said, ClipFailure):
            return said
        order = Order(said=said, seed=request.seed, frames=frames)
        if request.source is not None:
            sound = decoded(request.source.audio)
            if isinstance(sound, ClipFailure):
                return sound
            if request.source.use is SourceUse.MELODY:
                order = replace(order, melody=torch.from_numpy(melody(sound)))
            else:
                heard = _end(_until(sound, request.source.end), request.seconds)
                begin = _beginning(engine.model.codec.codes(heard)[0], frames)
                order = replace(order, begin=begin, frames=frames - begin.shape[1])
        return _draft(order) if request.draft else order

    def _finished(self, audio: Audio) -> Composition | ClipFailure:
        return finished(audio.samples, audio.sample_rate, self.info.details)


def _until(sound: Audio, end: float) -> Audio:
    """Return a sound without what comes after ``end`` seconds, in whole frames of the codec; all of it where that is 0.

    Of the very beginning at least one frame is left.

    A part of a frame would be filled up with something that is not in the sound, and gone on from.
    """
    if end <= 0:
        return sound
    frames = max(1, int(end * FRAME_RATE + 1e-6))
    kept = round(frames / FRAME_RATE * sound.sample_rate)
    return Audio(samples=sound.samples[:kept], sample_rate=sound.sample_rate)


def _end(sound: Audio, seconds: float) -> Audio:
    """Return the last ``seconds`` of a sound: no more of it can be in the clip, and to encode an hour takes an hour."""
    kept = round(seconds * sound.sample_rate)
    return Audio(samples=sound.samples[-kept:], sample_rate=sound.sample_rate)


def _beginning(codes: Tensor, frames: int) -> Tensor:
    """Return what a clip of ``frames`` that goes on from ``codes`` (codebooks, frames) begins with."""
    whole = codes.shape[1] <= frames - FRAME_RATE
    return codes if whole else codes[:, -(frames // 2) :]


def _draft(order: Order) -> Order:
    """Return the first part of an order; all of it where it is short."""
    frames = round(DRAFT * FRAME_RATE)
    return replace(order, frames=frames, part=True) if order.frames > frames else order


def _embedding(request: ClipRequest, width: int) -> Tensor | ClipFailure:
    """Return a request's embedding as states (tokens, width)."""
    states = np.frombuffer(request.embedding, dtype="<f4").reshape(-1, width)
    if not np.isfinite(states).all():
        return ClipFailure(reason="The embedding has numbers that are not finite.")
    return torch.from_numpy(states.astype(np.float32))
