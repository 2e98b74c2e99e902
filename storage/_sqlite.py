"""One SQLite connection off the event loop: transactions, snapshots, and its errors in the project's words.

SQLite's and Python's own errors are translated here and nowhere else, so that every other file of this room (and
every room above) sees ``domain.errors`` only.
"""

from __future__ import annotations

import asyncio
import shutil
import sqlite3
from collections.abc import (
    AsyncIterator,
    Awaitable,
    Callable,
    Iterable,
    Iterator,
    Mapping,
    Sequence,
)
from contextlib import asynccontextmanager, contextmanager
from functools import partial
from pathlib import Path
from typing import Any, ClassVar, TypeVar

import aiosqlite

from domain.errors import (
    CorruptError,
    DiskFullError,
    NotFoundError,
    StorageError,
)

T = TypeVar("T")
Value = int | float | str | bytes | None
Parameters = Sequence[Value] | Mapping[str, Value]

_OLDEST_SQLITE = (3, 37, 0)
"""First version with STRICT tables."""
_NO_ROOM = 1 << 20
"""Bytes free on a disk below which a failed write is told as a full disk."""


def storage_error(error: sqlite3.Error, path: Path) -> StorageError:
    """Say what SQLite's error means for the file at ``path`` and what to do about it."""
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    if code in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB):
        return CorruptError(
            f"The database {path} is damaged. Stop the bot and put a backup in its place, "
            "or move the file away to start empty."
        )
    if code == sqlite3.SQLITE_FULL or (code == sqlite3.SQLITE_IOERR and _is_full(path)):
        return DiskFullError(
            f"There is no room left for the database {path}. Free some disk space and try again; "
            "everything that was confirmed is still there."
        )
    if code == sqlite3.SQLITE_IOERR:
        return StorageError(f"Reading or writing the database {path} failed. Check the disk.")
    if code in (sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_PERM):
        return StorageError(
            f"The database {path} cannot be opened or written. "
            "Check that its folder exists and that the bot's account may write there."
        )
    if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
        return StorageError(f"Another program holds the database {path}. Close it and try again.")
    return StorageError(f"The database {path} refused what was asked: {error}.")


def _is_full(path: Path) -> bool:
    try:
        return shutil.disk_usage(path.parent).free < _NO_ROOM
    except OSError:
        return False


@contextmanager
def translated(path: Path) -> Iterator[None]:
    """Turn what sqlite3 raises inside the block into errors of ``domain.errors``."""
    try:
        yield
    except sqlite3.Error as error:
        raise storage_error(error, path) from error
    except OverflowError as error:
        # An id beyond 64 bits can only come from a forged request: nothing has that id.
        raise NotFoundError("There is nothing with a number that large.") from error


class Connection(aiosqlite.Connection):
    """aiosqlite's connection, and a way to run a whole function on its thread.

    A trip to the thread and back costs 70 us of processor time and, when every core is busy, a turn of the scheduler
    each way; the statements of a vote take 10 us each. So what belongs together goes over in one trip.
    """

    def submit(self, work: Callable[[sqlite3.Connection], T]) -> asyncio.Future[T]:
        """Queue ``work`` for the thread. Dropping or cancelling the future does not stop it."""
        future: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        self._tx.put_nowait((future, partial(work, self._conn)))
        return future

    def join(self) -> None:
        """Wait for the thread of a connection that could not be opened: it ends at once by itself."""
        self._thread.join()

    def submit_unattended(self, work: Callable[[sqlite3.Connection], object]) -> None:
        """Queue ``work`` for the thread when nobody needs to know how it ends."""
        self._tx.put_nowait((None, partial(work, self._conn)))


async def uninterrupted(future: asyncio.Future[T]) -> T:
    """Wait until ``future`` is done, even when the waiting task is cancelled meanwhile.

    A cancelled COMMIT would leave open whether it happened. The cancellation is raised afterwards, unless the work
    itself failed: then its error is.
    """
    cancelled: asyncio.CancelledError | None = None
    while not future.done():
        try:
            await asyncio.wait({future})
        except asyncio.CancelledError as error:
            cancelled = error
    result = future.result()
    if cancelled is not None:
        raise cancelled
    return result


