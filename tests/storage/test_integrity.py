"""Each invariant is really checked: break it and a sentence appears."""

import sqlite3

import pytest

from storage.database import Database
from tests.storage.samples import ALICE, BOB, fill

BREAKAGES = {
    "without a message": "DELETE FROM posts WHERE kind = 'round' AND run_id = 1",
    "no clip in any slot": "UPDATE clips SET posted_slot = NULL WHERE run_id = 1",
    "more than one round open": "UPDATE generations SET state = 'open' WHERE run_id = 1",
    "stopped run": "UPDATE runs SET state = 'stopped' WHERE id = 1",
    "another round than the candidate": "UPDATE clips SET generation = 2 WHERE id = 2",
    "no embedding": "DELETE FROM embeddings WHERE clip_id = 3",
    "different sizes": "UPDATE embeddings SET vector = x'00000000' WHERE clip_id = 3",
    "another server": "UPDATE votes SET guild_id = 5 WHERE listener_id = 123456789098765432",
    "points to a row of candidates": "DELETE FROM candidates WHERE id = 1",
}


@pytest.fixture
async def filled(path):
    database = await Database.open(path)
    async with database.transaction() as tx:
        await fill(tx, ALICE, BOB)
    assert await database.integrity() == []
    await database.close()
    return path


@pytest.mark.parametrize("sentence", BREAKAGES)
async def test_a_broken_invariant_is_told(filled, sentence):
    raw = sqlite3.connect(filled)
    raw.execute(BREAKAGES[sentence])
    raw.commit()
    raw.close()
    database = await Database.open(filled)
    problems = await database.integrity()
    await database.close()
    assert any(sentence in problem for problem in problems), problems
    assert all(problem.endswith(".") for problem in problems)
