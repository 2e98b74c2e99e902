"""One alarm for each open round or duel."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

from domain.errors import StorageError
from service.clock import Clock
from service.tasks import TaskSet

log = logging.getLogger(__name__)
Key = TypeVar("Key")
LOOK_AGAIN = 60.0
"""Seconds after which the clock is looked at again: it may be set, and a machine that sleeps does not count."""


class Timers(Generic[Key]):
    """Alarms by run or duel; setting one replaces the one before."""

    def __init__(self, clock: Clock, tasks: TaskSet) -> None:
        self._clock = clock
        self._tasks = tasks
        self._alarms: dict[Key, asyncio.Task[None]] = {}

    def set(self, key: Key, at: float, action: Callable[[], Awaitable[None]]) -> None:
        """Call ``action`` at Unix time ``at``, unless the alarm is cleared or replaced before.

        When the database cannot do it then, it is tried again.
        """
        self.clear(key)
        self._alarms[key] = self._tasks.spawn(self._ring(key, at, action), f"timer of {key}")

    async def _ring(self, key: Key, at: float, action: Callable[[], Awaitable[None]]) -> None:
        left = at - self._clock.now()
        while left > 0:
            nap = min(left, LOOK_AGAIN)
            await self._clock.sleep(nap)
            # A clock that is set back makes nobody wait longer.
            left = min(left - nap, at - self._clock.now())
        self._alarms.pop(
            key, None
        )  # from here on it cannot be cleared: the action may itself set a new alarm
        try:
            await action()
        except StorageError as error:  # a full disk: what is due does not stay undone
            log.warning("What was due of %s waits: %s", key, error)
            if key not in self._alarms:
                self.set(key, self._clock.now() + LOOK_AGAIN, action)

    def clear(self, key: Key) -> None:
        """Forget the alarm of one."""
        alarm = self._alarms.pop(key, None)
        if alarm is not None:
            alarm.cancel()
