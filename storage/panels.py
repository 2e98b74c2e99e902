"""Panels of ``/mood``: what a listener has set on the private message whose buttons carry the panel's id."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from domain.errors import NotFoundError
from domain.ids import ChannelId, GuildId, ListenerId
from storage import _json
from storage._sqlite import Reader, Transaction


@dataclass(frozen=True, slots=True, kw_only=True)
class Panel:
    """A stored panel. ``state`` is what the use case keeps in it, JSON-safe."""

    id: int
    guild_id: GuildId
    channel_id: ChannelId
    listener_id: ListenerId
    state: Mapping[str, Any]


async def add_panel(
    tx: Transaction,
    guild_id: GuildId,
    channel_id: ChannelId,
    listener_id: ListenerId,
    state: Mapping[str, Any],
    now: float,
) -> Panel:
    """Store a new panel."""
    return _panel(
        await tx.row(
            """
            INSERT INTO mood_panels (guild_id, channel_id, listener_id, state_json, changed_at)
            VALUES (?, ?, ?, ?, ?) RETURNING *
            """,
            (guild_id, channel_id, listener_id, _json.dump(dict(state)), now),
        )
    )


async def panel(tx: Reader, panel_id: int) -> Panel:
    """Return a panel.

    Raises:
        NotFoundError: It is not there (any more).
    """
    return _panel(await tx.row("SELECT * FROM mood_panels WHERE id = ?", (panel_id,)))


async def save_panel(tx: Transaction, panel_id: int, state: Mapping[str, Any], now: float) -> Panel:
    """Replace what a panel keeps.

    Raises:
        NotFoundError: It is not there (any more).
    """
    return _panel(
        await tx.row(
            "UPDATE mood_panels SET state_json = ?, changed_at = ? WHERE id = ? RETURNING *",
            (_json.dump(dict(state)), now, panel_id),
        )
    )


async def forget_panels(tx: Transaction, *, before: float) -> int:
    """Delete the panels that nobody touched since a Unix time; returns how many went."""
    return await tx.run("DELETE FROM mood_panels WHERE changed_at < ?", (before,))


def _panel(row: sqlite3.Row | None) -> Panel:
    if row is None:
        raise NotFoundError("That panel is not there any more. /mood opens a new one.")
    return Panel(
        id=row["id"],
        guild_id=GuildId(row["guild_id"]),
        channel_id=ChannelId(row["channel_id"]),
        listener_id=ListenerId(row["listener_id"]),
        state=_json.load(row["state_json"]),
    )
