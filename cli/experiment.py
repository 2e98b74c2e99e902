"""``experiment``: compare searchers, listeners and fitness modes without people, from a file (docs/experiments.md)."""

from __future__ import annotations

import argparse
import asyncio
from pathlib import Path

from domain.errors import UsageError


def add_to(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command."""
    command = commands.add_parser(
        "experiment",
        help="run an experiment with synthetic listeners",
        description="Runs every condition of the file with every seed and writes tables, a summary and pictures. "
        "What was done before is kept, so a stopped experiment goes on.",
    )
    command.add_argument(
        "file", metavar="FILE", help="YAML file, or table1, table2, table3 or table4"
    )
    command.add_argument(
        "--out", type=Path, metavar="DIR", help="where results go (default: experiments under data)"
    )
    command.add_argument("--seeds", type=int, metavar="N", help="runs of each condition")
    command.add_argument("--workers", type=int, metavar="N", help="processes (default: the cores)")
    command.add_argument(
        "--quick", action="store_true", help="few rounds, clips and seeds: only to see that it runs"
    )


def run(args: argparse.Namespace) -> int:
    """Run it.

    Raises:
        UsageError: A number is out of range.
        ConfigError: The file is not there or says what cannot be.
        UserError: A run failed.
    """
    for name in ("seeds", "workers"):
        if getattr(args, name) is not None and getattr(args, name) < 1:
            raise UsageError(f"--{name} must be at least 1.")
    from experiments.models import check  # noqa: PLC0415 - nothing else needs experiments
    from experiments.reporting import report  # noqa: PLC0415
    from experiments.running import jobs, processes, run_all  # noqa: PLC0415
    from experiments.spec import load  # noqa: PLC0415
    from service.settings import load as load_settings  # noqa: PLC0415

    settings = load_settings(args.config)
    experiment = load(args.file)
    if args.seeds is not None:
        experiment = experiment.model_copy(update={"seeds": args.seeds})
    if args.quick:
        experiment = experiment.quick()
    asyncio.run(check(experiment, settings))
    ending = "-quick" if args.quick else ""
    folder = args.out or settings.storage.data_dir / "experiments" / (experiment.name + ending)
    folder.mkdir(parents=True, exist_ok=True)
    found = run_all(
        jobs(experiment, folder, settings),
        workers=processes(experiment, args.workers),
        say=lambda line: print(line, flush=True),
    )
    for line in report(experiment, found, folder):
        print(line)
    return 0
