"""Transactions, snapshots, opening and every way in which that can fail."""

import asyncio
import contextlib
import sqlite3

import pytest

from domain.errors import (
    ClosedError,
    CorruptError,
    DiskFullError,
    MigrationError,
    NotFoundError,
    StorageError,
)
from domain.ids import GuildId, RunId
from storage import guilds, runs
from storage.database import Database
from tests.storage.samples import GUILD, fill, make_round, new_run


async def count(tx) -> int:
    return len(await guilds.guild_ids(tx))


async def test_opening_makes_folders_and_closing_leaves_one_file(path):
    database = await Database.open(path)
    assert database.schema_version >= 1
    async with database.transaction() as tx:
        await guilds.guild_joined(tx, GUILD, 1.0)
    await database.close()
    await database.close()
    assert sorted(item.name for item in path.parent.iterdir()) == [path.name, f"{path.name}.lock"]
    again = await Database.open(path)
    async with again.reading() as tx:
        assert await guilds.guild_ids(tx) == [GUILD]
    await again.close()


async def test_two_hundred_concurrent_transactions_all_succeed(db):
    async def add_one() -> None:
        async with db.transaction() as tx:
            seen = (await guilds.guild_settings(tx, GUILD)).get("n", 0)
            await asyncio.sleep(0)
            await guilds.set_guild_setting(tx, GUILD, "n", seen + 1)

    await asyncio.gather(*(add_one() for _ in range(200)))
    async with db.reading() as tx:
        assert await guilds.guild_settings(tx, GUILD) == {"n": 200}


async def test_an_exception_undoes_the_transaction_and_only_that(db):
    async with db.transaction() as tx:
        await guilds.guild_joined(tx, GuildId(1), 1.0)

    async def fail() -> None:
        async with db.transaction() as tx:
            await guilds.guild_joined(tx, GuildId(2), 1.0)
            raise KeyError

    with pytest.raises(KeyError):
        await fail()
    async with db.transaction() as tx:
        await guilds.guild_joined(tx, GuildId(3), 1.0)
    async with db.reading() as tx:
        assert await guilds.guild_ids(tx) == [1, 3]


async def test_cancellation_at_any_point_leaves_all_or_nothing(db):
    async def write(number: int) -> None:
        async with db.transaction() as tx:
            await guilds.guild_joined(tx, GuildId(2 * number), 1.0)
            await guilds.guild_joined(tx, GuildId(2 * number + 1), 1.0)

    for number in range(40):
        task = asyncio.ensure_future(write(number))
        for _ in range(number % 10):
            await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    await write(1000)
    async with db.reading() as tx:
        found = set(await guilds.guild_ids(tx))
    assert {2000, 2001} <= found
    assert all((guild ^ 1) in found for guild in found)


async def test_a_commit_that_is_cancelled_still_ends_before_the_next_transaction(db):
    inside = asyncio.Event()
    go_on = asyncio.Event()

    async def write() -> None:
        async with db.transaction() as tx:
            await guilds.guild_joined(tx, GUILD, 1.0)
            inside.set()
            await go_on.wait()

    task = asyncio.ensure_future(write())
    await inside.wait()
    go_on.set()
    await asyncio.sleep(0)  # the task is now waiting for its COMMIT
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    async with db.reading() as tx:
        assert await guilds.guild_ids(tx) == [GUILD]


async def test_reads_do_not_wait_for_the_writer_and_see_one_moment(db):
    async with db.transaction() as tx:
        await guilds.guild_joined(tx, GuildId(1), 1.0)
        async with asyncio.timeout(5), db.reading() as reader:
            assert await count(reader) == 0
    async with db.reading() as reader:
        assert await count(reader) == 1
        async with db.transaction() as tx:
            await guilds.guild_joined(tx, GuildId(2), 1.0)
        assert await count(reader) == 1
    async with db.reading() as reader:
        assert await count(reader) == 2


async def test_many_readers_share_few_connections(db):
    async def read() -> int:
        async with db.reading() as tx:
            await asyncio.sleep(0)
            return await count(tx)

    assert await asyncio.gather(*(read() for _ in range(50))) == [0] * 50


async def test_readers_cannot_write(db):
    async with db.reading() as tx:
        with pytest.raises(StorageError):
            await tx.rows("DELETE FROM runs")


async def test_nesting_is_an_error_and_not_a_deadlock(db):
    async with db.transaction():
        with pytest.raises(StorageError, match="inside another"):
            async with db.transaction():
                pass
    async with db.reading():
        with pytest.raises(StorageError, match="inside another"):
            async with db.reading():
                pass


async def test_a_transaction_is_dead_after_its_end(db):
    async with db.transaction() as tx:
        pass
    async with db.reading() as reader:
        pass
    for ended in (tx, reader):
        with pytest.raises(StorageError, match="after its end"):
            await runs.live_runs(ended)


