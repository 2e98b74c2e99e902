"""A pipeline of diffusers as a generator: requests in, mastered clips out."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from importlib import metadata
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
import torch

from domain.clip import ClipFailure, ClipRequest, GeneratorInfo, SourceUse
from domain.errors import GenerationError, NoRoomError
from generation.audio import Floats
from generation.devices import device_here
from generation.diffusion.ace_step import AceStep
from generation.diffusion.family import Family, Job, Limits, Words
from generation.diffusion.latent_mel import AudioLdm2, MusicLdm
from generation.diffusion.layout import AGAIN, Layout, read_layout
from generation.diffusion.loading import MISFIT, line_of, load_pipeline
from generation.diffusion.orders import Order, batches, order
from generation.diffusion.riffusion import Riffusion
from generation.diffusion.stable_audio import StableAudio
from generation.diffusion.stable_audio_3 import StableAudio3
from generation.finishing import finished
from generation.generator import Capabilities, Composition, Progress, refused
from generation.memory import too_large
from generation.registry import Recipe
from generation.splicing import spliced
from generation.telling import Telling

log = logging.getLogger(__name__)
VERSION = "1"
"""Raise it whenever the same request would sound different."""
SHORTEST = 1.0
"""Seconds of the shortest clip."""
FAMILIES: Mapping[str, Family] = MappingProxyType(
    {
        "StableAudioPipeline": StableAudio(),
        "StableAudio3Pipeline": StableAudio3(),
        "AceStepPipeline": AceStep(),
        "AudioLDM2Pipeline": AudioLdm2(),
        "MusicLDMPipeline": MusicLdm(),
        "StableDiffusionPipeline": Riffusion(),
    }
)
"""By the class that ``model_index.json`` names."""


class Diffusion:
    """A ``Generator`` around a pipeline, which is loaded when it is first needed.

    On a GPU clips that are alike are made together where the family can, and a batch that is not full is filled up, so
    that numbers do not depend on how many there are. Where a batch does not fit into memory, there are half as many
    from then on; the version says so. On a CPU every clip is made by itself: there a row of a batch has other last bits
    than the same row alone, and batches are no faster.

    On a GPU weights are in the format that the family was published for. Elsewhere they are in float32: convolutions of
    autoencoders and vocoders have no faster kernels for less on most processors, and some have none.

    Args:
        family: How the pipeline is called.
        layout: Of its folder.
        recipe: Says its name, licence and batch and, as options, how many ``threads`` it takes on a CPU (one, if it
            does not say) and how many ``steps`` a clip takes (the family's, if it does not say).
        device: For the pipeline.
    """

    def __init__(
        self, family: Family, layout: Layout, recipe: Recipe, device: torch.device
    ) -> None:
        self._family = family
        self._layout = layout
        self._recipe = recipe
        self._device = device
        self._pipe: Any = None
        self._limits = _with_steps(family.limits(layout), recipe.option("steps"))
        if self._limits.longest < SHORTEST:
            raise GenerationError(
                f"{layout.folder} says that its clips last {self._limits.longest:g} s at most. {AGAIN}"
            )
        self._number: torch.dtype = getattr(
            torch, family.number if device.type == "cuda" else "float32"
        )
        together = self._limits.batched and device.type != "cpu"
        self._batch = max(1, recipe.batch) if together else 1

    @property
    def info(self) -> GeneratorInfo:
        """What makes the sound.

        Sound differs between versions of the library, devices, number formats, sizes of a batch and numbers of steps,
        so they are all in the version.
        """
        said = {
            "pipeline": self._layout.kind,
            "library": f"diffusers {metadata.version('diffusers')}",
            "device": str(self._device),
            "numbers": str(self._number).removeprefix("torch."),
            "batch": str(self._batch),
            "steps": str(self._limits.steps),
        }
        parts = (VERSION, metadata.version("diffusers"), self._device.type, said["numbers"])
        return GeneratorInfo(
            name=self._recipe.name,
            version="-".join([*parts, said["batch"], said["steps"]]),
            licence=self._recipe.licence or "not known",
            details=said,
        )

    @property
    def capabilities(self) -> Capabilities:
        """What it can do."""
        return Capabilities(
            shortest=SHORTEST,
            longest=self._limits.longest,
            sample_rate=self._limits.rate,
            commercial=self._recipe.commercial,
            embedding=self._limits.embedding,
            sources=self._limits.sources,
            drafts=True,
            batch=self._batch,
        )

    @classmethod
    def load(cls, recipe: Recipe) -> Diffusion:
        """Return what makes clips with the pipeline in the recipe's folder.

        Raises:
            GenerationError: There is none, or one that nobody here knows how to call, or no such device.
        """
        layout = read_layout(Path(recipe.folder))
        family = FAMILIES.get(layout.kind)
        if family is None:
            raise GenerationError(
                f"{layout.folder} holds a {layout.kind}, which cannot be played; there are: {', '.join(FAMILIES)}."
            )
        return cls(family, layout, recipe, device_here(recipe.device))

    def prepare(self) -> None:
        """Load the pipeline.

        Raises:
            GenerationError: It is damaged, or a package is missing; says what is wrong.
        """
        self._ready()

    def _ready(self) -> Any:
        if self._pipe is None:
            torch.set_num_threads(max(1, int(self._recipe.option("threads", "1"))))
            try:
                self._pipe = load_pipeline(
                    self._layout,
                    device=self._device,
                    number=self._number,
                    exact=self._family.exact,
                )
            except (torch.OutOfMemoryError, MemoryError):
                raise too_large(self._recipe.name, str(self._device)) from None
        return self._pipe

    def release(self) -> None:
        """Give the memory of the weights back."""
        self._pipe = None
        if torch.cuda.is_available():
            torch.cuda.empty_cache()

    @torch.no_grad()
    def generate(
        self, requests: Sequence[ClipRequest], *, progress: Progress | None = None
    ) -> list[Composition | ClipFailure]:
        """Make one clip for each request.

        Raises:
            Cancelled: ``progress`` said so.
            NoRoomError: Not even one clip fits into memory.
            GenerationError: The pipeline cannot be loaded.
        """
        telling = Telling(progress)
        with telling.while_layers_work():
            out = self._all(requests, telling)
        return [out[place] for place in range(len(requests))]

    def _all(
        self, requests: Sequence[ClipRequest], telling: Telling
    ) -> dict[int, Composition | ClipFailure]:
        """Return what becomes of each request, by its place."""
        out: dict[int, Composition | ClipFailure] = {}
        orders: dict[int, Order] = {}
        for place, request in enumerate(requests):
            found = self._order(request)
            if isinstance(found, Order):
                orders[place] = found
            else:
                out[place] = found
        parts = batches(orders, self._batch)
        done, total = 0, sum(orders[part[0]].steps for part in parts)
        for places in parts:
            together = [orders[place] for place in places]
            count = _counter(done, together[0].steps, total, telling.step)
            out.update(zip(places, self._fitting(together, count), strict=True))
            done += together[0].steps
            telling.step(done, total)
        return out

    def _order(self, request: ClipRequest) -> Order | ClipFailure:
        no = refused(request, self.info, self.capabilities)
        if no is not None:
            return no
        words = self._words(request)
        if isinstance(words, ClipFailure):
            return words
        return order(request, words, self._limits)

    def _words(self, request: ClipRequest) -> Words | ClipFailure:
        pipe = self._ready()
        if not request.embedding:
            with self._played():
                return self._family.words(pipe, request.prompt)
        numbers = np.frombuffer(request.embedding, dtype="<f4")
        if not np.isfinite(numbers).all():
            return ClipFailure(reason="The embedding has values that are no numbers.")
        rows = torch.from_numpy(numbers.copy()).reshape(1, -1, self._limits.embedding)
        with self._played():
            return self._family.given(pipe, rows, request.prompt)

    def _fitting(
        self, orders: Sequence[Order], on_step: Callable[..., dict[str, Any]]
    ) -> list[Composition | ClipFailure]:
        """Make orders that are alike, in batches that fit into memory."""
        out: list[Composition | ClipFailure] = []
        while len(out) < len(orders):
            size = self._batch
            try:
                out += self._made(orders[len(out) :][:size], on_step)
            except torch.OutOfMemoryError:
                torch.cuda.empty_cache()
                if size == 1:
                    raise NoRoomError(
                        f"A clip of {orders[0].seconds:g} seconds does not fit into memory."
                    ) from None
                self._batch = max(1, size // 2)
                log.warning(
                    "%d clips of %s do not fit into memory; from now on there are %d at once",
                    size,
                    self._recipe.name,
                    self._batch,
                )
        return out

    def _made(
        self, orders: Sequence[Order], on_step: Callable[..., dict[str, Any]]
    ) -> list[Composition | ClipFailure]:
        """Make orders that are alike as one batch."""
        filled = [*orders, *[orders[0]] * (self._batch - len(orders))]
        with self._played():
            sounds = self._family.play(self._ready(), self._job(filled, on_step))
        if sounds.ndim != 3 or sounds.shape[1] not in {1, 2} or len(sounds) < len(orders):
            raise GenerationError(
                f"The {self._layout.kind} in {self._layout.folder} makes something of the shape {sounds.shape}, "
                f"which is no stereo sound. {AGAIN}"
            )
        return [
            self._finished(one, np.ascontiguousarray(sound.T))
            for one, sound in zip(orders, sounds, strict=False)
        ]

    @contextmanager
    def _played(self) -> Iterator[None]:
        """Put what a pipeline raises into a sentence, but for what others know how to take."""
        try:
            yield
        except torch.OutOfMemoryError:
            raise
        except MISFIT as error:
            log.warning("The pipeline in %s cannot be played", self._layout.folder, exc_info=error)
            raise GenerationError(
                f"The {self._layout.kind} in {self._layout.folder} cannot be played: {line_of(error)}"
            ) from error

    def _job(self, orders: Sequence[Order], on_step: Callable[..., dict[str, Any]]) -> Job:
        first = orders[0]
        heard = [one.sound for one in orders if one.sound is not None]
        source = first.source
        return Job(
            words=_joined([one.words for one in orders]),
            chance=[torch.Generator().manual_seed(one.seed) for one in orders],
            seconds=first.seconds,
            steps=first.steps,
            guidance=self._limits.guidance,
            on_step=on_step,
            use=None if source is None else source.use,
            audio=torch.from_numpy(np.stack(heard).transpose(0, 2, 1).copy()) if heard else None,
            strength=1.0 if source is None else source.strength,
            start=0.0 if source is None else source.start,
            end=0.0 if source is None else source.end,
        )

    def _finished(self, made: Order, samples: Floats) -> Composition | ClipFailure:
        """Return a clip of sound (frames, channels) that may be a little too long."""
        rate = self._limits.rate
        frames = round(made.seconds * rate)
        samples = samples[:frames]
        if len(samples) < frames:
            samples = np.pad(samples, ((0, frames - len(samples)), (0, 0)))
        if made.source is not None and made.source.use is SourceUse.FILL and made.sound is not None:
            stretch = (made.source.start, made.source.end)
            samples = spliced(made.sound, samples, stretch, rate)
        return finished(samples, rate, {**self.info.details, "steps": str(made.steps)})


def _with_steps(limits: Limits, steps: str) -> Limits:
    """Return limits with another number of steps, if there is one.

    Raises:
        GenerationError: It is no number above 0.
    """
    if not steps:
        return limits
    if not steps.isdecimal() or int(steps) < 1:
        raise GenerationError(f"Steps are a whole number above 0, not {steps!r}.")
    return replace(limits, steps=int(steps), draft=min(limits.draft, int(steps)))


def _joined(words: Sequence[Words]) -> dict[str, Any]:
    """Return the arguments of a pipeline, with a row for each."""
    out: dict[str, Any] = {}
    for name, value in words[0].values.items():
        rows: list[Any] = [one.values[name] for one in words]
        out[name] = rows if isinstance(value, str) else torch.cat(rows)
    return out


def _counter(
    before: int, steps: int, total: int, progress: Progress
) -> Callable[..., dict[str, Any]]:
    """Return what counts the steps of a batch: some schedules take one more than they were asked for, some fewer."""
    done = 0

    def count(*_: Any, **__: Any) -> dict[str, Any]:
        nonlocal done
        done = min(done + 1, steps)
        if done < steps:
            progress(before + done, total)
        return {}

    return count
