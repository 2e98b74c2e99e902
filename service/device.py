"""The device worker: the one place where heavy work leaves the event loop.

The seam is narrow on purpose: requests and finished clips are small picklable records, so that a later worker may
live on another machine.
"""

from __future__ import annotations

import asyncio
import logging
import multiprocessing
import os
import sys
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from typing import Protocol, TypeVar

from domain.clip import ClipFailure, ClipRequest, GeneratorInfo, RenderedClip
from domain.errors import GenerationError

log = logging.getLogger(__name__)
T = TypeVar("T")
Outcome = RenderedClip | ClipFailure
TRIES = 2
"""Times a clip is tried before it counts as the cause of its worker's death."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RenderSpec:
    """How clips are made; small and picklable, so that a worker process can build its engine from it."""

    generator: str = "composer"
    renderer: str = "auto"
    soundfont: str = ""
    extension: str = "mp3"


class DeviceWorker(Protocol):
    """Renders batches. ``ready`` is called on the loop with the number of clips that are finished."""

    async def render(
        self, requests: Sequence[ClipRequest], ready: Callable[[int], None]
    ) -> list[Outcome]:
        """Render all requests, in order; a failed clip is a value."""

    async def wav(self, request: ClipRequest) -> bytes | ClipFailure:
        """Render one request again as a WAV file."""

    async def info(self) -> GeneratorInfo:
        """Say what makes the sound."""

    async def warm_up(self) -> None:
        """Load what the first clip would otherwise wait for."""

    async def close(self) -> None:
        """Stop the processes."""


class ProcessWorker:
    """Renders in a few processes of low priority, so that votes never wait for music.

    A process that dies takes only its own clip with it: the pool is rebuilt and the clip tried once more. A clip that
    outlasts the deadline is given up and its pool replaced.
    """

    def __init__(self, spec: RenderSpec, *, workers: int = 0, deadline: float = 60.0) -> None:
        self._spec = spec
        self._workers = workers or max(1, os.cpu_count() or 1)
        self._deadline = deadline
        self._pool: ProcessPoolExecutor | None = None
        self._info: GeneratorInfo | None = None

    async def render(
        self, requests: Sequence[ClipRequest], ready: Callable[[int], None]
    ) -> list[Outcome]:
        """Render all requests, in order; a failed clip is a value."""
        done = 0
        gate = asyncio.Semaphore(self._workers)

        async def one(request: ClipRequest) -> Outcome:
            nonlocal done
            async with gate:
                outcome = await self._render_one(request)
            done += 1
            ready(done)
            return outcome

        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(one(request)) for request in requests]
        return [task.result() for task in tasks]

    async def _render_one(self, request: ClipRequest) -> Outcome:
        try:
            return await self._call(_render, self._spec, request)
        except TimeoutError:
            return ClipFailure(reason=f"It took longer than {self._deadline:.0f} s.")
        except BrokenProcessPool:
            log.warning(
                "A render process died %s times on seed %s; the clip is given up",
                TRIES,
                request.seed,
            )
            return ClipFailure(reason="Its render process died.")

    async def wav(self, request: ClipRequest) -> bytes | ClipFailure:
        """Render one request again as a WAV file."""
        return await self._call(_wav, self._spec, request)

    async def info(self) -> GeneratorInfo:
        """Say what makes the sound."""
        if self._info is None:
            self._info = await self._call(_info, self._spec)
        return self._info

    async def warm_up(self) -> None:
        """Start the processes and load the generator in each."""
        async with asyncio.TaskGroup() as group:
            for _ in range(self._workers):
                group.create_task(self._call(_info, self._spec))

    async def _call(self, function: Callable[..., T], *args: object) -> T:
        """Run ``function`` in a process; rebuild a broken pool and try again."""
        for attempt in range(1, TRIES + 1):
            pool = self._ensure_pool()
            try:
                future = asyncio.get_running_loop().run_in_executor(pool, function, *args)
                async with asyncio.timeout(self._deadline):
                    return await future
            except TimeoutError:
                await self._discard(pool)
                raise
            except BrokenProcessPool:
                await self._discard(pool)
                if attempt == TRIES:
                    raise
        raise GenerationError("The render processes cannot be started.")

    def _ensure_pool(self) -> ProcessPoolExecutor:
        if self._pool is None:
            method = "forkserver" if sys.platform == "linux" else "spawn"
            context = multiprocessing.get_context(method)
            if method == "forkserver":
                context.set_forkserver_preload(["service.rendering"])
            self._pool = ProcessPoolExecutor(self._workers, mp_context=context, initializer=_start)
        return self._pool

    async def _discard(self, pool: ProcessPoolExecutor) -> None:
        """Drop a broken or hanging pool and end its processes."""
        if self._pool is pool:
            self._pool = None
            for child in multiprocessing.active_children():
                child.terminate()
            await asyncio.to_thread(pool.shutdown, wait=False, cancel_futures=True)

    async def close(self) -> None:
        """Stop the processes; what they were rendering is lost."""
        if self._pool is not None:
            await self._discard(self._pool)


def _start() -> None:
    """Give way to the event loop: votes are more urgent than music."""
    if hasattr(os, "nice"):
        os.nice(10)


def _render(spec: RenderSpec, request: ClipRequest) -> Outcome:
    from service.rendering import engine  # noqa: PLC0415 - only in the worker process

    return engine(spec).render(request)


def _wav(spec: RenderSpec, request: ClipRequest) -> bytes | ClipFailure:
    from service.rendering import wav  # noqa: PLC0415 - only in the worker process

    return wav(spec, request)


def _info(spec: RenderSpec) -> GeneratorInfo:
    from service.rendering import engine  # noqa: PLC0415 - only in the worker process

    return engine(spec).info
