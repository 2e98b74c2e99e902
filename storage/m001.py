"""The first schema. Frozen: a released migration never changes.

Ids of runs, candidates, clips and posts are AUTOINCREMENT, since buttons of old messages carry them: an id is never
given out again. JSON columns are named ``*_json``. Columns that name a listener are listed, with what export and
erasure do to them, in ``storage.listeners``.
"""

_GUILDS = (
    """
    CREATE TABLE guilds (
        guild_id INTEGER PRIMARY KEY,
        joined_at REAL NOT NULL,
        left_at REAL
    ) STRICT
    """,
    """
    CREATE TABLE guild_settings (
        guild_id INTEGER NOT NULL,
        key TEXT NOT NULL CHECK (key <> ''),
        value_json TEXT NOT NULL CHECK (json_valid(value_json)),
        PRIMARY KEY (guild_id, key)
    ) STRICT, WITHOUT ROWID
    """,
    """
    CREATE TABLE channel_settings (
        channel_id INTEGER NOT NULL,
        key TEXT NOT NULL CHECK (key <> ''),
        value_json TEXT NOT NULL CHECK (json_valid(value_json)),
        PRIMARY KEY (channel_id, key)
    ) STRICT, WITHOUT ROWID
    """,
    """
    CREATE TABLE consents (
        guild_id INTEGER NOT NULL,
        listener_id INTEGER NOT NULL,
        consent TEXT NOT NULL CHECK (consent IN ('unasked', 'channel_only', 'taste', 'paused')),
        PRIMARY KEY (guild_id, listener_id)
    ) STRICT, WITHOUT ROWID
    """,
)

_RUNS = (
    """
    CREATE TABLE runs (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        guild_id INTEGER NOT NULL,
        channel_id INTEGER NOT NULL,
        started_by INTEGER NOT NULL,
        vibe TEXT NOT NULL,
        seed INTEGER NOT NULL,
        searcher TEXT NOT NULL CHECK (searcher <> ''),
        settings_json TEXT NOT NULL CHECK (json_valid(settings_json)),
        state TEXT NOT NULL CHECK (state IN ('active', 'paused', 'stopped')),
        generation INTEGER NOT NULL DEFAULT 0 CHECK (generation >= 0),
        unattended INTEGER NOT NULL DEFAULT 0 CHECK (unattended >= 0),
        for_listener INTEGER,
        parent_clip_id INTEGER REFERENCES clips (id) ON DELETE SET NULL,
        created_at REAL NOT NULL
    ) STRICT
    """,
    "CREATE UNIQUE INDEX one_live_run_per_channel ON runs (channel_id) WHERE state <> 'stopped'",
    "CREATE INDEX runs_by_channel ON runs (channel_id)",
    "CREATE INDEX runs_by_guild ON runs (guild_id)",
    "CREATE INDEX runs_by_parent_clip ON runs (parent_clip_id) WHERE parent_clip_id IS NOT NULL",
    """
    CREATE TABLE searcher_states (
        run_id INTEGER PRIMARY KEY REFERENCES runs (id) ON DELETE CASCADE,
        state_json TEXT NOT NULL CHECK (json_valid(state_json))
    ) STRICT
    """,
    """
    CREATE TABLE generations (
        run_id INTEGER NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
        number INTEGER NOT NULL CHECK (number >= 0),
        state TEXT NOT NULL CHECK (state IN ('breeding', 'ready', 'open', 'closed', 'cancelled')),
        directive TEXT NOT NULL,
        directive_parents_json TEXT NOT NULL CHECK (json_type(directive_parents_json) = 'array'),
        directive_words TEXT NOT NULL,
        opened_at REAL,
        closes_at REAL,
        closed_at REAL,
        close_reason TEXT CHECK (close_reason IN ('quorum', 'timer', 'next', 'stopped')),
        PRIMARY KEY (run_id, number)
    ) STRICT, WITHOUT ROWID
    """,
    "CREATE INDEX generations_by_state ON generations (state)",
    """
    CREATE TABLE debts (
        run_id INTEGER NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
        listener_id INTEGER NOT NULL,
        debt REAL NOT NULL,
        PRIMARY KEY (run_id, listener_id)
    ) STRICT, WITHOUT ROWID
    """,
)

