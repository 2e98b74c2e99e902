"""Votes: one row for each (clip, listener, source, symbol), folded so that the order of events cannot matter.

Of two events on one row the larger id wins, whichever arrives first; an event that is delivered twice changes
nothing; a vote that was taken back stays as a row, so that an older event cannot bring it back.
"""

# ruff: noqa: S608 - statements are put together from constants of this file; values are always bound

from __future__ import annotations

import sqlite3
from collections.abc import Sequence

from domain.ids import ChannelId, ClipId, GuildId, ListenerId, RunId
from domain.vote import Vote, VoteSource
from storage import _json
from storage._sqlite import Reader, Transaction
from storage.group_commit import GroupCommit

NEXT_SEQUENCE = """(
    SELECT 1 + max(
        (SELECT coalesce(max(sequence), 0) FROM votes WHERE listener_id = :listener_id AND guild_id = :guild_id),
        (SELECT coalesce(max(sequence), 0) FROM duel_votes WHERE listener_id = :listener_id AND guild_id = :guild_id)
    )
)"""
"""The next number of a listener's changes in a server, votes and answers to duels counted together."""

_UPSERT = f"""
INSERT INTO votes (clip_id, listener_id, source, symbol, guild_id, rating, weight, retracted, late, event_id, at,
                   sequence)
VALUES (:clip_id, :listener_id, :source, :symbol, :guild_id, :rating, :weight, :retracted, :late, :event_id, :at,
        {NEXT_SEQUENCE})
ON CONFLICT (clip_id, listener_id, source, symbol) DO UPDATE SET
    guild_id = excluded.guild_id, rating = excluded.rating, weight = excluded.weight,
    retracted = excluded.retracted, late = excluded.late, event_id = excluded.event_id, at = excluded.at,
    sequence = excluded.sequence
WHERE excluded.event_id > votes.event_id
RETURNING *
"""
_ORDER = "ORDER BY v.clip_id, v.listener_id, v.source, v.symbol"


class VoteWriter(GroupCommit):
    """Writes votes that arrive together in one transaction; see ``storage.group_commit``."""

    async def record(self, votes: Sequence[Vote]) -> list[Vote]:
        """Store ``votes`` together with what others are storing; returns them as stored, after COMMIT."""
        return await self.apply(lambda tx: upsert(tx, votes))


async def upsert(tx: Transaction, votes: Sequence[Vote]) -> list[Vote]:
    """Store votes and return each row as it stands now, in the same order.

    Raises:
        StorageError: A clip is not there, or a number is out of range.
    """
    stored_votes = []
    for vote in votes:
        row = await tx.row(
            _UPSERT,
            {
                "clip_id": vote.clip_id,
                "listener_id": vote.listener_id,
                "source": vote.source,
                "symbol": vote.symbol,
                "guild_id": vote.guild_id,
                "rating": float(vote.rating),
                "weight": float(vote.weight),
                "retracted": vote.retracted,
                "late": vote.late,
                "event_id": vote.event_id,
                "at": float(vote.at),
            },
        )
        kept = vote_of(row) if row is not None else None
        if kept is None:
            kept = await stored(tx, vote.clip_id, vote.listener_id, vote.source, vote.symbol)
        if kept is not None:
            stored_votes.append(kept)
    return stored_votes


async def stored(
    tx: Reader, clip_id: ClipId, listener_id: ListenerId, source: VoteSource, symbol: str = ""
) -> Vote | None:
    """Return one row, taken back or not."""
    row = await tx.row(
        "SELECT * FROM votes WHERE clip_id = ? AND listener_id = ? AND source = ? AND symbol = ?",
        (clip_id, listener_id, source, symbol),
    )
    return None if row is None else vote_of(row)


async def votes_of_listener(tx: Reader, guild_id: GuildId, listener_id: ListenerId) -> list[Vote]:
    """Return everything a listener voted in a server, in the order it was stored, taken-back rows included."""
    rows = await tx.rows(
        "SELECT * FROM votes WHERE listener_id = ? AND guild_id = ? ORDER BY sequence",
        (listener_id, guild_id),
    )
    return [vote_of(row) for row in rows]


async def votes_of_run(tx: Reader, run_id: RunId) -> list[Vote]:
    """Return all votes on a run's clips, taken-back rows included."""
    rows = await tx.rows(
        f"SELECT v.* FROM clips AS c JOIN votes AS v ON v.clip_id = c.id WHERE c.run_id = ? {_ORDER}",
        (run_id,),
    )
    return [vote_of(row) for row in rows]


