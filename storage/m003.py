"""What moderators have tuned, version by version. Frozen: a released migration never changes."""

STATEMENTS: tuple[str, ...] = (
    """
    CREATE TABLE operator_versions (
        guild_id INTEGER NOT NULL,
        kind TEXT NOT NULL CHECK (kind IN ('operators', 'template')),
        name TEXT NOT NULL,
        number INTEGER NOT NULL CHECK (number >= 1),
        content TEXT,
        author_id INTEGER NOT NULL,
        comment TEXT NOT NULL,
        at REAL NOT NULL,
        PRIMARY KEY (guild_id, kind, name, number)
    ) STRICT, WITHOUT ROWID
    """,
    "CREATE INDEX operator_versions_by_author ON operator_versions (author_id)",
)
"""In an order in which they can be run."""
