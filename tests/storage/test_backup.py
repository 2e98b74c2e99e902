"""Backups are complete, plain files, and never in anybody's way."""

import asyncio
import sqlite3

import pytest

from domain.errors import CorruptError, StorageError
from domain.ids import ListenerId
from storage import votes
from storage.backup import backup
from storage.database import Database
from tests.storage.samples import ALICE, BOB, fill, make_round, vote


async def dump(path) -> list[str]:
    def read() -> list[str]:
        raw = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
        lines = list(raw.iterdump())
        raw.close()
        return lines

    return await asyncio.to_thread(read)


async def test_a_restored_backup_is_the_same_database(db, path, tmp_path):
    async with db.transaction() as tx:
        await fill(tx, ALICE, BOB)
    target = tmp_path / "backups" / "monday.db"
    await db.backup(target)
    assert [item.name for item in target.parent.iterdir()] == ["monday.db"]
    assert await dump(target) == await dump(path)
    restored = await Database.open(target)
    assert await restored.integrity() == []
    await restored.close()
    async with db.transaction() as tx:
        await make_round(tx, channel_id=77)
    await db.backup(target)
    assert await dump(target) == await dump(path)


async def test_a_backup_while_votes_come_in_is_one_moment(db, tmp_path):
    async with db.transaction() as tx:
        clip = (await make_round(tx)).clips[0].id
    writer = votes.VoteWriter(db)

    async def press(number):
        await writer.record(
            [vote(clip, n, listener_id=ListenerId(n)) for n in (2 * number, 2 * number + 1)]
        )

    await asyncio.gather(
        *(press(number) for number in range(1, 300)),
        *(db.backup(tmp_path / f"{number}.db") for number in range(3)),
    )
    for number in range(3):
        copy = await Database.open(tmp_path / f"{number}.db")
        assert await copy.integrity() == []
        async with copy.reading() as tx:
            stored = {one.listener_id for one in await votes.votes_of_clips(tx, [clip])}
        await copy.close()
        assert all(one ^ 1 in stored for one in stored)


async def test_the_live_file_is_never_overwritten(db, path, tmp_path):
    link = tmp_path / "link.db"
    link.symlink_to(path)
    hard = tmp_path / "hard.db"
    hard.hardlink_to(path)
    beside = [path, path.parent / "." / path.name, link, hard]
    for target in [*beside, path.with_name(path.name + "-wal")]:
        with pytest.raises(StorageError, match="database in use"):
            await db.backup(target)
    with pytest.raises(StorageError, match="database in use"):
        await backup(link, path)


async def test_other_files_are_not_overwritten_either(db, tmp_path):
    song = tmp_path / "song.mp3"
    song.write_bytes(b"ID3 my only copy")
    with pytest.raises(StorageError, match="not a backup"):
        await db.backup(song)
    assert song.read_bytes() == b"ID3 my only copy"
    with pytest.raises(StorageError, match="folder"):
        await db.backup(tmp_path)
    with pytest.raises(StorageError, match="no database"):
        await backup(tmp_path / "missing.db", tmp_path / "x.db")
    with pytest.raises(StorageError):
        await db.backup(song / "x.db")


async def test_a_damaged_database_gives_no_backup(path, tmp_path):
    database = await Database.open(path)
    async with database.transaction() as tx:
        await fill(tx, ALICE, BOB)
    await database.close()
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(CorruptError, match="damaged"):
        await backup(path, tmp_path / "copies" / "x.db")
    assert list((tmp_path / "copies").iterdir()) == []
