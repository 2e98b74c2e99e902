"""kill -9 in the middle of writing loses nothing that was confirmed."""

import subprocess
import sys
from pathlib import Path

import pytest

from domain.ids import ClipId, ListenerId
from domain.vote import VoteSource
from storage import votes
from storage.database import Database

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("rounds", [(1, 60, 700)])
async def test_confirmed_votes_survive_a_kill(path, rounds):
    for turn, receipts in enumerate(rounds, start=1):
        confirmed = _vote_until_killed(path, turn * 10_000_000, receipts)
        assert len(confirmed) >= min(receipts, 40)
        database = await Database.open(path)
        assert await database.integrity() == []
        async with database.reading() as tx:
            for (clip, listener), event in confirmed.items():
                stored = await votes.stored(
                    tx, ClipId(clip), ListenerId(listener), VoteSource.BUTTON
                )
                assert stored is not None
                assert stored.event_id >= event
        await database.close()


def _vote_until_killed(path: Path, start: int, receipts: int) -> dict[tuple[int, int], int]:
    """Let a crowd vote, kill it after some receipts, and return the last one of each person."""
    command = [sys.executable, "-m", "tests.storage.crowd", str(path), str(start)]
    confirmed: dict[tuple[int, int], int] = {}
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as crowd:
        lines = [crowd.stdout.readline() for _ in range(receipts)]
        crowd.kill()
        lines += crowd.stdout.readlines()
    for line in lines:
        if line.endswith("\n"):
            clip, listener, event = map(int, line.split())
            confirmed[clip, listener] = event
    return confirmed
