"""Writes what came of an experiment: a table of all clips, a summary, pictures where matplotlib is installed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from experiments.plots import can_plot, draw
from experiments.records import Run, write_json, write_table
from experiments.spec import Experiment
from experiments.summary import of_condition, table
from experiments.tracking import track

NO_PICTURES = (
    "No pictures: matplotlib is not installed. pip install 'tunebreeder[experiments]' brings it."
)


def report(experiment: Experiment, found: Mapping[str, Sequence[Run]], folder: Path) -> list[str]:
    """Write everything into ``folder`` and return the lines to show."""
    summary = {name: of_condition(runs) for name, runs in found.items()}
    clips = write_table(
        [row for runs in found.values() for run in runs for row in run.rows], folder, "clips"
    )
    shown = table(experiment, summary)
    write_json(
        {"experiment": experiment.model_dump(mode="json"), "conditions": summary},
        folder / "summary.json",
    )
    lines = [shown.text(), "", f"Clips: {clips}", f"Summary: {folder / 'summary.json'}"]
    if can_plot():
        pictures, layout = draw(found, summary, folder)
        lines.append(f"Pictures: {', '.join(str(one) for one in pictures)} (map by {layout})")
    else:
        lines.append(NO_PICTURES)
    if experiment.wandb:
        lines.append(track(experiment.name, summary))
    return lines