_CANDIDATES = (
    """
    CREATE TABLE candidates (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        run_id INTEGER NOT NULL,
        generation INTEGER NOT NULL,
        prompt TEXT NOT NULL,
        genome_json TEXT NOT NULL CHECK (json_type(genome_json) = 'object'),
        operator TEXT NOT NULL CHECK (operator <> ''),
        searcher TEXT NOT NULL CHECK (searcher <> ''),
        seed INTEGER NOT NULL CHECK (seed >= 0),
        predicted REAL,
        FOREIGN KEY (run_id, generation) REFERENCES generations (run_id, number) ON DELETE CASCADE
    ) STRICT
    """,
    "CREATE INDEX candidates_by_run ON candidates (run_id, generation)",
    # A parent is always older than its child: the lineage cannot have a cycle.
    """
    CREATE TABLE candidate_parents (
        candidate_id INTEGER NOT NULL REFERENCES candidates (id) ON DELETE CASCADE,
        position INTEGER NOT NULL CHECK (position >= 0),
        parent_id INTEGER NOT NULL REFERENCES candidates (id) ON DELETE CASCADE,
        PRIMARY KEY (candidate_id, position),
        CHECK (parent_id < candidate_id)
    ) STRICT, WITHOUT ROWID
    """,
    "CREATE INDEX candidate_parents_by_parent ON candidate_parents (parent_id)",
    """
    CREATE TABLE clips (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        candidate_id INTEGER NOT NULL REFERENCES candidates (id) ON DELETE CASCADE,
        run_id INTEGER NOT NULL,
        generation INTEGER NOT NULL,
        prompt TEXT NOT NULL,
        family TEXT NOT NULL,
        seed INTEGER NOT NULL,
        seconds REAL NOT NULL CHECK (seconds > 0),
        sha256 TEXT NOT NULL CHECK (length(sha256) = 64),
        extension TEXT NOT NULL CHECK (extension <> ''),
        media_type TEXT NOT NULL,
        loudness REAL NOT NULL,
        waveform BLOB NOT NULL,
        encoder_id TEXT NOT NULL,
        quality REAL NOT NULL CHECK (quality BETWEEN 0 AND 1),
        defects_json TEXT NOT NULL CHECK (json_type(defects_json) = 'object'),
        generator TEXT NOT NULL,
        generator_version TEXT NOT NULL,
        licence TEXT NOT NULL,
        description_json TEXT NOT NULL CHECK (json_type(description_json) = 'object'),
        posted_slot INTEGER CHECK (posted_slot BETWEEN 1 AND 4),
        role TEXT,
        broken INTEGER NOT NULL DEFAULT 0 CHECK (broken IN (0, 1)),
        FOREIGN KEY (run_id, generation) REFERENCES generations (run_id, number) ON DELETE CASCADE
    ) STRICT
    """,
    "CREATE INDEX clips_by_generation ON clips (run_id, generation)",
    "CREATE INDEX clips_by_candidate ON clips (candidate_id)",
    "CREATE INDEX clips_by_audio ON clips (sha256)",
    "CREATE UNIQUE INDEX one_clip_per_slot ON clips (run_id, generation, posted_slot) WHERE posted_slot IS NOT NULL",
    """
    CREATE TABLE embeddings (
        clip_id INTEGER NOT NULL REFERENCES clips (id) ON DELETE CASCADE,
        encoder_id TEXT NOT NULL,
        vector BLOB NOT NULL CHECK (length(vector) > 0 AND length(vector) % 4 = 0),
        PRIMARY KEY (clip_id, encoder_id)
    ) STRICT
    """,
    """
    CREATE TABLE kept (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        clip_id INTEGER NOT NULL REFERENCES clips (id) ON DELETE CASCADE,
        listener_id INTEGER NOT NULL,
        UNIQUE (clip_id, listener_id)
    ) STRICT
    """,
    "CREATE INDEX kept_by_listener ON kept (listener_id)",
)

