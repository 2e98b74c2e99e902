from pathlib import Path

import pytest

from storage.database import Database


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "data" / "tunebreeder.db"


@pytest.fixture
async def db(path: Path):
    database = await Database.open(path)
    yield database
    assert await database.integrity() == []
    await database.close()
