PRAGMA application_id = 1414876741;
BEGIN TRANSACTION;
CREATE TABLE candidate_parents (
        candidate_id INTEGER NOT NULL REFERENCES candidates (id) ON DELETE CASCADE,
        position INTEGER NOT NULL CHECK (position >= 0),
        parent_id INTEGER NOT NULL REFERENCES candidates (id) ON DELETE CASCADE,
        PRIMARY KEY (candidate_id, position),
        CHECK (parent_id < candidate_id)
    ) STRICT, WITHOUT ROWID
    ;
INSERT INTO "candidate_parents" VALUES(5,0,1);
INSERT INTO "candidate_parents" VALUES(5,1,2);
INSERT INTO "candidate_parents" VALUES(10,0,6);
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
    ;
INSERT INTO "candidates" VALUES(1,1,1,'slow lofi number 1','{"genre":"lofi","tempo":71.5,"moods":["calm"]}','novel','offline',1,0.25);
INSERT INTO "candidates" VALUES(2,1,1,'slow lofi number 2','{"genre":"lofi","tempo":72.5,"moods":["calm"]}','novel','offline',2,0.25);
INSERT INTO "candidates" VALUES(3,1,1,'slow lofi number 3','{"genre":"lofi","tempo":73.5,"moods":["calm"]}','novel','offline',3,0.25);
INSERT INTO "candidates" VALUES(4,1,1,'slow lofi number 4','{"genre":"lofi","tempo":74.5,"moods":["calm"]}','novel','offline',4,0.25);
INSERT INTO "candidates" VALUES(5,1,2,'slow lofi number 9','{"genre":"lofi","tempo":79.5,"moods":["calm"]}','novel','offline',9,0.25);
INSERT INTO "candidates" VALUES(6,2,1,'slow lofi number 1','{"genre":"lofi","tempo":71.5,"moods":["calm"]}','novel','offline',1,0.25);
INSERT INTO "candidates" VALUES(7,2,1,'slow lofi number 2','{"genre":"lofi","tempo":72.5,"moods":["calm"]}','novel','offline',2,0.25);
INSERT INTO "candidates" VALUES(8,2,1,'slow lofi number 3','{"genre":"lofi","tempo":73.5,"moods":["calm"]}','novel','offline',3,0.25);
INSERT INTO "candidates" VALUES(9,2,1,'slow lofi number 4','{"genre":"lofi","tempo":74.5,"moods":["calm"]}','novel','offline',4,0.25);
INSERT INTO "candidates" VALUES(10,3,1,'slow lofi number 5','{"genre":"lofi","tempo":75.5,"moods":["calm"]}','novel','offline',5,0.25);
CREATE TABLE channel_settings (
        channel_id INTEGER NOT NULL,
        key TEXT NOT NULL CHECK (key <> ''),
        value_json TEXT NOT NULL CHECK (json_valid(value_json)),
        PRIMARY KEY (channel_id, key)
    ) STRICT, WITHOUT ROWID
    ;
INSERT INTO "channel_settings" VALUES(800,'emoji','{"\ud83d\udc4d":1}');
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
    ;
INSERT INTO "chat_turns" VALUES(1,700,800,987654321012345678,'darker','On it.',NULL,3000.0);
CREATE TABLE choices (
        clip_id INTEGER PRIMARY KEY REFERENCES clips (id) ON DELETE CASCADE,
        propensity REAL NOT NULL CHECK (propensity > 0 AND propensity <= 1)
    ) STRICT
    ;
INSERT INTO "choices" VALUES(1,0.5);
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
    ;
