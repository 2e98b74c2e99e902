"""A step as one CUDA graph: hundreds of kernels for the price of one launch."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch

from generation.musicgen.loop import Batch
from generation.musicgen.shapes import WINDOWS

WARM = 3
"""Steps run before a capture, so that libraries have set themselves up."""
Work = Callable[[], object]


def captured(step: Work, reset: Work) -> Work:
    """Run a step a few times, ``reset`` before each, and record it; returns what runs it from then on."""
    aside: Any = torch.cuda.Stream()  # type: ignore[no-untyped-call]
    aside.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(aside):
        for _ in range(WARM):
            reset()
            step()
        reset()
    torch.cuda.current_stream().wait_stream(aside)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        step()
    return graph.replay


def run(batch: Batch, number: int, capture: Callable[[Work, Work], Work] = captured) -> None:
    """Run step ``number`` of a batch; steps are run in their order.

    It looks back on a whole window; what is not there yet is masked by the number of the step, which the step itself
    counts up. A step is captured once for each window in a place, and serves every batch that comes to lie there.
    Capturing changes nothing: every trial writes the same step, which is then written once more.
    """
    place = batch.place
    sizes = (*(size for size in WINDOWS if size < place.plan.room), place.plan.room)
    window = next(size for size in sizes if size > batch.front + number)
    if window not in place.graphs:
        began = batch.at.clone()
        place.graphs[window] = capture(
            lambda: batch.masked_step(window), lambda: batch.at.copy_(began)
        )
    place.graphs[window]()
