"""A step as one CUDA graph: hundreds of kernels for the price of one launch."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch

from generation.musicgen.loop import Batch
from generation.musicgen.shapes import WINDOWS

WARM = 3
"""Steps run before a capture, so that libraries have set themselves up."""
AHEAD = 8
"""Steps between two looks at how far the device is."""
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


class Pace:
    """Lets the host be at most twice ``AHEAD`` steps ahead of the device, which never waits for it.

    Else a whole batch would be ordered in a moment: what is told of its steps would be untrue, and stopping it late.
    """

    def __init__(self, mark: Callable[[], Any] = torch.cuda.Event) -> None:
        self._mark = mark
        self._steps = 0
        self._last: Any = None

    def step(self) -> None:
        """Note that a step was ordered, and wait where it is too far ahead."""
        self._steps += 1
        if self._steps % AHEAD:
            return
        mark = self._mark()
        mark.record()
        if self._last is not None:
            self._last.synchronize()
        self._last = mark