INSERT INTO "clips" VALUES(1,1,1,1,'slow lofi number 1','lofi',1,8.1,'0101000000000000000000000000000000000000000000000000000000000000','mp3','audio/mpeg',-16.2,X'00FF80','features-1',0.9,'{"hum":0.1}','composer','1','MIT','{"tempo":71.5,"chords":["Am","F"]}',1,'exploit',0);
INSERT INTO "clips" VALUES(2,2,1,1,'slow lofi number 2','lofi',2,8.1,'0101000000000000000000000000000000000000000000000000000000000001','mp3','audio/mpeg',-16.2,X'00FF80','features-1',0.9,'{"hum":0.1}','composer','1','MIT','{"tempo":71.5,"chords":["Am","F"]}',2,'exploit',0);
INSERT INTO "clips" VALUES(3,3,1,1,'slow lofi number 3','lofi',3,8.1,'0101000000000000000000000000000000000000000000000000000000000002','mp3','audio/mpeg',-16.2,X'00FF80','features-1',0.9,'{"hum":0.1}','composer','1','MIT','{"tempo":71.5,"chords":["Am","F"]}',3,'exploit',0);
INSERT INTO "clips" VALUES(4,4,1,1,'slow lofi number 4','lofi',4,8.1,'0101000000000000000000000000000000000000000000000000000000000003','mp3','audio/mpeg',-16.2,X'00FF80','features-1',0.9,'{"hum":0.1}','composer','1','MIT','{"tempo":71.5,"chords":["Am","F"]}',4,'exploit',0);
INSERT INTO "clips" VALUES(5,6,2,1,'slow lofi number 1','lofi',1,8.1,'0201000000000000000000000000000000000000000000000000000000000000','mp3','audio/mpeg',-16.2,X'00FF80','features-1',0.9,'{"hum":0.1}','composer','1','MIT','{"tempo":71.5,"chords":["Am","F"]}',1,'exploit',0);
INSERT INTO "clips" VALUES(6,7,2,1,'slow lofi number 2','lofi',2,8.1,'0201000000000000000000000000000000000000000000000000000000000001','mp3','audio/mpeg',-16.2,X'00FF80','features-1',0.9,'{"hum":0.1}','composer','1','MIT','{"tempo":71.5,"chords":["Am","F"]}',2,'exploit',0);
INSERT INTO "clips" VALUES(7,8,2,1,'slow lofi number 3','lofi',3,8.1,'0201000000000000000000000000000000000000000000000000000000000002','mp3','audio/mpeg',-16.2,X'00FF80','features-1',0.9,'{"hum":0.1}','composer','1','MIT','{"tempo":71.5,"chords":["Am","F"]}',3,'exploit',0);
INSERT INTO "clips" VALUES(8,9,2,1,'slow lofi number 4','lofi',4,8.1,'0201000000000000000000000000000000000000000000000000000000000003','mp3','audio/mpeg',-16.2,X'00FF80','features-1',0.9,'{"hum":0.1}','composer','1','MIT','{"tempo":71.5,"chords":["Am","F"]}',4,'exploit',0);
INSERT INTO "clips" VALUES(9,4,1,2,'slow lofi number 4','lofi',4,8.1,'0101000000000000000000000000000000000000000000000000000000000003','mp3','audio/mpeg',-16.2,X'00FF80','features-1',0.9,'{"hum":0.1}','composer','1','MIT','{"tempo":71.5,"chords":["Am","F"]}',1,'repost',0);
CREATE TABLE consents (
        guild_id INTEGER NOT NULL,
        listener_id INTEGER NOT NULL,
        consent TEXT NOT NULL CHECK (consent IN ('unasked', 'channel_only', 'taste', 'paused')),
        PRIMARY KEY (guild_id, listener_id)
    ) STRICT, WITHOUT ROWID
    ;
INSERT INTO "consents" VALUES(700,123456789098765432,'taste');
INSERT INTO "consents" VALUES(700,987654321012345678,'taste');
CREATE TABLE debts (
        run_id INTEGER NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
        listener_id INTEGER NOT NULL,
        debt REAL NOT NULL,
        PRIMARY KEY (run_id, listener_id)
    ) STRICT, WITHOUT ROWID
    ;
INSERT INTO "debts" VALUES(1,123456789098765432,-0.25);
INSERT INTO "debts" VALUES(1,987654321012345678,0.5);
INSERT INTO "debts" VALUES(2,987654321012345678,0.5);
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
    ;
