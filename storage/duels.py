"""Duels: two clips side by side, and one answer of each listener, folded so that the order of events cannot matter."""

# ruff: noqa: S608 - statements are put together from constants of this file; values are always bound

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypedDict, Unpack

from domain.duel import Answer, Choice, Duel, DuelState, DuelVote
from domain.errors import NotFoundError
from domain.ids import ChannelId, ClipId, DuelId, GuildId, ListenerId, RunId
from domain.run import CloseReason, Post, PostKind
from storage import _json
from storage._sqlite import Reader, Transaction, update_row
from storage.posts import post_from
from storage.votes import NEXT_SEQUENCE

_UPSERT = f"""
INSERT INTO duel_votes (duel_id, listener_id, guild_id, choice, retracted, late, event_id, at, sequence)
VALUES (:duel_id, :listener_id, :guild_id, :choice, :retracted, :late, :event_id, :at, {NEXT_SEQUENCE})
ON CONFLICT (duel_id, listener_id) DO UPDATE SET
    choice = excluded.choice, retracted = excluded.retracted, late = excluded.late, event_id = excluded.event_id,
    at = excluded.at, sequence = excluded.sequence
WHERE excluded.event_id > duel_votes.event_id
"""
_COLUMNS = {"state", "closes_at", "decided_at", "reason"}
_AWAITING = "state IN ('waiting', 'open')"


@dataclass(frozen=True, slots=True, kw_only=True)
class NewDuel:
    """A duel that is not stored yet; fields as in ``domain.duel.Duel``."""

    run_id: RunId
    generation: int
    guild_id: GuildId
    channel_id: ChannelId
    for_listener: ListenerId | None
    started_by: ListenerId
    a: ClipId
    b: ClipId
    quorum: int
    timer: float
    created_at: float


class DuelChanges(TypedDict, total=False):
    """What of a duel may change."""

    state: DuelState
    closes_at: float | None
    decided_at: float | None
    reason: CloseReason | None


async def add_duel(tx: Transaction, new: NewDuel) -> Duel:
    """Store a duel that waits to be posted."""
    return _found(
        await tx.row(
            """
            INSERT INTO duels (run_id, generation, guild_id, channel_id, for_listener, started_by, clip_a, clip_b,
                               state, quorum, timer, created_at)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, 'waiting', ?, ?, ?) RETURNING *
            """,
            (
                new.run_id,
                new.generation,
                new.guild_id,
                new.channel_id,
                new.for_listener,
                new.started_by,
                new.a,
                new.b,
                new.quorum,
                new.timer,
                new.created_at,
            ),
        )
    )


async def duel(tx: Reader, duel_id: DuelId) -> Duel:
    """Return a duel.

    Raises:
        NotFoundError: It is not there (any more).
    """
    return _found(await tx.row("SELECT * FROM duels WHERE id = ?", (duel_id,)))


async def set_duel(tx: Transaction, duel_id: DuelId, **changes: Unpack[DuelChanges]) -> Duel:
    """Change what is named and return the duel as it is now.

    Raises:
        NotFoundError: It is not there.
    """
    values: dict[str, Any] = dict(changes)
    return _found(await update_row(tx, "duels", _COLUMNS, values, {"id": duel_id}))


async def awaiting(tx: Reader, channel_id: ChannelId) -> Duel | None:
    """Return the duel of a channel that is not decided yet."""
    row = await tx.row(
        f"SELECT * FROM duels WHERE channel_id = ? AND {_AWAITING} ORDER BY id DESC LIMIT 1",
        (channel_id,),
    )
    return None if row is None else _duel(row)


async def latest(tx: Reader, channel_id: ChannelId) -> Duel | None:
    """Return the youngest duel of a channel."""
    row = await tx.row(
        "SELECT * FROM duels WHERE channel_id = ? ORDER BY id DESC LIMIT 1", (channel_id,)
    )
    return None if row is None else _duel(row)


async def count_awaiting(tx: Reader, guild_id: GuildId, started_by: ListenerId) -> tuple[int, int]:
    """Return how many undecided duels a person has started anywhere, and how many a server has."""
    row = await tx.row(
        f"""
        SELECT coalesce(sum(started_by = :who), 0) AS own, coalesce(sum(guild_id = :guild), 0) AS here
        FROM duels WHERE {_AWAITING}
        """,
        {"who": started_by, "guild": guild_id},
    )
    return (0, 0) if row is None else (int(row["own"]), int(row["here"]))


