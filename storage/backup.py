"""Copies of a database that is in use.

The audio store needs none of this: its files never change, so any file copier does.
"""

from __future__ import annotations

import contextlib
import logging
import os
from pathlib import Path

from domain.errors import CorruptError, StorageError
from storage._files import disk_errors, sync_folder
from storage._sqlite import Handle

log = logging.getLogger(__name__)
_MAGIC = b"SQLite format 3\x00"


async def backup(source: Path, target: Path) -> None:
    """Copy the database ``source`` to ``target`` while a bot may be writing to it.

    The copy is one moment of the source, is checked, and appears under its name complete or not at all. An older
    backup of that name is replaced; any other file is not.

    Raises:
        StorageError: There is no source, ``target`` is the source itself or not a database, or it cannot be written.
        DiskFullError: No room for the copy.
        CorruptError: The source is damaged, so that a copy would be worthless.
    """
    _refuse_wrong_files(source, target)
    part = target.with_name(f".{target.name}.{os.getpid()}.part")
    try:
        with disk_errors(target, "backup"):
            target.parent.mkdir(parents=True, exist_ok=True)
            part.unlink(missing_ok=True)
        await _copy(source, part)
        with disk_errors(target, "backup"):
            _sync_file(part)
            part.replace(target)
            sync_folder(target.parent)
        _note(source)
    finally:
        for leftover in (part, Path(f"{part}-journal"), Path(f"{part}-wal"), Path(f"{part}-shm")):
            # What went wrong before is the thing to tell; a leftover does no harm.
            with contextlib.suppress(OSError):
                leftover.unlink()


def last_backup(source: Path) -> float | None:
    """Return the Unix time of the last backup of a database, or ``None`` where none is known of."""
    try:
        return _mark(source).stat().st_mtime
    except OSError:
        return None


def _mark(source: Path) -> Path:
    """Return the empty file whose time says when the last backup was made."""
    return source.with_name(f"{source.name}.backed-up")


def _note(source: Path) -> None:
    try:
        _mark(source).touch()
    except OSError as error:
        log.warning(
            "The copy is made, but when it was cannot be noted beside %s: %s", source, error
        )


def _refuse_wrong_files(source: Path, target: Path) -> None:
    if not source.is_file():
        raise StorageError(f"There is no database at {source}. Start the bot once to make it.")
    live = source.resolve()
    if target.resolve() in {
        live,
        *(Path(f"{live}{end}") for end in ("-wal", "-shm", ".lock", ".backed-up")),
    }:
        raise StorageError(f"{target} is the database in use. Give the backup another name.")
    if target.is_dir():
        raise StorageError(f"{target} is a folder. Give the backup a file name in it.")
    if target.exists():
        if target.samefile(source):
            raise StorageError(f"{target} is the database in use. Give the backup another name.")
        with disk_errors(target, "backup"), target.open("rb") as file:
            start = file.read(len(_MAGIC))
        if start and start != _MAGIC:
            raise StorageError(f"{target} exists and is not a backup. Give another name.")


async def _copy(source: Path, part: Path) -> None:
    reader = await Handle.open(source, query_only=True)
    try:
        writer = await Handle.open(part)
        try:
            await reader.copy_to(writer)
            # One plain file, without a log beside it.
            await writer.pragma("journal_mode = DELETE")
            found = [row[0] for row in await writer.pragma("integrity_check(3)")]
        finally:
            await writer.close()
    finally:
        await reader.close()
    if found != ["ok"]:
        raise CorruptError(f"The database {source} is damaged ({found[0]}). No copy was made.")


def _sync_file(path: Path) -> None:
    descriptor = os.open(path, os.O_RDWR)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
