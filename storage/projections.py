"""Projections: axes fitted on the embeddings of a learned encoder, packed. They can always be fitted again."""

from __future__ import annotations

from dataclasses import dataclass

from storage._sqlite import Reader, Transaction

KEPT = 3
"""The last projections of an encoder that stay."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredProjection:
    """A projection of one encoder, fitted on so many clips."""

    id: str
    encoder_id: str
    clips: int
    payload: bytes


async def save_projection(tx: Transaction, projection: StoredProjection, now: float) -> None:
    """Store a projection and drop the encoder's oldest ones."""
    await tx.rows(
        """
        INSERT INTO projections (id, encoder_id, clips, payload, fitted_at) VALUES (?, ?, ?, ?, ?)
        ON CONFLICT (id) DO UPDATE SET fitted_at = excluded.fitted_at
        """,
        (projection.id, projection.encoder_id, projection.clips, projection.payload, now),
    )
    await tx.rows(
        """
        DELETE FROM projections WHERE encoder_id = :encoder AND id NOT IN (
            SELECT id FROM projections WHERE encoder_id = :encoder ORDER BY fitted_at DESC, id LIMIT :kept
        )
        """,
        {"encoder": projection.encoder_id, "kept": KEPT},
    )


async def latest_projection(tx: Reader, encoder_id: str) -> StoredProjection | None:
    """Return the newest projection of an encoder."""
    row = await tx.row(
        "SELECT * FROM projections WHERE encoder_id = ? ORDER BY fitted_at DESC, id LIMIT 1",
        (encoder_id,),
    )
    if row is None:
        return None
    return StoredProjection(
        id=row["id"], encoder_id=row["encoder_id"], clips=row["clips"], payload=row["payload"]
    )
