"""The device worker: the one place where heavy work leaves the event loop.

The seam is narrow on purpose: requests and finished clips are small picklable records, so that a later worker may
live on another machine.
"""

from __future__ import annotations

import asyncio
import functools
import logging
import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from typing import Protocol, TypeVar

from domain.clip import (
    STANDS_IN_FOR,
    ClipFailure,
    ClipRequest,
    GeneratorInfo,
    HeardTrack,
    RenderedClip,
)
from domain.errors import GenerationError
from generation.audio import Floats
from generation.generator import Capabilities
from generation.parcels import Sound
from generation.registry import Recipe, composer
from service.generator_state import GeneratorState, Readiness, Tally
from service.processes import Processes
from service.tasks import TaskSet

log = logging.getLogger(__name__)
COMPOSER = composer()
T = TypeVar("T")
V = TypeVar("V")
Outcome = RenderedClip | ClipFailure
UNFORESEEN = "Something went wrong while it was made. The log says more."
CLOSING = "The bot is shutting down."
UNABLE = "Its processes die, or hang, when they start. The log says more."


@dataclass(frozen=True, slots=True, kw_only=True)
class RenderSpec:
    """How clips are made; small and picklable, so that a worker process can build its engine from it.

    Attributes:
        generator: What makes the sound.
        extension: Type of the files.
    """

    generator: Recipe = COMPOSER
    extension: str = "mp3"


class DeviceWorker(Protocol):
    """Renders batches. ``ready`` is called on the loop with the number of clips that are finished."""

    async def render(
        self,
        requests: Sequence[ClipRequest],
        ready: Callable[[int], None],
        *,
        party: object | None = None,
    ) -> list[Outcome]:
        """Render all requests, in order; a failed clip is a value.

        Args:
            requests: What is wanted.
            ready: Hears how many are finished.
            party: Anything that is the same for calls which are to wait in the line as one.
        """

    async def wav(self, request: ClipRequest) -> bytes | ClipFailure:
        """Render one request again as a WAV file."""

    async def export(self, request: ClipRequest, kind: str) -> bytes | ClipFailure:
        """Compose one request again and write it as notes, parts or sheet music, see ``service.exports``."""

    async def listen(self, track: bytes, longest: float) -> HeardTrack | ClipFailure:
        """Hear a file that somebody sent, of at most ``longest`` seconds; what is wrong with it is a value."""

    async def draw(self, paint: Callable[[V], bytes], view: V) -> bytes | ClipFailure:
        """Draw a picture: ``paint(view)``, both picklable."""

    async def states(self, *, known: bool = False) -> Sequence[GeneratorState]:
        """Say how each generator does, the default one first. Never waits for a model to load.

        Args:
            known: Wait until the composer has said who it is, which it does once, when its processes have time for
                it. Without it the answer comes at once, whatever a generator is doing.
        """

    async def embeds(self, generator: str = "") -> bool:
        """Whether a generator may take embeddings in place of words; one that never started yet may."""

    async def read(self, prompts: Sequence[str], generator: str = "") -> list[Floats] | ClipFailure:
        """Return what a generator's text encoder makes of prompts, (tokens, width) each; why not is a value."""

    async def warm_up(self) -> None:
        """Load what the first clip would otherwise wait for."""

    async def close(self) -> None:
        """Stop the processes."""


