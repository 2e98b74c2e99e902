"""Tables of states for searches over embeddings: what a run's generator makes of the prompts of the vocabulary."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Sequence

from domain.clip import ClipFailure
from domain.errors import UserError
from domain.run import Run
from evolution.numeric.states import StateTable, bank_prompts
from evolution.registry import searches_embeddings
from prompts.vocabulary import shipped
from service.device import DeviceWorker
from service.generator_state import playing


class Tables:
    """Makes the table of each generator once; one that takes its time holds up no other.

    Args:
        device: Reads prompts.
    """

    def __init__(self, device: DeviceWorker) -> None:
        self._device = device
        self._made: dict[tuple[str, str], StateTable] = {}
        self._alone: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)

    async def of(self, run: Run) -> StateTable | None:
        """Return what a run's searcher searches; ``None`` for searchers that search something else.

        Raises:
            UserError: Its generator takes no embeddings, or cannot be asked now.
        """
        if not searches_embeddings(run.searcher):
            return None
        generator = run.settings.generator
        async with self._alone[playing(await self._device.states(), generator).info.name]:
            info = playing(await self._device.states(), generator).info
            made = self._made.get((info.name, info.version))
            if made is None:
                made = await self._make(await asyncio.to_thread(bank_prompts, shipped()), generator)
                info = playing(
                    await self._device.states(), generator
                ).info  # it has said who it is by now
                self._made[info.name, info.version] = made
        return made

    async def _make(self, prompts: Sequence[str], generator: str) -> StateTable:
        found = await self._device.read(prompts, generator)
        if isinstance(found, ClipFailure):
            raise UserError(
                f"A search over embeddings is not possible here: {found.reason} Start a run with another searcher."
            )
        states = dict(zip(prompts, found, strict=True))
        return await asyncio.to_thread(StateTable.of, states, shipped())
