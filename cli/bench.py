"""``bench``: run a benchmark; it prints a table and what its bars ask, and leaves with 1 where one falls short."""

from __future__ import annotations

import argparse
from pathlib import Path


def add_to(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command."""
    command = commands.add_parser("bench", help="run a benchmark", description=__doc__)
    command.add_argument(
        "name",
        metavar="NAME",
        help="personalisation, latency, throughput, faults, composer, searchers, search, taste, silence, reward, "
        "scoring, likeness, musicgen, aligner, all, or sound (docs/sound.md)",
    )
    command.add_argument("--quick", action="store_true", help="fewer seeds and rounds")
    command.add_argument(
        "--seeds",
        type=int,
        metavar="N",
        help="clips for each family (composer), listeners (searchers, search)",
    )
    command.add_argument("--json", type=Path, metavar="FILE", help="also write the figures as JSON")


def run(args: argparse.Namespace) -> int:
    """Run it."""
    from bench.registry import run_bench  # noqa: PLC0415 - nothing else needs the benches

    return run_bench(args.name, quick=args.quick, seeds=args.seeds, json_file=args.json)