def _storable(parameters: Parameters) -> Parameters:
    """Replace lone surrogates, which malformed JSON can smuggle in and UTF-8 cannot hold, by question marks."""

    def clean(value: Value) -> Value:
        return value.encode("utf-8", "replace").decode() if isinstance(value, str) else value

    if isinstance(parameters, Mapping):
        return {key: clean(value) for key, value in parameters.items()}
    return [clean(value) for value in parameters]


def _fetch(raw: sqlite3.Connection, sql: str, parameters: Parameters) -> list[sqlite3.Row]:
    try:
        return raw.execute(sql, parameters).fetchall()
    except UnicodeEncodeError:
        return raw.execute(sql, _storable(parameters)).fetchall()


Step = Callable[[sqlite3.Connection], list[sqlite3.Row]]


class Reader:
    """What may be read inside ``Database.reading`` or a transaction. Dead once its block has ended."""

    _begin: ClassVar[str] = "BEGIN DEFERRED"

    def __init__(self, run: Callable[[Step], Awaitable[list[sqlite3.Row]]], path: Path) -> None:
        self._run = run
        self._path = path
        self._begun = False
        self._live = True

    def end(self) -> None:
        """Refuse any further use: the block that this belongs to has ended."""
        self._live = False

    async def rows(self, sql: str, parameters: Parameters = ()) -> list[sqlite3.Row]:
        """Run one statement and return all its rows."""
        return await self._step(lambda raw: _fetch(raw, sql, parameters))

    async def row(self, sql: str, parameters: Parameters = ()) -> sqlite3.Row | None:
        """Run one statement and return its first row, or ``None``."""
        found = await self.rows(sql, parameters)
        return found[0] if found else None

    async def value(self, sql: str, parameters: Parameters = ()) -> Any:
        """Run one statement and return the first column of its first row, or ``None``."""
        found = await self.row(sql, parameters)
        return None if found is None else found[0]

    async def _step(self, step: Step) -> list[sqlite3.Row]:
        """Run ``step`` where this transaction lives; the first one begins it, in the same trip."""
        if not self._live:
            raise StorageError("A database transaction was used after its end.")
        first, self._begun = not self._begun, True

        def guarded(raw: sqlite3.Connection) -> list[sqlite3.Row]:
            if first:
                raw.execute(self._begin)
            elif not raw.in_transaction:
                # BEGIN failed, or a full disk made SQLite roll back: going on would be outside any transaction.
                raise StorageError("The database has given up this change; start it again.")
            return step(raw)

        with translated(self._path):
            return await self._run(guarded)


class Transaction(Reader):
    """What may be read and written inside ``Database.transaction``."""

    _begin: ClassVar[str] = "BEGIN IMMEDIATE"

    async def run(self, sql: str, parameters: Parameters = ()) -> int:
        """Run one statement and return how many rows it changed."""

        def step(raw: sqlite3.Connection) -> list[sqlite3.Row]:
            _fetch(raw, sql, parameters)
            return raw.execute("SELECT changes()").fetchall()

        return int((await self._step(step))[0][0])

    async def many(self, sql: str, rows: Iterable[Sequence[Value]]) -> None:
        """Run one statement, which returns nothing, for each of ``rows``."""
        clean = [_storable(row) for row in rows]
        await self._step(lambda raw: raw.executemany(sql, clean).fetchall())


