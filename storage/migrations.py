"""Numbered migrations. A released one never changes: add another function to ``MIGRATIONS`` instead.

To add one: write ``async def m002_what_it_does(tx)``, append it, and run ``tests/storage/make_schema_dump.py``, which
keeps a filled database of the new schema for the tests that upgrade from every older one.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence

from domain.errors import MigrationError
from storage import backup as backups
from storage._sqlite import Handle, Reader, Transaction
from storage.m001 import STATEMENTS as M001
from storage.m002 import STATEMENTS as M002
from storage.m003 import STATEMENTS as M003
from storage.m004 import STATEMENTS as M004
from storage.m005 import STATEMENTS as M005
from storage.m006 import STATEMENTS as M006
from storage.m007 import STATEMENTS as M007
from storage.m008 import STATEMENTS as M008
from storage.m009 import STATEMENTS as M009
from storage.m010 import STATEMENTS as M010

Migration = Callable[[Transaction], Awaitable[None]]

APPLICATION_ID = 0x54554E45
"""``TUNE`` in the file's header: tells our files from somebody else's."""

_APPLIED = """
CREATE TABLE migrations (
    number INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    applied_at REAL NOT NULL
) STRICT
"""


async def m001_first_schema(tx: Transaction) -> None:
    """Everything the first version keeps."""
    for statement in M001:
        await tx.rows(statement)


async def m002_mood_panels(tx: Transaction) -> None:
    """What listeners have set on their panels of ``/mood``."""
    for statement in M002:
        await tx.rows(statement)


async def m003_operator_versions(tx: Transaction) -> None:
    """What moderators have tuned."""
    for statement in M003:
        await tx.rows(statement)


async def m004_chat_turns(tx: Transaction) -> None:
    """What was said to the bot in the last hour."""
    for statement in M004:
        await tx.rows(statement)


async def m005_language_usage(tx: Transaction) -> None:
    """What language models were used for and cost."""
    for statement in M005:
        await tx.rows(statement)


async def m006_duels(tx: Transaction) -> None:
    """Duels, what is answered to them, and what is learned from preferences."""
    for statement in M006:
        await tx.rows(statement)


async def m007_proof(tx: Transaction) -> None:
    """Re-posts, and what was expected of posted clips."""
    for statement in M007:
        await tx.rows(statement)


async def m008_fitness(tx: Transaction) -> None:
    """Tracks that runs are bred towards, and what fitness was made of."""
    for statement in M008:
        await tx.rows(statement)


async def m009_projections(tx: Transaction) -> None:
    """Axes fitted on what learned encoders hear."""
    for statement in M009:
        await tx.rows(statement)


async def m010_failed_at(tx: Transaction) -> None:
    """When posts were given up."""
    for statement in M010:
        await tx.rows(statement)


MIGRATIONS: tuple[Migration, ...] = (
    m001_first_schema,
    m002_mood_panels,
    m003_operator_versions,
    m004_chat_turns,
    m005_language_usage,
    m006_duels,
    m007_proof,
    m008_fitness,
    m009_projections,
    m010_failed_at,
)


def name_of(step: Migration) -> str:
    """Name under which a migration is recorded, such as ``"m001_first_schema"``."""
    return str(getattr(step, "__name__", step))


async def migrate(
    handle: Handle, *, clock: Callable[[], float], steps: Sequence[Migration] = MIGRATIONS
) -> int:
    """Bring the database to the newest schema, each step in a transaction of its own; returns its version.

    A file that holds anything is copied first, to ``<name>.before-m002_...`` beside it. Foreign keys are off
    meanwhile, so that tables can be rebuilt, and checked before each COMMIT.

    Raises:
        MigrationError: The file has steps that this version does not know, belongs to another program, or a step
            left dangling references.
    """
    applied = await _applied(handle)
    _require_known(handle, applied, steps)
    missing = steps[len(applied) :]
    if applied and missing:
        copy = handle.path.with_name(f"{handle.path.name}.before-{name_of(missing[0])}")
        await backups.backup(handle.path, copy)
    await handle.pragma("foreign_keys = OFF")
    try:
        for number, step in enumerate(missing, start=len(applied) + 1):
            await _apply(handle, step, number, clock())
    finally:
        await handle.pragma("foreign_keys = ON")
    return len(steps)


async def require_current(handle: Handle, steps: Sequence[Migration] = MIGRATIONS) -> int:
    """Return the schema version of a database that is only looked at.

    Raises:
        MigrationError: It is not of exactly the schema that this version knows.
    """
    applied = await _applied(handle)
    _require_known(handle, applied, steps)
    if len(applied) < len(steps):
        raise MigrationError(
            f"The database {handle.path} is of the older schema {_label(applied)}; this version "
            f"reads {name_of(steps[-1])}. Start the bot once to bring it up to date."
        )
    return len(applied)


async def _apply(handle: Handle, step: Migration, number: int, now: float) -> None:
    async with handle.transaction() as tx:
        if number == 1:
            await tx.rows(f"PRAGMA application_id = {APPLICATION_ID}")
            await tx.rows(_APPLIED)
        await step(tx)
        if await tx.rows("PRAGMA foreign_key_check"):
            raise MigrationError(
                f"Bringing {handle.path} to {name_of(step)} would leave dangling references; "
                "nothing was changed. Please report this."
            )
        await tx.rows("INSERT INTO migrations VALUES (?, ?, ?)", (number, name_of(step), now))


async def _applied(handle: Handle) -> list[str]:
    """Names of the steps that the file has had, oldest first; none for an empty file."""
    async with handle.snapshot() as reader:
        owner = await reader.value("PRAGMA application_id")
        tables = await _table_names(reader)
        if not tables and owner in (0, APPLICATION_ID):
            return []
        if owner != APPLICATION_ID or "migrations" not in tables:
            raise MigrationError(
                f"{handle.path} is a database of another program. Nothing was changed; choose "
                "another data folder (TUNEBREEDER_DATA_DIR)."
            )
        return [
            row["name"] for row in await reader.rows("SELECT name FROM migrations ORDER BY number")
        ]


async def _table_names(reader: Reader) -> set[str]:
    rows = await reader.rows(
        "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite~_%' ESCAPE '~'"
    )
    return {row["name"] for row in rows}


def _require_known(handle: Handle, applied: Sequence[str], steps: Sequence[Migration]) -> None:
    known = [name_of(step) for step in steps]
    if list(applied) != known[: len(applied)]:
        raise MigrationError(
            f"The database {handle.path} is of schema {_label(applied)}, newer than or different from "
            f"{known[-1]}, which this version knows. Install a newer Tunebreeder, or use the backup "
            "that lies beside the file. Nothing was changed."
        )


def _label(applied: Sequence[str]) -> str:
    return applied[-1] if applied else "none"
