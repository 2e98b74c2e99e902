"""Group commit: changes that arrive together share one transaction, and so one wait for the disk.

Nobody runs in the background. The first to arrive leads: it carries out its own and everybody else's waiting work
in one transaction, tells the others, and hands the lead on if more has arrived meanwhile. While one group is being
committed the next one gathers, so that groups grow with the load and a lone vote waits for nobody.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from domain.errors import StorageError
from storage._sqlite import Transaction
from storage.database import Database

T = TypeVar("T")
Work = Callable[[Transaction], Awaitable[T]]


class _Job:
    """One piece of work on its way. ``turn`` is set when it is done, or when its owner shall lead."""

    __slots__ = ("error", "finished", "result", "turn", "work")

    def __init__(self, work: Work[Any]) -> None:
        self.work = work
        self.turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.finished = False
        self.result: Any = None
        self.error: Exception | None = None

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
        largest_group: How many closures share a transaction at most, at least 1. It bounds how long the writer is
            held: a closure takes about 0.3 ms.
    """

    def __init__(self, database: Database, *, largest_group: int = 64) -> None:
        self._database = database
        self._largest = largest_group
        self._waiting: deque[_Job] = deque()
        self._led = False

    async def apply(self, work: Work[T]) -> T:
        """Run ``work(tx)`` in a transaction and return its result once that is committed.

        Each closure sees the changes of those before it. One that raises is undone alone and its exception is raised
        here; the others are not affected. It may be run again from the start when a group has to be repeated (its
        leader was cancelled), so it must change nothing but the database. When this call is cancelled, the work is
        either done wholly or not at all.

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
            if job in self._waiting:
                self._waiting.remove(job)
            if job.turn.done() and not job.turn.cancelled() and not job.finished:
                self._hand_on()
            raise

    async def _lead(self, mine: _Job) -> None:
        """Write groups until ``mine`` is finished, then let somebody else lead."""
        try:
            while not mine.finished:
                size = min(len(self._waiting), self._largest)
                group = [self._waiting.popleft() for _ in range(size)]
                await self._write(group, mine)
        finally:
            self._hand_on()

    def _hand_on(self) -> None:
        """Give the lead to the oldest that waits, or to whoever comes next."""
        if self._waiting:
            self._waiting[0].wake()
        else:
            self._led = False

    async def _write(self, group: list[_Job], mine: _Job) -> None:
        """Carry out a group; every job of it is finished afterwards, unless the leader is cancelled."""
        tx: Transaction | None = None
        try:
            async with self._database.transaction() as tx:
                for job in group:
                    await _run(tx, job, alone=len(group) == 1)
        except asyncio.CancelledError:
            if tx is None or not tx.committed:
                # Rolled back: the others' work is still to do, in the same order.
                self._waiting.extendleft(job for job in reversed(group) if job is not mine)
                raise
            _finish(group)
            raise
        except _AloneError:
            _finish(group)
        except Exception as error:  # noqa: BLE001 - told to every owner, who raises it
            for job in group:
                job.error = _copy_of(error)
                job.finish()
        else:
            _finish(group)


class _AloneError(Exception):
    """The only job of a group failed: roll back. The job holds the error."""


def _finish(group: list[_Job]) -> None:
    for job in group:
        job.finish()


async def _run(tx: Transaction, job: _Job, *, alone: bool) -> None:
    """Run one closure; what it changed is undone when it raises."""
    job.error = None
    if alone:
        try:
            job.result = await job.work(tx)
        except Exception as error:
            job.error = error
            raise _AloneError from error
        return
    await tx.rows("SAVEPOINT job")
    try:
        job.result = await job.work(tx)
    except Exception as error:  # noqa: BLE001 - raised by the owner in apply()
        # Fails when SQLite has undone the whole transaction by itself (full disk): then the group fails.
        await tx.rows("ROLLBACK TO job")
        job.error = error
    await tx.rows("RELEASE job")


def _copy_of(error: Exception) -> Exception:
    """A fresh exception for each owner: one object raised in several tasks would mix up their tracebacks."""
    if isinstance(error, StorageError):
        copy = type(error)(*error.args)
        copy.__cause__ = error
        return copy
    return error
