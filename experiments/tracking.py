"""Weights & Biases, for those who want it: off unless the file says so, and only where it is installed."""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Mapping
from typing import Any

MISSING = "wandb is not installed, so nothing is logged: pip install wandb"


def track(name: str, summary: Mapping[str, Any]) -> str:
    """Log the courses of all conditions, one run for each; wandb's own environment variables say where to, if anywhere.

    Args:
        name: The project.
        summary: Figures by condition, see ``experiments.summary.of_condition``.

    Returns:
        A sentence: what was logged, or why nothing was.
    """
    if importlib.util.find_spec("wandb") is None:
        return MISSING
    wandb = importlib.import_module("wandb")
    for condition, figures in summary.items():
        run = wandb.init(project=name, name=condition, reinit="finish_previous")
        for number in range(len(figures["liked"]["course"]["mean"])):
            run.log(
                {
                    f"{measure} {kind}": figures[measure]["course"][kind][number]
                    for measure in ("liked", "estimated")
                    for kind in ("best", "mean", "median")
                },
                step=number + 1,
            )
        run.finish()
    return f"{len(summary)} conditions were logged to the wandb project {name}."
