"""The last things that people said to the bot, and what it answered. Rows live for an hour."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass

from domain.ids import ChannelId, ClipId, GuildId, ListenerId
from storage._sqlite import Reader, Transaction


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """One thing said to the bot.

    Attributes:
        guild_id: The server; 0 in direct messages.
        channel_id: Where.
        listener_id: Who said it.
        said: Their words.
        answered: The bot's.
        clip_id: The clip that it was about, or ``None``.
        at: Unix time in seconds.
    """

    guild_id: GuildId
    channel_id: ChannelId
    listener_id: ListenerId
    said: str
    answered: str
    clip_id: ClipId | None = None
    at: float = 0.0


async def add_turn(tx: Transaction, turn: Turn, *, most: int) -> None:
    """Store a turn and delete all but the newest ``most`` of its channel."""
    await tx.rows(
        """
        INSERT INTO chat_turns (guild_id, channel_id, listener_id, said, answered, clip_id, at)
        VALUES (?, ?, ?, ?, ?, ?, ?)
        """,
        (
            turn.guild_id,
            turn.channel_id,
            turn.listener_id,
            turn.said,
            turn.answered,
            turn.clip_id,
            float(turn.at),
        ),
    )
    await tx.run(
        """
        DELETE FROM chat_turns WHERE channel_id = ? AND id NOT IN (
            SELECT id FROM chat_turns WHERE channel_id = ? ORDER BY id DESC LIMIT ?
        )
        """,
        (turn.channel_id, turn.channel_id, most),
    )


async def turns_of(tx: Reader, channel_id: ChannelId, *, since: float) -> list[Turn]:
    """Return a channel's turns of at least Unix time ``since``, oldest first."""
    rows = await tx.rows(
        "SELECT * FROM chat_turns WHERE channel_id = ? AND at >= ? ORDER BY id", (channel_id, since)
    )
    return [_turn(row) for row in rows]


async def forget_turns(tx: Transaction, *, before: float) -> int:
    """Delete the turns of before a Unix time, everywhere; returns how many went."""
    return await tx.run("DELETE FROM chat_turns WHERE at < ?", (before,))


def _turn(row: sqlite3.Row) -> Turn:
    return Turn(
        guild_id=GuildId(row["guild_id"]),
        channel_id=ChannelId(row["channel_id"]),
        listener_id=ListenerId(row["listener_id"]),
        said=row["said"],
        answered=row["answered"],
        clip_id=None if row["clip_id"] is None else ClipId(row["clip_id"]),
        at=row["at"],
    )