INSERT INTO "duel_votes" VALUES(1,123456789098765432,700,'tie',0,0,401,4100.0,3);
INSERT INTO "duel_votes" VALUES(1,987654321012345678,700,'a',0,0,400,4100.0,4);
INSERT INTO "duel_votes" VALUES(2,987654321012345678,700,'bad',0,0,402,4100.0,5);
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
    ;
INSERT INTO "duels" VALUES(1,1,1,700,800,NULL,987654321012345678,3,4,'open',2,1200.0,4000.0,5200.0,NULL,NULL);
INSERT INTO "duels" VALUES(2,2,1,700,801,987654321012345678,987654321012345678,5,6,'open',2,1200.0,4000.0,5200.0,NULL,NULL);
CREATE TABLE embeddings (
        clip_id INTEGER NOT NULL REFERENCES clips (id) ON DELETE CASCADE,
        encoder_id TEXT NOT NULL,
        vector BLOB NOT NULL CHECK (length(vector) > 0 AND length(vector) % 4 = 0),
        PRIMARY KEY (clip_id, encoder_id)
    ) STRICT
    ;
INSERT INTO "embeddings" VALUES(1,'features-1',X'0000803F000000400000404000008040');
INSERT INTO "embeddings" VALUES(2,'features-1',X'0000004000004040000080400000A040');
INSERT INTO "embeddings" VALUES(3,'features-1',X'00004040000080400000A0400000C040');
INSERT INTO "embeddings" VALUES(4,'features-1',X'000080400000A0400000C0400000E040');
INSERT INTO "embeddings" VALUES(5,'features-1',X'0000803F000000400000404000008040');
INSERT INTO "embeddings" VALUES(6,'features-1',X'0000004000004040000080400000A040');
INSERT INTO "embeddings" VALUES(7,'features-1',X'00004040000080400000A0400000C040');
INSERT INTO "embeddings" VALUES(8,'features-1',X'000080400000A0400000C0400000E040');
INSERT INTO "embeddings" VALUES(9,'features-1',X'000080400000A0400000C0400000E040');
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
    ;
INSERT INTO "generations" VALUES(1,1,'open','next','[]','',1500.0,2700.0,NULL,NULL);
INSERT INTO "generations" VALUES(1,2,'breeding','next','[]','',NULL,NULL,NULL,NULL);
INSERT INTO "generations" VALUES(2,1,'closed','next','[]','',1500.0,2700.0,3000.0,'quorum');
INSERT INTO "generations" VALUES(3,1,'breeding','next','[]','',NULL,NULL,NULL,NULL);
CREATE TABLE guild_settings (
        guild_id INTEGER NOT NULL,
        key TEXT NOT NULL CHECK (key <> ''),
        value_json TEXT NOT NULL CHECK (json_valid(value_json)),
        PRIMARY KEY (guild_id, key)
    ) STRICT, WITHOUT ROWID
    ;
INSERT INTO "guild_settings" VALUES(700,'quorum','3');
CREATE TABLE guilds (
        guild_id INTEGER PRIMARY KEY,
        joined_at REAL NOT NULL,
        left_at REAL
    ) STRICT
    ;
INSERT INTO "guilds" VALUES(700,1.0,NULL);
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
    ;
INSERT INTO "judgements" VALUES(1,'herd',0.6,0.9,0.75,'{"taste":0.7,"novelty":0.25}','{"taste":1.0,"target":1.0,"adherence":0.0,"novelty":0.1,"preference":0.0,"target_votes":12.0}',3000.0);
INSERT INTO "judgements" VALUES(5,'herd',0.6,0.9,0.75,'{"taste":0.7,"novelty":0.25}','{"taste":1.0,"target":1.0,"adherence":0.0,"novelty":0.1,"preference":0.0,"target_votes":12.0}',3000.0);
CREATE TABLE kept (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        clip_id INTEGER NOT NULL REFERENCES clips (id) ON DELETE CASCADE,
        listener_id INTEGER NOT NULL,
        UNIQUE (clip_id, listener_id)
    ) STRICT
    ;