class ProcessWorker:
    """Renders in a few processes of low priority, so that votes never wait for music.

    A clip that kills its process takes nobody else's with it, and one that outlasts the deadline is given up, see
    ``Processes``.
    """

    def __init__(self, spec: RenderSpec, *, workers: int = 0, deadline: float = 60.0) -> None:
        self._spec = spec
        self._workers = workers or max(1, os.cpu_count() or 1)
        self._deadline = deadline
        self._processes = Processes(self._workers, deadline)
        self._known: tuple[GeneratorInfo, Capabilities] | None = None
        self._trouble = ""
        self._introducing: asyncio.Task[None] | None = None
        self._tasks = TaskSet()
        self._asked = self._making = 0
        self._tally = Tally()
        self._closed = False

    async def render(
        self,
        requests: Sequence[ClipRequest],
        ready: Callable[[int], None],
        *,
        party: object | None = None,
    ) -> list[Outcome]:
        """Render all requests, in order; a failed clip is a value. First come, first served, whatever the ``party``."""
        done = 0

        async def one(request: ClipRequest) -> Outcome:
            nonlocal done
            outcome = await self._counted(request)
            done += 1
            ready(done)
            return outcome

        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(one(request)) for request in requests]
        return [task.result() for task in tasks]

    async def _counted(self, request: ClipRequest) -> Outcome:
        outcome: Outcome | None = None
        self._asked += 1
        try:
            outcome = await self.attempt(_render, request)
        finally:
            self._asked -= 1
            self._tally = self._tally.ended(outcome)
        return outcome

    async def attempt(
        self, function: Callable[..., T | ClipFailure], request: ClipRequest, *more: object
    ) -> T | ClipFailure:
        """Run ``function(spec, request, *more)``, all picklable, in a process; what goes wrong there is a value."""
        try:
            return await self._call(function, self._spec, request, *more)
        except TimeoutError:
            return ClipFailure(reason=f"It took longer than {self._deadline:.0f} s.")
        except BrokenProcessPool:
            if self._closed:
                return ClipFailure(reason=CLOSING)
            log.warning(
                "A render process died twice on seed %s; the clip is given up", request.seed
            )
            return ClipFailure(reason="Its render process died.")
        except GenerationError as error:
            return ClipFailure(reason=str(error))
        except Exception:  # the process's boundary: the clips beside it are as good as ever
            log.exception("Nobody foresaw this of seed %s", request.seed)
            return ClipFailure(reason=UNFORESEEN)

    async def wav(self, request: ClipRequest) -> bytes | ClipFailure:
        """Render one request again as a WAV file."""
        return await self.attempt(_wav, request)

    async def export(self, request: ClipRequest, kind: str) -> bytes | ClipFailure:
        """Compose one request again and write it as notes, parts or sheet music, see ``service.exports``."""
        return await self.attempt(functools.partial(_export, kind), request)

    async def listen(self, track: bytes, longest: float) -> HeardTrack | ClipFailure:
        """Hear a file that somebody sent, of at most ``longest`` seconds; what is wrong with it is a value."""
        try:
            return await self._call(_listen, self._spec, track, longest)
        except TimeoutError:
            return ClipFailure(reason="Listening to that file took too long. Send a shorter one.")
        except BrokenProcessPool:
            log.warning("A render process died twice on a file that somebody sent")
            return ClipFailure(reason="That file cannot be listened to. Send another one.")

    async def draw(self, paint: Callable[[V], bytes], view: V) -> bytes | ClipFailure:
        """Draw a picture: ``paint(view)``, both picklable."""
        try:
            return await self._call(paint, view)
        except (TimeoutError, BrokenProcessPool):
            log.warning("A picture could not be drawn: its process died or hung")
            return ClipFailure(reason="The picture could not be drawn.")

    async def states(self, *, known: bool = False) -> list[GeneratorState]:
        """Say how the generator does; it is asked once, and ``known`` waits for its answer."""
        if self._known is None:
            asked = self._ask()
            if known:
                await asyncio.wait([asked])
        recipe = self._spec.generator
        info, able = self._known or (_unmet(recipe), None)
        return [
            GeneratorState(
                info=info,
                readiness=self._readiness(),
                reason=self._trouble,
                commercial=recipe.commercial,
                capabilities=able,
                batch=self._workers,
                most=self._workers,
                waiting=max(0, self._asked - self._making),
                making=self._making,
                tally=self._tally,
            )
        ]

    def _readiness(self) -> Readiness:
        if self._trouble:
            return Readiness.UNABLE
        return Readiness.STARTING if self._known is None else Readiness.READY

    def _ask(self) -> asyncio.Task[None]:
        """Have the generator asked who it is, unless that is under way."""
        if self._introducing is None or self._introducing.done():
            self._introducing = self._tasks.spawn(self._meet(), "introduction")
        return self._introducing

    async def _meet(self) -> None:
        """Ask the generator who it is, and remember the answer, or why there is none."""
        try:
            self._known, self._trouble = await self._call(_introduce, self._spec), ""
        except (TimeoutError, BrokenProcessPool):
            self._trouble = UNABLE
        except GenerationError as error:
            self._trouble = str(error)

    async def embeds(self, generator: str = "") -> bool:
        """Say that words are taken."""
        return False

    async def read(self, prompts: Sequence[str], generator: str = "") -> list[Floats] | ClipFailure:
        """Say that words are taken."""
        return ClipFailure(reason="The composer reads words itself and takes no embeddings.")

    async def warm_up(self) -> None:
        """Start the processes and load the generator in each."""
        async with asyncio.TaskGroup() as group:
            tasks = [
                group.create_task(self._call(_introduce, self._spec)) for _ in range(self._workers)
            ]
        self._known, self._trouble = tasks[0].result(), ""

    async def _call(self, function: Callable[..., T], *args: object) -> T:
        """Run ``function`` in a process, see ``Processes.call``."""
        watch = self._rendering if function is _render else nullcontext
        return await self._processes.call(function, *args, watch=watch)

    @contextmanager
    def _rendering(self) -> Iterator[None]:
        """Count a clip as being made, and take its time if it comes to something."""
        now = asyncio.get_running_loop().time
        began, self._making = now(), self._making + 1
        try:
            yield
        finally:
            self._making -= 1
        self._tally = self._tally.took(now() - began, 1)

    async def close(self) -> None:
        """Stop the processes, and start no others; what they were rendering is lost."""
        self._closed = True
        await self._tasks.close()
        await self._processes.close()