_FACTS = (
    """
    CREATE TABLE posts (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        run_id INTEGER NOT NULL,
        generation INTEGER NOT NULL,
        kind TEXT NOT NULL CHECK (kind IN ('round', 'reveal', 'pause')),
        channel_id INTEGER NOT NULL,
        state TEXT NOT NULL CHECK (state IN ('pending', 'attempted', 'posted', 'failed')),
        message_id INTEGER UNIQUE,
        attempts INTEGER NOT NULL DEFAULT 0 CHECK (attempts >= 0),
        error TEXT NOT NULL DEFAULT '',
        created_at REAL NOT NULL,
        CHECK (state <> 'posted' OR message_id IS NOT NULL),
        FOREIGN KEY (run_id, generation) REFERENCES generations (run_id, number) ON DELETE CASCADE
    ) STRICT
    """,
    # A run may pause twice at one generation, but a round has one message and one reveal.
    "CREATE UNIQUE INDEX one_post_of_a_round ON posts (run_id, generation, kind) WHERE kind <> 'pause'",
    "CREATE INDEX posts_by_generation ON posts (run_id, generation)",
    "CREATE INDEX posts_to_deliver ON posts (id) WHERE state IN ('pending', 'attempted')",
    # ``sequence`` counts a listener's changes in a server: what a taste has seen, whatever order events arrive in.
    # Clips with votes cannot be deleted by a cascade: facts go only when their listener says so.
    """
    CREATE TABLE votes (
        clip_id INTEGER NOT NULL REFERENCES clips (id),
        listener_id INTEGER NOT NULL,
        source TEXT NOT NULL CHECK (source IN ('button', 'favourite', 'reaction', 'broken')),
        symbol TEXT NOT NULL,
        guild_id INTEGER NOT NULL,
        rating REAL NOT NULL CHECK (rating BETWEEN -1 AND 1),
        weight REAL NOT NULL CHECK (weight > 0 AND weight <= 1),
        retracted INTEGER NOT NULL CHECK (retracted IN (0, 1)),
        late INTEGER NOT NULL CHECK (late IN (0, 1)),
        event_id INTEGER NOT NULL,
        at REAL NOT NULL,
        sequence INTEGER NOT NULL,
        PRIMARY KEY (clip_id, listener_id, source, symbol)
    ) STRICT, WITHOUT ROWID
    """,
    "CREATE INDEX votes_by_listener ON votes (listener_id, guild_id, sequence)",
    "CREATE INDEX votes_by_event ON votes (event_id)",
    """
    CREATE TABLE tastes (
        guild_id INTEGER NOT NULL,
        listener_id INTEGER NOT NULL,
        version INTEGER NOT NULL CHECK (version >= 1),
        space_id TEXT NOT NULL,
        payload BLOB NOT NULL,
        evidence INTEGER NOT NULL CHECK (evidence >= 0),
        high_water INTEGER NOT NULL,
        saved_at REAL NOT NULL,
        PRIMARY KEY (guild_id, listener_id, version)
    ) STRICT
    """,
    "CREATE INDEX tastes_by_listener ON tastes (listener_id)",
    """
    CREATE TABLE priors (
        guild_id INTEGER NOT NULL,
        version INTEGER NOT NULL CHECK (version >= 1),
        space_id TEXT NOT NULL,
        payload BLOB NOT NULL,
        members INTEGER NOT NULL CHECK (members >= 0),
        saved_at REAL NOT NULL,
        PRIMARY KEY (guild_id, version)
    ) STRICT
    """,
)

STATEMENTS: tuple[str, ...] = (*_GUILDS, *_RUNS, *_CANDIDATES, *_FACTS)
"""In an order in which they can be run."""
