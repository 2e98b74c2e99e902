"""Consent, and that export and erasure reach everything that names a listener."""

import json

import pytest

from domain.ids import GuildId, ListenerId
from domain.run import RunState
from domain.vote import Consent
from storage import clips, listeners, runs, tastes, votes
from storage.database import Database
from tests.storage.samples import ALICE, BOB, CHANNEL, GUILD, fill, make_round, new_run

# Integer and text columns that name no listener. A new column must be put here or into
# ``listeners.PERSONAL_COLUMNS``, with export and erasure to match.
NAMES_NOBODY = {
    "candidate_parents": {"candidate_id", "position", "parent_id"},
    "candidates": {
        *("id", "run_id", "generation", "prompt", "genome_json", "operator", "searcher"),
        *("seed", "predicted"),
    },
    "channel_settings": {"channel_id", "key", "value_json"},
    "chat_turns": {"id", "guild_id", "channel_id", "said", "answered", "clip_id", "at"},
    "clips": {
        *("id", "candidate_id", "run_id", "generation", "prompt", "family", "seed", "seconds"),
        *("sha256", "extension", "media_type", "loudness", "waveform", "encoder_id", "quality"),
        *("defects_json", "generator", "generator_version", "licence", "description_json"),
        *("posted_slot", "role", "broken"),
    },
    "consents": {"guild_id", "consent"},
    "debts": {"run_id", "debt"},
    "embeddings": {"clip_id", "encoder_id", "vector"},
    "generations": {
        *("run_id", "number", "state", "directive", "directive_parents_json"),
        *("directive_words", "opened_at", "closes_at", "closed_at", "close_reason"),
    },
    "guild_settings": {"guild_id", "key", "value_json"},
    "guilds": {"guild_id", "joined_at", "left_at"},
    "kept": {"id", "clip_id"},
    "mood_panels": {"id", "guild_id", "channel_id", "state_json", "changed_at"},
    "migrations": {"number", "name", "applied_at"},
    "operator_versions": {"guild_id", "kind", "name", "number", "content", "comment", "at"},
    "posts": {
        *("id", "run_id", "generation", "kind", "channel_id", "state", "message_id"),
        *("attempts", "error", "created_at", "failed_at", "duel_id"),
    },
    "choices": {"clip_id", "propensity"},
    "predictions": {"clip_id", "liking", "spread", "evidence"},
    "reposts": {"clip_id", "original_id"},
    "priors": {"guild_id", "version", "space_id", "payload", "members", "saved_at"},
    "runs": {
        *("id", "guild_id", "channel_id", "vibe", "seed", "searcher", "settings_json", "state"),
        *("generation", "unattended", "parent_clip_id", "created_at"),
    },
    "searcher_states": {"run_id", "state_json"},
    "tastes": {
        *("guild_id", "version", "space_id", "payload", "evidence", "high_water", "saved_at"),
    },
    "votes": {
        *("clip_id", "source", "symbol", "guild_id", "rating", "weight", "retracted", "late"),
        *("event_id", "at", "sequence"),
    },
    "duels": {
        *(
            "id",
            "run_id",
            "generation",
            "guild_id",
            "channel_id",
            "clip_a",
            "clip_b",
            "state",
            "quorum",
            "timer",
        ),
        *("created_at", "closes_at", "decided_at", "reason"),
    },
    "duel_votes": {
        *("duel_id", "guild_id", "choice", "retracted", "late", "event_id", "at", "sequence"),
    },
    "rewards": {
        *("guild_id", "version", "space_id", "payload", "pairs", "listeners", "saved_at"),
    },
    "targets": {"run_id", "guild_id", "title", "words", "seconds", "encoder_id", "vector", "at"},
    "judgements": {  # averages over a channel; what one vote may have made goes with the votes
        *("clip_id", "mode", "fitness", "gate", "adherence"),
        *("components_json", "weights_json", "at"),
    },
    "projections": {"id", "encoder_id", "clips", "payload", "fitted_at"},
    "language_usage": {
        *("day", "account", "task", "model"),  # an account is a server
        *("requests", "failed", "tokens_in", "tokens_out", "cost"),
    },
}


