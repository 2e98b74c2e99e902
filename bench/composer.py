"""(d) The composer: does it play what was asked, can genres be told apart, is it music, what does it cost?

Every part stands in a module of its own; this one runs them and prints one table. ``python -m bench.composer NAME``
runs a part alone.
"""

from __future__ import annotations

import importlib
import platform
import sys
import time
from collections.abc import Sequence
from typing import Protocol, cast

import numpy as np
import scipy

from bench.composer_part import Part, Studio
from bench.report import Bar, Report

PARTS = ("fidelity", "hearing", "variety", "sanity", "mutation", "controls", "cost")
"""Each is ``bench.composer_<name>``."""


class _Module(Protocol):
    async def run(self, studio: Studio, *, quick: bool, clips: int | None = None) -> Part:
        """Measure."""
        ...


async def measure(
    *, quick: bool = False, seeds: int | None = None, parts: Sequence[str] = PARTS
) -> Report:
    """Measure everything.

    Args:
        quick: Fewer clips, under two minutes.
        seeds: Clips for each family where a part lets that be chosen.
        parts: Which of ``PARTS``.
    """
    report = Report(
        name="composer: the built-in composer", header=["measure", "ours", "baseline", "asked"]
    )
    studio = Studio()
    for name in parts:
        began = time.process_time()
        module = cast(_Module, importlib.import_module(f"bench.composer_{name}"))
        part = await module.run(studio, quick=quick, clips=seeds)
        _take(report, name, part)
        took = time.process_time() - began
        report.figures[name]["cpu_seconds"] = round(took, 1)
        print(f"{name}: {took:.0f} CPU s", file=sys.stderr, flush=True)
    report.figures["versions"] = {
        "composer": studio.composer.info.version,
        "numpy": np.__version__,
        "scipy": scipy.__version__,
        "processor": platform.processor() or platform.machine(),
    }
    return report


def _take(report: Report, name: str, part: Part) -> None:
    for finding in part.findings:
        report.rows.append([finding.what, finding.ours, finding.baseline, finding.asked])
        if finding.met is not None:
            report.bars.append(
                Bar(name=finding.what, value=finding.ours, asked=finding.asked, met=finding.met)
            )
    report.figures[name] = dict(part.figures)
    report.notes += [f"{name}: {note}" for note in part.notes]


def main() -> int:
    """Run the parts that the command line names."""
    import asyncio  # noqa: PLC0415

    names = [word for word in sys.argv[1:] if not word.startswith("-")] or list(PARTS)
    report = asyncio.run(measure(quick="--quick" in sys.argv, parts=names))
    print(report.text())
    return int(not report.passed)


if __name__ == "__main__":
    sys.exit(main())
