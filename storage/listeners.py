"""What is held about a listener: consent, export of everything, erasure of everything.

``PERSONAL_COLUMNS`` names every column that names a listener; a test compares it with the schema, so that a new
column cannot be forgotten.
"""

# ruff: noqa: S608 - statements are put together from constants of this file; values are always bound

from __future__ import annotations

import base64
import sqlite3
from dataclasses import dataclass
from typing import Any

from domain.ids import GuildId, ListenerId, RunId
from domain.vote import Consent
from storage import _json, judgements, runs
from storage._sqlite import Reader, Transaction

PERSONAL_COLUMNS: frozenset[tuple[str, str]] = frozenset(
    {
        ("chat_turns", "listener_id"),
        ("consents", "listener_id"),
        ("debts", "listener_id"),
        ("duel_votes", "listener_id"),
        ("duels", "for_listener"),
        ("duels", "started_by"),
        ("kept", "listener_id"),
        ("mood_panels", "listener_id"),
        ("operator_versions", "author_id"),
        ("predictions", "listener_id"),
        ("runs", "for_listener"),
        ("runs", "started_by"),
        ("targets", "listener_id"),
        ("tastes", "listener_id"),
        ("votes", "listener_id"),
    }
)
"""(table, column) of everything that names a listener."""

_SNOWFLAKES = {
    "guild_id",
    "author_id",
    "channel_id",
    "listener_id",
    "started_by",
    "for_listener",
    "message_id",
    "event_id",
}
"""Written as text in exports: JSON readers that know floats only would round them."""

# In each query ``:listener`` is the listener and ``:guild`` the server, or NULL for all.
_IN_GUILD = "(:guild IS NULL OR guild_id = :guild)"
_RUNS_HERE = f"SELECT id FROM runs WHERE {_IN_GUILD}"
_PRIVATE_RUNS = f"SELECT id FROM runs WHERE for_listener = :listener AND {_IN_GUILD}"

_EXPORTS = {
    "consents": f"SELECT guild_id, consent FROM consents WHERE listener_id = :listener AND {_IN_GUILD}",
    "votes": """
        SELECT v.*, c.prompt FROM votes AS v JOIN clips AS c ON c.id = v.clip_id
        WHERE v.listener_id = :listener AND (:guild IS NULL OR v.guild_id = :guild) ORDER BY v.guild_id, v.sequence
    """,
    "duel_votes": """
        SELECT v.*, d.clip_a, d.clip_b, a.prompt AS prompt_a, b.prompt AS prompt_b FROM duel_votes AS v
        JOIN duels AS d ON d.id = v.duel_id JOIN clips AS a ON a.id = d.clip_a JOIN clips AS b ON b.id = d.clip_b
        WHERE v.listener_id = :listener AND (:guild IS NULL OR v.guild_id = :guild) ORDER BY v.guild_id, v.sequence
    """,
    "duels_started": f"""
        SELECT id, guild_id, channel_id, clip_a, clip_b, state, created_at FROM duels
        WHERE (started_by = :listener OR for_listener = :listener) AND {_IN_GUILD} ORDER BY id
    """,
    "tastes": f"""
        SELECT * FROM tastes WHERE listener_id = :listener AND {_IN_GUILD} ORDER BY guild_id, version
    """,
    "debts": f"SELECT run_id, debt FROM debts WHERE listener_id = :listener AND run_id IN ({_RUNS_HERE})",
    "predictions": f"""
        SELECT p.clip_id, c.prompt, p.liking, p.spread, p.evidence FROM predictions AS p
        JOIN clips AS c ON c.id = p.clip_id
        WHERE p.listener_id = :listener AND c.run_id IN ({_RUNS_HERE}) ORDER BY p.clip_id
    """,
    "kept": f"""
        SELECT k.clip_id, c.prompt, c.sha256, c.extension FROM kept AS k JOIN clips AS c ON c.id = k.clip_id
        WHERE k.listener_id = :listener AND c.run_id IN ({_RUNS_HERE}) ORDER BY k.id
    """,
    "mood_panels": f"""
        SELECT * FROM mood_panels WHERE listener_id = :listener AND {_IN_GUILD} ORDER BY id
    """,
    "chat_turns": f"""
        SELECT guild_id, channel_id, said, answered, at FROM chat_turns
        WHERE listener_id = :listener AND {_IN_GUILD} ORDER BY id
    """,
    "tuned": f"""
        SELECT guild_id, kind, name, number, content, comment, at FROM operator_versions
        WHERE author_id = :listener AND {_IN_GUILD} ORDER BY guild_id, kind, name, number
    """,
    "targets": f"SELECT * FROM targets WHERE listener_id = :listener AND {_IN_GUILD} ORDER BY run_id",
    "runs_started": f"SELECT * FROM runs WHERE started_by = :listener AND {_IN_GUILD} ORDER BY id",
    "private_runs": f"SELECT * FROM runs WHERE for_listener = :listener AND {_IN_GUILD} ORDER BY id",
    "private_generations": f"SELECT * FROM generations WHERE run_id IN ({_PRIVATE_RUNS}) ORDER BY run_id, number",
    "private_candidates": f"SELECT * FROM candidates WHERE run_id IN ({_PRIVATE_RUNS}) ORDER BY id",
    "private_clips": f"""
        SELECT id, candidate_id, run_id, generation, prompt, family, seed, seconds, sha256, extension, media_type,
               quality, generator, generator_version, licence, description_json, posted_slot, role
        FROM clips WHERE run_id IN ({_PRIVATE_RUNS}) ORDER BY id
    """,
    "private_judgements": f"""
        SELECT j.* FROM judgements AS j JOIN clips AS c ON c.id = j.clip_id
        WHERE c.run_id IN ({_PRIVATE_RUNS}) ORDER BY j.clip_id
    """,
    "private_posts": f"""
        SELECT run_id, generation, kind, channel_id, state, message_id, created_at
        FROM posts WHERE run_id IN ({_PRIVATE_RUNS}) ORDER BY id
    """,
}

