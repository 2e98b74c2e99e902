"""What makes the clips of a run: the composer in this very process, or a model in a process of its own."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import TypeVar

from domain.clip import BUILT_IN
from service.device import DeviceWorker, ProcessWorker, RenderSpec
from service.heavy.opening import open_dispatcher
from service.heavy.worker import HeavyWorker
from service.models.chosen import recipe_of
from service.settings import Settings

T = TypeVar("T")


class HereWorker(ProcessWorker):
    """A ``DeviceWorker`` without processes: one piece of work after the other, off the event loop.

    Each run of an experiment has a process of its own already.
    """

    def __init__(self, spec: RenderSpec) -> None:
        super().__init__(spec, workers=1)
        self._turn = asyncio.Lock()

    async def _call(self, function: Callable[..., T], *args: object) -> T:
        """Run ``function`` here, instead of in a process, when nothing else runs."""
        async with self._turn:
            return await asyncio.to_thread(function, *args)


@asynccontextmanager
async def opened(settings: Settings, generator: str) -> AsyncIterator[DeviceWorker]:
    """Yield what makes clips with a generator: ``"composer"``, ``"remote"``, or a model of the catalogue.

    Raises:
        UserError: There is no such generator, it is not on this machine, or its licence was not agreed to.
    """
    hands = HereWorker(RenderSpec(extension="wav"))
    if generator == BUILT_IN:
        yield hands
        return
    recipe, dispatcher = recipe_of(settings, generator), open_dispatcher(settings)
    try:
        yield HeavyWorker(dispatcher, recipe, hands)
    finally:
        await dispatcher.close()