async def test_a_closed_database_says_so(path):
    database = await Database.open(path)
    await database.close()
    with pytest.raises(ClosedError, match="closed"):
        async with database.transaction():
            pass
    with pytest.raises(ClosedError, match="closed"):
        async with database.reading():
            pass


async def test_closing_waits_for_what_is_running(path):
    database = await Database.open(path)
    inside = asyncio.Event()

    async def write() -> None:
        async with database.transaction() as tx:
            inside.set()
            await asyncio.sleep(0)
            await guilds.guild_joined(tx, GUILD, 1.0)

    task = asyncio.ensure_future(write())
    await inside.wait()
    await database.close()
    await task
    again = await Database.open(path)
    async with again.reading() as tx:
        assert await guilds.guild_ids(tx) == [GUILD]
    await again.close()


async def test_readers_that_wait_while_the_database_closes_are_not_forgotten(path):
    database = await Database.open(path)

    async def read() -> list:
        async with database.reading() as tx:
            return await guilds.guild_ids(tx)

    readers = [asyncio.ensure_future(read()) for _ in range(9)]
    await asyncio.sleep(0)
    await database.close()
    async with asyncio.timeout(5):
        answers = await asyncio.gather(*readers, return_exceptions=True)
    assert all(one == [] or isinstance(one, StorageError) for one in answers)
    assert [] in answers


async def test_one_step_is_committed_as_a_whole_or_not_at_all(db):
    async def good(tx) -> int:
        await guilds.guild_joined(tx, GuildId(1), 1.0)
        return await count(tx)

    async def bad(tx) -> None:
        await guilds.guild_joined(tx, GuildId(2), 1.0)
        raise KeyError

    async def lingers(tx) -> None:
        await guilds.guild_joined(tx, GuildId(4), 1.0)
        await _Never()

    assert await db.in_one_step(good) == 1
    with pytest.raises(KeyError):
        await db.in_one_step(bad)
    with pytest.raises(StorageError, match="nothing but its own transaction"):
        await db.in_one_step(lingers)
    async with db.reading() as tx:
        assert await guilds.guild_ids(tx) == [1]


class _Never:
    def __await__(self):
        yield


# What people and damaged requests send -------------------------------------------------------------


async def test_numbers_that_no_id_can_have_are_simply_not_found(db):
    async with db.reading() as tx:
        with pytest.raises(NotFoundError):
            await runs.get_run(tx, RunId(10**30))


async def test_half_a_surrogate_pair_is_stored_as_a_question_mark(db):
    async with db.transaction() as tx:
        run = await runs.create_run(tx, new_run(vibe="night \ud83c drive\x00!"))
        await tx.many("UPDATE runs SET searcher = ?", [("\udfff",)])
        run = await runs.get_run(tx, run.id)
        assert run.vibe == "night ? drive\x00!"
        assert run.searcher == "?"


async def test_what_the_schema_refuses_is_a_storage_error(db):
    with pytest.raises(StorageError, match="refused"):
        async with db.transaction() as tx:
            await runs.save_debts(tx, RunId(99), {1: 0.5})
    with pytest.raises(StorageError, match="JSON"):
        async with db.transaction() as tx:
            await guilds.set_guild_setting(tx, GUILD, "x", float("nan"))


# The file ------------------------------------------------------------------------------------------


async def test_two_bots_on_one_file_get_a_sentence(db, path):
    with pytest.raises(StorageError, match="Another Tunebreeder"):
        await Database.open(path)


async def test_a_failed_opening_lets_go_of_the_lock(path):
    path.parent.mkdir()
    path.write_bytes(b"not a database at all" * 100)
    for _ in range(2):
        with pytest.raises(CorruptError):
            await Database.open(path)
    path.unlink()
    await (await Database.open(path)).close()


async def test_looking_at_a_database_in_use_takes_nothing_from_its_owner(db, path):
    async with db.transaction() as tx:
        await guilds.guild_joined(tx, GUILD, 1.0)
    looking = await Database.open(path, read_only=True)
    async with looking.reading() as tx:
        assert await guilds.guild_ids(tx) == [GUILD]
    assert await looking.integrity() == []
    assert looking.schema_version == db.schema_version
    with pytest.raises(StorageError, match="reading only"):
        async with looking.transaction():
            pass
    await looking.close()
    async with db.transaction() as tx:
        await guilds.guild_left(tx, GUILD, 2.0)


async def test_looking_at_nothing_makes_nothing(path):
    with pytest.raises(StorageError, match="no database"):
        await Database.open(path, read_only=True)
    assert not path.parent.exists()


async def test_a_folder_that_cannot_be_made_is_named(tmp_path):
    (tmp_path / "file").write_text("x")
    with pytest.raises(StorageError, match="file"):
        await Database.open(tmp_path / "file" / "t.db")


