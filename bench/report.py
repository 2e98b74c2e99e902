"""Tables, bars and JSON of a benchmark, and the statistics behind them."""

from __future__ import annotations

import json
import math
import os
import platform
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

CONFIDENCE_95 = {
    1: 12.71,
    2: 4.30,
    3: 3.18,
    4: 2.78,
    5: 2.57,
    6: 2.45,
    7: 2.36,
    8: 2.31,
    9: 2.26,
    10: 2.23,
}
"""Student's t for 95 %, by degrees of freedom; beyond ten, 2.23 down to 1.96 is near enough."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Interval:
    """A mean over seeds with its 95 % confidence interval."""

    mean: float
    low: float
    high: float
    seeds: int

    def __str__(self) -> str:
        return f"{self.mean:.3f} [{self.low:.3f}, {self.high:.3f}]"


def interval(values: ArrayLike) -> Interval:
    """Return the mean of one number for each seed, with Student's 95 % interval."""
    found = np.asarray(values, dtype=np.float64)
    mean = float(found.mean())
    if len(found) < 2:
        return Interval(mean=mean, low=-math.inf, high=math.inf, seeds=len(found))
    freedom = len(found) - 1
    wide = (
        CONFIDENCE_95.get(freedom, 1.96 + 2.7 / freedom)
        * float(found.std(ddof=1))
        / math.sqrt(len(found))
    )
    return Interval(mean=mean, low=mean - wide, high=mean + wide, seeds=len(found))


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """What is asked of a figure."""

    name: str
    value: str
    asked: str
    met: bool


@dataclass(slots=True, kw_only=True)
class Report:
    """The outcome of a benchmark."""

    name: str
    header: Sequence[str]
    rows: list[Sequence[str]] = field(default_factory=list)
    bars: list[Bar] = field(default_factory=list)
    figures: dict[str, Any] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    @property
    def passed(self) -> bool:
        """Whether every bar is met."""
        return all(bar.met for bar in self.bars)

    def text(self) -> str:
        """Return the table, the notes and the bars."""
        lines = [f"## {self.name}", "", *_table(self.header, self.rows), ""]
        lines += [f"{note}" for note in self.notes]
        lines += [
            f"{'met   ' if bar.met else 'MISSED'}  {bar.name}: {bar.value} (asked: {bar.asked})"
            for bar in self.bars
        ]
        return "\n".join(lines)

    def as_json(self) -> dict[str, Any]:
        """Return everything, JSON-safe, with the machine it was measured on."""
        return {
            "name": self.name,
            "machine": {
                "python": platform.python_version(),
                "processor": platform.machine(),
                "cores": os.cpu_count(),
            },
            "header": list(self.header),
            "rows": [list(row) for row in self.rows],
            "bars": [asdict(bar) for bar in self.bars],
            "figures": self.figures,
            "notes": self.notes,
        }


def _table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    widths = [
        max(len(str(row[column])) for row in [header, *rows]) for column in range(len(header))
    ]
    rule = "|" + "|".join("-" * (width + 2) for width in widths) + "|"
    return [_line(header, widths), rule, *(_line(row, widths) for row in rows)]


def _line(row: Sequence[str], widths: Sequence[int]) -> str:
    return (
        "| "
        + " | ".join(str(cell).ljust(width) for cell, width in zip(row, widths, strict=True))
        + " |"
    )


def write_json(reports: Sequence[Report], file: Path) -> None:
    """Write reports to a file."""
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(
        json.dumps([report.as_json() for report in reports], indent=2) + "\n", encoding="utf-8"
    )
