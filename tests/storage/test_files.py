"""The audio store: complete files or none."""

import errno
import hashlib
import os
import subprocess
from pathlib import Path

import pytest

from domain.errors import CorruptError, DiskFullError, StorageError
from domain.vote import VoteSource
from storage import files, votes
from storage.database import Database
from storage.files import AudioStore
from tests.storage.samples import make_round, vote


@pytest.fixture
def store(tmp_path: Path) -> AudioStore:
    return AudioStore(tmp_path / "audio")


def all_files(store: AudioStore) -> list[Path]:
    return [item for item in store.root.rglob("*") if item.is_file()]


def test_what_was_put_can_be_read_and_lies_once(store):
    data = b"\x00music" * 1000
    sha256 = store.put(data, "mp3")
    assert sha256 == hashlib.sha256(data).hexdigest()
    assert store.put(data, "mp3") == sha256
    assert store.read(sha256, "mp3", verify=True) == data
    assert all_files(store) == [store.path(sha256, "mp3")]
    assert store.path(sha256, "mp3").relative_to(store.root).parts[:2] == (sha256[:2], sha256[2:4])


def test_what_is_gone_is_told_in_a_sentence(store):
    with pytest.raises(StorageError, match="not kept any more"):
        store.read("0" * 64, "mp3")


@pytest.mark.parametrize(
    ("sha256", "extension"),
    [("../../etc", "mp3"), ("A" * 64, "mp3"), ("0" * 63, "mp3"), ("0" * 64, "../x"), ("", "")],
)
def test_names_that_are_none_of_ours_are_refused(store, sha256, extension):
    with pytest.raises(StorageError, match="none of ours"):
        store.path(sha256, extension)


def test_damage_is_noticed_when_asked_and_mended_by_putting_again(store):
    sha256 = store.put(b"right", "mp3")
    store.path(sha256, "mp3").write_bytes(b"wrong")
    assert store.read(sha256, "mp3") == b"wrong"
    with pytest.raises(CorruptError, match="damaged"):
        store.read(sha256, "mp3", verify=True)
    store.path(sha256, "mp3").write_bytes(b"cut")
    store.put(b"right", "mp3")
    assert store.read(sha256, "mp3", verify=True) == b"right"


@pytest.mark.parametrize(
    ("number", "kind"),
    [
        (errno.ENOSPC, DiskFullError),
        (errno.EDQUOT, DiskFullError),
        (errno.EIO, StorageError),
    ],
)
def test_a_write_that_fails_leaves_nothing_behind(store, monkeypatch, number, kind):
    def fail(descriptor):
        raise OSError(number, os.strerror(number))

    kept = store.put(b"before", "mp3")
    monkeypatch.setattr(files.os, "fsync", fail)
    with pytest.raises(kind) as caught:
        store.put(b"too much", "mp3")
    assert type(caught.value) is kind
    assert str(store.root) in str(caught.value)
    monkeypatch.undo()
    assert all_files(store) == [store.path(kept, "mp3")]
    store.put(b"too much", "mp3")


def test_a_folder_that_cannot_be_made_is_told(tmp_path):
    (tmp_path / "audio").write_text("a file in the way")
    with pytest.raises(StorageError, match="audio"):
        AudioStore(tmp_path / "audio").put(b"x", "mp3")


def test_sweeping_frees_what_nobody_needs(store):
    kept, unknown, young = (store.put(data, "mp3") for data in (b"kept", b"unknown", b"young!"))
    for sha256 in (kept, unknown):
        os.utime(store.path(sha256, "mp3"), (1000, 1000))
    leftover = store.path(unknown, "mp3").with_name("half.mp3.123.part")
    leftover.write_bytes(b"half")
    os.utime(leftover, (1000, 1000))
    assert store.sweep({kept}, older_than=2000.0) == len(b"unknown") + len(b"half")
    assert sorted(all_files(store)) == sorted([store.path(kept, "mp3"), store.path(young, "mp3")])
    assert store.sweep({kept}, older_than=2000.0) == 0
    assert AudioStore(store.root / "nothing").sweep(set(), older_than=9e12) == 0


def test_a_file_that_is_put_again_counts_as_young(store):
    sha256 = store.put(b"again", "mp3")
    os.utime(store.path(sha256, "mp3"), (1000, 1000))
    store.put(b"again", "mp3")
    assert store.sweep(set(), older_than=2000.0) == 0
    assert store.delete(sha256, "mp3") == 5
    assert store.delete(sha256, "mp3") == 0


@pytest.fixture
def tiny_disk(tmp_path: Path):
    """A disk of 2 MB; mounting one takes rights that not every test machine gives."""
    folder = tmp_path / "tiny"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", str(folder)]
    try:
        done = subprocess.run(mount, capture_output=True, check=False)
    except FileNotFoundError:
        pytest.skip("no mount command")
    if done.returncode:
        pytest.skip("may not mount a file system")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)  # noqa: S607 - constant


async def test_a_disk_that_is_really_full(tiny_disk):
    database = await Database.open(tiny_disk / "t.db")
    async with database.transaction() as tx:
        clip = (await make_round(tx)).clips[0].id
    writer = votes.VoteWriter(database)
    await writer.record([vote(clip, 1)])
    store = AudioStore(tiny_disk / "audio")
    first = store.put(b"1" * 100_000, "mp3")
    ballast = tiny_disk / "ballast"
    with pytest.raises(OSError, match="space"):
        ballast.write_bytes(b"x" * 4_000_000)
    with pytest.raises(DiskFullError, match="no room left"):
        store.put(b"2" * 100_000, "mp3")
    assert all_files(store) == [store.path(first, "mp3")]

    async def fill_up() -> None:
        async with database.transaction() as tx:
            for number in range(2, 500):
                await votes.upsert(
                    tx, [vote(clip, number, source=VoteSource.REACTION, symbol="x" * number)]
                )

    with pytest.raises(DiskFullError, match="no room left"):
        await fill_up()
    with pytest.raises(DiskFullError):
        await database.backup(tiny_disk / "backup.db")
    assert not list(tiny_disk.glob("*backup*"))
    ballast.unlink()
    await writer.record([vote(clip, 1000)])
    assert await database.integrity() == []
    async with database.reading() as tx:
        assert [one.event_id for one in await votes.votes_of_clips(tx, [clip])] == [1000]
    await database.close()
