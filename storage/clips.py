"""Clips: rendered audio with everything that made it, its embeddings, and who keeps it.

The audio itself lies in ``storage.files.AudioStore`` under the clip's sha256.
"""

# ruff: noqa: S608 - statements are put together from constants of this file; values are always bound

from __future__ import annotations

import sqlite3
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from domain.candidate import Candidate
from domain.clip import ArchivedClip, Clip, RenderedClip
from domain.errors import NotFoundError, StorageError
from domain.ids import CandidateId, ClipId, GuildId, ListenerId, RunId
from storage import _json
from storage._sqlite import Reader, Transaction

_PEAKS = tuple(level / 255 for level in range(256))

_SELECT = """
SELECT c.*, (SELECT listener_id FROM kept WHERE clip_id = c.id ORDER BY id LIMIT 1) AS kept_by, o.id AS original_id,
       o.generation AS original_generation
FROM clips AS c LEFT JOIN reposts AS p ON p.clip_id = c.id LEFT JOIN clips AS o ON o.id = p.original_id
"""


async def add_clip(
    tx: Transaction, candidate: Candidate, rendered: RenderedClip, sha256: str, family: str
) -> Clip:
    """Store what was rendered for ``candidate``, with its embeddings.

    Args:
        tx: The transaction.
        candidate: What it was rendered from.
        rendered: The finished clip; its audio must be in the store already.
        sha256: Where the store keeps the audio.
        family: Genre family of the prompt, ``""`` when it has none.

    Returns:
        The clip as stored. Its waveform is rounded to 1/255, finer than any drawing needs.
    """
    clip_id = await tx.value(
        """
        INSERT INTO clips (candidate_id, run_id, generation, prompt, family, seed, seconds, sha256, extension,
                           media_type, loudness, waveform, encoder_id, quality, defects_json, generator,
                           generator_version, licence, description_json)
        VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) RETURNING id
        """,
        (
            candidate.id,
            candidate.run_id,
            candidate.generation,
            rendered.request.prompt,
            family,
            rendered.request.seed,
            rendered.seconds,
            sha256,
            rendered.extension,
            rendered.media_type,
            rendered.loudness,
            bytes(round(255 * min(1.0, max(0.0, peak))) for peak in rendered.waveform),
            rendered.encoder_id,
            rendered.quality,
            _json.dump(dict(rendered.defects)),
            rendered.generator.name,
            rendered.generator.version,
            rendered.generator.licence,
            _json.dump(dict(rendered.description)),
        ),
    )
    await add_embedding(tx, ClipId(clip_id), rendered.encoder_id, rendered.embedding)
    for encoder_id, vector in rendered.further.items():
        await add_embedding(tx, ClipId(clip_id), encoder_id, vector)
    return await clip(tx, ClipId(clip_id))


async def clip(tx: Reader, clip_id: ClipId) -> Clip:
    """Return a clip.

    Raises:
        NotFoundError: It is not there (any more).
    """
    row = await tx.row(f"{_SELECT} WHERE c.id = ?", (clip_id,))
    if row is None:
        raise _missing()
    return _clip(row)


async def clips_of_generation(tx: Reader, run_id: RunId, number: int) -> list[Clip]:
    """Return every clip rendered for a generation, oldest first, posted or not."""
    rows = await tx.rows(
        f"{_SELECT} WHERE c.run_id = ? AND c.generation = ? ORDER BY c.id", (run_id, number)
    )
    return [_clip(row) for row in rows]


async def posted_clips(tx: Reader, run_id: RunId, number: int) -> list[Clip]:
    """Return the clips chosen for a round, by slot."""
    rows = await tx.rows(
        f"{_SELECT} WHERE c.run_id = ? AND c.generation = ? AND c.posted_slot IS NOT NULL ORDER BY c.posted_slot",
        (run_id, number),
    )
    return [_clip(row) for row in rows]


async def clips_of_run(tx: Reader, run_id: RunId) -> list[Clip]:
    """Return every clip of a run, oldest first."""
    return [
        _clip(row)
        for row in await tx.rows(f"{_SELECT} WHERE c.run_id = ? ORDER BY c.id", (run_id,))
    ]


async def archive_of_run(tx: Reader, run_id: RunId) -> list[ArchivedClip]:
    """Return every clip of a run, oldest first, with only what breeding needs."""
    rows = await tx.rows(
        """
        SELECT c.id, c.candidate_id, c.generation, c.family, c.quality, c.posted_slot, c.broken, p.original_id
        FROM clips AS c LEFT JOIN reposts AS p ON p.clip_id = c.id WHERE c.run_id = ? ORDER BY c.id
        """,
        (run_id,),
    )
    return [
        ArchivedClip(
            id=ClipId(row["id"]),
            candidate_id=CandidateId(row["candidate_id"]),
            generation=row["generation"],
            family=row["family"],
            quality=row["quality"],
            posted_slot=row["posted_slot"],
            broken=bool(row["broken"]),
            original_id=_original(row),
        )
        for row in rows
    ]


