"""``progress``: whether the bot beats chance in each server, read from the database while the bot runs."""

from __future__ import annotations

import argparse
import asyncio
import json
from dataclasses import asdict

from bot.words_proof import percent, progress_lines
from cli.database import database_file
from domain.errors import UsageError
from service.progress import ProgressView
from service.top import ServerProgress, every_server
from storage.database import Database

BAR = 30
"""Characters of a like rate of 1."""


def add_to(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command."""
    command = commands.add_parser(
        "progress", help="say whether the bot beats chance in each server", description=__doc__
    )
    command.add_argument(
        "--server", type=int, metavar="ID", help="only this server (default: all of them)"
    )
    command.add_argument("--json", action="store_true", help="print the figures as JSON")


def run(args: argparse.Namespace) -> int:
    """Print what the votes say."""
    found = asyncio.run(_read(args))
    if args.server is not None:
        found = [one for one in found if one.guild_id == args.server]
        if not found:
            raise UsageError(f"Nothing was posted in a server {args.server}.")
    if args.json:
        figures = [{"server": str(one.guild_id), **asdict(one.progress)} for one in found]
        print(json.dumps(figures, ensure_ascii=False, indent=2))
    elif not found:
        print("No round was posted yet: start one with /evolve start, and vote.")
    else:
        for one in found:
            print("\n".join(_page(one)))
    return 0


async def _read(args: argparse.Namespace) -> list[ServerProgress]:
    db = await Database.open(database_file(args.config), read_only=True)
    try:
        return await every_server(db)
    finally:
        await db.close()


def _page(one: ServerProgress) -> list[str]:
    name = f"Server {one.guild_id}" if one.guild_id else "Direct messages"
    return [name, *(f"  {line}" for line in progress_lines(one.progress)), *_tables(one.progress)]


def _tables(view: ProgressView) -> list[str]:
    lines = ["", "  liked, by why a clip was posted"]
    lines += [
        f"    {role:<10} {_row(percent(rate), rate.count)}" for role, rate in view.roles.items()
    ]
    lines += ["", "  liked, by round"]
    lines += [
        f"    {number:>4} {'█' * round(BAR * rate.value):<{BAR}} {_row(percent(rate), rate.count)}"
        for number, rate in view.by_round
    ]
    if view.calibration is not None:
        lines += ["", "  foretold and liked"]
        lines += [
            f"    {one.foretold:>4.0%} {_row(percent(one.actual), one.actual.count)}"
            for one in view.calibration.bins
        ]
    return [*lines, ""]


def _row(rate: str, votes: int) -> str:
    return f"{rate:<16} {votes:>6} votes"