async def open_duels(tx: Reader) -> list[Duel]:
    """Return every duel that awaits votes, oldest first."""
    return [
        _duel(row) for row in await tx.rows("SELECT * FROM duels WHERE state = 'open' ORDER BY id")
    ]


async def pairs_of_channel(tx: Reader, channel_id: ChannelId) -> set[frozenset[ClipId]]:
    """Return the pairs of clips that a channel has compared already."""
    rows = await tx.rows("SELECT clip_a, clip_b FROM duels WHERE channel_id = ?", (channel_id,))
    return {frozenset({ClipId(row["clip_a"]), ClipId(row["clip_b"])}) for row in rows}


async def eligible(
    tx: Reader, channel_id: ChannelId, listener_id: ListenerId | None, most: int
) -> list[ClipId]:
    """Return the youngest clips of a channel that may be compared now, posted or not, youngest first.

    Clips of rounds that are being made or still open, broken ones, and private ones of somebody else than
    ``listener_id`` are left out, and so are clips that came back: their sound is there already.
    """
    rows = await tx.rows(
        """
        SELECT c.id FROM runs AS r JOIN generations AS g ON g.run_id = r.id
        JOIN clips AS c ON c.run_id = g.run_id AND c.generation = g.number
        WHERE r.channel_id = :channel AND (r.for_listener IS NULL OR r.for_listener = :listener)
          AND NOT c.broken AND c.id NOT IN (SELECT clip_id FROM reposts)
          AND (g.state = 'closed' OR (g.state = 'open' AND c.posted_slot IS NULL))
        ORDER BY c.id DESC LIMIT :most
        """,
        {"channel": channel_id, "listener": listener_id, "most": most},
    )
    return [ClipId(row["id"]) for row in rows]


async def add_duel_post(tx: Transaction, duel: Duel, kind: PostKind, now: float) -> Post:
    """Put a duel's message or its verdict into the outbox; a second call returns the first one's row."""
    row = await tx.row(
        """
        INSERT INTO posts (run_id, generation, kind, channel_id, state, created_at, duel_id)
        VALUES (?, ?, ?, ?, 'pending', ?, ?)
        ON CONFLICT (duel_id, kind) WHERE duel_id IS NOT NULL DO NOTHING RETURNING *
        """,
        (duel.run_id, duel.generation, kind, duel.channel_id, now, duel.id),
    )
    return await post_of(tx, duel, kind) if row is None else post_from(row)


async def post_of(tx: Reader, duel: Duel, kind: PostKind) -> Post:
    """Return a duel's message or its verdict.

    Raises:
        NotFoundError: It has none.
    """
    row = await tx.row("SELECT * FROM posts WHERE duel_id = ? AND kind = ?", (duel.id, kind))
    if row is None:
        raise _missing()
    return post_from(row)


async def upsert(tx: Transaction, vote: DuelVote) -> None:
    """Store an answer; one that is older than what stands changes nothing."""
    await tx.rows(
        _UPSERT,
        {
            "duel_id": vote.duel_id,
            "listener_id": vote.listener_id,
            "guild_id": vote.guild_id,
            "choice": vote.choice,
            "retracted": vote.retracted,
            "late": vote.late,
            "event_id": vote.event_id,
            "at": float(vote.at),
        },
    )


async def stored(tx: Reader, duel_id: DuelId, listener_id: ListenerId) -> DuelVote | None:
    """Return a listener's answer, taken back or not."""
    row = await tx.row(
        "SELECT * FROM duel_votes WHERE duel_id = ? AND listener_id = ?", (duel_id, listener_id)
    )
    return None if row is None else _vote(row)


async def votes_of_duel(tx: Reader, duel_id: DuelId) -> list[DuelVote]:
    """Return every answer to a duel, taken-back ones included."""
    rows = await tx.rows(
        "SELECT * FROM duel_votes WHERE duel_id = ? ORDER BY listener_id", (duel_id,)
    )
    return [_vote(row) for row in rows]


