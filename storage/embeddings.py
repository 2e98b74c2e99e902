"""What encoders have heard: by clip for tastes, by audio so that the same sound is never encoded twice."""

from __future__ import annotations

from collections.abc import Collection

import numpy as np
from numpy.typing import NDArray

from domain.errors import StorageError
from domain.ids import ClipId
from storage import _json
from storage._sqlite import Reader, Transaction
from storage.clips import add_embedding


async def of_audio(tx: Reader, sha256: str, encoder_id: str) -> bytes | None:
    """Return what an encoder made of some audio, whichever clip it belongs to; ``None`` if it has not heard it."""
    row = await tx.row(
        """
        SELECT e.vector FROM clips AS c JOIN embeddings AS e ON e.clip_id = c.id AND e.encoder_id = ?
        WHERE c.sha256 = ? LIMIT 1
        """,
        (encoder_id, sha256),
    )
    return None if row is None else bytes(row["vector"])


async def add_for_audio(tx: Transaction, sha256: str, encoder_id: str, vector: bytes) -> int:
    """Store what an encoder made of some audio for every clip that has it; returns how many there are."""
    rows = await tx.rows("SELECT id FROM clips WHERE sha256 = ?", (sha256,))
    for row in rows:
        await add_embedding(tx, ClipId(row["id"]), encoder_id, vector)
    return len(rows)


async def unheard(
    tx: Reader, encoder_id: str, *, most: int, but: Collection[str] = ()
) -> list[tuple[str, str]]:
    """Return (sha256, extension) of audio that an encoder has not heard: posted clips first, the newest first.

    Args:
        tx: A reader or transaction.
        encoder_id: The encoder.
        most: At most so many.
        but: sha256 of audio to leave out.
    """
    rows = await tx.rows(
        """
        SELECT c.sha256, c.extension, min(c.posted_slot IS NULL) AS unposted, max(c.id) AS newest FROM clips AS c
        WHERE NOT EXISTS (SELECT 1 FROM embeddings WHERE clip_id = c.id AND encoder_id = :encoder)
          AND c.sha256 NOT IN (SELECT value FROM json_each(:but))
        GROUP BY c.sha256, c.extension ORDER BY unposted, newest DESC LIMIT :most
        """,
        {"encoder": encoder_id, "but": _json.dump(sorted(but)), "most": most},
    )
    return [(row["sha256"], row["extension"]) for row in rows]


async def heard(tx: Reader, encoder_id: str) -> int:
    """Count the clips that an encoder has heard."""
    return int(
        await tx.value("SELECT count(*) FROM embeddings WHERE encoder_id = ?", (encoder_id,))
    )


async def spread(tx: Reader, encoder_id: str, *, most: int) -> NDArray[np.float32]:
    """Return embeddings (n, numbers) of at most ``most`` clips, spread evenly over all that an encoder has heard.

    Raises:
        StorageError: They differ in size.
    """
    rows = await tx.rows(
        """
        SELECT vector FROM (
            SELECT vector, row_number() OVER (ORDER BY clip_id) AS place FROM embeddings WHERE encoder_id = :encoder
        ) WHERE place * :most % max(:count, :most) < :most
        """,
        {"encoder": encoder_id, "most": most, "count": await heard(tx, encoder_id)},
    )
    if len({len(row["vector"]) for row in rows}) > 1:
        raise StorageError(
            f"Embeddings of {encoder_id} differ in size; its id must change with it."
        )
    flat = np.frombuffer(b"".join(row["vector"] for row in rows), "<f4").astype(np.float32)
    return flat.reshape(len(rows), -1) if rows else np.zeros((0, 0), np.float32)