_ERASURES = {
    "consents": f"DELETE FROM consents WHERE listener_id = :listener AND {_IN_GUILD}",
    "votes": f"DELETE FROM votes WHERE listener_id = :listener AND {_IN_GUILD}",
    "duel_votes": f"DELETE FROM duel_votes WHERE listener_id = :listener AND {_IN_GUILD}",
    "tastes": f"DELETE FROM tastes WHERE listener_id = :listener AND {_IN_GUILD}",
    "debts": f"DELETE FROM debts WHERE listener_id = :listener AND run_id IN ({_RUNS_HERE})",
    "predictions": f"""
        DELETE FROM predictions WHERE listener_id = :listener
        AND clip_id IN (SELECT id FROM clips WHERE run_id IN ({_RUNS_HERE}))
    """,
    "kept": f"""
        DELETE FROM kept WHERE listener_id = :listener
        AND clip_id IN (SELECT id FROM clips WHERE run_id IN ({_RUNS_HERE}))
    """,
    "mood_panels": f"DELETE FROM mood_panels WHERE listener_id = :listener AND {_IN_GUILD}",
    "chat_turns": f"DELETE FROM chat_turns WHERE listener_id = :listener AND {_IN_GUILD}",
    "tuned": f"""
        UPDATE operator_versions SET author_id = 0, comment = '' WHERE author_id = :listener AND {_IN_GUILD}
    """,
    "private_duels": f"DELETE FROM duels WHERE for_listener = :listener AND {_IN_GUILD}",
    "duels_started": f"UPDATE duels SET started_by = 0 WHERE started_by = :listener AND {_IN_GUILD}",
    "targets": f"DELETE FROM targets WHERE listener_id = :listener AND {_IN_GUILD}",
    "runs_started": f"UPDATE runs SET started_by = 0 WHERE started_by = :listener AND {_IN_GUILD}",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Erased:
    """What an erasure did.

    Attributes:
        counts: Rows deleted, or made anonymous for ``runs_started``, ``duels_started``, ``tuned`` and ``judgements``,
            by name.
        guilds: Servers whose prior was learned from the listener's taste too. Their priors are gone; learn new ones.
        rewards: Servers whose reward their preferences may have gone into. Those rewards are gone; learn new ones.
        runs: Private runs that are gone: stop working on them.
        audio: (sha256, extension) of files that no clip needs any more: delete them from the store.
    """

    counts: dict[str, int]
    guilds: tuple[GuildId, ...]
    rewards: tuple[GuildId, ...]
    runs: tuple[RunId, ...]
    audio: tuple[tuple[str, str], ...]


async def consent(tx: Reader, guild_id: GuildId, listener_id: ListenerId) -> Consent:
    """Return what a listener allows in a server; ``UNASKED`` until they said something."""
    stored = await tx.value(
        "SELECT consent FROM consents WHERE guild_id = ? AND listener_id = ?",
        (guild_id, listener_id),
    )
    return Consent.UNASKED if stored is None else Consent(stored)


async def set_consent(
    tx: Transaction, guild_id: GuildId, listener_id: ListenerId, value: Consent
) -> None:
    """Store what a listener allows in a server."""
    await tx.rows(
        """
        INSERT INTO consents VALUES (?, ?, ?)
        ON CONFLICT (guild_id, listener_id) DO UPDATE SET consent = excluded.consent
        """,
        (guild_id, listener_id, value),
    )


async def consenting(
    tx: Reader, guild_id: GuildId, value: Consent = Consent.TASTE
) -> set[ListenerId]:
    """Return the listeners of a server who chose ``value``."""
    rows = await tx.rows(
        "SELECT listener_id FROM consents WHERE guild_id = ? AND consent = ?", (guild_id, value)
    )
    return {ListenerId(row["listener_id"]) for row in rows}


async def guilds_consenting(tx: Reader, value: Consent = Consent.TASTE) -> list[GuildId]:
    """Return the servers in which anybody chose ``value``, by id."""
    rows = await tx.rows(
        "SELECT DISTINCT guild_id FROM consents WHERE consent = ? ORDER BY guild_id", (value,)
    )
    return [GuildId(row["guild_id"]) for row in rows]


async def export(
    tx: Reader, listener_id: ListenerId, guild_id: GuildId | None = None
) -> dict[str, Any]:
    """Return everything held about a listener in one server, or in all; JSON-safe.

    Discord's ids are text, times are Unix seconds, packed tastes are base64.
    """
    who = {"listener": listener_id, "guild": guild_id}
    held: dict[str, Any] = {
        "listener_id": str(listener_id),
        "guild_id": None if guild_id is None else str(guild_id),
    }
    for name, query in _EXPORTS.items():
        held[name] = [_plain(row) for row in await tx.rows(query, who)]
    return held


async def erase(
    tx: Transaction, listener_id: ListenerId, guild_id: GuildId | None = None
) -> Erased:
    """Erase everything held about a listener in one server, or in all.

    Their private runs go with all clips. Runs they started for everybody live on as nobody's. Priors that their
    taste went into go too, and so do rewards: the caller learns new ones from those who are left.
    """
    who = {"listener": listener_id, "guild": guild_id}
    guilds = tuple(
        GuildId(row["guild_id"])
        for row in await tx.rows(
            f"SELECT DISTINCT guild_id FROM tastes WHERE listener_id = :listener AND {_IN_GUILD} ORDER BY 1",
            who,
        )
    )
    preferred = tuple(
        GuildId(row["guild_id"])
        for row in await tx.rows(
            f"""
            SELECT guild_id FROM votes WHERE listener_id = :listener AND {_IN_GUILD}
            UNION SELECT guild_id FROM duel_votes WHERE listener_id = :listener AND {_IN_GUILD} ORDER BY 1
            """,
            who,
        )
    )
    private = tuple(RunId(row["id"]) for row in await tx.rows(f"{_PRIVATE_RUNS} ORDER BY id", who))
    files = await tx.rows(
        f"SELECT DISTINCT sha256, extension FROM clips WHERE run_id IN ({_PRIVATE_RUNS})", who
    )
    counts = await _erase_private_runs(tx, private)
    counts["judgements"] = await judgements.forget_tastes(tx, listener_id, guild_id)
    for name, statement in _ERASURES.items():
        counts[name] = counts.get(name, 0) + await tx.run(statement, who)
    counts["priors"] = 0
    for guild in guilds:
        counts["priors"] += await tx.run("DELETE FROM priors WHERE guild_id = ?", (guild,))
    counts["rewards"] = 0
    for guild in preferred:
        counts["rewards"] += await tx.run("DELETE FROM rewards WHERE guild_id = ?", (guild,))
    audio = [
        (row["sha256"], row["extension"])
        for row in files
        if await tx.value("SELECT 1 FROM clips WHERE sha256 = ?", (row["sha256"],)) is None
    ]
    return Erased(counts=counts, guilds=guilds, rewards=preferred, runs=private, audio=tuple(audio))


async def _erase_private_runs(tx: Transaction, private: tuple[RunId, ...]) -> dict[str, int]:
    counts = {"private_runs": len(private), "private_clips": 0, "votes": 0}
    for run_id in private:
        counts["private_clips"] += int(
            await tx.value("SELECT count(*) FROM clips WHERE run_id = ?", (run_id,))
        )
        counts["votes"] += await runs.delete_run(tx, run_id)
    return counts


def _plain(row: sqlite3.Row) -> dict[str, Any]:
    """A row as JSON-safe values: ids of Discord as text, bytes as base64, JSON columns unpacked."""
    plain: dict[str, Any] = {}
    for name in row.keys():  # noqa: SIM118 - a Row iterates over its values
        value = row[name]
        if isinstance(value, bytes):
            plain[name] = base64.b64encode(value).decode("ascii")
        elif name in _SNOWFLAKES and value is not None:
            plain[name] = str(value)
        elif name.endswith("_json"):
            plain[name.removesuffix("_json")] = _json.load(value)
        else:
            plain[name] = value
    return plain
