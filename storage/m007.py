"""Proof of progress: re-posts, chances and predictions of posted clips. Frozen: a released migration never changes."""

STATEMENTS: tuple[str, ...] = (
    # A re-post is a clip of its own round, so that votes on it are votes of that round; its audio is the original's.
    """
    CREATE TABLE reposts (
        clip_id INTEGER PRIMARY KEY REFERENCES clips (id) ON DELETE CASCADE,
        original_id INTEGER NOT NULL UNIQUE REFERENCES clips (id) ON DELETE CASCADE,
        CHECK (original_id < clip_id)
    ) STRICT
    """,
    """
    CREATE TABLE choices (
        clip_id INTEGER PRIMARY KEY REFERENCES clips (id) ON DELETE CASCADE,
        propensity REAL NOT NULL CHECK (propensity > 0 AND propensity <= 1)
    ) STRICT
    """,
    """
    CREATE TABLE predictions (
        clip_id INTEGER NOT NULL REFERENCES clips (id) ON DELETE CASCADE,
        listener_id INTEGER NOT NULL,
        liking REAL NOT NULL CHECK (liking BETWEEN 0 AND 1),
        spread REAL NOT NULL CHECK (spread BETWEEN 0 AND 1),
        evidence INTEGER NOT NULL CHECK (evidence >= 0),
        PRIMARY KEY (clip_id, listener_id)
    ) STRICT, WITHOUT ROWID
    """,
    "CREATE INDEX predictions_by_listener ON predictions (listener_id)",
)
"""In an order in which they can be run."""