INSERT INTO "kept" VALUES(1,1,987654321012345678);
INSERT INTO "kept" VALUES(2,1,123456789098765432);
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
    ;
INSERT INTO "language_usage" VALUES(19700,'700','operator:blend','tiny',3,1,900,120,0.01);
CREATE TABLE migrations (
    number INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    applied_at REAL NOT NULL
) STRICT
;
INSERT INTO "migrations" VALUES(1,'m001_first_schema',0.0);
INSERT INTO "migrations" VALUES(2,'m002_mood_panels',0.0);
INSERT INTO "migrations" VALUES(3,'m003_operator_versions',0.0);
INSERT INTO "migrations" VALUES(4,'m004_chat_turns',0.0);
INSERT INTO "migrations" VALUES(5,'m005_language_usage',0.0);
INSERT INTO "migrations" VALUES(6,'m006_duels',0.0);
INSERT INTO "migrations" VALUES(7,'m007_proof',0.0);
INSERT INTO "migrations" VALUES(8,'m008_fitness',0.0);
INSERT INTO "migrations" VALUES(9,'m009_projections',0.0);
INSERT INTO "migrations" VALUES(10,'m010_failed_at',0.0);
CREATE TABLE mood_panels (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        guild_id INTEGER NOT NULL,
        channel_id INTEGER NOT NULL,
        listener_id INTEGER NOT NULL,
        state_json TEXT NOT NULL CHECK (json_type(state_json) = 'object'),
        changed_at REAL NOT NULL
    ) STRICT
    ;
INSERT INTO "mood_panels" VALUES(1,700,800,987654321012345678,'{"features":{"energy":0.7}}',3000.0);
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
    ;
INSERT INTO "operator_versions" VALUES(700,'template','novel',1,'Write {num_generate} prompts.',987654321012345678,'shorter',3001.0);
CREATE TABLE "posts" (
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
        duel_id INTEGER REFERENCES duels (id) ON DELETE CASCADE, failed_at REAL,
        CHECK (state <> 'posted' OR message_id IS NOT NULL),
        CHECK ((duel_id IS NOT NULL) = (kind IN ('duel', 'verdict'))),
        FOREIGN KEY (run_id, generation) REFERENCES generations (run_id, number) ON DELETE CASCADE
    ) STRICT
    ;
INSERT INTO "posts" VALUES(1,1,1,'round',800,'posted',9001,1,'',1500.0,NULL,NULL);
INSERT INTO "posts" VALUES(2,2,1,'round',801,'posted',9002,1,'',1500.0,NULL,NULL);
INSERT INTO "posts" VALUES(3,1,1,'duel',800,'posted',9503,1,'',4000.0,1,NULL);
INSERT INTO "posts" VALUES(4,2,1,'duel',801,'posted',9504,1,'',4000.0,2,NULL);
CREATE TABLE predictions (
        clip_id INTEGER NOT NULL REFERENCES clips (id) ON DELETE CASCADE,
        listener_id INTEGER NOT NULL,
        liking REAL NOT NULL CHECK (liking BETWEEN 0 AND 1),
        spread REAL NOT NULL CHECK (spread BETWEEN 0 AND 1),
        evidence INTEGER NOT NULL CHECK (evidence >= 0),
        PRIMARY KEY (clip_id, listener_id)
    ) STRICT, WITHOUT ROWID
    ;
INSERT INTO "predictions" VALUES(1,123456789098765432,0.7,0.2,3);
INSERT INTO "predictions" VALUES(1,987654321012345678,0.7,0.2,3);
CREATE TABLE priors (
        guild_id INTEGER NOT NULL,
        version INTEGER NOT NULL CHECK (version >= 1),
        space_id TEXT NOT NULL,
        payload BLOB NOT NULL,
        members INTEGER NOT NULL CHECK (members >= 0),
        saved_at REAL NOT NULL,
        PRIMARY KEY (guild_id, version)
    ) STRICT
    ;
