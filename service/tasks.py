"""Background tasks that somebody owns: referenced, logged when they fail, cancelled at the end."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Coroutine
from typing import Any

from domain.errors import ClosedError, UserError

log = logging.getLogger(__name__)


class TaskSet:
    """A set of running tasks. The only place that starts tasks."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[Any]] = set()
        self._closed = False

    def spawn(self, work: Coroutine[Any, Any, Any], name: str) -> asyncio.Task[Any]:
        """Start ``work``; an exception that nobody foresaw is logged with its trace, and ends nothing else.

        After the end nothing starts: who comes too late gets a task that was cancelled.
        """
        task = asyncio.get_running_loop().create_task(work, name=name)
        if self._closed:
            task.cancel()
        self._tasks.add(task)
        task.add_done_callback(self._done)
        return task

    def _done(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        if task.cancelled() or (error := task.exception()) is None:
            return
        if isinstance(error, (UserError, ClosedError)):
            # Whoever waits for the task words it for a person; at the end of the bot nobody waits.
            log.info("Task %s ended: %s", task.get_name(), error)
        else:
            log.error("Task %s failed", task.get_name(), exc_info=error)

    async def close(self) -> None:
        """Cancel what is running, and what that starts at its end, and wait for it."""
        own = asyncio.current_task()
        while tasks := [task for task in self._tasks if task is not own and not task.done()]:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        self._closed = True
