"""Preferences: what consenting listeners of a server prefer to what, for the reward; and the rewards learned from it.

A favourite is preferred to the other clips of its round that the same listener graded: a vote is the only proof that a
clip was heard. A duel's trophy is one preference. A tie is two of half the weight, one in each direction. Both bad
compares nothing and gives none.
"""

from __future__ import annotations

from dataclasses import dataclass

from domain.duel import Preference
from domain.ids import ClipId, GuildId, ListenerId
from storage._sqlite import Reader, Transaction

VERSIONS_KEPT = 3

_PREFERENCES = """
WITH said AS (
    SELECT DISTINCT v.listener_id, v.clip_id, c.run_id, c.generation FROM votes AS v
    JOIN consents AS k ON k.guild_id = v.guild_id AND k.listener_id = v.listener_id
    JOIN clips AS c ON c.id = v.clip_id
    WHERE v.guild_id = :guild AND NOT v.retracted AND v.source <> 'broken' AND NOT c.broken AND k.consent = 'taste'
),
answers AS (
    SELECT v.listener_id, v.choice, d.clip_a, d.clip_b FROM duel_votes AS v
    JOIN consents AS k ON k.guild_id = v.guild_id AND k.listener_id = v.listener_id
    JOIN duels AS d ON d.id = v.duel_id
    JOIN clips AS a ON a.id = d.clip_a JOIN clips AS b ON b.id = d.clip_b
    WHERE v.guild_id = :guild AND NOT v.retracted AND NOT a.broken AND NOT b.broken AND k.consent = 'taste'
)
SELECT star.listener_id, star.clip_id AS better, other.clip_id AS worse, 1.0 AS weight
FROM said AS star JOIN votes AS f ON f.clip_id = star.clip_id AND f.listener_id = star.listener_id
    AND f.source = 'favourite' AND NOT f.retracted
JOIN said AS other ON other.listener_id = star.listener_id AND other.run_id = star.run_id
    AND other.generation = star.generation AND other.clip_id <> star.clip_id
UNION ALL SELECT listener_id, clip_a, clip_b, CASE choice WHEN 'a' THEN 1.0 ELSE 0.5 END FROM answers
    WHERE choice IN ('a', 'tie')
UNION ALL SELECT listener_id, clip_b, clip_a, CASE choice WHEN 'b' THEN 1.0 ELSE 0.5 END FROM answers
    WHERE choice IN ('b', 'tie')
ORDER BY 1, 2, 3, 4
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredReward:
    """A version of a server's reward, learned from ``pairs`` preferences of ``listeners`` members."""

    guild_id: GuildId
    version: int
    space_id: str
    payload: bytes
    pairs: int
    listeners: int
    saved_at: float


async def preferences_of_guild(tx: Reader, guild_id: GuildId) -> list[Preference]:
    """Return every standing preference of the members of a server who opted in to a taste."""
    rows = await tx.rows(_PREFERENCES, {"guild": guild_id})
    return [
        Preference(
            listener_id=ListenerId(row["listener_id"]),
            better=ClipId(row["better"]),
            worse=ClipId(row["worse"]),
            weight=row["weight"],
        )
        for row in rows
    ]


async def guilds_with_tastes(tx: Reader) -> list[GuildId]:
    """Return the servers where anybody opted in to a taste."""
    rows = await tx.rows(
        "SELECT DISTINCT guild_id FROM consents WHERE consent = 'taste' ORDER BY guild_id"
    )
    return [GuildId(row["guild_id"]) for row in rows]


async def save_reward(tx: Transaction, new: StoredReward) -> int:
    """Store a server's reward as its next version, drop the oldest ones and return the version."""
    version = await tx.value(
        """
        INSERT INTO rewards (guild_id, version, space_id, payload, pairs, listeners, saved_at)
        SELECT :guild, coalesce(max(version), 0) + 1, :space, :payload, :pairs, :listeners, :now
        FROM rewards WHERE guild_id = :guild RETURNING version
        """,
        {
            "guild": new.guild_id,
            "space": new.space_id,
            "payload": new.payload,
            "pairs": new.pairs,
            "listeners": new.listeners,
            "now": new.saved_at,
        },
    )
    await tx.rows(
        "DELETE FROM rewards WHERE guild_id = ? AND version <= ?",
        (new.guild_id, version - VERSIONS_KEPT),
    )
    return int(version)


async def latest_reward(tx: Reader, guild_id: GuildId) -> StoredReward | None:
    """Return the newest reward of a server."""
    row = await tx.row(
        "SELECT * FROM rewards WHERE guild_id = ? ORDER BY version DESC LIMIT 1", (guild_id,)
    )
    if row is None:
        return None
    return StoredReward(
        guild_id=GuildId(row["guild_id"]),
        version=row["version"],
        space_id=row["space_id"],
        payload=row["payload"],
        pairs=row["pairs"],
        listeners=row["listeners"],
        saved_at=row["saved_at"],
    )


async def delete_rewards(tx: Transaction, guild_id: GuildId) -> int:
    """Forget a server's reward, all versions; returns how many there were."""
    return await tx.run("DELETE FROM rewards WHERE guild_id = ?", (guild_id,))
