"""When a post was given up: it may have waited long before. Frozen: a released migration never changes."""

STATEMENTS: tuple[str, ...] = (
    "ALTER TABLE posts ADD COLUMN failed_at REAL",
    # Nobody wrote it down, but none failed before it was made.
    "UPDATE posts SET failed_at = created_at WHERE state = 'failed'",
)
"""In an order in which they can be run."""