async def columns(tx) -> set[tuple[str, str]]:
    rows = await tx.rows(
        """
        SELECT t.name AS table_name, c.name FROM sqlite_schema AS t JOIN pragma_table_info(t.name) AS c
        WHERE t.type = 'table' AND t.name NOT LIKE 'sqlite~_%' ESCAPE '~'
        """
    )
    return {(row["table_name"], row["name"]) for row in rows}


async def everything(tx) -> str:
    """All cells of all tables as one text."""
    tables = sorted({table for table, _ in await columns(tx)})
    cells = []
    for table in tables:
        rows = await tx.rows(f"SELECT * FROM {table}")  # noqa: S608 - from the schema
        cells.extend([table, *map(str, row)] for row in rows)
    return json.dumps(cells)


async def test_every_column_is_either_covered_or_names_nobody(db):
    async with db.reading() as tx:
        found = await columns(tx)
    known = {(table, name) for table, names in NAMES_NOBODY.items() for name in names}
    assert not known & listeners.PERSONAL_COLUMNS
    assert found == known | listeners.PERSONAL_COLUMNS


async def test_the_filled_database_uses_every_personal_column(db):
    async with db.transaction() as tx:
        await fill(tx, ALICE, BOB)
        for table, column in listeners.PERSONAL_COLUMNS:
            query = f"SELECT count(*) FROM {table} WHERE {column} = ?"  # noqa: S608 - constants
            assert await tx.value(query, (ALICE,)) > 0, (table, column)


async def test_export_holds_everything_and_is_json(db):
    async with db.transaction() as tx:
        await fill(tx, ALICE, BOB)
    async with db.reading() as tx:
        held = await listeners.export(tx, ALICE)
        here = await listeners.export(tx, ALICE, GUILD)
        elsewhere = await listeners.export(tx, ALICE, GuildId(1))
    assert json.loads(json.dumps(held)) == held
    assert {**here, "guild_id": None} == held
    counts = {name: len(rows) for name, rows in held.items() if isinstance(rows, list)}
    assert counts == {
        "consents": 1,
        "votes": 3,
        "duel_votes": 2,
        "duels_started": 2,
        "tastes": 1,
        "debts": 2,
        "predictions": 1,
        "kept": 1,
        "mood_panels": 1,
        "chat_turns": 1,
        "tuned": 1,
        "targets": 2,
        "runs_started": 2,
        "private_runs": 1,
        "private_generations": 1,
        "private_candidates": 4,
        "private_clips": 4,
        "private_judgements": 1,
        "private_posts": 2,
    }
    assert held["listener_id"] == str(ALICE)
    assert held["consents"] == [{"guild_id": str(GUILD), "consent": "taste"}]
    assert held["votes"][0]["rating"] == 0.5
    assert held["votes"][0]["prompt"] == "slow lofi number 1"
    assert held["tastes"][0]["payload"] == "AHBvc3Rlcmlvcg=="
    assert held["private_runs"][0]["settings"]["candidates"] == 12
    assert str(BOB) not in json.dumps(held)
    assert all(rows == [] for rows in elsewhere.values() if isinstance(rows, list))


async def test_erasure_leaves_no_trace_and_touches_nobody_else(db):
    async with db.transaction() as tx:
        await fill(tx, ALICE, BOB)
        bob_before = await listeners.export(tx, BOB)
        erased = await listeners.erase(tx, ALICE)
    async with db.reading() as tx:
        assert str(ALICE) not in await everything(tx)
        held = await listeners.export(tx, ALICE)
        assert await listeners.export(tx, BOB) == {
            **bob_before,
            "runs_started": [{**bob_before["runs_started"][0], "parent_clip_id": None}],
        }
        shared = await runs.run_in_channel(tx, CHANNEL)
        assert (shared.started_by, shared.state) == (0, RunState.ACTIVE)
        assert len(await clips.clips_of_run(tx, shared.id)) == 5
        assert await tastes.latest_prior(tx, GUILD) is None
    assert all(rows == [] for rows in held.values() if isinstance(rows, list))
    assert erased.guilds == (GUILD,)
    assert erased.rewards == (GUILD,)
    assert len(erased.runs) == 1
    assert len(erased.audio) == 4
    assert erased.counts == {
        "private_runs": 1,
        "private_clips": 4,
        "votes": 4,
        "consents": 1,
        "duel_votes": 1,
        "private_duels": 0,
        "duels_started": 1,
        "rewards": 1,
        "tastes": 1,
        "debts": 1,
        "predictions": 1,
        "kept": 1,
        "mood_panels": 1,
        "chat_turns": 1,
        "tuned": 1,
        "targets": 1,
        "judgements": 1,
        "runs_started": 1,
        "priors": 1,
    }