async def answers_of(
    tx: Reader,
    guild_id: GuildId,
    listener_id: ListenerId,
    channel_id: ChannelId | None = None,
) -> list[Answer]:
    """Return a listener's standing answers in a server, or in one channel of it, in the order of their events.

    Duels with a clip that is called broken say nothing.
    """
    rows = await tx.rows(
        """
        SELECT d.clip_a, d.clip_b, v.choice, v.event_id FROM duel_votes AS v JOIN duels AS d ON d.id = v.duel_id
        JOIN clips AS a ON a.id = d.clip_a JOIN clips AS b ON b.id = d.clip_b
        WHERE v.listener_id = :listener AND v.guild_id = :guild AND NOT v.retracted
          AND NOT a.broken AND NOT b.broken AND (:channel IS NULL OR d.channel_id = :channel)
        ORDER BY v.event_id, d.id
        """,
        {"listener": listener_id, "guild": guild_id, "channel": channel_id},
    )
    return [
        Answer(
            a=ClipId(row["clip_a"]),
            b=ClipId(row["clip_b"]),
            choice=Choice(row["choice"]),
            event_id=row["event_id"],
        )
        for row in rows
    ]


async def voters_of_channel(tx: Reader, channel_id: ChannelId) -> dict[ListenerId, float]:
    """Return who has a standing answer to a duel of a channel, and when they gave the last one."""
    rows = await tx.rows(
        """
        SELECT v.listener_id, max(v.at) AS latest FROM duels AS d JOIN duel_votes AS v ON v.duel_id = d.id
        WHERE d.channel_id = ? AND NOT v.retracted GROUP BY v.listener_id
        """,
        (channel_id,),
    )
    return {ListenerId(row["listener_id"]): float(row["latest"]) for row in rows}


async def delete_answers(tx: Transaction, guild_id: GuildId, listener_id: ListenerId) -> int:
    """Forget everything a listener answered in a server; returns how many rows went."""
    return await tx.run(
        "DELETE FROM duel_votes WHERE listener_id = ? AND guild_id = ?", (listener_id, guild_id)
    )


async def delete_duels_of_runs(tx: Transaction, run_ids: Sequence[RunId]) -> int:
    """Delete the duels with a clip of one of the runs; returns how many answers went with them."""
    which = """
        SELECT d.id FROM duels AS d JOIN clips AS a ON a.id = d.clip_a JOIN clips AS b ON b.id = d.clip_b
        WHERE a.run_id IN (SELECT value FROM json_each(:runs)) OR b.run_id IN (SELECT value FROM json_each(:runs))
    """
    chosen = {"runs": _json.id_list(run_ids)}
    gone = await tx.run(f"DELETE FROM duel_votes WHERE duel_id IN ({which})", chosen)
    await tx.run(f"DELETE FROM duels WHERE id IN ({which})", chosen)
    return gone


def _found(row: sqlite3.Row | None) -> Duel:
    if row is None:
        raise _missing()
    return _duel(row)


def _missing() -> NotFoundError:
    return NotFoundError("That duel is not there any more. /duel starts a new one.")


def _duel(row: sqlite3.Row) -> Duel:
    return Duel(
        id=DuelId(row["id"]),
        run_id=RunId(row["run_id"]),
        generation=row["generation"],
        guild_id=GuildId(row["guild_id"]),
        channel_id=ChannelId(row["channel_id"]),
        for_listener=None if row["for_listener"] is None else ListenerId(row["for_listener"]),
        started_by=ListenerId(row["started_by"]),
        a=ClipId(row["clip_a"]),
        b=ClipId(row["clip_b"]),
        state=DuelState(row["state"]),
        quorum=row["quorum"],
        timer=row["timer"],
        created_at=row["created_at"],
        closes_at=row["closes_at"],
        decided_at=row["decided_at"],
        reason=None if row["reason"] is None else CloseReason(row["reason"]),
    )


def _vote(row: sqlite3.Row) -> DuelVote:
    return DuelVote(
        duel_id=DuelId(row["duel_id"]),
        guild_id=GuildId(row["guild_id"]),
        listener_id=ListenerId(row["listener_id"]),
        choice=Choice(row["choice"]),
        retracted=bool(row["retracted"]),
        late=bool(row["late"]),
        event_id=row["event_id"],
        at=row["at"],
    )