INSERT INTO "priors" VALUES(700,1,'space-1',X'007072696F72',2,3000.0);
CREATE TABLE projections (
        id TEXT PRIMARY KEY,
        encoder_id TEXT NOT NULL,
        clips INTEGER NOT NULL CHECK (clips > 0),
        payload BLOB NOT NULL,
        fitted_at REAL NOT NULL
    ) STRICT, WITHOUT ROWID
    ;
INSERT INTO "projections" VALUES('tiny-1.12345678/pca-0','tiny-1.12345678',200,X'0061786573',3000.0);
CREATE TABLE reposts (
        clip_id INTEGER PRIMARY KEY REFERENCES clips (id) ON DELETE CASCADE,
        original_id INTEGER NOT NULL UNIQUE REFERENCES clips (id) ON DELETE CASCADE,
        CHECK (original_id < clip_id)
    ) STRICT
    ;
INSERT INTO "reposts" VALUES(9,4);
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
    ;
INSERT INTO "rewards" VALUES(700,1,'space-1',X'00726577617264',3,2,3000.0);
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
    ;
INSERT INTO "runs" VALUES(1,700,800,987654321012345678,'rainy window',17,'offline','{"seconds":8.0,"candidates":12,"quorum":2,"timer":1200.0,"unattended_limit":3,"repost_every":0,"weights":{"taste":1.0,"target":1.0,"adherence":0.0,"novelty":0.0,"preference":0.0,"target_votes":12.0},"generator":""}','active',1,0,NULL,NULL,1000.5);
INSERT INTO "runs" VALUES(2,700,801,987654321012345678,'only mine',17,'offline','{"seconds":8.0,"candidates":12,"quorum":2,"timer":1200.0,"unattended_limit":3,"repost_every":0,"weights":{"taste":1.0,"target":1.0,"adherence":0.0,"novelty":0.0,"preference":0.0,"target_votes":12.0},"generator":""}','active',1,0,987654321012345678,NULL,1000.5);
INSERT INTO "runs" VALUES(3,700,802,123456789098765432,'rainy window',17,'offline','{"seconds":8.0,"candidates":12,"quorum":2,"timer":1200.0,"unattended_limit":3,"repost_every":0,"weights":{"taste":1.0,"target":1.0,"adherence":0.0,"novelty":0.0,"preference":0.0,"target_votes":12.0},"generator":""}','active',0,0,NULL,5,1000.5);
CREATE TABLE searcher_states (
        run_id INTEGER PRIMARY KEY REFERENCES runs (id) ON DELETE CASCADE,
        state_json TEXT NOT NULL CHECK (json_valid(state_json))
    ) STRICT
    ;
INSERT INTO "searcher_states" VALUES(1,'{"rng":[1,2,3]}');
INSERT INTO "searcher_states" VALUES(2,'{"rng":[1,2,3]}');
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
    ;
INSERT INTO "targets" VALUES(1,700,987654321012345678,'my song','slow lofi',200.5,'features-1',X'000000000000803F0000004000004040',3000.0);
INSERT INTO "targets" VALUES(2,700,987654321012345678,'my song','slow lofi',200.5,'features-1',X'000000000000803F0000004000004040',3000.0);
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
    ;
INSERT INTO "tastes" VALUES(700,987654321012345678,1,'space-1',X'00706F73746572696F72',2,2,3000.0);
INSERT INTO "tastes" VALUES(700,123456789098765432,1,'space-1',X'00706F73746572696F72',2,2,3000.0);
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
    ;
