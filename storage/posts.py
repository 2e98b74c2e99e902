"""Posts: the outbox, and later the record of which message shows which round.

A row is stored with the change that it tells about, in one transaction; only then is it sent. ``attempted`` is
written before sending: a row found so after a crash may be in the channel already.
"""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass

from domain.errors import NotFoundError
from domain.ids import ChannelId, DuelId, GuildId, MessageId, PostId, RunId
from domain.run import Post, PostKind, PostState
from storage._sqlite import Reader, Transaction


async def add_post(
    tx: Transaction, run_id: RunId, number: int, kind: PostKind, channel_id: ChannelId, now: float
) -> Post:
    """Put a post into the outbox. A round has one message and one reveal: a second call returns the first's row."""
    row = await tx.row(
        """
        INSERT INTO posts (run_id, generation, kind, channel_id, state, created_at)
        VALUES (?, ?, ?, ?, 'pending', ?)
        ON CONFLICT (run_id, generation, kind) WHERE kind IN ('round', 'reveal') DO NOTHING RETURNING *
        """,
        (run_id, number, kind, channel_id, now),
    )
    if row is None:
        row = await tx.row(
            "SELECT * FROM posts WHERE run_id = ? AND generation = ? AND kind = ?",
            (run_id, number, kind),
        )
    return _found(row)


async def undelivered(tx: Reader) -> list[Post]:
    """Return what is pending or was attempted, oldest first."""
    rows = await tx.rows("SELECT * FROM posts WHERE state IN ('pending', 'attempted') ORDER BY id")
    return [post_from(row) for row in rows]


@dataclass(frozen=True, slots=True, kw_only=True)
class UnsentPost:
    """A post that is not in its channel: pending or attempted, which are tried again, or failed, and why."""

    guild_id: GuildId
    state: PostState
    error: str


async def unsent(tx: Reader, *, since: float) -> list[UnsentPost]:
    """Return what is pending or was attempted, and then what was given up after ``since``, the latest last.

    A round that was withdrawn with its run is none: nobody waits for it.
    """
    rows = await tx.rows(
        """
        SELECT r.guild_id, p.state, p.error FROM posts AS p
        JOIN runs AS r ON r.id = p.run_id
        JOIN generations AS g ON g.run_id = p.run_id AND g.number = p.generation
        WHERE p.state IN ('pending', 'attempted')
            OR (p.state = 'failed' AND p.failed_at >= ? AND NOT (p.kind = 'round' AND g.state = 'cancelled'))
        ORDER BY p.failed_at, p.id
        """,
        (since,),
    )
    return [
        UnsentPost(
            guild_id=GuildId(row["guild_id"]), state=PostState(row["state"]), error=row["error"]
        )
        for row in rows
    ]


async def mark_attempted(tx: Transaction, post_id: PostId) -> Post | None:
    """Record that sending begins; ``None`` when the post is not to be sent (any more)."""
    row = await tx.row(
        """
        UPDATE posts SET state = 'attempted', attempts = attempts + 1
        WHERE id = ? AND state IN ('pending', 'attempted') RETURNING *
        """,
        (post_id,),
    )
    return None if row is None else post_from(row)


async def mark_pending(tx: Transaction, post_id: PostId, error: str = "") -> Post:
    """Record that sending surely did not happen, or that a failed post is to be tried again."""
    return _found(
        await tx.row(
            "UPDATE posts SET state = 'pending', error = ?, failed_at = NULL WHERE id = ? RETURNING *",
            (error, post_id),
        )
    )


async def mark_posted(tx: Transaction, post_id: PostId, message_id: MessageId) -> Post:
    """Record the message that the post became."""
    return _found(
        await tx.row(
            "UPDATE posts SET state = 'posted', message_id = ?, error = '' WHERE id = ? RETURNING *",
            (message_id, post_id),
        )
    )


async def mark_failed(tx: Transaction, post_id: PostId, error: str, now: float) -> Post:
    """Record that the post cannot be delivered, since when, and the sentence that says why."""
    return _found(
        await tx.row(
            "UPDATE posts SET state = 'failed', error = ?, failed_at = ? WHERE id = ? RETURNING *",
            (error, now, post_id),
        )
    )


async def post(tx: Reader, post_id: PostId) -> Post:
    """Return a post.

    Raises:
        NotFoundError: It is not there (any more).
    """
    return _found(await tx.row("SELECT * FROM posts WHERE id = ?", (post_id,)))


async def post_by_message(tx: Reader, message_id: MessageId) -> Post | None:
    """Return the post that a message shows, or ``None`` for any other message."""
    row = await tx.row("SELECT * FROM posts WHERE message_id = ?", (message_id,))
    return None if row is None else post_from(row)


async def post_of(tx: Reader, run_id: RunId, number: int, kind: PostKind) -> Post | None:
    """Return the (latest) post of that kind of a generation."""
    row = await tx.row(
        "SELECT * FROM posts WHERE run_id = ? AND generation = ? AND kind = ? ORDER BY id DESC LIMIT 1",
        (run_id, number, kind),
    )
    return None if row is None else post_from(row)


async def posts_of_run(tx: Reader, run_id: RunId) -> list[Post]:
    """Return every post of a run, oldest first."""
    rows = await tx.rows("SELECT * FROM posts WHERE run_id = ? ORDER BY id", (run_id,))
    return [post_from(row) for row in rows]


async def open_round_posts(tx: Reader) -> list[Post]:
    """Return the delivered posts of all rounds that are open, oldest first."""
    rows = await tx.rows(
        """
        SELECT p.* FROM generations AS g
        JOIN posts AS p ON p.run_id = g.run_id AND p.generation = g.number
        WHERE g.state = 'open' AND p.kind = 'round' AND p.state = 'posted' ORDER BY p.id
        """
    )
    return [post_from(row) for row in rows]


def _found(row: sqlite3.Row | None) -> Post:
    if row is None:
        raise NotFoundError("That message is not there any more.")
    return post_from(row)


def post_from(row: sqlite3.Row) -> Post:
    """Rebuild a post from its row."""
    return Post(
        id=PostId(row["id"]),
        run_id=RunId(row["run_id"]),
        generation=row["generation"],
        kind=PostKind(row["kind"]),
        channel_id=ChannelId(row["channel_id"]),
        state=PostState(row["state"]),
        message_id=None if row["message_id"] is None else MessageId(row["message_id"]),
        attempts=row["attempts"],
        error=row["error"],
        created_at=row["created_at"],
        duel_id=None if row["duel_id"] is None else DuelId(row["duel_id"]),
    )
