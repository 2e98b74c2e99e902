"""Tracks that runs are bred towards, and what fitness was made of when clips were chosen. Frozen, like all of them."""

STATEMENTS: tuple[str, ...] = (
    """
    CREATE TABLE targets (
        run_id INTEGER PRIMARY KEY REFERENCES runs (id) ON DELETE CASCADE,
        guild_id INTEGER NOT NULL,
        listener_id INTEGER NOT NULL,
        title TEXT NOT NULL,
        words TEXT NOT NULL,
        seconds REAL NOT NULL CHECK (seconds > 0),
        encoder_id TEXT NOT NULL CHECK (encoder_id <> ''),
        vector BLOB NOT NULL CHECK (length(vector) > 0 AND length(vector) % 4 = 0),
        at REAL NOT NULL
    ) STRICT
    """,
    "CREATE INDEX targets_by_listener ON targets (listener_id)",
    """
    CREATE TABLE judgements (
        clip_id INTEGER PRIMARY KEY REFERENCES clips (id) ON DELETE CASCADE,
        mode TEXT NOT NULL CHECK (mode IN ('listener', 'music', 'dynamic', 'herd')),
        fitness REAL CHECK (fitness BETWEEN 0 AND 1),
        gate REAL NOT NULL CHECK (gate BETWEEN 0 AND 1),
        adherence REAL CHECK (adherence BETWEEN 0 AND 1),
        components_json TEXT NOT NULL CHECK (json_type(components_json) = 'object'),
        weights_json TEXT NOT NULL CHECK (json_type(weights_json) = 'object'),
        at REAL NOT NULL
    ) STRICT
    """,
)
"""In an order in which they can be run."""
