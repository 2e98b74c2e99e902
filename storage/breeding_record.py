"""How the children of each operator have done in a server, by what people said about them."""

from __future__ import annotations

from dataclasses import dataclass

from domain.ids import GuildId
from storage._sqlite import Reader

# A child's gain is its mean rating minus the mean rating of those of its parents that were rated. Private runs are left
# away: what somebody likes in private is not for moderators, not even as part of a mean.
_RECORDS = """
WITH shared AS (
    SELECT id FROM runs WHERE guild_id = :guild AND for_listener IS NULL
),
rated AS (
    SELECT c.candidate_id AS id, sum(v.rating * v.weight) / sum(v.weight) AS rating
    FROM shared AS r
    JOIN clips AS c ON c.run_id = r.id AND NOT c.broken
    JOIN votes AS v ON v.clip_id = c.id AND NOT v.retracted AND v.source <> 'broken'
    GROUP BY c.candidate_id
),
gains AS (
    SELECT own.id, own.rating - avg(other.rating) AS gain
    FROM rated AS own
    JOIN candidate_parents AS p ON p.candidate_id = own.id
    JOIN rated AS other ON other.id = p.parent_id
    GROUP BY own.id
),
failed AS (
    SELECT k.id FROM shared AS r JOIN candidates AS k ON k.run_id = r.id
    WHERE NOT EXISTS (
        SELECT 1 FROM clips WHERE candidate_id = k.id AND NOT broken AND quality >= :least
    )
)
SELECT k.operator, count(*) AS children, count(f.id) AS rejected, count(g.id) AS rated,
    coalesce(sum(g.gain), 0.0) AS total, coalesce(sum(g.gain * g.gain), 0.0) AS squares
FROM shared AS r
JOIN candidates AS k ON k.run_id = r.id
LEFT JOIN gains AS g ON g.id = k.id
LEFT JOIN failed AS f ON f.id = k.id
GROUP BY k.operator
ORDER BY k.operator
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """What one name of an operator has to show.

    Attributes:
        operator: As candidates have it.
        children: Candidates that it made.
        rejected: Those without a clip that is whole.
        rated: Those that were rated, as was a parent of theirs.
        total: Sum of their gains, each in [-2, 2].
        squares: Sum of the squares of their gains.
    """

    operator: str
    children: int
    rejected: int
    rated: int
    total: float
    squares: float


async def tallies(tx: Reader, guild_id: GuildId, *, least_quality: float) -> list[Tally]:
    """Return a tally for each operator that bred in a server's shared runs, by name.

    Args:
        tx: Where to read.
        guild_id: The server.
        least_quality: Quality in [0, 1] below which a clip is not whole.
    """
    rows = await tx.rows(_RECORDS, {"guild": guild_id, "least": least_quality})
    return [
        Tally(
            operator=row["operator"],
            children=row["children"],
            rejected=row["rejected"],
            rated=row["rated"],
            total=row["total"],
            squares=row["squares"],
        )
        for row in rows
    ]
