"""The real loop without Discord: services, database, composer and all, with a sink that hands rounds to listeners."""

from __future__ import annotations

import asyncio
import io
import itertools
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile

from domain.ids import ChannelId, GuildId, ListenerId, MessageId
from domain.run import RunSettings
from domain.vote import Grade
from playground.hearing import Heard, hear
from playground.tastes import Bank, HiddenTaste
from service.bootstrap import Services, open_services
from service.device import DeviceWorker
from service.posting import View
from service.settings import Settings
from service.views import Actor, RoundView

HOST = Actor(
    user_id=ListenerId(1),
    guild_id=GuildId(1),
    channel_id=ChannelId(1),
    is_moderator=True,
    name="host",
)


class Inbox:
    """A sink that keeps the latest round."""

    def __init__(self) -> None:
        self.rounds: asyncio.Queue[RoundView] = asyncio.Queue()
        self._numbers = itertools.count(1000)

    async def find(self, view: View) -> MessageId | None:
        """Return nothing: no attempt fails here."""
        return None

    async def send(self, view: View) -> MessageId:
        """Keep it."""
        if isinstance(view, RoundView):
            self.rounds.put_nowait(view)
        return MessageId(next(self._numbers))


class Borrowed:
    """A device worker that outlives the services that use it."""

    def __init__(self, device: DeviceWorker) -> None:
        self.render = device.render
        self.wav = device.wav
        self.export = device.export
        self.listen = device.listen
        self.draw = device.draw
        self.states = device.states
        self.embeds = device.embeds
        self.read = device.read
        self.warm_up = device.warm_up

    async def close(self) -> None:
        """Leave it running."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Loop:
    """One open system."""

    services: Services
    inbox: Inbox


@asynccontextmanager
async def open_loop(device: DeviceWorker, settings: Settings | None = None) -> AsyncIterator[Loop]:
    """Open everything on an empty database."""
    with tempfile.TemporaryDirectory(prefix="tunebreeder-bench-") as folder:
        base = settings or Settings()
        storage = base.storage.model_copy(update={"data_dir": Path(folder)})
        chosen = base.model_copy(update={"storage": storage})
        inbox = Inbox()
        async with open_services(chosen, device=Borrowed(device)) as services:
            await services.outbox.attach(inbox)
            yield Loop(services=services, inbox=inbox)


def heard_of(data: bytes) -> Heard:
    """Decode a posted file and hear it."""
    samples, rate = soundfile.read(io.BytesIO(data), dtype="float32", always_2d=True)
    return hear(samples, rate)


async def hear_all(files: list[bytes]) -> list[Heard]:
    """Hear files off the event loop."""
    return await asyncio.gather(*(asyncio.to_thread(heard_of, data) for data in files))


@dataclass(frozen=True, slots=True, kw_only=True)
class Heading:
    """True like rates of one round: of what was posted, and of the best four that were rendered."""

    posted: float
    oracle: float
    families: int


async def listen(
    loop: Loop, taste: HiddenTaste, bank: Bank, *, rounds: int, settings: RunSettings, seed: int
) -> list[Heading]:
    """Let one listener vote through a whole run.

    Args:
        loop: An empty system.
        taste: Hidden from it.
        bank: What music sounds like.
        rounds: How many.
        settings: Of the run.
        seed: Of the listener's moods.

    Returns:
        True like rates by round.
    """
    rng = np.random.default_rng(seed)
    services = loop.services
    events = itertools.count(1)
    await services.runs.start(HOST, settings=settings)
    out = []
    for number in range(1, rounds + 1):
        view = await loop.inbox.rounds.get()
        heard = await hear_all([clip.data for clip in view.clips])
        odds = []
        for clip, sound in zip(view.clips, heard, strict=True):
            grade, felt = taste.grade(sound, bank, rng)
            odds.append(felt)
            await services.feedback.rate(HOST, clip.clip.id, Grade(grade), next(events))
        if max(odds) > 1.0:
            best = view.clips[int(np.argmax(odds))]
            await services.feedback.favourite(HOST, best.clip.id, next(events))
        out.append(
            await _heading(loop, view, [taste.likes(sound, bank) for sound in heard], taste, bank)
        )
        if number < rounds:
            ticket = await services.runs.next(HOST)
            done = await ticket.done()
            if done.error:
                raise RuntimeError(done.error)
    return out


async def _heading(
    loop: Loop, view: RoundView, posted: list[float], taste: HiddenTaste, bank: Bank
) -> Heading:
    made = await loop.services.clips.of_round(view.run.id, view.number)
    heard = await hear_all([await loop.services.clips.audio(clip) for clip in made])
    likes = sorted((taste.likes(sound, bank) for sound in heard), reverse=True)
    return Heading(
        posted=float(np.mean(posted)),
        oracle=float(np.mean(likes[: len(posted)])),
        families=len({clip.family for clip in made}),
    )
