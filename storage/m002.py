"""The panels of ``/mood``. Frozen: a released migration never changes."""

STATEMENTS: tuple[str, ...] = (
    # Buttons of private messages carry the id, which is never given out again.
    """
    CREATE TABLE mood_panels (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        guild_id INTEGER NOT NULL,
        channel_id INTEGER NOT NULL,
        listener_id INTEGER NOT NULL,
        state_json TEXT NOT NULL CHECK (json_type(state_json) = 'object'),
        changed_at REAL NOT NULL
    ) STRICT
    """,
    "CREATE INDEX mood_panels_by_listener ON mood_panels (listener_id)",
    "CREATE INDEX mood_panels_by_age ON mood_panels (changed_at)",
)
"""In an order in which they can be run."""
