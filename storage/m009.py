"""Axes fitted on what learned encoders hear. Frozen: a released migration never changes."""

STATEMENTS: tuple[str, ...] = (
    # Fitted on clips of the whole installation; nothing in it is about a person.
    """
    CREATE TABLE projections (
        id TEXT PRIMARY KEY,
        encoder_id TEXT NOT NULL,
        clips INTEGER NOT NULL CHECK (clips > 0),
        payload BLOB NOT NULL,
        fitted_at REAL NOT NULL
    ) STRICT, WITHOUT ROWID
    """,
    "CREATE INDEX projections_by_encoder ON projections (encoder_id, fitted_at)",
    "CREATE INDEX embeddings_by_encoder ON embeddings (encoder_id, clip_id)",
)
"""In an order in which they can be run."""