async def test_a_folder_in_the_place_of_the_file_is_named(tmp_path):
    (tmp_path / "t.db").mkdir()
    with pytest.raises(StorageError, match=r"t\.db"):
        await Database.open(tmp_path / "t.db")


@pytest.fixture
async def filled(path):
    database = await Database.open(path)
    async with database.transaction() as tx:
        await fill(tx, 1, 2)
    await database.close()
    return path


async def test_every_damaged_page_is_noticed_or_harmless(filled):
    whole = filled.read_bytes()
    sentences = []
    for start in range(0, len(whole), 4096):
        filled.write_bytes(whole[:start] + b"\xa5" * 4096 + whole[start + 4096 :])
        try:
            database = await Database.open(filled)
        except (CorruptError, MigrationError) as error:
            sentences.append(str(error))
        else:
            await database.close()
        for log in filled.parent.glob("*-wal"):
            log.unlink()
    assert len(sentences) > 10
    assert all(str(filled) in one for one in sentences)


async def test_a_cut_off_file_is_corrupt(filled):
    whole = filled.read_bytes()
    filled.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(CorruptError, match=r"damaged.*backup"):
        await Database.open(filled)


async def test_damage_while_running_is_told_as_such(filled):
    database = await Database.open(filled)
    with filled.open("r+b") as file:
        file.seek(4096)
        file.write(b"\xa5" * (filled.stat().st_size - 4096))

    async def read() -> None:
        async with database.reading() as tx:
            await runs.live_runs(tx)
            await guilds.guild_settings(tx, GUILD)

    with pytest.raises(CorruptError):
        await read()
    with pytest.raises(CorruptError):
        await database.integrity()
    with contextlib.suppress(CorruptError):
        await database.close()


async def test_a_newer_schema_is_refused_with_both_names(filled):
    raw = sqlite3.connect(filled)
    raw.execute("INSERT INTO migrations VALUES (9001, 'm9001_from_the_future', 1.0)")
    raw.commit()
    raw.close()
    for read_only in (False, True):
        with pytest.raises(MigrationError, match=r"m9001_from_the_future.*m\d+_") as caught:
            await Database.open(filled, read_only=read_only)
        assert "newer Tunebreeder" in str(caught.value)


async def test_somebody_elses_database_is_left_alone(path):
    path.parent.mkdir()
    raw = sqlite3.connect(path)
    raw.execute("CREATE TABLE bookmarks (url TEXT)")
    raw.commit()
    raw.close()
    with pytest.raises(MigrationError, match="another program"):
        await Database.open(path)
    raw = sqlite3.connect(path)
    assert raw.execute("SELECT name FROM sqlite_schema").fetchall() == [("bookmarks",)]
    raw.close()


async def test_a_lock_of_another_program_is_told(filled):
    raw = sqlite3.connect(filled, isolation_level=None)
    raw.execute("PRAGMA journal_mode = WAL")
    raw.execute("BEGIN IMMEDIATE")
    database = await Database.open(filled)
    await database._writer.pragma("busy_timeout = 20")
    with pytest.raises(StorageError, match="Another program"):
        async with database.transaction() as tx:
            await guilds.guild_joined(tx, GUILD, 1.0)
    raw.execute("ROLLBACK")
    raw.close()
    async with database.transaction() as tx:
        await guilds.guild_joined(tx, GUILD, 1.0)
    await database.close()


async def test_a_full_disk_is_told_and_what_was_confirmed_stays(db):
    async with db.transaction() as tx:
        made = await make_round(tx)
        pages = await tx.value("PRAGMA page_count")
        await tx.rows(f"PRAGMA max_page_count = {pages + 2}")

    async def write_much() -> None:
        async with db.transaction() as tx:
            for number in range(1000):
                await guilds.set_guild_setting(tx, GUILD, f"key {number}", "x" * 1000)

    with pytest.raises(DiskFullError, match="no room left"):
        await write_much()
    async with db.reading() as tx:
        assert await guilds.guild_settings(tx, GUILD) == {}
        assert (await runs.get_run(tx, made.run.id)).vibe == made.run.vibe
    async with db.transaction() as tx:
        await tx.rows("PRAGMA max_page_count = 1000000")
        await guilds.set_guild_setting(tx, GUILD, "key", "x" * 1000)


async def test_nothing_slips_out_of_a_transaction_that_sqlite_gave_up(db):
    async with db.transaction() as tx:
        await make_round(tx)
        pages = await tx.value("PRAGMA page_count")
        await tx.rows(f"PRAGMA max_page_count = {pages}")

    async def carry_on() -> None:
        async with db.transaction() as tx:
            with contextlib.suppress(DiskFullError):
                await guilds.set_guild_setting(tx, GUILD, "big", "x" * 100_000)
            await guilds.set_guild_setting(tx, GUILD, "small", 1)

    with pytest.raises(StorageError, match="given up"):
        await carry_on()
    async with db.reading() as tx:
        assert await guilds.guild_settings(tx, GUILD) == {}
