"""Keep a filled database of the newest schema, for the tests that upgrade from it later.

Run from the repository's root after adding a migration: ``python -m tests.storage.make_schema_dump``.
"""

import asyncio
import sqlite3
import tempfile
from pathlib import Path

from storage.database import Database
from storage.migrations import MIGRATIONS, name_of
from tests.storage.samples import ALICE, BOB, fill

FOLDER = Path(__file__).parent / "schemas"


async def _make(path: Path) -> None:
    database = await Database.open(path, clock=lambda: 0.0)
    async with database.transaction() as tx:
        await fill(tx, ALICE, BOB)
    await database.close()


def main() -> None:
    """Write ``schemas/<newest migration>.sql``."""
    target = FOLDER / f"{name_of(MIGRATIONS[-1])}.sql"
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "t.db"
        asyncio.run(_make(path))
        raw = sqlite3.connect(path)
        application = raw.execute("PRAGMA application_id").fetchone()[0]
        lines = [f"PRAGMA application_id = {application};", *raw.iterdump()]
        raw.close()
    FOLDER.mkdir(exist_ok=True)
    target.write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
