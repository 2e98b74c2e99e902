"""Clips as a learned encoder hears them: fresh ones as they are made, older ones in the background, none twice."""

from __future__ import annotations

import asyncio
import dataclasses
import hashlib
import logging
import math
from collections.abc import Callable, Sequence
from typing import TypeVar

import numpy as np

from domain.clip import ClipFailure, ClipRequest, HeardTrack, RenderedClip
from domain.errors import StorageError
from generation.audio import Floats
from scoring.adherence import by_text
from service.clock import Clock
from service.device import DeviceWorker, Outcome
from service.ears import Ears
from service.generator_state import GeneratorState
from storage import embeddings
from storage.database import Database
from storage.files import AudioStore

log = logging.getLogger(__name__)
V = TypeVar("V")

FIRST_AFTER = 30.0
"""Seconds after the start: not while the first people wait for their first round."""
LOOK_AGAIN = 600.0
"""Seconds after which clips are looked for that were not heard when they were made."""
HANDFUL = 16


class HearingDevice:
    """A device worker whose clips come with what a learned encoder hears in them.

    A clip that the encoder cannot hear comes without: the built-in features speak for it. An encoder that knows words
    also says whether a clip does what its prompt says.

    Args:
        device: Makes the clips.
        ears: Hear them.
        db: Knows what was heard before.
    """

    def __init__(self, device: DeviceWorker, ears: Ears, db: Database) -> None:
        self._device = device
        self._ears = ears
        self._db = db

    async def render(
        self,
        requests: Sequence[ClipRequest],
        ready: Callable[[int], None],
        *,
        party: object | None = None,
    ) -> list[Outcome]:
        """Render all requests, in order; each is heard while others are still being made."""
        done, party = 0, party or object()  # asked for one by one, they still have one turn

        async def one(request: ClipRequest) -> Outcome:
            nonlocal done
            (outcome,) = await self._device.render([request], lambda _: None, party=party)
            if isinstance(outcome, RenderedClip):
                outcome = await self._heard(outcome)
            done += 1
            ready(done)
            return outcome

        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(one(request)) for request in requests]
        return [task.result() for task in tasks]

    async def _heard(self, clip: RenderedClip) -> RenderedClip:
        sha256 = hashlib.sha256(clip.audio).hexdigest()
        async with self._db.reading() as tx:
            known = await embeddings.of_audio(tx, sha256, self._ears.weights.encoder_id)
        vector = await self._ears.hear(clip.audio) if known is None else known
        if isinstance(vector, ClipFailure):
            return clip
        return dataclasses.replace(
            clip,
            further={**clip.further, self._ears.weights.encoder_id: vector},
            adherence=_adherence(await self._ears.read(clip.request.prompt), vector, clip),
        )

    async def wav(self, request: ClipRequest) -> bytes | ClipFailure:
        """Render one request again as a WAV file."""
        return await self._device.wav(request)

    async def export(self, request: ClipRequest, kind: str) -> bytes | ClipFailure:
        """Compose one request again and write it as notes, parts or sheet music."""
        return await self._device.export(request, kind)

    async def listen(self, track: bytes, longest: float) -> HeardTrack | ClipFailure:
        """Hear a file that somebody sent, with the built-in encoder."""
        return await self._device.listen(track, longest)

    async def draw(self, paint: Callable[[V], bytes], view: V) -> bytes | ClipFailure:
        """Draw a picture."""
        return await self._device.draw(paint, view)

    async def states(self, *, known: bool = False) -> Sequence[GeneratorState]:
        """Say how each generator does, the default one first; ``known`` waits for the composer's introduction."""
        return await self._device.states(known=known)

    async def embeds(self, generator: str = "") -> bool:
        """Whether a generator may take embeddings in place of words; one that never started yet may."""
        return await self._device.embeds(generator)

    async def read(self, prompts: Sequence[str], generator: str = "") -> list[Floats] | ClipFailure:
        """Return what a generator's text encoder makes of prompts, (tokens, width) each; why not is a value."""
        return await self._device.read(prompts, generator)

    async def warm_up(self) -> None:
        """Load what the first clip would otherwise wait for."""
        await asyncio.gather(self._device.warm_up(), self._ears.warm_up())

    async def close(self) -> None:
        """Stop the processes."""
        try:
            await self._ears.close()
        finally:
            await self._device.close()


def _adherence(said: bytes | None, heard: bytes, clip: RenderedClip) -> float | None:
    """Return whether a clip does what its prompt says: as the encoder has it, else as it was measured before."""
    if said is None:
        return clip.adherence
    found = by_text(np.frombuffer(said, "<f4"), np.frombuffer(heard, "<f4"))
    return found if math.isfinite(found) else clip.adherence


class CatchingUp:
    """Lets a learned encoder hear what was made before it was there, or while it could not.

    Args:
        db: Knows the clips.
        store: Has their audio.
        ears: Hear it.
        clock: Says when to look again.
        learned: Called when more clips have been heard.
    """

    def __init__(
        self,
        db: Database,
        store: AudioStore,
        ears: Ears,
        clock: Clock,
        learned: Callable[[], None],
    ) -> None:
        self._db = db
        self._store = store
        self._ears = ears
        self._clock = clock
        self._learned = learned
        self._left: set[str] = set()

    async def serve(self) -> None:
        """Catch up, for ever."""
        await self._clock.sleep(FIRST_AFTER)
        while True:
            try:
                await self.catch_up()
            except StorageError as error:
                log.warning("Older clips were not listened to: %s", error)
            self._learned()
            await self._clock.sleep(LOOK_AGAIN)

    async def catch_up(self) -> int:
        """Hear everything that is not heard yet; returns the clips that were.

        A clip that cannot be heard is left alone until the next start; an encoder in trouble ends it for now.
        """
        total = 0
        while True:
            async with self._db.reading() as tx:
                wanted = await embeddings.unheard(
                    tx, self._ears.weights.encoder_id, most=HANDFUL, but=self._left
                )
            if not wanted:
                return total
            for sha256, extension in wanted:
                total += await self._hear(sha256, extension)
                if self._ears.trouble:
                    return total

    async def _hear(self, sha256: str, extension: str) -> int:
        try:
            audio = await asyncio.to_thread(self._store.read, sha256, extension)
        except StorageError:
            self._left.add(sha256)  # not kept any more
            return 0
        vector = await self._ears.hear(audio)
        if isinstance(vector, ClipFailure):
            if not self._ears.trouble:
                self._left.add(sha256)
            return 0
        async with self._db.transaction() as tx:
            return await embeddings.add_for_audio(tx, sha256, self._ears.weights.encoder_id, vector)
