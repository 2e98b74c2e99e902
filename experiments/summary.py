"""What comes of an experiment: best, mean and median of each generation, and a line for each condition."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

import numpy as np

from bench.report import Report, interval
from experiments.records import Row, Run
from experiments.spec import Experiment

MEASURES = ("liked", "estimated")


def courses(rows: Sequence[Row], measure: str) -> dict[str, list[float]]:
    """Return best, mean and median of a measure by generation of one run."""
    by_generation: defaultdict[int, list[float]] = defaultdict(list)
    for row in rows:
        by_generation[row.generation].append(float(getattr(row, measure)))
    ordered = [by_generation[number] for number in sorted(by_generation)]
    return {
        "best": [max(values) for values in ordered],
        "mean": [float(np.mean(values)) for values in ordered],
        "median": [float(np.median(values)) for values in ordered],
    }


def agreement(rows: Sequence[Row]) -> float | None:
    """Return the correlation of what was estimated with what is true; ``None`` where one of them does not vary."""
    true = np.array([row.liked for row in rows])
    told = np.array([row.estimated for row in rows])
    if len(rows) < 3 or true.std() < 1e-9 or told.std() < 1e-9:
        return None
    return float(np.corrcoef(true, told)[0, 1])


def of_condition(runs: Sequence[Run]) -> dict[str, Any]:
    """Return the figures of a condition: means over its runs with 95 % intervals, and the courses."""
    out: dict[str, Any] = {"seeds": len(runs)}
    for measure in MEASURES:
        found = [courses(run.rows, measure) for run in runs]
        figures = {
            "best ever": [max(one["best"]) for one in found],
            "last best": [one["best"][-1] for one in found],
            "last mean": [one["mean"][-1] for one in found],
            "last median": [one["median"][-1] for one in found],
            "first mean": [one["mean"][0] for one in found],
        }
        out[measure] = {name: _figure(values) for name, values in figures.items()}
        out[measure]["course"] = {
            name: np.mean([one[name] for one in found], axis=0).round(4).tolist()
            for name in ("best", "mean", "median")
        }
    told = [value for run in runs if (value := agreement(run.rows)) is not None]
    out["agreement"] = _figure(told) if told else None
    out["notes"] = sorted({note for run in runs for note in run.notes})
    return out


def _figure(values: Sequence[float]) -> dict[str, float | None]:
    found = interval(values)
    bounded = len(values) > 1
    return {
        "mean": round(found.mean, 4),
        "low": round(found.low, 4) if bounded else None,
        "high": round(found.high, 4) if bounded else None,
    }


def table(experiment: Experiment, found: dict[str, dict[str, Any]]) -> Report:
    """Return the summary as a table."""
    report = Report(
        name=f"{experiment.name}: {experiment.title}",
        header=[
            "condition",
            "best ever",
            "last best",
            "last mean",
            "last median",
            "first mean",
            "estimated, last mean",
            "agreement",
        ],
    )
    for name, figures in found.items():
        true, told = figures["liked"], figures["estimated"]
        keys = ("best ever", "last best", "last mean", "last median", "first mean")
        agreed = figures["agreement"]
        report.rows.append(
            [
                name,
                *(_text(true[key]) for key in keys),
                _text(told["last mean"]),
                _text(agreed) if agreed else "-",
            ]
        )
        report.notes += [f"{name}: {note}" for note in figures["notes"]]
    report.notes.append(
        f"True liking from 0 to 1, mean of {experiment.seeds} seeds [95 % interval]; clips of {experiment.seconds:g} s."
    )
    return report


def _text(figure: dict[str, float | None]) -> str:
    if figure["low"] is None:
        return f"{figure['mean']:.2f}"
    return f"{figure['mean']:.2f} [{figure['low']:.2f}, {figure['high']:.2f}]"
