"""What is kept of a run, and how it becomes tables: a JSON file for each run, Parquet or CSV for all."""

from __future__ import annotations

import csv
import dataclasses
import importlib.util
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One clip of a run.

    Attributes:
        condition: Name of the condition.
        seed: Of the run.
        generation: From 1.
        candidate: Number within the run.
        prompt: What it was made from.
        operator: What bred it.
        parents: Numbers of its parents, joined by spaces.
        family: Genre family that was played.
        liked: How the listeners truly like it, in [0, 1].
        estimated: What the searcher is told of it after its round; the same scale.
        quality: What the gate says, in [0, 1].
        posted: Whether the listeners heard it.
    """

    condition: str
    seed: int
    generation: int
    candidate: int
    prompt: str
    operator: str
    parents: str
    family: str
    liked: float
    estimated: float
    quality: float
    posted: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """Everything of one run.

    Attributes:
        fingerprint: See ``Experiment.fingerprint``.
        rows: Its clips in order.
        heard: Heard properties of each, in standard deviations, (clips, properties).
        listeners: Kind, name, what they love in words, and the centre of their taste where it has one.
        notes: What stood in for what.
    """

    fingerprint: str
    rows: list[Row]
    heard: list[list[float]]
    listeners: list[dict[str, Any]]
    notes: list[str]


FIELDS = tuple(field.name for field in dataclasses.fields(Row))


def save(run: Run, file: Path) -> None:
    """Write a run at once, so that a file that is there is a whole one."""
    file.parent.mkdir(parents=True, exist_ok=True)
    part = file.with_suffix(".part")
    part.write_text(json.dumps(dataclasses.asdict(run)) + "\n", encoding="utf-8")
    part.replace(file)


def read(file: Path, fingerprint: str) -> Run | None:
    """Return a kept run, or ``None`` where there is none, or one of other settings."""
    try:
        data = json.loads(file.read_text(encoding="utf-8"))
        if data["fingerprint"] != fingerprint:
            return None
        return Run(**{**data, "rows": [Row(**row) for row in data["rows"]]})
    except (OSError, ValueError, KeyError, TypeError):
        return None


def write_table(rows: Sequence[Row], folder: Path, name: str) -> Path:
    """Write rows as Parquet where pyarrow is installed, else as CSV; the other kind of an earlier time is removed."""
    folder.mkdir(parents=True, exist_ok=True)
    packed, plain = folder / f"{name}.parquet", folder / f"{name}.csv"
    if importlib.util.find_spec("pyarrow") is not None:
        from pyarrow import Table, parquet  # noqa: PLC0415 - an extra

        columns = {field: [getattr(row, field) for row in rows] for field in FIELDS}
        parquet.write_table(Table.from_pydict(columns), packed)
        plain.unlink(missing_ok=True)
        return packed
    with plain.open("w", encoding="utf-8", newline="") as out:
        writer = csv.writer(out)
        writer.writerow(FIELDS)
        writer.writerows([getattr(row, field) for field in FIELDS] for row in rows)
    packed.unlink(missing_ok=True)
    return plain


def write_json(values: Mapping[str, Any], file: Path) -> None:
    """Write a summary."""
    file.write_text(json.dumps(values, indent=2) + "\n", encoding="utf-8")
