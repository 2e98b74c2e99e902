"""Tracks that runs are bred towards: what an encoder heard in an upload. The sound itself is never stored."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass

import numpy as np

from domain.errors import StorageError
from domain.ids import GuildId, ListenerId, RunId
from storage._sqlite import Reader, Transaction


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """What a run is bred towards.

    Attributes:
        guild_id: The server of the run.
        listener_id: Who sent the track.
        title: The file's name; data, never trusted.
        words: What it sounds like, in plain words.
        seconds: Length of the track.
        encoder_id: Encoder and version that made ``vector``.
        vector: float32, little-endian: the whole track in one place.
        at: When it was sent, Unix time.
    """

    guild_id: GuildId
    listener_id: ListenerId
    title: str
    words: str
    seconds: float
    encoder_id: str
    vector: bytes
    at: float


async def save_target(tx: Transaction, run_id: RunId, target: Target) -> None:
    """Store (or replace) what a run is bred towards.

    Raises:
        StorageError: The vector is not a row of finite float32 numbers.
    """
    vector = target.vector
    if not vector or len(vector) % 4 or not np.isfinite(np.frombuffer(vector, "<f4")).all():
        raise StorageError(f"The target of run {run_id} is not a row of finite float32 numbers.")
    await tx.rows(
        "INSERT OR REPLACE INTO targets VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            run_id,
            target.guild_id,
            target.listener_id,
            target.title,
            target.words,
            target.seconds,
            target.encoder_id,
            vector,
            target.at,
        ),
    )


async def target_of(tx: Reader, run_id: RunId) -> Target | None:
    """Return what a run is bred towards, or ``None`` where it follows votes alone."""
    row = await tx.row("SELECT * FROM targets WHERE run_id = ?", (run_id,))
    return None if row is None else _target(row)


def _target(row: sqlite3.Row) -> Target:
    return Target(
        guild_id=GuildId(row["guild_id"]),
        listener_id=ListenerId(row["listener_id"]),
        title=row["title"],
        words=row["words"],
        seconds=row["seconds"],
        encoder_id=row["encoder_id"],
        vector=row["vector"],
        at=row["at"],
    )
