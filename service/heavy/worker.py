"""A device worker whose sound comes from a heavy generator; the rest is done where the composer's clips are made."""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import Callable, Sequence
from typing import TypeVar

from domain.clip import DRAFT, MADE_FROM, ClipFailure, ClipRequest, GeneratorInfo, HeardTrack
from generation.audio import Floats
from generation.parcels import Sound
from generation.registry import Recipe
from service.device import Outcome, ProcessWorker, finish, finish_wav
from service.generator_state import GeneratorState
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
        self._spoilt = 0

    async def render(
        self,
        requests: Sequence[ClipRequest],
        ready: Callable[[int], None],
        *,
        party: object | None = None,
    ) -> list[Outcome]:
        """Render all requests, in order; a failed clip is a value. Calls of one ``party`` have one turn together."""
        made = await self._dispatcher.make(self._recipe, requests, ready, party)
        info = self._dispatcher.state(self._recipe).info
        work = [
            self._finished(request, one, info) for request, one in zip(requests, made, strict=True)
        ]
        made.clear()  # so that each clip's memory is given back once it is finished, not all in the end
        return list(await asyncio.gather(*work))

    async def _finished(
        self, request: ClipRequest, made: Sound | ClipFailure, info: GeneratorInfo
    ) -> Outcome:
        if isinstance(made, ClipFailure):
            return made
        made = dataclasses.replace(made, description={**made.description, **self._notes(request)})
        finished = await self._hands.attempt(finish, request, made, info)
        self._spoilt += isinstance(finished, ClipFailure)
        return finished

    def _notes(self, request: ClipRequest) -> dict[str, object]:
        """Return what is to be known of a clip that prompt and seed do not say."""
        able = self._dispatcher.state(self._recipe).capabilities
        notes: dict[str, object] = {}
        if request.draft and able is not None and able.drafts:
            notes[DRAFT] = True
        if request.source is not None:
            notes[MADE_FROM] = request.source.use.value
        return notes

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

    async def states(self, *, known: bool = False) -> list[GeneratorState]:
        """Say how the generator does, as far as it has said so: it is not started for that."""
        state = self._dispatcher.state(self._recipe)
        return [dataclasses.replace(state, tally=state.tally.spoilt(self._spoilt))]

    async def embeds(self, generator: str = "") -> bool:
        """Whether it may take embeddings in place of words; where it never started yet it may."""
        able = self._dispatcher.state(self._recipe).capabilities
        return able is None or able.embedding > 0

    async def read(self, prompts: Sequence[str], generator: str = "") -> list[Floats] | ClipFailure:
        """Return what its text encoder makes of prompts, (tokens, width) each; why not is a value."""
        return await self._dispatcher.read(self._recipe, prompts)

    async def warm_up(self) -> None:
        """Load what the first clip would otherwise wait for."""
        self._dispatcher.warm_up(self._recipe)
        await self._hands.warm_up()

    async def close(self) -> None:
        """Stop the processes."""
        try:
            await self._dispatcher.close()
        finally:
            await self._hands.close()
