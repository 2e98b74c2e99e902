"""Runs: the evolution in one channel, with its searcher's state and what it owes its listeners.

Generations and candidates have files of their own and are offered here too.
"""

from __future__ import annotations

import dataclasses
import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, TypedDict, Unpack

from domain.errors import BusyError, NotFoundError
from domain.fitness import Weights
from domain.ids import ChannelId, ClipId, GuildId, ListenerId, RunId
from domain.run import Run, RunSettings, RunState
from storage import _json
from storage._sqlite import Reader, Transaction, update_row
from storage.candidates import (
    add_candidates,
    ancestors,
    candidate,
    candidates_of_generation,
    candidates_of_run,
    delete_candidates,
)
from storage.duels import delete_duels_of_runs
from storage.generations import (
    add_generation,
    delete_generation,
    generation,
    generations_in_state,
    generations_of_run,
    set_generation,
)

__all__ = [
    "BY_HAND",
    "FOR_DUEL",
    "NewRun",
    "add_candidates",
    "add_generation",
    "ancestors",
    "candidate",
    "candidates_of_generation",
    "candidates_of_run",
    "create_run",
    "debts",
    "delete_candidates",
    "delete_generation",
    "delete_run",
    "generation",
    "generations_in_state",
    "generations_of_run",
    "get_run",
    "latest_run_in_channel",
    "live_runs",
    "run_in_channel",
    "runs_of_guild",
    "save_debts",
    "save_searcher_state",
    "searcher_state",
    "searcher_words",
    "set_generation",
    "set_run",
]


BY_HAND = "mood"
"""Searcher of a run that holds the one clip somebody made by hand. Such runs are stored as stopped."""
FOR_DUEL = "duel"
"""Searcher of a run that holds clips made for a duel, where a channel had none to compare. Stored as stopped."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NewRun:
    """A run that is not stored yet; fields as in ``domain.run.Run``."""

    guild_id: GuildId
    channel_id: ChannelId
    started_by: ListenerId
    vibe: str = ""
    seed: int
    searcher: str
    settings: RunSettings = field(default_factory=RunSettings)
    state: RunState = RunState.ACTIVE
    for_listener: ListenerId | None = None
    parent_clip_id: ClipId | None = None
    created_at: float


class RunChanges(TypedDict, total=False):
    """What of a run may change."""

    state: RunState
    generation: int
    unattended: int
    vibe: str
    searcher: str
    settings: RunSettings
    channel_id: ChannelId
    for_listener: ListenerId | None


async def create_run(tx: Transaction, new: NewRun) -> Run:
    """Store a run at generation 0.

    Raises:
        BusyError: The channel has a run that is not stopped.
    """
    row = await tx.row(
        """
        INSERT INTO runs (guild_id, channel_id, started_by, vibe, seed, searcher, settings_json,
                          state, for_listener, parent_clip_id, created_at)
        VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
        ON CONFLICT (channel_id) WHERE state <> 'stopped' DO NOTHING
        RETURNING *
        """,
        (
            new.guild_id,
            new.channel_id,
            new.started_by,
            new.vibe,
            new.seed,
            new.searcher,
            _json.dump(dataclasses.asdict(new.settings)),
            new.state,
            new.for_listener,
            new.parent_clip_id,
            new.created_at,
        ),
    )
    if row is None:
        raise _busy()
    return _run(row)


async def get_run(tx: Reader, run_id: RunId) -> Run:
    """Return a run.

    Raises:
        NotFoundError: It is not there (any more).
    """
    row = await tx.row("SELECT * FROM runs WHERE id = ?", (run_id,))
    if row is None:
        raise _missing()
    return _run(row)


async def run_in_channel(tx: Reader, channel_id: ChannelId) -> Run | None:
    """Return the run of a channel that is not stopped."""
    row = await tx.row(
        "SELECT * FROM runs WHERE channel_id = ? AND state <> 'stopped'", (channel_id,)
    )
    return None if row is None else _run(row)


async def latest_run_in_channel(tx: Reader, channel_id: ChannelId) -> Run | None:
    """Return the youngest run of a channel, stopped or not; clips made by hand or for a duel are no such run."""
    row = await tx.row(
        "SELECT * FROM runs WHERE channel_id = ? AND searcher NOT IN (?, ?) ORDER BY id DESC LIMIT 1",
        (channel_id, BY_HAND, FOR_DUEL),
    )
    return None if row is None else _run(row)


async def posted_by_hand(tx: Reader, channel_id: ChannelId, maker: ListenerId) -> Run | None:
    """Return the run of the youngest clip that somebody made by hand and posted in a channel."""
    row = await tx.row(
        """
        SELECT * FROM runs WHERE channel_id = ? AND started_by = ? AND searcher = ? AND for_listener IS NULL
        ORDER BY id DESC LIMIT 1
        """,
        (channel_id, maker, BY_HAND),
    )
    return None if row is None else _run(row)


async def live_runs(tx: Reader) -> list[Run]:
    """Return every run that is not stopped, oldest first."""
    return [
        _run(row)
        for row in await tx.rows("SELECT * FROM runs WHERE state <> 'stopped' ORDER BY id")
    ]


async def runs_of_guild(tx: Reader, guild_id: GuildId) -> list[Run]:
    """Return every run of a server, oldest first, stopped and private ones included."""
    rows = await tx.rows("SELECT * FROM runs WHERE guild_id = ? ORDER BY id", (guild_id,))
    return [_run(row) for row in rows]


async def set_run(tx: Transaction, run_id: RunId, **changes: Unpack[RunChanges]) -> Run:
    """Change what is named and return the run as it is now.

    Raises:
        BusyError: It would come back to life in a channel that has another live run.
        NotFoundError: It is not there.
    """
    values: dict[str, Any] = dict(changes)
    if "settings" in values:
        values["settings_json"] = _json.dump(dataclasses.asdict(values.pop("settings")))
    await _require_free_channel(tx, run_id, changes)
    columns = {
        "state",
        "generation",
        "unattended",
        "vibe",
        "searcher",
        "settings_json",
        "channel_id",
        "for_listener",
    }
    row = await update_row(tx, "runs", columns, values, {"id": run_id})
    if row is None:
        raise _missing()
    return _run(row)


async def delete_run(tx: Transaction, run_id: RunId) -> int:
    """Delete a run with everything that hangs on it, votes and duels included; returns how many votes went."""
    answers = await delete_duels_of_runs(tx, [run_id])
    votes = await tx.run(
        "DELETE FROM votes WHERE clip_id IN (SELECT id FROM clips WHERE run_id = ?)", (run_id,)
    )
    await tx.rows("DELETE FROM runs WHERE id = ?", (run_id,))
    return votes + answers


async def searcher_state(tx: Reader, run_id: RunId) -> dict[str, Any] | None:
    """Return what the run's searcher saved last, or ``None`` before it has."""
    text = await tx.value("SELECT state_json FROM searcher_states WHERE run_id = ?", (run_id,))
    return None if text is None else dict(_json.load(text))


