"""A few processes of low priority that run functions, whatever these do to them."""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import signal
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import AbstractContextManager, AsyncExitStack, nullcontext
from typing import TypeVar

from service.tasks import TaskSet

T = TypeVar("T")
Watch = Callable[[], AbstractContextManager[None]]
"""Makes what is entered while a function is in a process."""


class Processes:
    """Runs picklable functions, as many at a time as there are processes.

    When a process dies, all are started anew, and what was in them is tried once more, one at a time, so that what
    kills its process takes nothing else with it. What outlasts the deadline is given up, with the processes.

    Args:
        workers: How many.
        deadline: Seconds for one function; they begin when there is a process for it.
    """

    def __init__(self, workers: int, deadline: float) -> None:
        self._workers = workers
        self._deadline = deadline
        self._pool: ProcessPoolExecutor | None = None
        self._tasks = TaskSet()
        self._slots = asyncio.Semaphore(workers)
        self._one_alone = asyncio.Lock()
        self._closed = False

    async def call(
        self, function: Callable[..., T], *args: object, watch: Watch = nullcontext
    ) -> T:
        """Run ``function`` in a process; when that dies, once more with nothing beside it.

        Raises:
            TimeoutError: It outlasted the deadline.
            BrokenProcessPool: It took its process with it, twice, or all are stopped.
        """
        try:
            return await self._held(1, watch, function, *args)
        except BrokenProcessPool:
            return await self._held(self._workers, watch, function, *args)

    async def _held(self, slots: int, watch: Watch, function: Callable[..., T], *args: object) -> T:
        """Run ``function`` and hold so many slots until its process is free again, though nobody may wait any more.

        Else what comes next would wait for that process, and be taken for what hangs.
        """
        await self._take(slots)
        answer: asyncio.Future[T] = asyncio.get_running_loop().create_future()

        def free(_: object) -> None:
            for _slot in range(slots):
                self._slots.release()
            if not answer.done():  # its pool was dropped before it was its turn, or all are stopped
                answer.set_exception(BrokenProcessPool("It was not begun."))

        work = self._tasks.spawn(self._answer(answer, watch, function, *args), "work in a process")
        work.add_done_callback(free)
        return await answer

    async def _take(self, slots: int) -> None:
        """Wait for so many slots; one after the other, since two that each have some would wait for ever."""
        async with AsyncExitStack() as stack:
            if slots > 1:
                await stack.enter_async_context(self._one_alone)
            async with AsyncExitStack() as taken:
                for _ in range(slots):
                    await taken.enter_async_context(self._slots)
                taken.pop_all()

    async def _answer(
        self, answer: asyncio.Future[T], watch: Watch, function: Callable[..., T], *args: object
    ) -> None:
        try:
            made = await self._run(watch, function, *args)
        except Exception as error:  # noqa: BLE001 - whatever it is, it is told to whoever waits
            if not answer.done():
                answer.set_exception(error)
        else:
            if not answer.done():
                answer.set_result(made)

    async def _run(self, watch: Watch, function: Callable[..., T], *args: object) -> T:
        pool, loop = self._ensure_pool(), asyncio.get_running_loop()
        try:
            with watch():
                future = loop.run_in_executor(pool, function, *args)
                async with asyncio.timeout(self._deadline):
                    return await future
        except (TimeoutError, BrokenProcessPool):
            await self._discard(pool)
            raise

    def _ensure_pool(self) -> ProcessPoolExecutor:
        if self._closed:
            raise BrokenProcessPool("They are stopped.")
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
            # Only its own: other workers have pools too. Python 3.14 has ``terminate_workers`` for this.
            for child in list((getattr(pool, "_processes", None) or {}).values()):
                child.terminate()
            await asyncio.to_thread(pool.shutdown, wait=False, cancel_futures=True)

    async def close(self) -> None:
        """Stop them, and start no others; what they were doing is lost."""
        self._closed = True
        await self._tasks.close()
        if self._pool is not None:
            await self._discard(self._pool)


def _start() -> None:
    """Give way to the event loop, leave Ctrl-C to it, and end when it ends, however it ends."""
    if hasattr(os, "nice"):
        os.nice(10)  # votes are more urgent than music
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    end_with_parent()


def end_with_parent() -> None:
    """Let this process of a pool end when the one that made it ends, however that ends."""

    def watch() -> None:
        parent = multiprocessing.parent_process()
        if parent is not None:
            parent.join()
            os._exit(0)

    threading.Thread(target=watch, daemon=True).start()
