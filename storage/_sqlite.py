"""One SQLite connection off the event loop: transactions, snapshots, and its errors in the project's words.

SQLite's and Python's own errors are translated here and nowhere else, so that every other file of this room (and
every room above) sees ``domain.errors`` only.
"""

from __future__ import annotations

import asyncio
import logging
import shutil
import sqlite3
from collections.abc import AsyncIterator, Coroutine, Iterable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any, TypeVar

import aiosqlite

from domain.errors import (
    CorruptError,
    DiskFullError,
    NotFoundError,
    StorageError,
    TunebreederError,
)

_log = logging.getLogger(__name__)

T = TypeVar("T")
Value = int | float | str | bytes | None
Parameters = Sequence[Value] | Mapping[str, Value]

_OLDEST_SQLITE = (3, 37, 0)
"""First version with STRICT tables."""
_ENDED = "A database transaction was used after its end."
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


def _uri(path: Path, mode: str) -> str:
    return f"{path.absolute().as_uri()}?mode={mode}"


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


async def uninterrupted(work: Coroutine[Any, Any, T]) -> T:
    """Wait for ``work`` to its end, even when the waiting task is cancelled meanwhile.

    A cancelled COMMIT would leave open whether it happened. The cancellation is raised after the end, unless the
    work itself failed: then its error is.
    """
    future = asyncio.ensure_future(work)
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


class Reader:
    """What may be read inside ``Database.reading`` or a transaction. Dead once its block has ended."""

    def __init__(self, connection: aiosqlite.Connection, path: Path) -> None:
        self._connection = connection
        self._path = path
        self._live = True

    def end(self) -> None:
        """Refuse any further use: the block that this belongs to has ended."""
        self._live = False

    async def rows(self, sql: str, parameters: Parameters = ()) -> list[sqlite3.Row]:
        """Run one statement and return all its rows."""
        if not self._live:
            raise StorageError(_ENDED)
        with translated(self._path):
            try:
                found = await self._connection.execute_fetchall(sql, parameters)
            except UnicodeEncodeError:
                found = await self._connection.execute_fetchall(sql, _storable(parameters))
        return list(found)

    async def row(self, sql: str, parameters: Parameters = ()) -> sqlite3.Row | None:
        """Run one statement and return its first row, or ``None``."""
        found = await self.rows(sql, parameters)
        return found[0] if found else None

    async def value(self, sql: str, parameters: Parameters = ()) -> Any:
        """Run one statement and return the first column of its first row, or ``None``."""
        found = await self.row(sql, parameters)
        return None if found is None else found[0]


class Transaction(Reader):
    """What may be read and written inside ``Database.transaction``.

    Attributes:
        committed: Whether COMMIT has succeeded; tells a cancelled owner what became of its work.
    """

    def __init__(self, connection: aiosqlite.Connection, path: Path) -> None:
        super().__init__(connection, path)
        self.committed = False

    async def run(self, sql: str, parameters: Parameters = ()) -> int:
        """Run one statement and return how many rows it changed."""
        await self.rows(sql, parameters)
        return int(await self.value("SELECT changes()"))

    async def many(self, sql: str, rows: Iterable[Sequence[Value]]) -> None:
        """Run one statement, which returns nothing, for each of ``rows``."""
        if not self._live:
            raise StorageError(_ENDED)
        with translated(self._path):
            cursor = await self._connection.executemany(sql, [_storable(row) for row in rows])
            await cursor.close()


class Handle:
    """One connection and its file. Who may use it when is the owner's business."""

    def __init__(self, connection: aiosqlite.Connection, path: Path) -> None:
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
            connection = await aiosqlite.connect(
                _uri(path, "rw" if query_only else "rwc"),
                uri=True,
                isolation_level=None,
                cached_statements=256,
                check_same_thread=False,
            )
        handle = cls(connection, path)
        try:
            connection.row_factory = sqlite3.Row
            await handle.pragma("busy_timeout = 5000")
            await handle.pragma("foreign_keys = ON")
            if query_only:
                await handle.pragma("query_only = ON")
        except BaseException:
            await handle.close()
            raise
        return handle

    async def pragma(self, text: str) -> list[sqlite3.Row]:
        """Run ``PRAGMA text`` outside a transaction."""
        with translated(self.path):
            return list(await self._connection.execute_fetchall(f"PRAGMA {text}"))

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Transaction]:
        """BEGIN IMMEDIATE, then COMMIT; ROLLBACK on any exception, cancellation included."""
        tx = Transaction(self._connection, self.path)
        try:
            await tx.rows("BEGIN IMMEDIATE")
            yield tx
            await uninterrupted(self._commit(tx))
        except BaseException:
            if not tx.committed:
                await uninterrupted(self._roll_back())
            raise
        finally:
            tx.end()

    @asynccontextmanager
    async def snapshot(self) -> AsyncIterator[Reader]:
        """Everything read in the block is of one moment."""
        reader = Reader(self._connection, self.path)
        try:
            await reader.rows("BEGIN DEFERRED")
            yield reader
        finally:
            reader.end()
            await uninterrupted(self._roll_back())

    async def copy_to(self, target: Handle) -> None:
        """Copy the whole database into ``target`` through SQLite's backup interface."""
        with translated(target.path):
            await self._connection.backup(target._connection)

    async def close(self) -> None:
        """Close the connection; what it had not committed is lost."""
        with translated(self.path):
            await uninterrupted(self._connection.close())

    async def _commit(self, tx: Transaction) -> None:
        with translated(self.path):
            await self._connection.commit()
        tx.committed = True

    async def _roll_back(self) -> None:
        # Does nothing when SQLite has rolled back by itself, as after a full disk.
        try:
            with translated(self.path):
                await self._connection.rollback()
        except TunebreederError as error:
            # The error that led here is the one to tell.
            _log.warning("Rolling back failed: %s", error)


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
