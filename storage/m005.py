"""What language models were used for and cost, summed up by day. Frozen: a released migration never changes."""

STATEMENTS: tuple[str, ...] = (
    # day counts from 1970-01-01, UTC; account is a guild's id as text, or '' for nobody's.
    """
    CREATE TABLE language_usage (
        day INTEGER NOT NULL,
        account TEXT NOT NULL,
        task TEXT NOT NULL,
        model TEXT NOT NULL,
        requests INTEGER NOT NULL CHECK (requests >= 0),
        failed INTEGER NOT NULL CHECK (failed BETWEEN 0 AND requests),
        tokens_in INTEGER NOT NULL CHECK (tokens_in >= 0),
        tokens_out INTEGER NOT NULL CHECK (tokens_out >= 0),
        cost REAL NOT NULL CHECK (cost >= 0),
        PRIMARY KEY (day, account, task, model)
    ) STRICT, WITHOUT ROWID
    """,
    "CREATE INDEX language_usage_by_account ON language_usage (account, day)",
)
"""In an order in which they can be run."""
