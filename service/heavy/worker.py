"""A device worker whose sound comes from a heavy generator; the rest is done where the composer's clips are made."""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import Callable, Sequence
from typing import TypeVar

from domain.clip import DRAFT, ClipFailure, ClipRequest, GeneratorInfo, HeardTrack
from generation.audio import Floats
from generation.parcels import Sound
from generation.registry import Recipe
from service.device import Outcome, ProcessWorker, finish, finish_wav
from service.heavy.dispatch import Dispatcher

V = TypeVar("V")


class HeavyWorker:
    """A ``DeviceWorker``.

    Args:
        dispatcher: Makes the sound.
        recipe: Whose.
        hands: Gate, measure and encode what was made, read files and draw.
    """

    def __init__(self, dispatcher: Dispatcher, recipe: Recipe, hands: ProcessWorker) -> None:
        self._dispatcher = dispatcher
        self._recipe = recipe
        self._hands = hands

    async def render(
        self, requests: Sequence[ClipRequest], ready: Callable[[int], None]
    ) -> list[Outcome]:
        """Render all requests, in order; a failed clip is a value."""
        made = await self._dispatcher.make(self._recipe, requests, ready)
        info = await self.info()
        return list(
            await asyncio.gather(
                *(
                    self._finished(request, one, info)
                    for request, one in zip(requests, made, strict=True)
                )
            )
        )

    async def _finished(
        self, request: ClipRequest, made: Sound | ClipFailure, info: GeneratorInfo
    ) -> Outcome:
        if isinstance(made, ClipFailure):
            return made
        greeting = self._dispatcher.greeting(self._recipe)
        if request.draft and greeting is not None and greeting.capabilities.drafts:
            made = dataclasses.replace(made, description={**made.description, DRAFT: True})
        return await self._hands.attempt(finish, request, made, info)

    async def wav(self, request: ClipRequest) -> bytes | ClipFailure:
        """Render one request again as a WAV file."""
        (made,) = await self._dispatcher.make(self._recipe, [request], lambda _: None)
        if isinstance(made, ClipFailure):
            return made
        return await self._hands.attempt(finish_wav, request, made)

    async def export(self, request: ClipRequest, kind: str) -> bytes | ClipFailure:
        """Say that there are no notes to export."""
        return ClipFailure(reason=f"{self._recipe.name} makes sound without notes.")

    async def listen(self, track: bytes, longest: float) -> HeardTrack | ClipFailure:
        """Hear a file that somebody sent, of at most ``longest`` seconds; what is wrong with it is a value."""
        return await self._hands.listen(track, longest)

    async def draw(self, paint: Callable[[V], bytes], view: V) -> bytes | ClipFailure:
        """Draw a picture: ``paint(view)``, both picklable."""
        return await self._hands.draw(paint, view)

    async def info(self, generator: str = "") -> GeneratorInfo:
        """Say what makes the sound. Until it has started, only what is known without it."""
        greeting, trouble = (
            self._dispatcher.greeting(self._recipe),
            self._dispatcher.trouble(self._recipe),
        )
        state = "ready" if self._dispatcher.loaded == self._recipe else "starts with the next clip"
        details = {"state": trouble or state}
        if greeting is None:
            return GeneratorInfo(
                name=self._recipe.name, version="", licence=self._recipe.licence, details=details
            )
        return dataclasses.replace(greeting.info, details={**greeting.info.details, **details})

    async def embeds(self, generator: str = "") -> bool:
        """Whether it may take embeddings in place of words; where it never started yet it may."""
        greeting = self._dispatcher.greeting(self._recipe)
        return greeting is None or greeting.capabilities.embedding > 0

    async def read(self, prompts: Sequence[str], generator: str = "") -> list[Floats] | ClipFailure:
        """Return what its text encoder makes of prompts, (tokens, width) each; why not is a value."""
        return await self._dispatcher.read(self._recipe, prompts)

    async def warm_up(self) -> None:
        """Load what the first clip would otherwise wait for."""
        self._dispatcher.warm_up(self._recipe)
        await self._hands.warm_up()

    async def close(self) -> None:
        """Stop the processes."""
        await self._dispatcher.close()
        await self._hands.close()