def _unmet(recipe: Recipe) -> GeneratorInfo:
    """Return what is known of a generator before it has said who it is."""
    stand_in = STANDS_IN_FOR if recipe.loader == COMPOSER.loader else ""
    return GeneratorInfo(
        name=recipe.name, version="", licence=recipe.licence, stand_in_for=stand_in
    )


def _render(spec: RenderSpec, request: ClipRequest) -> Outcome:
    from service.rendering import engine  # noqa: PLC0415 - only in the worker process

    return engine(spec).render(request)


def _wav(spec: RenderSpec, request: ClipRequest) -> bytes | ClipFailure:
    from service.rendering import wav  # noqa: PLC0415 - only in the worker process

    return wav(spec, request)


def finish(spec: RenderSpec, request: ClipRequest, made: Sound, info: GeneratorInfo) -> Outcome:
    """In a process: master what a heavy generator made, if it is not, then gate, encode and measure it."""
    from generation.wire import outcome_of  # noqa: PLC0415 - only in the worker process
    from service.rendering import engine  # noqa: PLC0415

    return engine(spec).finish(request, outcome_of(made), info)


def finish_wav(_: RenderSpec, request: ClipRequest, made: Sound) -> bytes | ClipFailure:
    """In a process: write what a heavy generator made as a WAV file."""
    from generation.wire import outcome_of  # noqa: PLC0415 - only in the worker process
    from service.rendering import written  # noqa: PLC0415

    return written(request, outcome_of(made))


def _export(kind: str, spec: RenderSpec, request: ClipRequest) -> bytes | ClipFailure:
    from service.exports import made  # noqa: PLC0415 - only in the worker process

    recipe = spec.generator
    if recipe.loader != COMPOSER.loader:
        return ClipFailure(reason=f"{recipe.name} makes sound without notes.")
    return made(request, kind, recipe.option("renderer", "auto"), recipe.option("soundfont"))


def _listen(spec: RenderSpec, track: bytes, longest: float) -> HeardTrack | ClipFailure:
    from service.rendering import engine  # noqa: PLC0415 - only in the worker process

    return engine(spec).listen(track, longest)


def _introduce(spec: RenderSpec) -> tuple[GeneratorInfo, Capabilities]:
    from service.rendering import engine  # noqa: PLC0415 - only in the worker process

    made = engine(spec)
    return made.info, made.capabilities
