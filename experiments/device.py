"""A device worker that works in this very process: each run of an experiment has a process of its own already."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TypeVar

from service.device import ProcessWorker, RenderSpec

T = TypeVar("T")


class HereWorker(ProcessWorker):
    """A ``DeviceWorker`` without processes: one piece of work after the other, off the event loop."""

    def __init__(self, spec: RenderSpec) -> None:
        super().__init__(spec, workers=1)
        self._turn = asyncio.Lock()

    async def _call(self, function: Callable[..., T], *args: object) -> T:
        """Run ``function`` here, instead of in a process, when nothing else runs."""
        async with self._turn:
            return await asyncio.to_thread(function, *args)
