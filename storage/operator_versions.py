"""Versions of what moderators tune: a server's set of operators and its prompts. Rows are added, never changed."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from domain.errors import BusyError
from domain.ids import GuildId, ListenerId
from storage._sqlite import Reader, Transaction

Kind = Literal["operators", "template"]
"""``operators``: the whole set, as JSON, under the name ``""``. ``template``: one prompt's text, by its name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Version:
    """A stored version.

    Attributes:
        guild_id: The server.
        kind: What it is a version of.
        name: Which one.
        number: 1 for the first that differs from what is shipped, and so on without gaps.
        content: What it says; ``None`` says: as shipped.
        author_id: Who saved it; 0 once they had their data erased.
        comment: What changed, in words.
        at: Unix time in seconds.
    """

    guild_id: GuildId
    kind: Kind
    name: str
    number: int
    content: str | None
    author_id: ListenerId
    comment: str
    at: float


async def add_version(tx: Transaction, version: Version) -> None:
    """Store a version.

    Raises:
        BusyError: There is one of this number already: somebody else was faster.
    """
    taken = await tx.value(
        "SELECT 1 FROM operator_versions WHERE guild_id = ? AND kind = ? AND name = ? AND number = ?",
        (version.guild_id, version.kind, version.name, version.number),
    )
    if taken is not None:
        raise BusyError("Somebody else has just saved a change. Look at it, then try again.")
    await tx.rows(
        """
        INSERT INTO operator_versions (guild_id, kind, name, number, content, author_id, comment, at)
        VALUES (?, ?, ?, ?, ?, ?, ?, ?)
        """,
        (
            version.guild_id,
            version.kind,
            version.name,
            version.number,
            version.content,
            version.author_id,
            version.comment,
            float(version.at),
        ),
    )


async def latest(tx: Reader, guild_id: GuildId, kind: Kind, name: str = "") -> Version | None:
    """Return the newest version, or ``None`` while nothing differs from what is shipped."""
    row = await tx.row(
        """
        SELECT * FROM operator_versions WHERE guild_id = ? AND kind = ? AND name = ?
        ORDER BY number DESC LIMIT 1
        """,
        (guild_id, kind, name),
    )
    return None if row is None else _version(row)


async def latest_of_kind(tx: Reader, guild_id: GuildId, kind: Kind) -> list[Version]:
    """Return the newest version of everything of a kind, by name."""
    rows = await tx.rows(
        """
        SELECT * FROM operator_versions AS v WHERE guild_id = ? AND kind = ? AND number = (
            SELECT max(number) FROM operator_versions
            WHERE guild_id = v.guild_id AND kind = v.kind AND name = v.name
        ) ORDER BY name
        """,
        (guild_id, kind),
    )
    return [_version(row) for row in rows]


async def version(
    tx: Reader, guild_id: GuildId, kind: Kind, name: str, number: int
) -> Version | None:
    """Return one version, or ``None`` where there is none of that number."""
    row = await tx.row(
        "SELECT * FROM operator_versions WHERE guild_id = ? AND kind = ? AND name = ? AND number = ?",
        (guild_id, kind, name, number),
    )
    return None if row is None else _version(row)


async def history(
    tx: Reader, guild_id: GuildId, kind: Kind, name: str = "", *, most: int = 50
) -> list[Version]:
    """Return the newest ``most`` versions, newest first."""
    rows: Sequence[sqlite3.Row] = await tx.rows(
        """
        SELECT * FROM operator_versions WHERE guild_id = ? AND kind = ? AND name = ?
        ORDER BY number DESC LIMIT ?
        """,
        (guild_id, kind, name, most),
    )
    return [_version(row) for row in rows]


def _version(row: sqlite3.Row) -> Version:
    return Version(
        guild_id=GuildId(row["guild_id"]),
        kind=row["kind"],
        name=row["name"],
        number=row["number"],
        content=row["content"],
        author_id=ListenerId(row["author_id"]),
        comment=row["comment"],
        at=row["at"],
    )
