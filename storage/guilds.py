"""Servers that the bot is in, and settings of servers and channels: JSON-safe values by key."""

from __future__ import annotations

from typing import Any

from domain.ids import ChannelId, GuildId
from storage import _json
from storage._sqlite import Reader, Transaction


async def guild_joined(tx: Transaction, guild_id: GuildId, now: float) -> None:
    """Record that the bot is in a server; the first time stays."""
    await tx.rows(
        """
        INSERT INTO guilds (guild_id, joined_at) VALUES (?, ?)
        ON CONFLICT (guild_id) DO UPDATE SET left_at = NULL
        """,
        (guild_id, now),
    )


async def guild_left(tx: Transaction, guild_id: GuildId, now: float) -> None:
    """Record that the bot was removed from a server. What it knows stays, in case it is asked back."""
    await tx.rows("UPDATE guilds SET left_at = ? WHERE guild_id = ?", (now, guild_id))


async def guild_ids(tx: Reader) -> list[GuildId]:
    """Return the servers that the bot is in."""
    rows = await tx.rows("SELECT guild_id FROM guilds WHERE left_at IS NULL ORDER BY guild_id")
    return [GuildId(row["guild_id"]) for row in rows]


async def guild_settings(tx: Reader, guild_id: GuildId) -> dict[str, Any]:
    """Return what was set for a server; keys that were not are missing."""
    rows = await tx.rows(
        "SELECT key, value_json FROM guild_settings WHERE guild_id = ?", (guild_id,)
    )
    return {row["key"]: _json.load(row["value_json"]) for row in rows}


async def set_guild_setting(tx: Transaction, guild_id: GuildId, key: str, value: Any) -> None:
    """Set a server's value, or take the setting back with ``None``."""
    if value is None:
        await tx.rows("DELETE FROM guild_settings WHERE guild_id = ? AND key = ?", (guild_id, key))
        return
    await tx.rows(
        """
        INSERT INTO guild_settings VALUES (?, ?, ?)
        ON CONFLICT (guild_id, key) DO UPDATE SET value_json = excluded.value_json
        """,
        (guild_id, key, _json.dump(value)),
    )


async def channel_settings(tx: Reader, channel_id: ChannelId) -> dict[str, Any]:
    """Return what was set for a channel; keys that were not are missing."""
    rows = await tx.rows(
        "SELECT key, value_json FROM channel_settings WHERE channel_id = ?", (channel_id,)
    )
    return {row["key"]: _json.load(row["value_json"]) for row in rows}


async def set_channel_setting(tx: Transaction, channel_id: ChannelId, key: str, value: Any) -> None:
    """Set a channel's value, or take the setting back with ``None``."""
    if value is None:
        await tx.rows(
            "DELETE FROM channel_settings WHERE channel_id = ? AND key = ?", (channel_id, key)
        )
        return
    await tx.rows(
        """
        INSERT INTO channel_settings VALUES (?, ?, ?)
        ON CONFLICT (channel_id, key) DO UPDATE SET value_json = excluded.value_json
        """,
        (channel_id, key, _json.dump(value)),
    )