async def test_what_is_erased_is_not_left_in_the_file(path):
    db = await Database.open(path)
    async with db.transaction() as tx:
        await fill(tx, ALICE, BOB)
        await runs.create_run(
            tx, new_run(channel_id=5, for_listener=ALICE, vibe="a very private vibe")
        )
    assert b"a very private vibe" in _files(path)
    async with db.transaction() as tx:
        await listeners.erase(tx, ALICE)
    await db.close()
    assert b"a very private vibe" not in path.read_bytes()
    assert b"rainy window" in path.read_bytes()


def _files(path):
    return b"".join(item.read_bytes() for item in path.parent.glob("*.db*"))


async def test_erasure_of_one_server_leaves_the_others(db):
    async with db.transaction() as tx:
        await fill(tx, ALICE, BOB)
        far = GuildId(1)
        there = await make_round(tx, guild_id=far, channel_id=1, started_by=ALICE)
        await listeners.set_consent(tx, far, ALICE, Consent.PAUSED)
        await clips.keep_clip(tx, there.clips[0].id, ALICE)
        await runs.save_debts(tx, there.run.id, {ALICE: 1.0})
        before = await listeners.export(tx, ALICE, far)
        erased = await listeners.erase(tx, ALICE, GUILD)
        assert erased.guilds == (GUILD,)
        assert await listeners.export(tx, ALICE, far) == before
        assert await listeners.export(tx, ALICE) == {**before, "guild_id": None}
        again = await listeners.erase(tx, ALICE, GUILD)
        assert set(again.counts.values()) == {0}
        assert (again.guilds, again.runs, again.audio) == ((), (), ())


async def test_audio_that_another_clip_shares_is_not_given_up(db):
    async with db.transaction() as tx:
        private = await make_round(tx, for_listener=ALICE)
        shared = await make_round(tx, channel_id=2)
        await tx.rows(
            "UPDATE clips SET sha256 = ? WHERE id = ?",
            (private.clips[0].sha256, shared.clips[0].id),
        )
        erased = await listeners.erase(tx, ALICE)
        assert sorted(erased.audio) == sorted((one.sha256, "mp3") for one in private.clips[1:])


async def test_consent_is_a_servers_own(db):
    async with db.transaction() as tx:
        assert await listeners.consent(tx, GUILD, ALICE) is Consent.UNASKED
        for value in Consent:
            await listeners.set_consent(tx, GUILD, ALICE, value)
            assert await listeners.consent(tx, GUILD, ALICE) is value
        assert await listeners.consent(tx, GuildId(1), ALICE) is Consent.UNASKED
        await listeners.set_consent(tx, GUILD, BOB, Consent.TASTE)
        assert await listeners.consenting(tx, GUILD) == {BOB}
        assert await listeners.consenting(tx, GUILD, Consent.PAUSED) == {ALICE}


@pytest.mark.parametrize("listener", [ListenerId(0), ListenerId(5)])
async def test_strangers_have_nothing(db, listener):
    async with db.transaction() as tx:
        await fill(tx, ALICE, BOB)
        before = await everything(tx)
        assert set((await listeners.erase(tx, listener)).counts.values()) == {0}
        assert await everything(tx) == before
        assert await votes.votes_of_listener(tx, GUILD, listener) == []
