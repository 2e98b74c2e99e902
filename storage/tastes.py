"""Tastes and priors: what was learned, packed, in versions. Votes are the truth; these can always be learned again."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass

from domain.ids import GuildId, ListenerId
from storage._sqlite import Reader, Transaction

VERSIONS_KEPT = 5
"""The last versions of each taste and prior that stay."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredTaste:
    """A version of a listener's taste in one server.

    Attributes:
        guild_id: The server.
        listener_id: Whose.
        version: 1 for the first one.
        space_id: The taste space that ``payload`` belongs to.
        payload: The packed posterior.
        evidence: Ratings it was learned from.
        high_water: ``votes.high_water`` at that moment.
        saved_at: Unix time in seconds.
    """

    guild_id: GuildId
    listener_id: ListenerId
    version: int
    space_id: str
    payload: bytes
    evidence: int
    high_water: int
    saved_at: float


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredPrior:
    """A version of a server's prior, learned from ``members`` tastes; the rest as in ``StoredTaste``."""

    guild_id: GuildId
    version: int
    space_id: str
    payload: bytes
    members: int
    saved_at: float


async def save_taste(  # noqa: PLR0913 - a row, its columns by name
    tx: Transaction,
    guild_id: GuildId,
    listener_id: ListenerId,
    payload: bytes,
    *,
    space_id: str,
    evidence: int,
    high_water: int,
    now: float,
) -> int:
    """Store a new version of a taste, drop the oldest ones and return its version."""
    key = {"guild": guild_id, "listener": listener_id}
    version = await tx.value(
        """
        INSERT INTO tastes (guild_id, listener_id, version, space_id, payload, evidence, high_water, saved_at)
        SELECT :guild, :listener, coalesce(max(version), 0) + 1, :space, :payload, :evidence, :high_water, :now
        FROM tastes WHERE guild_id = :guild AND listener_id = :listener
        RETURNING version
        """,
        {
            **key,
            "space": space_id,
            "payload": payload,
            "evidence": evidence,
            "high_water": high_water,
            "now": now,
        },
    )
    await tx.rows(
        "DELETE FROM tastes WHERE guild_id = :guild AND listener_id = :listener AND version <= :last",
        {**key, "last": version - VERSIONS_KEPT},
    )
    return int(version)


async def latest_taste(
    tx: Reader, guild_id: GuildId, listener_id: ListenerId
) -> StoredTaste | None:
    """Return the newest version of a listener's taste in a server."""
    row = await tx.row(
        "SELECT * FROM tastes WHERE guild_id = ? AND listener_id = ? ORDER BY version DESC LIMIT 1",
        (guild_id, listener_id),
    )
    return None if row is None else _taste(row)


async def taste_versions(
    tx: Reader, guild_id: GuildId, listener_id: ListenerId
) -> list[StoredTaste]:
    """Return the versions of a taste that are kept, oldest first."""
    rows = await tx.rows(
        "SELECT * FROM tastes WHERE guild_id = ? AND listener_id = ? ORDER BY version",
        (guild_id, listener_id),
    )
    return [_taste(row) for row in rows]


async def latest_tastes(tx: Reader, guild_id: GuildId) -> dict[ListenerId, StoredTaste]:
    """Return the newest taste of every listener of a server."""
    rows = await tx.rows(
        """
        SELECT t.* FROM tastes AS t WHERE t.guild_id = :guild AND t.version = (
            SELECT max(version) FROM tastes WHERE guild_id = :guild AND listener_id = t.listener_id
        ) ORDER BY t.listener_id
        """,
        {"guild": guild_id},
    )
    return {ListenerId(row["listener_id"]): _taste(row) for row in rows}


async def stale_tastes(tx: Reader) -> list[tuple[GuildId, ListenerId]]:
    """Return the opted-in listeners with votes that their newest taste has not seen, as after a crash."""
    rows = await tx.rows(
        """
        SELECT c.guild_id, c.listener_id FROM consents AS c
        WHERE c.consent = 'taste' AND max(
            (SELECT coalesce(max(sequence), 0) FROM votes WHERE listener_id = c.listener_id AND guild_id = c.guild_id),
            (SELECT coalesce(max(sequence), 0) FROM duel_votes
             WHERE listener_id = c.listener_id AND guild_id = c.guild_id)
        ) > coalesce((
            SELECT high_water FROM tastes WHERE guild_id = c.guild_id AND listener_id = c.listener_id
            ORDER BY version DESC LIMIT 1
        ), 0)
        ORDER BY c.guild_id, c.listener_id
        """
    )
    return [(GuildId(row["guild_id"]), ListenerId(row["listener_id"])) for row in rows]


async def tastes_elsewhere(tx: Reader, space_id: str) -> list[tuple[GuildId, ListenerId]]:
    """Return the opted-in listeners whose newest taste is of another space than ``space_id``."""
    rows = await tx.rows(
        """
        SELECT c.guild_id, c.listener_id FROM consents AS c
        WHERE c.consent = 'taste' AND :space <> (
            SELECT space_id FROM tastes WHERE guild_id = c.guild_id AND listener_id = c.listener_id
            ORDER BY version DESC LIMIT 1
        )
        ORDER BY c.guild_id, c.listener_id
        """,
        {"space": space_id},
    )
    return [(GuildId(row["guild_id"]), ListenerId(row["listener_id"])) for row in rows]


async def delete_tastes(tx: Transaction, guild_id: GuildId, listener_id: ListenerId) -> int:
    """Forget a listener's taste in a server, all versions; returns how many there were."""
    return await tx.run(
        "DELETE FROM tastes WHERE guild_id = ? AND listener_id = ?", (guild_id, listener_id)
    )


async def save_prior(
    tx: Transaction, guild_id: GuildId, payload: bytes, *, space_id: str, members: int, now: float
) -> int:
    """Store a new version of a server's prior, drop the oldest ones and return its version."""
    version = await tx.value(
        """
        INSERT INTO priors (guild_id, version, space_id, payload, members, saved_at)
        SELECT :guild, coalesce(max(version), 0) + 1, :space, :payload, :members, :now
        FROM priors WHERE guild_id = :guild
        RETURNING version
        """,
        {"guild": guild_id, "space": space_id, "payload": payload, "members": members, "now": now},
    )
    await tx.rows(
        "DELETE FROM priors WHERE guild_id = ? AND version <= ?",
        (guild_id, version - VERSIONS_KEPT),
    )
    return int(version)


async def latest_prior(tx: Reader, guild_id: GuildId) -> StoredPrior | None:
    """Return the newest prior of a server."""
    row = await tx.row(
        "SELECT * FROM priors WHERE guild_id = ? ORDER BY version DESC LIMIT 1", (guild_id,)
    )
    if row is None:
        return None
    return StoredPrior(
        guild_id=GuildId(row["guild_id"]),
        version=row["version"],
        space_id=row["space_id"],
        payload=row["payload"],
        members=row["members"],
        saved_at=row["saved_at"],
    )


async def delete_priors(tx: Transaction, guild_id: GuildId) -> int:
    """Forget a server's prior, all versions; returns how many there were."""
    return await tx.run("DELETE FROM priors WHERE guild_id = ?", (guild_id,))


def _taste(row: sqlite3.Row) -> StoredTaste:
    return StoredTaste(
        guild_id=GuildId(row["guild_id"]),
        listener_id=ListenerId(row["listener_id"]),
        version=row["version"],
        space_id=row["space_id"],
        payload=row["payload"],
        evidence=row["evidence"],
        high_water=row["high_water"],
        saved_at=row["saved_at"],
    )