async def clips_by_id(tx: Reader, clip_ids: Sequence[ClipId]) -> list[Clip]:
    """Return the clips of ``clip_ids`` that are there, in that order."""
    rows = await tx.rows(
        f"{_SELECT} WHERE c.id IN (SELECT value FROM json_each(?))", (_json.id_list(clip_ids),)
    )
    found = {row["id"]: _clip(row) for row in rows}
    return [found[item] for item in clip_ids if item in found]


async def rounds_of(tx: Reader, clip_ids: Sequence[ClipId]) -> dict[ClipId, tuple[RunId, int]]:
    """Return the run and the generation of each clip that is there."""
    rows = await tx.rows(
        "SELECT id, run_id, generation FROM clips WHERE id IN (SELECT value FROM json_each(?))",
        (_json.id_list(clip_ids),),
    )
    return {ClipId(row["id"]): (RunId(row["run_id"]), row["generation"]) for row in rows}


async def shown_beside(tx: Reader, clip_ids: Sequence[ClipId]) -> dict[ClipId, tuple[RunId, int]]:
    """Return the run and the generation of each clip that was shown together with one of ``clip_ids``, these included.

    Only of rounds that were posted and are closed; clips that are broken are left out.
    """
    rows = await tx.rows(
        """
        WITH heard AS (
            SELECT DISTINCT run_id, generation FROM clips WHERE id IN (SELECT value FROM json_each(?))
        )
        SELECT c.id, c.run_id, c.generation FROM heard AS h
        JOIN generations AS g ON g.run_id = h.run_id AND g.number = h.generation AND g.state = 'closed'
        JOIN clips AS c ON c.run_id = h.run_id AND c.generation = h.generation
        WHERE c.posted_slot IS NOT NULL AND NOT c.broken AND EXISTS (
            SELECT 1 FROM posts AS p
            WHERE p.run_id = h.run_id AND p.generation = h.generation AND p.kind = 'round' AND p.state = 'posted'
        )
        ORDER BY c.id
        """,
        (_json.id_list(clip_ids),),
    )
    return {ClipId(row["id"]): (RunId(row["run_id"]), row["generation"]) for row in rows}


async def clips_of_candidates(tx: Reader, candidate_ids: Sequence[CandidateId]) -> list[Clip]:
    """Return every clip rendered from one of the candidates, oldest first."""
    rows = await tx.rows(
        f"{_SELECT} WHERE c.candidate_id IN (SELECT value FROM json_each(?)) ORDER BY c.id",
        (_json.id_list(candidate_ids),),
    )
    return [_clip(row) for row in rows]


async def guild_clip_ids(
    tx: Reader, guild_id: GuildId, listener_id: ListenerId | None = None
) -> list[ClipId]:
    """Return the clips that everybody in a server may hear, oldest first.

    Clips of private runs are left out, except those bred for ``listener_id``.
    """
    rows = await tx.rows(
        """
        SELECT c.id FROM clips AS c JOIN runs AS r ON r.id = c.run_id
        WHERE r.guild_id = ? AND (r.for_listener IS NULL OR r.for_listener = ?) ORDER BY c.id
        """,
        (guild_id, listener_id),
    )
    return [ClipId(row["id"]) for row in rows]


async def mark_posted(tx: Transaction, clip_id: ClipId, slot: int | None, role: str | None) -> Clip:
    """Record that a clip was chosen for slot 1 to 4 of its round and why; ``None`` takes that back.

    Raises:
        StorageError: Another clip of the round has the slot.
    """
    row = await tx.row(
        "UPDATE clips SET posted_slot = ?, role = ? WHERE id = ? RETURNING id",
        (slot, role, clip_id),
    )
    if row is None:
        raise _missing()
    return await clip(tx, clip_id)


async def mark_broken(tx: Transaction, clip_id: ClipId, *, broken: bool = True) -> Clip:
    """Record that people called the audio broken, or that they took it back."""
    row = await tx.row("UPDATE clips SET broken = ? WHERE id = ? RETURNING id", (broken, clip_id))
    if row is None:
        raise _missing()
    return await clip(tx, clip_id)


async def keep_clip(tx: Transaction, clip_id: ClipId, listener_id: ListenerId | None) -> Clip:
    """Keep a clip and its audio for a listener; ``None`` lets go of it for everybody."""
    await clip(tx, clip_id)
    if listener_id is None:
        await tx.rows("DELETE FROM kept WHERE clip_id = ?", (clip_id,))
    else:
        await tx.rows(
            "INSERT INTO kept (clip_id, listener_id) VALUES (?, ?) ON CONFLICT DO NOTHING",
            (clip_id, listener_id),
        )
    return await clip(tx, clip_id)


