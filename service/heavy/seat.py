"""The one process that has the device, and what is known of those that had it before."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass

from domain.clip import GeneratorInfo
from generation.frames import Frame, FrameError
from generation.generator import Capabilities
from generation.registry import Recipe
from generation.wire import introduced
from service.generator_state import Readiness
from service.heavy.process import Died, GeneratorProcess, Unable

log = logging.getLogger(__name__)

Launch = Callable[[Recipe], GeneratorProcess]

STARTS = 2
"""Times that a process may die before it says what it is, in a row."""
AGAIN = 30.0
"""Seconds after a generator could not start before it is tried again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Greeting:
    """What a generator says of itself when it is ready."""

    info: GeneratorInfo
    capabilities: Capabilities


class Seat:
    """Starts the process of a generator in place of another one's.

    Args:
        launch: Makes the process of a generator.
        again: See ``AGAIN``.

    Attributes:
        process: That is there now.
        recipe: Whose it is.
        since: When it was ready, by the clock of the loop.
        known: What generators have said of themselves.
        most: Clips that they made at once when they started.
    """

    def __init__(self, launch: Launch, again: float) -> None:
        self._launch = launch
        self._retry = again
        self._starting: Recipe | None = None
        self._trouble: dict[Recipe, tuple[float, str]] = {}
        self.process: GeneratorProcess | None = None
        self.recipe: Recipe | None = None
        self.since = float("-inf")
        self.known: dict[Recipe, Greeting] = {}
        self.most: dict[Recipe, int] = {}

    def readiness(self, recipe: Recipe) -> Readiness:
        """Return whether a generator could make a clip now."""
        if self.process is not None and self.recipe == recipe and self.process.alive:
            return Readiness.READY
        if self._starting == recipe:
            return Readiness.STARTING
        return Readiness.UNABLE if recipe in self._trouble else Readiness.ASLEEP

    def trouble(self, recipe: Recipe) -> str:
        """Return why a generator could not start, or ``""``."""
        return self._trouble.get(recipe, (0.0, ""))[1]

    async def ensure(self, recipe: Recipe) -> GeneratorProcess:
        """Return the process of a generator, started if need be.

        Raises:
            Unable: It cannot be started; says why.
        """
        if self.process is not None and self.recipe == recipe and self.process.alive:
            return self.process
        now = asyncio.get_running_loop().time
        since, why = self._trouble.get(recipe, (-self._retry, ""))
        if now() - since < self._retry:
            raise Unable(why)
        await self.unload()
        self._starting = recipe
        try:
            self.process = await self._start(recipe)
        except Unable as error:
            log.error("%s cannot start: %s", recipe.name, error)  # noqa: TRY400 - a sentence, no defect
            self._trouble[recipe] = (now(), str(error))  # to find out may have taken minutes
            raise
        finally:
            self._starting = None
        self.recipe, self.since = recipe, now()
        self._trouble.pop(recipe, None)
        return self.process

    async def _start(self, recipe: Recipe) -> GeneratorProcess:
        died = ""
        for _ in range(STARTS):
            process = self._launch(recipe)
            try:
                hello = await process.start()
                info, capabilities = introduced(hello)
            except (Died, FrameError) as error:
                await process.kill()
                died = str(error)
                continue
            except asyncio.CancelledError:
                await process.kill()
                raise
            self.known[recipe] = Greeting(info=info, capabilities=capabilities)
            self.most[recipe] = capabilities.batch
            return process
        raise Unable(f"{recipe.name} cannot be started. {died} The log says more.")

    async def work(
        self, process: GeneratorProcess, order: Frame, on_step: Callable[[int, int], None]
    ) -> Frame:
        """Have a process work, see ``GeneratorProcess.work``. If nobody waits for the end, it has none."""
        try:
            return await process.work(order, on_step)
        except asyncio.CancelledError:
            await self.unload(dead=True)
            raise

    async def unload(self, *, dead: bool = False) -> None:
        """End the process, if there is one: at once if it is ``dead``."""
        process, self.process, self.recipe = self.process, None, None
        if process is not None:
            await (process.kill() if dead else process.stop())
