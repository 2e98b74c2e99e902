"""Every older schema can be opened, and nothing that was in it is lost."""

import sqlite3
from pathlib import Path

import pytest

from domain.errors import MigrationError, StorageError
from storage import listeners, runs, votes
from storage.database import Database
from storage.migrations import MIGRATIONS, name_of
from tests.storage.make_schema_dump import FOLDER
from tests.storage.samples import ALICE, BOB, CHANNEL, GUILD, fill

NAMES = [name_of(step) for step in MIGRATIONS]


def load(dump: Path, path: Path) -> dict[str, list[dict]]:
    """Make a database from a dump and return its rows by table."""
    path.parent.mkdir(parents=True, exist_ok=True)
    raw = sqlite3.connect(path)
    raw.executescript(dump.read_text(encoding="utf-8"))
    raw.close()
    return rows_of(path)


def rows_of(path: Path) -> dict[str, list[dict]]:
    raw = sqlite3.connect(path)
    raw.row_factory = sqlite3.Row
    tables = [row[0] for row in raw.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")]
    found = {
        table: [dict(row) for row in raw.execute(f"SELECT * FROM {table}")]  # noqa: S608
        for table in tables
        if not table.startswith("sqlite_")
    }
    raw.close()
    return found


def test_migrations_are_numbered_without_gaps():
    assert [int(name[1:4]) for name in NAMES] == list(range(1, len(NAMES) + 1))


def test_a_filled_database_of_every_schema_is_kept():
    assert sorted(item.stem for item in FOLDER.glob("*.sql")) == NAMES


@pytest.mark.parametrize("name", NAMES)
async def test_opening_an_older_schema_keeps_all_rows(path, name):
    before = load(FOLDER / f"{name}.sql", path)
    assert all(before[table] for table in before), "the dump fills every table"
    database = await Database.open(path)
    assert database.schema_version == len(NAMES)
    assert await database.integrity() == []
    async with database.reading() as tx:
        run = await runs.run_in_channel(tx, CHANNEL)
        assert run.started_by == ALICE
        assert len(await votes.votes_of_listener(tx, GUILD, ALICE)) == 3
        assert len((await listeners.export(tx, BOB))["votes"]) == 2
    await database.close()
    after = rows_of(path)
    for table, rows in before.items():
        if table == "migrations":
            assert after[table][: len(rows)] == rows
            continue
        assert len(after[table]) == len(rows), table
        for old, new in zip(rows, after[table], strict=True):
            common = old.keys() & new.keys()
            assert common
            assert {key: new[key] for key in common} == {key: old[key] for key in common}


@pytest.mark.parametrize("name", NAMES)
async def test_an_upgraded_database_has_the_schema_of_a_new_one(path, tmp_path, name):
    load(FOLDER / f"{name}.sql", path)
    await (await Database.open(path)).close()
    await (await Database.open(tmp_path / "new.db")).close()
    assert schema_of(path) == schema_of(tmp_path / "new.db")


def schema_of(path: Path) -> dict[str, str]:
    raw = sqlite3.connect(path)
    found = raw.execute("SELECT name, sql FROM sqlite_schema WHERE sql IS NOT NULL").fetchall()
    raw.close()
    return {name: " ".join(sql.split()) for name, sql in found if not name.startswith("sqlite_")}


async def test_the_record_says_what_was_applied_and_when(path):
    database = await Database.open(path, clock=lambda: 12.5)
    async with database.reading() as tx:
        rows = await tx.rows("SELECT * FROM migrations ORDER BY number")
    await database.close()
    expected = [(number, name, 12.5) for number, name in enumerate(NAMES, start=1)]
    assert [tuple(row) for row in rows] == expected


# The runner, with steps that only exist here --------------------------------------------------------


async def m901_adds_a_column(tx):
    await tx.rows("ALTER TABLE runs ADD COLUMN mood TEXT NOT NULL DEFAULT 'calm'")


async def m902_rebuilds_a_table(tx):
    await tx.rows("CREATE TABLE clips_new AS SELECT * FROM clips")
    await tx.rows("DROP TABLE clips")
    await tx.rows("ALTER TABLE clips_new RENAME TO clips")
    await tx.rows("CREATE UNIQUE INDEX clips_id ON clips (id)")


async def m903_fails_half_way(tx):
    await tx.rows("DELETE FROM votes")
    await tx.rows("ALTER TABLE nothing ADD COLUMN x")


async def m904_leaves_dangling_rows(tx):
    await tx.rows("DELETE FROM runs")


@pytest.fixture
async def filled(path):
    database = await Database.open(path)
    async with database.transaction() as tx:
        await fill(tx, ALICE, BOB)
    await database.close()
    return path


async def test_new_steps_run_in_order_after_a_copy_was_made(filled):
    before = rows_of(filled)
    steps = (*MIGRATIONS, m901_adds_a_column, m902_rebuilds_a_table)
    database = await Database.open(filled, steps=steps)
    assert database.schema_version == len(steps)
    async with database.reading() as tx:
        assert await tx.value("SELECT DISTINCT mood FROM runs") == "calm"
        assert await tx.value("SELECT count(*) FROM clips") == len(before["clips"])
        assert await tx.value("PRAGMA foreign_keys") == 1
    await database.close()
    copy = filled.with_name(f"{filled.name}.before-m901_adds_a_column")
    assert rows_of(copy) == before
    again = await Database.open(filled, steps=steps)
    await again.close()
    with pytest.raises(MigrationError, match=f"m902_rebuilds_a_table.*{NAMES[-1]}"):
        await Database.open(filled)


async def test_a_new_database_needs_no_copy(path):
    await (await Database.open(path, steps=(*MIGRATIONS, m901_adds_a_column))).close()
    assert not list(path.parent.glob("*before*"))


@pytest.mark.parametrize("step", [m903_fails_half_way, m904_leaves_dangling_rows])
async def test_a_step_that_fails_changes_nothing(filled, step):
    before = rows_of(filled)
    with pytest.raises(StorageError, match=r"refused|dangling"):
        await Database.open(filled, steps=(*MIGRATIONS, step))
    assert rows_of(filled) == before
    await (await Database.open(filled)).close()


async def test_looking_at_an_older_schema_says_what_to_do(filled):
    with pytest.raises(MigrationError, match="Start the bot once"):
        await Database.open(filled, read_only=True, steps=(*MIGRATIONS, m901_adds_a_column))
