"""Duels with their votes, what they post, and the rewards learned from preferences. Frozen: it never changes."""

STATEMENTS: tuple[str, ...] = (
    # Clips that were compared, like clips with votes, cannot be deleted by a cascade.
    """
    CREATE TABLE duels (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        run_id INTEGER NOT NULL,
        generation INTEGER NOT NULL,
        guild_id INTEGER NOT NULL,
        channel_id INTEGER NOT NULL,
        for_listener INTEGER,
        started_by INTEGER NOT NULL,
        clip_a INTEGER NOT NULL REFERENCES clips (id),
        clip_b INTEGER NOT NULL REFERENCES clips (id),
        state TEXT NOT NULL CHECK (state IN ('waiting', 'open', 'decided', 'failed')),
        quorum INTEGER NOT NULL CHECK (quorum >= 1),
        timer REAL NOT NULL CHECK (timer >= 0),
        created_at REAL NOT NULL,
        closes_at REAL,
        decided_at REAL,
        reason TEXT,
        CHECK (clip_a <> clip_b),
        FOREIGN KEY (run_id, generation) REFERENCES generations (run_id, number)
    ) STRICT
    """,
    "CREATE INDEX duels_by_channel ON duels (channel_id)",
    "CREATE INDEX duels_by_run ON duels (run_id, generation)",
    "CREATE INDEX duels_by_clip_a ON duels (clip_a)",
    "CREATE INDEX duels_by_clip_b ON duels (clip_b)",
    "CREATE INDEX duels_awaiting ON duels (guild_id) WHERE state IN ('waiting', 'open')",
    # ``sequence`` counts on from the listener's votes: together they are what a taste has seen.
    """
    CREATE TABLE duel_votes (
        duel_id INTEGER NOT NULL REFERENCES duels (id),
        listener_id INTEGER NOT NULL,
        guild_id INTEGER NOT NULL,
        choice TEXT NOT NULL CHECK (choice IN ('a', 'b', 'tie', 'bad')),
        retracted INTEGER NOT NULL CHECK (retracted IN (0, 1)),
        late INTEGER NOT NULL CHECK (late IN (0, 1)),
        event_id INTEGER NOT NULL,
        at REAL NOT NULL,
        sequence INTEGER NOT NULL,
        PRIMARY KEY (duel_id, listener_id)
    ) STRICT, WITHOUT ROWID
    """,
    "CREATE INDEX duel_votes_by_listener ON duel_votes (listener_id, guild_id, sequence)",
    """
    CREATE TABLE rewards (
        guild_id INTEGER NOT NULL,
        version INTEGER NOT NULL CHECK (version >= 1),
        space_id TEXT NOT NULL,
        payload BLOB NOT NULL,
        pairs INTEGER NOT NULL CHECK (pairs >= 0),
        listeners INTEGER NOT NULL CHECK (listeners >= 0),
        saved_at REAL NOT NULL,
        PRIMARY KEY (guild_id, version)
    ) STRICT
    """,
    # The outbox again, with the two kinds of posts that duels have.
    """
    CREATE TABLE posts_with_duels (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        run_id INTEGER NOT NULL,
        generation INTEGER NOT NULL,
        kind TEXT NOT NULL CHECK (kind IN ('round', 'reveal', 'pause', 'duel', 'verdict')),
        channel_id INTEGER NOT NULL,
        state TEXT NOT NULL CHECK (state IN ('pending', 'attempted', 'posted', 'failed')),
        message_id INTEGER UNIQUE,
        attempts INTEGER NOT NULL DEFAULT 0 CHECK (attempts >= 0),
        error TEXT NOT NULL DEFAULT '',
        created_at REAL NOT NULL,
        duel_id INTEGER REFERENCES duels (id) ON DELETE CASCADE,
        CHECK (state <> 'posted' OR message_id IS NOT NULL),
        CHECK ((duel_id IS NOT NULL) = (kind IN ('duel', 'verdict'))),
        FOREIGN KEY (run_id, generation) REFERENCES generations (run_id, number) ON DELETE CASCADE
    ) STRICT
    """,
    """
    INSERT INTO posts_with_duels
    SELECT id, run_id, generation, kind, channel_id, state, message_id, attempts, error, created_at, NULL FROM posts
    """,
    """
    UPDATE sqlite_sequence SET seq = (SELECT seq FROM sqlite_sequence WHERE name = 'posts')
    WHERE name = 'posts_with_duels' AND EXISTS (SELECT 1 FROM sqlite_sequence WHERE name = 'posts')
    """,
    """
    INSERT INTO sqlite_sequence (name, seq) SELECT 'posts_with_duels', seq FROM sqlite_sequence
    WHERE name = 'posts' AND NOT EXISTS (SELECT 1 FROM sqlite_sequence WHERE name = 'posts_with_duels')
    """,
    "DROP TABLE posts",
    "ALTER TABLE posts_with_duels RENAME TO posts",
    """
    CREATE UNIQUE INDEX one_post_of_a_round ON posts (run_id, generation, kind)
    WHERE kind IN ('round', 'reveal')
    """,
    "CREATE UNIQUE INDEX one_post_of_a_duel ON posts (duel_id, kind) WHERE duel_id IS NOT NULL",
    "CREATE INDEX posts_by_generation ON posts (run_id, generation)",
    "CREATE INDEX posts_to_deliver ON posts (id) WHERE state IN ('pending', 'attempted')",
)
"""In an order in which they can be run."""
