"""``backup``: copy the database to a file while the bot runs."""

from __future__ import annotations

import argparse
import asyncio
from pathlib import Path

from cli.database import database_file
from storage.backup import backup


def add_to(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command."""
    command = commands.add_parser("backup", help="copy the database to a file", description=__doc__)
    command.add_argument("file", type=Path, metavar="FILE", help="where to write the copy")


def run(args: argparse.Namespace) -> int:
    """Copy and say how much."""
    source = database_file(args.config)
    asyncio.run(backup(source, args.file))
    print(f"{args.file}: {args.file.stat().st_size / 1e6:.1f} MB copied from {source}.")
    return 0