async def unkeep_clip(tx: Transaction, clip_id: ClipId, listener_id: ListenerId) -> bool:
    """Let go of a clip that a listener kept; returns whether they had."""
    return bool(
        await tx.run(
            "DELETE FROM kept WHERE clip_id = ? AND listener_id = ?", (clip_id, listener_id)
        )
    )


async def kept_clips(
    tx: Reader, listener_id: ListenerId, guild_id: GuildId | None = None
) -> list[Clip]:
    """Return what a listener keeps, in the order they kept it; of one server or of all."""
    rows = await tx.rows(
        f"""{_SELECT} JOIN kept AS k ON k.clip_id = c.id JOIN runs AS r ON r.id = c.run_id
        WHERE k.listener_id = :listener AND (:guild IS NULL OR r.guild_id = :guild) ORDER BY k.id""",
        {"listener": listener_id, "guild": guild_id},
    )
    return [_clip(row) for row in rows]


async def add_embedding(tx: Transaction, clip_id: ClipId, encoder_id: str, vector: bytes) -> None:
    """Store (or replace) what an encoder makes of a clip: float32, little-endian, flattened."""
    if not vector or len(vector) % 4 or not np.isfinite(np.frombuffer(vector, "<f4")).all():
        raise StorageError(
            f"The embedding of clip {clip_id} is not a row of finite float32 numbers."
        )
    await tx.rows(
        """
        INSERT INTO embeddings (clip_id, encoder_id, vector) VALUES (?, ?, ?)
        ON CONFLICT (clip_id, encoder_id) DO UPDATE SET vector = excluded.vector
        """,
        (clip_id, encoder_id, vector),
    )


async def embeddings(
    tx: Reader, clip_ids: Sequence[ClipId], encoder_id: str
) -> tuple[list[ClipId], NDArray[np.float32]]:
    """Return the clips that ``encoder_id`` has read, in the order asked for, and their embeddings (n, dim).

    Clips that are not there or have no embedding of that encoder are left out. ``dim`` is 0 when none has.
    """
    rows = await tx.rows(
        "SELECT clip_id, vector FROM embeddings WHERE encoder_id = ? AND clip_id IN (SELECT value FROM json_each(?))",
        (encoder_id, _json.id_list(clip_ids)),
    )
    found = {row["clip_id"]: row["vector"] for row in rows}
    present = [item for item in clip_ids if item in found]
    if not present:
        return [], np.zeros((0, 0), np.float32)
    flat = np.frombuffer(b"".join(found[item] for item in present), "<f4").astype(np.float32)
    if flat.size % len(present) or len({len(found[item]) for item in present}) > 1:
        raise StorageError(
            f"Embeddings of {encoder_id} differ in size; its id must change with it."
        )
    return present, flat.reshape(len(present), -1)


async def audio_to_keep(tx: Reader, *, closed_before: float) -> set[str]:
    """Return the sha256 of every audio file that the store must keep.

    Posted, compared and kept clips stay for ever; unposted ones stay until their round has been closed (or cancelled)
    for a while. What is not listed may be swept.

    Args:
        tx: A reader or transaction.
        closed_before: Unix time; unposted clips of rounds closed before it go. Cancelled rounds go at once.
    """
    rows = await tx.rows(
        """
        SELECT DISTINCT c.sha256 FROM clips AS c
        JOIN generations AS g ON g.run_id = c.run_id AND g.number = c.generation
        WHERE c.posted_slot IS NOT NULL
           OR EXISTS (SELECT 1 FROM kept WHERE clip_id = c.id)
           OR EXISTS (SELECT 1 FROM duels WHERE clip_a = c.id OR clip_b = c.id)
           OR g.state IN ('breeding', 'ready', 'open')
           OR g.closed_at >= ?
        """,
        (closed_before,),
    )
    return {row["sha256"] for row in rows}


def _clip(row: sqlite3.Row) -> Clip:
    return Clip(
        id=ClipId(row["id"]),
        run_id=RunId(row["run_id"]),
        generation=row["generation"],
        candidate_id=CandidateId(row["candidate_id"]),
        prompt=row["prompt"],
        family=row["family"],
        seed=row["seed"],
        seconds=row["seconds"],
        sha256=row["sha256"],
        extension=row["extension"],
        media_type=row["media_type"],
        loudness=row["loudness"],
        waveform=tuple(map(_PEAKS.__getitem__, row["waveform"])),
        encoder_id=row["encoder_id"],
        quality=row["quality"],
        generator=row["generator"],
        generator_version=row["generator_version"],
        licence=row["licence"],
        description=_json.load(row["description_json"]),
        posted_slot=row["posted_slot"],
        role=row["role"],
        kept_by=row["kept_by"],
        broken=bool(row["broken"]),
        original_id=_original(row),
        original_generation=row["original_generation"],
    )


def _original(row: sqlite3.Row) -> ClipId | None:
    return None if row["original_id"] is None else ClipId(row["original_id"])


def _missing() -> NotFoundError:
    return NotFoundError("That clip is not there any more.")
