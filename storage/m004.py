"""What was said to the bot and answered in the last hour. Frozen: a released migration never changes."""

STATEMENTS: tuple[str, ...] = (
    """
    CREATE TABLE chat_turns (
        id INTEGER PRIMARY KEY,
        guild_id INTEGER NOT NULL,
        channel_id INTEGER NOT NULL,
        listener_id INTEGER NOT NULL,
        said TEXT NOT NULL,
        answered TEXT NOT NULL,
        clip_id INTEGER,
        at REAL NOT NULL
    ) STRICT
    """,
    "CREATE INDEX chat_turns_by_channel ON chat_turns (channel_id, id)",
    "CREATE INDEX chat_turns_by_listener ON chat_turns (listener_id)",
    "CREATE INDEX chat_turns_by_age ON chat_turns (at)",
)
"""In an order in which they can be run."""