async def searcher_words(tx: Reader, run_id: RunId) -> tuple[str, tuple[str, ...]]:
    """Return what the run's searcher last saved in words: its note, and the notices of its last generation.

    Both are empty where it has none.
    """
    rows = await tx.rows(
        """
        SELECT json_extract(state_json, '$.note') AS note, json_extract(state_json, '$.notices') AS notices
        FROM searcher_states WHERE run_id = ?
        """,
        (run_id,),
    )
    if not rows:
        return "", ()
    notices = _json.load(rows[0]["notices"] or "[]")
    return rows[0]["note"] or "", tuple(str(one) for one in notices)


async def save_searcher_state(tx: Transaction, run_id: RunId, state: Mapping[str, Any]) -> None:
    """Keep the state of the run's searcher; JSON-safe."""
    await tx.rows(
        """
        INSERT INTO searcher_states (run_id, state_json) VALUES (?, ?)
        ON CONFLICT (run_id) DO UPDATE SET state_json = excluded.state_json
        """,
        (run_id, _json.dump(dict(state))),
    )


async def debts(tx: Reader, run_id: RunId) -> dict[ListenerId, float]:
    """Return what the run owes each listener whose taste lost recent rounds."""
    rows = await tx.rows("SELECT listener_id, debt FROM debts WHERE run_id = ?", (run_id,))
    return {ListenerId(row["listener_id"]): row["debt"] for row in rows}


async def save_debts(tx: Transaction, run_id: RunId, owed: Mapping[ListenerId, float]) -> None:
    """Replace the run's debts by ``owed``."""
    await tx.rows("DELETE FROM debts WHERE run_id = ?", (run_id,))
    await tx.many(
        "INSERT INTO debts (run_id, listener_id, debt) VALUES (?, ?, ?)",
        [(run_id, listener, float(debt)) for listener, debt in owed.items()],
    )


async def _require_free_channel(tx: Transaction, run_id: RunId, changes: RunChanges) -> None:
    """Refuse a change after which a channel would have two runs that are not stopped."""
    if not {"state", "channel_id"} & changes.keys():
        return
    state = changes.get("state")
    taken = await tx.value(
        """
        SELECT 1 FROM runs AS me JOIN runs AS other ON other.channel_id = coalesce(:channel, me.channel_id)
        WHERE me.id = :run AND other.id <> me.id AND other.state <> 'stopped'
          AND coalesce(:state, me.state) <> 'stopped'
        """,
        {"run": run_id, "channel": changes.get("channel_id"), "state": state},
    )
    if taken is not None:
        raise _busy()


def _run(row: sqlite3.Row) -> Run:
    return Run(
        id=RunId(row["id"]),
        guild_id=GuildId(row["guild_id"]),
        channel_id=ChannelId(row["channel_id"]),
        started_by=ListenerId(row["started_by"]),
        vibe=row["vibe"],
        seed=row["seed"],
        searcher=row["searcher"],
        settings=_settings(row["settings_json"]),
        state=RunState(row["state"]),
        generation=row["generation"],
        unattended=row["unattended"],
        for_listener=None if row["for_listener"] is None else ListenerId(row["for_listener"]),
        parent_clip_id=None if row["parent_clip_id"] is None else ClipId(row["parent_clip_id"]),
        created_at=row["created_at"],
    )


def _settings(text: str) -> RunSettings:
    """Read stored settings; fields that came later get their default, fields that went are ignored."""
    names = {item.name for item in dataclasses.fields(RunSettings)}
    known = {key: value for key, value in _json.load(text).items() if key in names}
    if "weights" in known:
        known["weights"] = Weights.from_json(known["weights"])
    return RunSettings(**known)


def _missing() -> NotFoundError:
    return NotFoundError("That run is not there any more. Start a new one with /evolve start.")


def _busy() -> BusyError:
    return BusyError(
        "This channel already has a run. Use /evolve next to go on, or /evolve stop to end it first."
    )
