"""Where the database is that a command reads, with a word about the playground's where only that is there."""

from __future__ import annotations

from pathlib import Path

from cli.playground import OWN_FOLDER
from domain.errors import StorageError
from service.bootstrap import DATABASE_FILE
from service.settings import load


def database_file(config: Path | None) -> Path:
    """Return the path of the database that the settings name.

    Args:
        config: The settings file of the command line, or ``None``.

    Raises:
        StorageError: It is not there, and the playground's is: says how to read that.
    """
    folder = load(config).storage.data_dir
    file, played = folder / DATABASE_FILE, folder / OWN_FOLDER / DATABASE_FILE
    if not file.exists() and played.exists():
        raise StorageError(
            f"There is no database at {file}: the bot has not been on Discord yet. The playground's is {played}; a "
            f"settings file (--config) with the line storage: {{data_dir: {played.parent}}} reads that."
        )
    return file
