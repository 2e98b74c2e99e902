"""The benchmarks by name."""

from __future__ import annotations

import asyncio
import importlib
from pathlib import Path

from bench.report import Report, write_json
from domain.errors import UsageError

NAMES = ("personalisation", "latency", "throughput")


def run_bench(name: str, *, quick: bool = False, json_file: Path | None = None) -> int:
    """Run one benchmark or all, print the tables and return 1 where a bar is missed.

    Raises:
        UsageError: There is no such benchmark.
    """
    chosen = NAMES if name == "all" else (name,)
    if not set(chosen) <= set(NAMES):
        raise UsageError(f"There is no benchmark {name}. There are: {', '.join(NAMES)}, all.")
    reports: list[Report] = []
    for one in chosen:
        report: Report = asyncio.run(importlib.import_module(f"bench.{one}").measure(quick=quick))
        print(report.text(), end="\n\n", flush=True)
        reports.append(report)
    if json_file is not None:
        write_json(reports, json_file)
    return int(not all(report.passed for report in reports))