class Handle:
    """One connection and its file. Who may use it when is the owner's business."""

    def __init__(self, connection: Connection, path: Path) -> None:
        self._connection = connection
        self.path = path

    @classmethod
    async def open(cls, path: Path, *, query_only: bool = False) -> Handle:
        """Open ``path``, in autocommit mode; a missing file is made unless ``query_only``.

        Raises:
            StorageError: It cannot be opened, or this Python's SQLite is too old.
        """
        if sqlite3.sqlite_version_info < _OLDEST_SQLITE:
            wanted = ".".join(str(part) for part in _OLDEST_SQLITE)
            raise StorageError(
                f"This Python brings SQLite {sqlite3.sqlite_version}; Tunebreeder needs {wanted} "
                "or later. Install a newer Python."
            )
        with translated(path):
            connection = Connection(partial(_connect, path, query_only=query_only), 64)
            try:
                await connection
            except BaseException:
                connection.join()
                raise
        return cls(connection, path)

    async def pragma(self, text: str) -> list[sqlite3.Row]:
        """Run ``PRAGMA text`` outside a transaction."""
        with translated(self.path):
            return await self._connection.submit(lambda raw: _fetch(raw, f"PRAGMA {text}", ()))

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Transaction]:
        """BEGIN IMMEDIATE, then COMMIT; ROLLBACK on any exception, cancellation included."""
        tx = Transaction(self._connection.submit, self.path)
        try:
            yield tx
            tx.end()
            with translated(self.path):
                await uninterrupted(self._connection.submit(sqlite3.Connection.commit))
        except BaseException:
            tx.end()
            # Without effect after a COMMIT, or when SQLite has rolled back by itself, as after a full disk.
            self._connection.submit_unattended(sqlite3.Connection.rollback)
            raise

    @asynccontextmanager
    async def snapshot(self) -> AsyncIterator[Reader]:
        """Everything read in the block is of one moment."""
        reader = Reader(self._connection.submit, self.path)
        try:
            yield reader
        finally:
            reader.end()
            self._connection.submit_unattended(sqlite3.Connection.rollback)

    async def in_one_step(self, work: Callable[[Transaction], Awaitable[T]]) -> T:
        """Run ``work(tx)`` and COMMIT on the connection's thread, in one trip that nothing interrupts."""

        def whole(raw: sqlite3.Connection) -> T:
            async def here(step: Step) -> list[sqlite3.Row]:
                return step(raw)

            tx = Transaction(here, self.path)
            try:
                result = drive(work(tx))
                raw.commit()
            except BaseException:
                raw.rollback()
                raise
            finally:
                tx.end()
            return result

        with translated(self.path):
            return await uninterrupted(self._connection.submit(whole))

    async def copy_to(self, target: Handle) -> None:
        """Copy the whole database into ``target`` through SQLite's backup interface."""
        with translated(target.path):
            await self._connection.backup(target._connection)

    async def close(self) -> None:
        """Close the connection; what it had not committed is lost."""
        with translated(self.path):
            await self._connection.close()


def _connect(path: Path, *, query_only: bool) -> sqlite3.Connection:
    """Open and set up a connection; on the thread that will use it."""
    raw = sqlite3.connect(
        f"{path.absolute().as_uri()}?mode={'rw' if query_only else 'rwc'}",
        uri=True,
        isolation_level=None,
        cached_statements=256,
        check_same_thread=False,
    )
    try:
        raw.row_factory = sqlite3.Row
        raw.execute("PRAGMA busy_timeout = 5000")
        raw.execute("PRAGMA foreign_keys = ON")
        if query_only:
            raw.execute("PRAGMA query_only = ON")
    except BaseException:
        raw.close()
        raise
    return raw


async def _await(work: Awaitable[T]) -> T:
    return await work


def drive(awaitable: Awaitable[T]) -> T:
    """Wait for ``awaitable`` without an event loop: it may wait for nothing that is not ready.

    Raises:
        StorageError: It waits for something else than its transaction.
    """
    work = _await(awaitable)
    try:
        work.send(None)
    except StopIteration as stop:
        result: T = stop.value
        return result
    work.close()
    raise StorageError("Work in one step may wait for nothing but its own transaction.")


async def update_row(
    tx: Transaction,
    table: str,
    allowed: set[str],
    changes: Mapping[str, Value],
    key: Mapping[str, Value],
) -> sqlite3.Row | None:
    """Set the columns in ``changes`` of the row that ``key`` names and return the row, or ``None`` without one.

    Column names are checked against ``allowed`` and never come from outside.

    Raises:
        StorageError: A column may not be changed.
    """
    unknown = changes.keys() - allowed
    if unknown:
        raise StorageError(f"{', '.join(sorted(unknown))} of {table} cannot be changed.")
    where = " AND ".join(f"{name} = :key_{name}" for name in key)
    values = {f"key_{name}": value for name, value in key.items()}
    if not changes:
        return await tx.row(f"SELECT * FROM {table} WHERE {where}", values)  # noqa: S608 - names are ours
    assigned = ", ".join(f"{name} = :{name}" for name in changes)
    return await tx.row(
        f"UPDATE {table} SET {assigned} WHERE {where} RETURNING *",  # noqa: S608 - names are ours
        {**values, **changes},
    )
