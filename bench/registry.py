"""The benchmarks by name."""

from __future__ import annotations

import asyncio
import importlib
from pathlib import Path
from types import ModuleType

from bench.report import Report, write_json
from domain.errors import UsageError

NAMES = (
    "personalisation",
    "latency",
    "throughput",
    "faults",
    "composer",
    "searchers",
    "taste",
    "silence",
    "search",
    "musicgen",
    "aligner",
    "reward",
    "scoring",
    "likeness",
)
PAGES = {"sound": "bench.show_sound"}
"""What writes a page of the documents rather than measures; not part of ``all``."""
COUNTED = frozenset({"composer", "faults", "search", "searchers", "reward", "silence", "taste"})
"""Benchmarks of which the number of seeds can be chosen."""


def run_bench(
    name: str, *, quick: bool = False, seeds: int | None = None, json_file: Path | None = None
) -> int:
    """Run one benchmark or all, print the tables and return 1 where a bar is missed.

    Args:
        name: One of ``NAMES`` or ``PAGES``, or ``"all"``, which is every one of ``NAMES``.
        quick: Fewer seeds and rounds.
        seeds: How many seeds, for those of ``COUNTED``.
        json_file: Where to write the figures as well.

    Raises:
        UsageError: There is no such benchmark, its seeds cannot be chosen, or a package that it needs is missing.
    """
    chosen = NAMES if name == "all" else (name,)
    if not set(chosen) <= {*NAMES, *PAGES}:
        raise UsageError(
            f"There is no benchmark {name}. There are: {', '.join((*NAMES, *PAGES))}, all."
        )
    if seeds is not None and (not set(chosen) & COUNTED or seeds < 1):
        raise UsageError(f"Seeds, at least one, can be chosen for: {', '.join(sorted(COUNTED))}.")
    reports: list[Report] = []
    for one in chosen:
        module = _module(one)
        options = {"seeds": seeds} if one in COUNTED else {}
        report: Report = asyncio.run(module.measure(quick=quick, **options))
        print(report.text(), end="\n\n", flush=True)
        reports.append(report)
    if json_file is not None:
        write_json(reports, json_file)
    return int(not all(report.passed for report in reports))


def _module(name: str) -> ModuleType:
    try:
        return importlib.import_module(PAGES.get(name, f"bench.{name}"))
    except ModuleNotFoundError as error:
        raise UsageError(
            f"The benchmark {name} needs a package that is not installed: {error.name}."
        ) from None
