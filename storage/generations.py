"""Generations: the numbered steps of a run. Callers reach these through ``storage.runs``."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from typing import Any, TypedDict, Unpack

from domain.errors import NotFoundError, StorageError
from domain.ids import CandidateId, RunId
from domain.run import CloseReason, Generation, GenerationState
from storage import _json
from storage._sqlite import Reader, Transaction, update_row

_COLUMNS = {
    "state",
    "directive",
    "directive_parents_json",
    "directive_words",
    "opened_at",
    "closes_at",
    "closed_at",
    "close_reason",
}


class GenerationChanges(TypedDict, total=False):
    """What of a generation may change."""

    state: GenerationState
    directive: str
    directive_parents: Sequence[CandidateId]
    directive_words: str
    opened_at: float | None
    closes_at: float | None
    closed_at: float | None
    close_reason: CloseReason | None


async def add_generation(tx: Transaction, new: Generation) -> None:
    """Store a generation.

    Raises:
        StorageError: The run has one of that number, or there is no such run.
    """
    row = await tx.row(
        """
        INSERT INTO generations VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
        ON CONFLICT (run_id, number) DO NOTHING RETURNING number
        """,
        (
            new.run_id,
            new.number,
            new.state,
            new.directive,
            _json.id_list(new.directive_parents),
            new.directive_words,
            new.opened_at,
            new.closes_at,
            new.closed_at,
            new.close_reason,
        ),
    )
    if row is None:
        raise StorageError(f"Run {new.run_id} already has a generation {new.number}.")


async def generation(tx: Reader, run_id: RunId, number: int) -> Generation:
    """Return a generation.

    Raises:
        NotFoundError: It is not there (any more).
    """
    row = await tx.row(
        "SELECT * FROM generations WHERE run_id = ? AND number = ?", (run_id, number)
    )
    if row is None:
        raise _missing()
    return _generation(row)


async def generations_of_run(tx: Reader, run_id: RunId) -> list[Generation]:
    """Return every generation of a run by number."""
    rows = await tx.rows("SELECT * FROM generations WHERE run_id = ? ORDER BY number", (run_id,))
    return [_generation(row) for row in rows]


async def generations_in_state(tx: Reader, state: GenerationState) -> list[Generation]:
    """Return every generation of every run that is in ``state``, oldest run first."""
    rows = await tx.rows(
        "SELECT * FROM generations WHERE state = ? ORDER BY run_id, number", (state,)
    )
    return [_generation(row) for row in rows]


async def set_generation(
    tx: Transaction, run_id: RunId, number: int, **changes: Unpack[GenerationChanges]
) -> Generation:
    """Change what is named and return the generation as it is now.

    Raises:
        NotFoundError: It is not there.
    """
    values: dict[str, Any] = dict(changes)
    if "directive_parents" in values:
        values["directive_parents_json"] = _json.id_list(values.pop("directive_parents"))
    row = await update_row(
        tx, "generations", _COLUMNS, values, {"run_id": run_id, "number": number}
    )
    if row is None:
        raise _missing()
    return _generation(row)


async def delete_generation(tx: Transaction, run_id: RunId, number: int) -> None:
    """Delete a generation that was cancelled or never finished: it makes room for the next try.

    Raises:
        StorageError: It is ready, open or closed: it is history by now.
    """
    state = await tx.value(
        """
        DELETE FROM generations WHERE run_id = ? AND number = ? AND state IN ('breeding', 'cancelled')
        RETURNING state
        """,
        (run_id, number),
    )
    if state is None and await tx.row(
        "SELECT 1 FROM generations WHERE run_id = ? AND number = ?", (run_id, number)
    ):
        raise StorageError(f"Generation {number} of run {run_id} was posted; it stays as it is.")


def _generation(row: sqlite3.Row) -> Generation:
    reason = row["close_reason"]
    return Generation(
        run_id=RunId(row["run_id"]),
        number=row["number"],
        state=GenerationState(row["state"]),
        directive=row["directive"],
        directive_parents=tuple(
            CandidateId(item) for item in _json.load(row["directive_parents_json"])
        ),
        directive_words=row["directive_words"],
        opened_at=row["opened_at"],
        closes_at=row["closes_at"],
        closed_at=row["closed_at"],
        close_reason=None if reason is None else CloseReason(reason),
    )


def _missing() -> NotFoundError:
    return NotFoundError("That round is not there any more. The newest one is in /evolve status.")
