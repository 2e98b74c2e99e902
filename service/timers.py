"""One alarm for each open round."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from domain.ids import RunId
from service.clock import Clock
from service.tasks import TaskSet


class Timers:
    """Alarms by run; setting one replaces the one before."""

    def __init__(self, clock: Clock, tasks: TaskSet) -> None:
        self._clock = clock
        self._tasks = tasks
        self._alarms: dict[RunId, asyncio.Task[None]] = {}

    def set(self, run_id: RunId, at: float, action: Callable[[], Awaitable[None]]) -> None:
        """Call ``action`` at Unix time ``at``, unless the alarm is cleared or replaced before."""
        self.clear(run_id)
        self._alarms[run_id] = self._tasks.spawn(
            self._ring(run_id, at, action), f"timer of run {run_id}"
        )

    async def _ring(self, run_id: RunId, at: float, action: Callable[[], Awaitable[None]]) -> None:
        await self._clock.sleep(at - self._clock.now())
        self._alarms.pop(
            run_id, None
        )  # from here on it cannot be cleared: the action may itself set a new alarm
        await action()

    def clear(self, run_id: RunId) -> None:
        """Forget the alarm of a run."""
        alarm = self._alarms.pop(run_id, None)
        if alarm is not None:
            alarm.cancel()