INSERT INTO "votes" VALUES(1,123456789098765432,'button','',700,0.5,1.0,0,0,200,2000.0,1);
INSERT INTO "votes" VALUES(1,987654321012345678,'button','',700,0.5,1.0,0,0,100,2000.0,1);
INSERT INTO "votes" VALUES(2,123456789098765432,'reaction','👍',700,0.5,0.5,0,1,201,2000.0,2);
INSERT INTO "votes" VALUES(2,987654321012345678,'reaction','👍',700,0.5,0.5,0,1,101,2000.0,2);
INSERT INTO "votes" VALUES(5,987654321012345678,'button','',700,0.5,1.0,0,0,300,2000.0,3);
CREATE UNIQUE INDEX one_live_run_per_channel ON runs (channel_id) WHERE state <> 'stopped';
CREATE INDEX runs_by_channel ON runs (channel_id);
CREATE INDEX runs_by_guild ON runs (guild_id);
CREATE INDEX runs_by_parent_clip ON runs (parent_clip_id) WHERE parent_clip_id IS NOT NULL;
CREATE INDEX generations_by_state ON generations (state);
CREATE INDEX candidates_by_run ON candidates (run_id, generation);
CREATE INDEX candidate_parents_by_parent ON candidate_parents (parent_id);
CREATE INDEX clips_by_generation ON clips (run_id, generation);
CREATE INDEX clips_by_candidate ON clips (candidate_id);
CREATE INDEX clips_by_audio ON clips (sha256);
CREATE UNIQUE INDEX one_clip_per_slot ON clips (run_id, generation, posted_slot) WHERE posted_slot IS NOT NULL;
CREATE INDEX kept_by_listener ON kept (listener_id);
CREATE INDEX votes_by_listener ON votes (listener_id, guild_id, sequence);
CREATE INDEX votes_by_event ON votes (event_id);
CREATE INDEX tastes_by_listener ON tastes (listener_id);
CREATE INDEX mood_panels_by_listener ON mood_panels (listener_id);
CREATE INDEX mood_panels_by_age ON mood_panels (changed_at);
CREATE INDEX operator_versions_by_author ON operator_versions (author_id);
CREATE INDEX chat_turns_by_channel ON chat_turns (channel_id, id);
CREATE INDEX chat_turns_by_listener ON chat_turns (listener_id);
CREATE INDEX chat_turns_by_age ON chat_turns (at);
CREATE INDEX language_usage_by_account ON language_usage (account, day);
CREATE INDEX duels_by_channel ON duels (channel_id);
CREATE INDEX duels_by_run ON duels (run_id, generation);
CREATE INDEX duels_by_clip_a ON duels (clip_a);
CREATE INDEX duels_by_clip_b ON duels (clip_b);
CREATE INDEX duels_awaiting ON duels (guild_id) WHERE state IN ('waiting', 'open');
CREATE INDEX duel_votes_by_listener ON duel_votes (listener_id, guild_id, sequence);
CREATE UNIQUE INDEX one_post_of_a_round ON posts (run_id, generation, kind)
    WHERE kind IN ('round', 'reveal')
    ;
CREATE UNIQUE INDEX one_post_of_a_duel ON posts (duel_id, kind) WHERE duel_id IS NOT NULL;
CREATE INDEX posts_by_generation ON posts (run_id, generation);
CREATE INDEX posts_to_deliver ON posts (id) WHERE state IN ('pending', 'attempted');
CREATE INDEX predictions_by_listener ON predictions (listener_id);
CREATE INDEX targets_by_listener ON targets (listener_id);
CREATE INDEX projections_by_encoder ON projections (encoder_id, fitted_at);
CREATE INDEX embeddings_by_encoder ON embeddings (encoder_id, clip_id);
DELETE FROM "sqlite_sequence";
INSERT INTO "sqlite_sequence" VALUES('posts',4);
INSERT INTO "sqlite_sequence" VALUES('runs',3);
INSERT INTO "sqlite_sequence" VALUES('candidates',10);
INSERT INTO "sqlite_sequence" VALUES('clips',9);
INSERT INTO "sqlite_sequence" VALUES('kept',2);
INSERT INTO "sqlite_sequence" VALUES('duels',2);
INSERT INTO "sqlite_sequence" VALUES('mood_panels',1);
COMMIT;