async def votes_of_round(
    tx: Reader, run_id: RunId, number: int, listener_id: ListenerId | None = None
) -> list[Vote]:
    """Return the votes on a generation's clips, of one listener or of all, taken-back rows included."""
    rows = await tx.rows(
        f"""SELECT v.* FROM clips AS c JOIN votes AS v ON v.clip_id = c.id
        WHERE c.run_id = :run AND c.generation = :number AND (:listener IS NULL OR v.listener_id = :listener)
        {_ORDER}""",
        {"run": run_id, "number": number, "listener": listener_id},
    )
    return [vote_of(row) for row in rows]


async def votes_of_channel(tx: Reader, channel_id: ChannelId) -> list[Vote]:
    """Return all votes on the clips of a channel's runs, taken-back rows included."""
    rows = await tx.rows(
        f"""SELECT v.* FROM runs AS r JOIN clips AS c ON c.run_id = r.id JOIN votes AS v ON v.clip_id = c.id
        WHERE r.channel_id = ? {_ORDER}""",
        (channel_id,),
    )
    return [vote_of(row) for row in rows]


async def rated_clips(tx: Reader, guild_id: GuildId, listener_id: ListenerId) -> int:
    """Count the clips of a server on which a listener has a standing vote or that they compared in a duel.

    A clip that was posted again counts once. Calling a clip broken is no vote.
    """
    return int(
        await tx.value(
            """
            WITH compared AS (
                SELECT d.clip_a, d.clip_b FROM duel_votes AS v JOIN duels AS d ON d.id = v.duel_id
                WHERE v.listener_id = :listener AND v.guild_id = :guild AND NOT v.retracted
            )
            SELECT count(DISTINCT coalesce(p.original_id, h.clip_id)) FROM (
                SELECT clip_id FROM votes
                WHERE listener_id = :listener AND guild_id = :guild AND NOT retracted AND source <> 'broken'
                UNION SELECT clip_a FROM compared UNION SELECT clip_b FROM compared
            ) AS h LEFT JOIN reposts AS p ON p.clip_id = h.clip_id
            """,
            {"listener": listener_id, "guild": guild_id},
        )
    )


async def delete_votes(tx: Transaction, guild_id: GuildId, listener_id: ListenerId) -> int:
    """Forget everything a listener voted in a server; returns how many rows went."""
    return await tx.run(
        "DELETE FROM votes WHERE listener_id = ? AND guild_id = ?", (listener_id, guild_id)
    )


async def votes_of_clips(tx: Reader, clip_ids: Sequence[ClipId]) -> list[Vote]:
    """Return all votes on some clips, taken-back rows included."""
    rows = await tx.rows(
        f"SELECT v.* FROM votes AS v WHERE v.clip_id IN (SELECT value FROM json_each(?)) {_ORDER}",
        (_json.id_list(clip_ids),),
    )
    return [vote_of(row) for row in rows]


async def voters(tx: Reader, run_id: RunId, number: int) -> set[ListenerId]:
    """Return who has a standing vote on a round. Calling a clip broken is no vote."""
    rows = await tx.rows(
        """
        SELECT DISTINCT v.listener_id FROM clips AS c JOIN votes AS v ON v.clip_id = c.id
        WHERE c.run_id = ? AND c.generation = ? AND NOT v.retracted AND v.source <> 'broken'
        """,
        (run_id, number),
    )
    return {ListenerId(row["listener_id"]) for row in rows}


async def latest_event(tx: Reader) -> int:
    """Return the largest event id stored, 0 without votes."""
    return int(await tx.value("SELECT coalesce(max(event_id), 0) FROM votes"))


async def high_water(tx: Reader, guild_id: GuildId, listener_id: ListenerId) -> int:
    """Return a number that grows with every change of a listener's votes and answers in a server; 0 without any.

    Save it with a taste to know later whether the taste has seen everything. Event ids cannot serve: an event may
    arrive after a younger one.
    """
    return int(
        await tx.value(
            f"SELECT {NEXT_SEQUENCE} - 1", {"listener_id": listener_id, "guild_id": guild_id}
        )
    )


def vote_of(row: sqlite3.Row) -> Vote:
    """Rebuild a vote from its row."""
    return Vote(
        clip_id=ClipId(row["clip_id"]),
        guild_id=GuildId(row["guild_id"]),
        listener_id=ListenerId(row["listener_id"]),
        source=VoteSource(row["source"]),
        symbol=row["symbol"],
        rating=row["rating"],
        weight=row["weight"],
        retracted=bool(row["retracted"]),
        late=bool(row["late"]),
        event_id=row["event_id"],
        at=row["at"],
    )
