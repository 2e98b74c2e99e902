"""Several generators behind one device worker: each request says which, or gets the default one."""

from __future__ import annotations

import asyncio
import dataclasses
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from typing import TypeVar

from domain.clip import ClipFailure, ClipRequest, HeardTrack
from generation.audio import Floats
from service.device import DeviceWorker, Outcome
from service.generator_state import GeneratorState

V = TypeVar("V")


class ChoiceWorker:
    """A ``DeviceWorker`` of others.

    Args:
        workers: By the name of their generator, the default one first; at least one.
        spare: Those that no run may choose, likewise: what is made by hand may name them.
    """

    def __init__(
        self, workers: Mapping[str, DeviceWorker], spare: Mapping[str, DeviceWorker] | None = None
    ) -> None:
        self._workers, self._spare = dict(workers), dict(spare or {})
        self._default = next(iter(self._workers.values()))

    def _of(self, generator: str) -> DeviceWorker | None:
        if not generator:
            return self._default
        return self._workers.get(generator) or self._spare.get(generator)

    async def render(
        self,
        requests: Sequence[ClipRequest],
        ready: Callable[[int], None],
        *,
        party: object | None = None,
    ) -> list[Outcome]:
        """Render all requests, in order; a failed clip is a value. ``party`` is for each generator to heed."""
        places: defaultdict[str, list[int]] = defaultdict(list)
        for place, request in enumerate(requests):
            places[request.generator].append(place)
        done = dict.fromkeys(places, 0)

        async def part(name: str) -> list[Outcome]:
            worker, mine = self._of(name), [requests[place] for place in places[name]]
            if worker is None:
                return [ClipFailure(reason=self._unknown(name))] * len(mine)

            def told(count: int) -> None:
                done[name] = count
                ready(sum(done.values()))

            return await worker.render(mine, told, party=party)

        out: dict[int, Outcome] = {}
        parts = await asyncio.gather(*(part(name) for name in places))
        for name, made in zip(places, parts, strict=True):
            out.update(zip(places[name], made, strict=True))
        return [out[place] for place in range(len(requests))]

    def _unknown(self, name: str) -> str:
        return (
            f"There is no generator {name!r} here any more. There is: {', '.join(self._workers)}."
        )

    async def wav(self, request: ClipRequest) -> bytes | ClipFailure:
        """Render one request again as a WAV file."""
        worker = self._of(request.generator)
        if worker is None:
            return ClipFailure(reason=self._unknown(request.generator))
        return await worker.wav(request)

    async def export(self, request: ClipRequest, kind: str) -> bytes | ClipFailure:
        """Compose one request again and write it as notes, parts or sheet music, see ``service.exports``."""
        worker = self._of(request.generator)
        if worker is None:
            return ClipFailure(reason=self._unknown(request.generator))
        return await worker.export(request, kind)

    async def listen(self, track: bytes, longest: float) -> HeardTrack | ClipFailure:
        """Hear a file that somebody sent, of at most ``longest`` seconds; what is wrong with it is a value."""
        return await self._default.listen(track, longest)

    async def draw(self, paint: Callable[[V], bytes], view: V) -> bytes | ClipFailure:
        """Draw a picture: ``paint(view)``, both picklable."""
        return await self._default.draw(paint, view)

    async def states(self, *, known: bool = False) -> list[GeneratorState]:
        """Say how each generator does, the default one first; ``known`` waits for the composer's introduction."""
        there = [(worker, True) for worker in self._workers.values()]
        there += [(one, False) for one in self._spare.values() if one not in self._workers.values()]
        states = await asyncio.gather(*(worker.states(known=known) for worker, _ in there))
        return [
            dataclasses.replace(state, offered=offered)
            for theirs, (_, offered) in zip(states, there, strict=True)
            for state in theirs
        ]

    async def embeds(self, generator: str = "") -> bool:
        """Whether a generator may take embeddings in place of words; one that never started yet may."""
        worker = self._of(generator)
        return worker is not None and await worker.embeds()

    async def read(self, prompts: Sequence[str], generator: str = "") -> list[Floats] | ClipFailure:
        """Return what a generator's text encoder makes of prompts, (tokens, width) each; why not is a value."""
        worker = self._of(generator)
        if worker is None:
            return ClipFailure(reason=self._unknown(generator))
        return await worker.read(prompts)

    async def warm_up(self) -> None:
        """Load what the first clip would otherwise wait for."""
        await self._default.warm_up()

    async def close(self) -> None:
        """Stop the processes."""
        async with AsyncExitStack() as last:  # one that fails keeps no other open
            for worker in (*self._workers.values(), *self._spare.values()):
                last.push_async_callback(worker.close)
