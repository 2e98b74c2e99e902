"""Group commit: changes that arrive together share one transaction, and so one wait for the disk.

Nobody runs in the background. The first to arrive leads: it carries out its own and everybody else's waiting work
in one transaction, tells the others, and hands the lead on if more has arrived meanwhile. While one group is being
committed the next one gathers, so that groups grow with the load and a lone vote waits for nobody.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Any

from domain.errors import StorageError
from storage._sqlite import T, Transaction, drive
from storage.database import Database

Work = Callable[[Transaction], Awaitable[T]]


class _Job:
    """One piece of work on its way. ``turn`` is set when it is finished, or when its owner shall lead."""

    __slots__ = ("error", "finished", "result", "turn", "work")

    def __init__(self, work: Work[Any]) -> None:
        self.work = work
        self.turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.finished = False
        self.result: Any = None
        self.error: BaseException | None = None

    def finish(self) -> None:
        self.finished = True
        self.wake()

    def wake(self) -> None:
        if not self.turn.done():
            self.turn.set_result(None)


class GroupCommit:
    """Runs small read-modify-write closures in shared transactions.

    Args:
        database: Where to write.
        largest_group: How many closures share a transaction at most, at least 1. It bounds how long others wait for
            the writer: a closure of ten statements takes about 0.2 ms.
    """

    def __init__(self, database: Database, *, largest_group: int = 32) -> None:
        self._database = database
        self._largest = largest_group
        self._waiting: deque[_Job] = deque()
        self._led = False

    async def apply(self, work: Work[T]) -> T:
        """Run ``work(tx)`` in a shared transaction and return its result once that is committed.

        Each closure sees the changes of those before it. One that raises is undone alone and its exception is raised
        here; the others are not affected. ``work`` runs on the database's thread: it may wait for nothing but ``tx``
        and must not touch the event loop. When this call is cancelled, the work is done either wholly or not at all.

        Raises:
            StorageError: The group could not be written; nothing of it is stored.
            Exception: Whatever ``work`` raised.
        """
        job = _Job(work)
        self._waiting.append(job)
        if self._led:
            await self._wait(job)
        else:
            self._led = True
        if not job.finished:
            await self._lead(job)
        if job.error is not None:
            raise job.error
        result: T = job.result
        return result

    async def _wait(self, job: _Job) -> None:
        """Wait until ``job`` is finished or shall lead; step out of the queue when cancelled."""
        try:
            await job.turn
        except asyncio.CancelledError:
            waiting = job in self._waiting
            if waiting:
                self._waiting.remove(job)
            if waiting and job.turn.done() and not job.turn.cancelled():
                # Asked to lead in the very moment of being cancelled.
                self._hand_on()
            raise

    async def _lead(self, mine: _Job) -> None:
        """Write groups until ``mine`` is finished, then let somebody else lead."""
        try:
            while not mine.finished:
                size = min(len(self._waiting), self._largest)
                await self._write([self._waiting.popleft() for _ in range(size)], mine)
        finally:
            self._hand_on()

    def _hand_on(self) -> None:
        """Give the lead to the one who waits longest, or to whoever comes next."""
        for job in self._waiting:
            # A cancelled one is about to step out of the queue and would lose the lead.
            if not job.turn.cancelled():
                job.wake()
                return
        self._led = False

    async def _write(self, group: list[_Job], mine: _Job) -> None:
        """Carry out a group; all of it is finished afterwards, or waits again when the leader was cancelled early."""
        begun = False

        async def together(tx: Transaction) -> None:
            nonlocal begun
            begun = True
            for job in group:
                await _carry_out(tx, job)

        try:
            await self._database.in_one_step(together)
        except asyncio.CancelledError:
            # Once begun, a step goes on to its COMMIT whatever happens to the one who waits for it.
            if begun:
                _finish(group)
            else:
                self._waiting.extendleft(job for job in reversed(group) if job is not mine)
            raise
        except BaseException as error:
            for job in group:
                job.error = _own_copy(error)
            _finish(group)
            if not isinstance(error, Exception):
                raise
        else:
            _finish(group)


def _finish(group: list[_Job]) -> None:
    for job in group:
        job.finish()


async def _carry_out(tx: Transaction, job: _Job) -> None:
    """Run one closure; what it changed is undone when it raises."""
    await tx.rows("SAVEPOINT job")
    try:
        job.result = drive(job.work(tx))
    except (Exception, asyncio.CancelledError) as error:  # noqa: BLE001 - its owner raises it in apply()
        job.error = error
        try:
            await tx.rows("ROLLBACK TO job")
        except StorageError:
            # SQLite has undone the whole transaction by itself, as on a full disk: the group shares the error.
            raise error from None
    await tx.rows("RELEASE job")


def _own_copy(error: BaseException) -> StorageError:
    """One exception raised in several tasks would mix up their tracebacks."""
    kind = type(error) if isinstance(error, StorageError) else StorageError
    copy = kind(str(error) or type(error).__name__)
    copy.__cause__ = error
    return copy
