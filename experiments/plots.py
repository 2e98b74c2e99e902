"""Pictures of an experiment; needs matplotlib (extra ``experiments``).

Fitness by generation, true against estimated liking, and a map of clips and listeners by what they sound like.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from experiments.records import Run

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MOST_CLIPS = 400
"""Clips on a map, evenly drawn; t-SNE of more takes minutes."""
Doubles = NDArray[np.float64]


def can_plot() -> bool:
    """Say whether matplotlib is there."""
    return importlib.util.find_spec("matplotlib") is not None


def draw(
    found: Mapping[str, Sequence[Run]], summary: Mapping[str, Any], folder: Path
) -> tuple[list[Path], str]:
    """Write the pictures.

    Args:
        found: Runs by condition.
        summary: Figures by condition, see ``experiments.summary.of_condition``.
        folder: Where they go.

    Returns:
        The files, and how the map was laid out: ``"t-SNE"`` or ``"PCA"``.
    """
    layout = "t-SNE" if importlib.util.find_spec("sklearn") is not None else "PCA"
    files = [
        _picture(folder / "course.png", found, lambda axes, name: _fitness(axes, summary[name])),
        _picture(folder / "estimate.png", found, lambda axes, name: _estimate(axes, found[name])),
        _picture(folder / "map.png", found, lambda axes, name: _map(axes, found[name], layout)),
    ]
    return files, layout


def _picture(file: Path, found: Mapping[str, Sequence[Run]], paint: Any) -> Path:
    """Write one picture with a field for each condition."""
    from matplotlib.figure import Figure  # noqa: PLC0415 - an extra

    columns = min(3, len(found))
    rows = -(-len(found) // columns)
    figure = Figure(figsize=(4.6 * columns, 3.6 * rows), layout="constrained")
    fields = np.atleast_1d(figure.subplots(rows, columns, squeeze=False)).ravel()
    for axes, name in zip(fields, found, strict=False):
        paint(axes, name)
        axes.set_title(name, fontsize=10)
    for axes in fields[len(found) :]:
        axes.set_axis_off()
    figure.savefig(file, dpi=110)
    return file


def _fitness(axes: Axes, figures: Mapping[str, Any]) -> None:
    for measure, style in (("liked", "-"), ("estimated", ":")):
        for name, colour in (("best", "tab:green"), ("mean", "tab:blue"), ("median", "tab:orange")):
            course = figures[measure]["course"][name]
            label = f"{name}, {'true' if measure == 'liked' else 'estimated'}"
            axes.plot(range(1, len(course) + 1), course, style, color=colour, label=label)
    axes.set(xlabel="generation", ylabel="liking", ylim=(0, 1))
    axes.legend(fontsize=6)


def _estimate(axes: Axes, runs: Sequence[Run]) -> None:
    rows = [row for run in runs for row in run.rows]
    colours = [row.generation for row in rows]
    axes.scatter(
        [row.estimated for row in rows], [row.liked for row in rows], s=8, c=colours, alpha=0.6
    )
    axes.plot([0, 1], [0, 1], color="0.6", linewidth=0.8)
    axes.set(xlabel="estimated liking", ylabel="true liking", xlim=(0, 1), ylim=(0, 1))


def _map(axes: Axes, runs: Sequence[Run], layout: str) -> None:
    """Draw clips by how they are liked, and listeners where their taste lies (what does not matter to them is 0)."""
    run = runs[0]
    step = max(1, -(-len(run.rows) // MOST_CLIPS))
    rows, heard = run.rows[::step], run.heard[::step]
    listeners = [one["centre"] for one in run.listeners if one["centre"] is not None]
    places = project(np.array([*heard, *listeners]), layout)
    clips, people = places[: len(rows)], places[len(rows) :]
    axes.scatter(clips[:, 0], clips[:, 1], s=10, c=[row.liked for row in rows], vmin=0, vmax=1)
    axes.scatter(people[:, 0], people[:, 1], s=60, marker="*", c="tab:red")
    axes.set(xlabel=f"{layout} of seed 0; stars are listeners", xticks=[], yticks=[])


def project(points: Doubles, layout: str) -> Doubles:
    """Lay points (n, p) out in the plane, (n, 2), by ``"t-SNE"`` or ``"PCA"``; the same each time."""
    if layout == "t-SNE" and len(points) > 5:
        from sklearn.manifold import TSNE  # noqa: PLC0415 - an extra

        perplexity = min(15.0, (len(points) - 1) / 3)
        model = TSNE(n_components=2, perplexity=perplexity, init="pca", random_state=0)
        return np.asarray(model.fit_transform(points), dtype=np.float64)
    centred = points - points.mean(axis=0)
    _, _, axes = np.linalg.svd(centred, full_matrices=False)
    return np.asarray(centred @ axes[:2].T)
