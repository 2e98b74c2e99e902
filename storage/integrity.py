"""What must hold in a healthy database, beyond what the schema itself enforces."""

from __future__ import annotations

from storage._sqlite import Reader

_INVARIANTS = (
    (
        "{count} round(s) wait for votes or for delivery without a message in the outbox",
        """
        SELECT count(*) FROM generations AS g WHERE g.state IN ('ready', 'open') AND NOT EXISTS (
            SELECT 1 FROM posts WHERE run_id = g.run_id AND generation = g.number AND kind = 'round'
        )
        """,
    ),
    (
        "{count} delivered or open round(s) have no clip in any slot",
        """
        SELECT count(*) FROM generations AS g WHERE g.state IN ('ready', 'open') AND NOT EXISTS (
            SELECT 1 FROM clips WHERE run_id = g.run_id AND generation = g.number AND posted_slot IS NOT NULL
        )
        """,
    ),
    (
        "{count} run(s) have more than one round open",
        "SELECT count(*) FROM (SELECT 1 FROM generations WHERE state = 'open' GROUP BY run_id HAVING count(*) > 1)",
    ),
    (
        "{count} stopped run(s) still have an open round",
        """
        SELECT count(*) FROM generations AS g JOIN runs AS r ON r.id = g.run_id
        WHERE g.state = 'open' AND r.state = 'stopped'
        """,
    ),
    (
        "{count} clip(s) belong to another round than the candidate they were made from",
        """
        SELECT count(*) FROM clips AS c JOIN candidates AS k ON k.id = c.candidate_id
        WHERE (c.run_id <> k.run_id OR c.generation <> k.generation) AND c.id NOT IN (SELECT clip_id FROM reposts)
        """,
    ),
    (
        "{count} clip(s) that were posted again are not those of an earlier round of the same run",
        """
        SELECT count(*) FROM reposts AS p JOIN clips AS c ON c.id = p.clip_id JOIN clips AS o ON o.id = p.original_id
        WHERE c.run_id <> o.run_id OR c.generation <= o.generation OR c.sha256 <> o.sha256
        """,
    ),
    (
        "{count} clip(s) have no embedding of the encoder that scored them",
        """
        SELECT count(*) FROM clips AS c WHERE NOT EXISTS (
            SELECT 1 FROM embeddings WHERE clip_id = c.id AND encoder_id = c.encoder_id
        )
        """,
    ),
    (
        "{count} encoder(s) have embeddings of different sizes",
        """
        SELECT count(*) FROM (
            SELECT 1 FROM embeddings GROUP BY encoder_id HAVING count(DISTINCT length(vector)) > 1
        )
        """,
    ),
    (
        "{count} vote(s) are counted in another server than their clip's",
        """
        SELECT count(*) FROM votes AS v JOIN clips AS c ON c.id = v.clip_id JOIN runs AS r ON r.id = c.run_id
        WHERE v.guild_id <> r.guild_id
        """,
    ),
    (
        "{count} duel(s) compare clips of another server or channel, or of somebody's private run",
        """
        SELECT count(*) FROM duels AS d JOIN clips AS c ON c.id IN (d.clip_a, d.clip_b)
        JOIN runs AS r ON r.id = c.run_id
        WHERE r.guild_id <> d.guild_id OR r.channel_id <> d.channel_id
           OR (r.for_listener IS NOT NULL AND r.for_listener IS NOT d.for_listener)
        """,
    ),
    (
        "{count} answer(s) are counted in another server than their duel's",
        "SELECT count(*) FROM duel_votes AS v JOIN duels AS d ON d.id = v.duel_id WHERE v.guild_id <> d.guild_id",
    ),
    (
        "{count} duel(s) wait for votes or for delivery without a message in the outbox",
        """
        SELECT count(*) FROM duels AS d WHERE d.state IN ('waiting', 'open') AND NOT EXISTS (
            SELECT 1 FROM posts WHERE duel_id = d.id AND kind = 'duel'
        )
        """,
    ),
)
"""Sentence and the query whose number must be 0."""


async def problems(reader: Reader) -> list[str]:
    """Return a sentence for each thing that is wrong; none for a clean database."""
    found = [row[0] for row in await reader.rows("PRAGMA integrity_check")]
    sentences = [f"The file is damaged: {line}." for line in found if line != "ok"]
    dangling = await reader.rows("PRAGMA foreign_key_check")
    sentences += [
        f"A row of {table} points to a row of {row['parent']} that is not there."
        for row in dangling
        for table in [row["table"]]
    ]
    for sentence, query in _INVARIANTS:
        count = await reader.value(query)
        if count:
            sentences.append(sentence.format(count=count) + ".")
    return sentences
