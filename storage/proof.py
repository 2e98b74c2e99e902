"""What progress is judged by: re-posts, the chance that each clip had, predictions, and what came of them."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence

from domain.clip import Clip
from domain.ids import ChannelId, ClipId, GuildId, ListenerId, RunId
from domain.outcome import Foretold, Outcome
from storage import _json, clips
from storage._sqlite import Reader, Transaction

REPOST = "repost"
"""Role of an old clip that is posted again among new ones."""

_COPIED = (
    "candidate_id, run_id, prompt, family, seed, seconds, sha256, extension, media_type, loudness, waveform,"
    " encoder_id, quality, defects_json, generator, generator_version, licence, description_json"
)


async def add_repost(tx: Transaction, original_id: ClipId, number: int, slot: int) -> Clip:
    """Store an old clip once more as a clip of round ``number``, in ``slot``.

    Raises:
        NotFoundError: The original is gone.
        StorageError: It was posted again before, or another clip has the slot.
    """
    await clips.clip(tx, original_id)
    clip_id = ClipId(
        await tx.value(
            f"""
            INSERT INTO clips ({_COPIED}, generation, posted_slot, role)
            SELECT {_COPIED}, ?, ?, ? FROM clips WHERE id = ? RETURNING id
            """,  # noqa: S608 - a constant of this file
            (number, slot, REPOST, original_id),
        )
    )
    await tx.rows(
        """
        INSERT INTO embeddings (clip_id, encoder_id, vector)
        SELECT ?, encoder_id, vector FROM embeddings WHERE clip_id = ?
        """,
        (clip_id, original_id),
    )
    await tx.rows("INSERT INTO reposts VALUES (?, ?)", (clip_id, original_id))
    return await clips.clip(tx, clip_id)


async def repostable(tx: Reader, run_id: RunId, until: int) -> list[ClipId]:
    """Return the clips of a run that may be posted again, oldest first.

    These were posted in a round up to ``until`` and rated by somebody, nobody called them broken, and they were not
    posted twice yet.
    """
    rows = await tx.rows(
        """
        SELECT c.id FROM clips AS c
        WHERE c.run_id = ? AND c.generation <= ? AND c.posted_slot IS NOT NULL AND NOT c.broken
          AND NOT EXISTS (SELECT 1 FROM reposts WHERE c.id IN (clip_id, original_id))
          AND EXISTS (
            SELECT 1 FROM votes WHERE clip_id = c.id AND NOT retracted AND source <> 'broken'
          )
        ORDER BY c.id
        """,
        (run_id, until),
    )
    return [ClipId(row["id"]) for row in rows]


async def originals(tx: Reader, clip_ids: Sequence[ClipId]) -> dict[ClipId, ClipId]:
    """Return the original of each re-post among ``clip_ids``."""
    rows = await tx.rows(
        "SELECT clip_id, original_id FROM reposts WHERE clip_id IN (SELECT value FROM json_each(?))",
        (_json.id_list(clip_ids),),
    )
    return {ClipId(row["clip_id"]): ClipId(row["original_id"]) for row in rows}


async def save_chances(tx: Transaction, chances: Mapping[ClipId, float]) -> None:
    """Store how likely each clip was to be posted, in (0, 1]."""
    await tx.many(
        "INSERT INTO choices (clip_id, propensity) VALUES (?, ?)",
        [(clip_id, min(1.0, float(chance))) for clip_id, chance in chances.items()],
    )


async def chances_of(tx: Reader, clip_ids: Sequence[ClipId]) -> dict[ClipId, float]:
    """Return how likely clips were to be posted, where it was stored."""
    rows = await tx.rows(
        "SELECT clip_id, propensity FROM choices WHERE clip_id IN (SELECT value FROM json_each(?))",
        (_json.id_list(clip_ids),),
    )
    return {ClipId(row["clip_id"]): row["propensity"] for row in rows}


async def save_predictions(tx: Transaction, foretold: Sequence[Foretold]) -> None:
    """Store what is expected of listeners who allow it."""
    await tx.many(
        """
        INSERT INTO predictions (clip_id, listener_id, liking, spread, evidence) VALUES (?, ?, ?, ?, ?)
        ON CONFLICT DO NOTHING
        """,
        [(one.clip_id, one.listener_id, one.liking, one.spread, one.evidence) for one in foretold],
    )


async def delete_predictions(tx: Transaction, guild_id: GuildId, listener_id: ListenerId) -> int:
    """Forget what was expected of a listener in a server; returns how many rows went."""
    return await tx.run(
        """
        DELETE FROM predictions WHERE listener_id = ? AND clip_id IN (
            SELECT c.id FROM clips AS c JOIN runs AS r ON r.id = c.run_id WHERE r.guild_id = ?
        )
        """,
        (listener_id, guild_id),
    )


async def outcomes(
    tx: Reader,
    guild_id: GuildId,
    *,
    channel_id: ChannelId | None = None,
    run_id: RunId | None = None,
    listener_id: ListenerId | None = None,
) -> list[Outcome]:
    """Return every verdict on what was posted for everybody in a server, a channel or a run, oldest clip first.

    Private runs are left out. Each listener counts once for each posted clip: a button outranks a star, a star a
    reaction, and who called it broken said nothing about taste.

    Args:
        tx: A reader or transaction.
        guild_id: The server.
        channel_id: Only this channel, when given.
        run_id: Only this run, when given.
        listener_id: Only this listener, when given.
    """
    rows = await tx.rows(
        """
        WITH said AS (
            SELECT clip_id, listener_id, max(late) AS late, max(source = 'broken') AS broken, coalesce(
                max(CASE source WHEN 'button' THEN rating END),
                max(CASE source WHEN 'favourite' THEN 1.0 END),
                sum(CASE source WHEN 'reaction' THEN rating * weight END)
                / sum(CASE source WHEN 'reaction' THEN weight END)
            ) AS rating
            FROM votes WHERE guild_id = :guild AND NOT retracted AND (:listener IS NULL OR listener_id = :listener)
            GROUP BY clip_id, listener_id
        )
        SELECT c.id, coalesce(p.original_id, c.id) AS original_id, c.run_id, r.channel_id, c.generation, c.role,
               s.listener_id, s.rating, s.late, f.liking AS foretold
        FROM said AS s JOIN clips AS c ON c.id = s.clip_id JOIN runs AS r ON r.id = c.run_id
        LEFT JOIN reposts AS p ON p.clip_id = c.id
        LEFT JOIN predictions AS f ON f.clip_id = c.id AND f.listener_id = s.listener_id
        WHERE r.guild_id = :guild AND r.for_listener IS NULL AND c.posted_slot IS NOT NULL AND NOT s.broken
          AND s.rating IS NOT NULL AND (:channel IS NULL OR r.channel_id = :channel) AND (:run IS NULL OR r.id = :run)
        ORDER BY c.id, s.listener_id
        """,
        {"guild": guild_id, "channel": channel_id, "run": run_id, "listener": listener_id},
    )
    return [_outcome(row) for row in rows]


async def posted_for_everybody(tx: Reader, guild_id: GuildId, most: int) -> list[ClipId]:
    """Return the latest clips that everybody in a server could hear, each sound once, oldest first."""
    rows = await tx.rows(
        """
        SELECT id FROM (
            SELECT c.id FROM clips AS c JOIN runs AS r ON r.id = c.run_id
            WHERE r.guild_id = ? AND r.for_listener IS NULL AND c.posted_slot IS NOT NULL AND NOT c.broken
              AND c.id NOT IN (SELECT clip_id FROM reposts)
            ORDER BY c.id DESC LIMIT ?
        ) ORDER BY id
        """,
        (guild_id, most),
    )
    return [ClipId(row["id"]) for row in rows]


async def guilds_with_rounds(tx: Reader) -> list[GuildId]:
    """Return the servers in which anything was posted for everybody."""
    rows = await tx.rows(
        """
        SELECT DISTINCT r.guild_id FROM runs AS r JOIN clips AS c ON c.run_id = r.id
        WHERE r.for_listener IS NULL AND c.posted_slot IS NOT NULL ORDER BY r.guild_id
        """
    )
    return [GuildId(row["guild_id"]) for row in rows]


def _outcome(row: sqlite3.Row) -> Outcome:
    return Outcome(
        clip_id=ClipId(row["id"]),
        original_id=ClipId(row["original_id"]),
        run_id=RunId(row["run_id"]),
        channel_id=ChannelId(row["channel_id"]),
        generation=row["generation"],
        role=row["role"] or "",
        listener_id=ListenerId(row["listener_id"]),
        rating=row["rating"],
        late=bool(row["late"]),
        foretold=row["foretold"],
    )
