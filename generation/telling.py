"""Telling that a batch is still being made where steps are far apart: before the first, after the last, within one.

A text encoder, a codec or a step of a large model can take a processor a minute, and who hears nothing for so long
takes the process for hung. What is told is that layers of a network have done their part, not only that a process is
there.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

from torch.nn.modules.module import register_module_forward_hook

from generation.generator import Progress

EVERY = 1.0
"""Seconds between two times that the same step is told, at least."""


class Telling:
    """How far a batch is, told after each step and again while layers work.

    Args:
        progress: Is told; ``Cancelled`` from it ends the batch wherever it is. ``None`` where nobody wants to know.
    """

    def __init__(self, progress: Progress | None) -> None:
        self._progress = progress
        self._far = (0, 1)
        self._told = time.monotonic()

    def step(self, done: int, total: int) -> None:
        """Tell how many steps are done and how many there are."""
        self._far = (done, total)
        self._tell()

    def again(self) -> None:
        """Tell once more how far it is, unless that was told just now."""
        if time.monotonic() - self._told >= EVERY:
            self._tell()

    def _tell(self) -> None:
        self._told = time.monotonic()
        if self._progress is not None:
            self._progress(*self._far)

    @contextmanager
    def while_layers_work(self) -> Iterator[None]:
        """Call ``again`` whenever a layer of any network of PyTorch's has done its part."""
        handle = register_module_forward_hook(lambda *_: self.again())
        try:
            yield
        finally:
            handle.remove()
