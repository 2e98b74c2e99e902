"""A step as one CUDA graph: hundreds of kernels for the price of one launch."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from generation.musicgen.loop import Batch
from generation.musicgen.shapes import WINDOWS

WARM = 3
"""Steps run before a capture, so that libraries have set themselves up."""


class Graphs:
    """Steps of one batch, captured once for each window that it comes to.

    A captured step looks back on the whole window; what is not there yet is masked by the number of the step, which the
    graph itself counts up. Capturing changes nothing: what the trial steps wrote is written again.
    """

    def __init__(self, batch: Batch) -> None:
        self._batch = batch
        self._room = int(batch.memory.own.shape[4])
        self._graphs: dict[int, torch.cuda.CUDAGraph] = {}
        self._windows = (*(size for size in WINDOWS if size < self._room), self._room)

    def step(self, number: int) -> None:
        """Run step ``number``; steps are run in their order."""
        window = next(size for size in self._windows if size > self._batch.front + number)
        if window not in self._graphs:
            self._graphs[window] = self._captured(window)
        self._graphs[window].replay()

    def _captured(self, window: int) -> torch.cuda.CUDAGraph:
        batch = self._batch
        began = batch.at.clone()
        places = torch.arange(window, device=batch.at.device)

        def once() -> None:
            seen: Tensor = places <= batch.at + batch.front
            batch.step(window, seen[None, None, None, :])

        aside: Any = torch.cuda.Stream()  # type: ignore[no-untyped-call]
        aside.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(aside):
            for _ in range(WARM):
                batch.at.copy_(began)
                once()
        torch.cuda.current_stream().wait_stream(aside)
        batch.at.copy_(began)
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph):
            once()
        batch.at.copy_(began)  # a capture runs nothing, but stays on the safe side of that
        return graph
