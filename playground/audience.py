"""Synthetic listeners: they see what a person sees, hear the clips, and press the buttons a person would press."""

from __future__ import annotations

import asyncio
import io
import logging
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import soundfile

from playground.events import EventStream
from playground.hearing import Heard, hear
from playground.model import Json
from playground.parts import Parts
from playground.people import People, Place
from playground.refusals import RefusalError
from playground.start import fixed_id, person_color
from playground.tastes import Bank, HiddenTaste, crowd, shipped_bank
from service.tasks import TaskSet

log = logging.getLogger(__name__)

FIRST_SEQUENCE = 1000
"""Synthetic listeners get ids from here, the same after a restart, so that what was learned about them stays true."""
SEEDS = 1000
PLACES = 50
SKIPS = 0.1
"""Share of clips that a listener does not get around to."""
STAR_FROM = 1.0
"""Felt log odds from which the best clip of a round gets the star."""
CONSENT = "consent:yes"
DUEL = ("duel:", (":a", ":b", ":tie", ":bad"))
"""What the custom ids of a duel's answers hold, and how each of them ends."""
TIE_WITHIN, BAD_BELOW = 0.25, -2.5
"""Felt log odds within which two clips tie, and below which both are bad."""


@dataclass(slots=True, kw_only=True)
class Listener:
    """One synthetic listener."""

    user_id: int
    taste: HiddenTaste
    rng: np.random.Generator
    stream: EventStream
    task: asyncio.Task[Any] | None = None
    votes: int = 0
    revealed: bool = False
    answered: set[str] = field(default_factory=set)


class Audience:
    """All synthetic listeners of a playground; implements the page's ``Listeners``."""

    def __init__(
        self, parts: Parts, tasks: TaskSet, *, pace: float = 1.0, bank: Bank | None = None
    ) -> None:
        """Nobody listens yet.

        Args:
            parts: The playground.
            tasks: Owns what listeners do.
            pace: 1 takes about the length of a clip to hear it, as people do; 0 votes at once, for tests.
            bank: What music sounds like here; the shipped one when ``None``.
        """
        self._world = parts.world
        self._people = People(parts)
        self._messages = parts.messages
        self._tasks = tasks
        self._pace = pace
        self._bank = bank or shipped_bank()
        self._listeners: dict[int, Listener] = {}
        self._heard: dict[int, asyncio.Task[Heard | None]] = {}

    async def add(self, count: int, seed: int) -> list[int]:
        """Let ``count`` more join; the same seed gives the same tastes."""
        taken = sum(1 for one in self._listeners)
        tastes = crowd(taken + count, self._bank, np.random.default_rng(seed))[taken:]
        added = []
        latest = self._latest_round()
        for place, taste in enumerate(tastes, start=taken):
            user_id = fixed_id(FIRST_SEQUENCE + (seed % SEEDS) * PLACES + place)
            name = taste.name if place < 8 else f"{taste.name} {place // 8 + 1}"
            user = self._world.add_person(
                name, synthetic=True, user_id=user_id, color=person_color(place + 4)
            )
            listener = Listener(
                user_id=user.id,
                taste=taste,
                rng=np.random.default_rng([seed, place]),
                stream=self._world.hub.open(user.id, self._world.base_url),
            )
            listener.task = self._tasks.spawn(self._live(listener), f"listener {name}")
            self._listeners[user.id] = listener
            added.append(user.id)
            if latest is not None:
                self._tasks.spawn(self._listen(listener, latest, _audio(latest)), "catching up")
        self._world.hub.publish_pages(
            "USERS_UPDATE", lambda viewer: {"users": self._world.people()}
        )
        return added

    def rows(self) -> list[Json]:
        """Return who listens, how often they voted, and the tastes that are revealed."""
        return [
            {
                "user": str(one.user_id),
                "votes": one.votes,
                "revealed": one.revealed,
                "hidden": one.taste.words if one.revealed else None,
            }
            for one in self._listeners.values()
        ]

    async def reveal(self, user_id: int | None) -> None:
        """Show the taste of one, or of all."""
        if user_id is not None and user_id not in self._listeners:
            raise RefusalError("That person is not a synthetic listener.", 404)
        for one in self._listeners.values():
            if user_id in {None, one.user_id}:
                one.revealed = True

    async def clear(self) -> None:
        """Let all of them leave."""
        for one in self._listeners.values():
            one.stream.close()
            if one.task is not None:
                one.task.cancel()
            self._world.remove_person(one.user_id)
        self._listeners.clear()

    def _latest_round(self) -> Json | None:
        """Return the youngest message of the bot with clips and buttons: who comes in now votes on it as well."""
        young = [
            message
            for channel in self._world.channels.values()
            if not channel.is_dm
            for message in channel.messages.values()
            if message.author.id == self._world.bot.id
            and message.components
            and message.only_for is None
        ]
        drawn = [
            self._messages.payload(message) for message in sorted(young, key=lambda one: one.id)
        ]
        rounds = [
            one for one in drawn if _audio(one) and len(one["components"]) >= len(_audio(one))
        ]
        return rounds[-1] if rounds else None

    async def _live(self, listener: Listener) -> None:
        while (event := await listener.stream.next()) is not None:
            data = event["d"]
            if event["t"] != "MESSAGE_CREATE" or int(data["author"]["id"]) != self._world.bot.id:
                continue
            audio = _audio(data)
            if audio and len(data["components"]) >= len(audio):
                self._tasks.spawn(self._listen(listener, data, audio), "listening")
            elif len(audio) == 2 and _button_with(data, DUEL[0]) is not None:
                self._tasks.spawn(self._compare(listener, data, audio), "comparing")
            elif (button := _button_with(data, CONSENT)) is not None:
                self._press(listener, data, button)

    async def _listen(self, listener: Listener, message: Json, audio: list[Json]) -> None:
        """Hear each clip of a round, grade most of them, and star the best when it is good."""
        felt: dict[int, float] = {}
        for row, attachment in enumerate(audio):
            heard = await self._hear(int(attachment["id"]))
            seconds = heard.seconds if heard is not None else 1.0
            await asyncio.sleep(self._pace * seconds * float(listener.rng.uniform(0.6, 1.2)))
            if heard is None or listener.rng.random() < SKIPS:
                continue
            grade, felt[row] = listener.taste.grade(heard, self._bank, listener.rng)
            self._press(listener, message, _button(message, row, grade))
        best = max(felt, key=lambda row: felt[row], default=None)
        if best is not None and felt[best] > STAR_FROM:
            await asyncio.sleep(self._pace * 0.5)
            self._press(listener, message, _button(message, best, 4))

    async def _compare(self, listener: Listener, message: Json, audio: list[Json]) -> None:
        """Hear both clips of a duel and give the trophy to the better one, if there is one."""
        felt = []
        for attachment in audio:
            heard = await self._hear(int(attachment["id"]))
            if heard is None:
                return
            await asyncio.sleep(self._pace * heard.seconds * float(listener.rng.uniform(0.6, 1.2)))
            felt.append(listener.taste.grade(heard, self._bank, listener.rng)[1])
        place = 0 if felt[0] > felt[1] else 1
        if max(felt) < BAD_BELOW:
            place = 3
        elif abs(felt[0] - felt[1]) < TIE_WITHIN:
            place = 2
        self._press(listener, message, _button_with(message, DUEL[0], DUEL[1][place]))

    def _press(self, listener: Listener, message: Json, custom_id: str | None) -> None:
        if custom_id is None:
            return
        place = Place(user_id=listener.user_id, channel_id=int(message["channel_id"]))
        try:
            self._people.click(place, int(message["id"]), custom_id)
        except RefusalError as error:
            log.debug("A listener could not press: %s", error)
        else:
            listener.votes += CONSENT not in custom_id

    async def _hear(self, attachment_id: int) -> Heard | None:
        """Measure a clip once for all listeners."""
        task = self._heard.get(attachment_id)
        if task is None:
            task = self._tasks.spawn(
                asyncio.to_thread(self._measure, attachment_id), f"hearing {attachment_id}"
            )
            self._heard[attachment_id] = task
            while len(self._heard) > 64:
                self._heard.pop(next(iter(self._heard)))
        return await asyncio.shield(task)

    def _measure(self, attachment_id: int) -> Heard | None:
        try:
            data = self._world.media.read(attachment_id)
            samples, rate = soundfile.read(io.BytesIO(data), dtype="float32", always_2d=True)
        except (OSError, KeyError, soundfile.SoundFileError):
            return None
        return hear(samples, rate)


def _audio(message: Json) -> list[Json]:
    """Return the sound files of a message."""
    kinds = [(one, str(one.get("content_type", ""))) for one in message["attachments"]]
    return [one for one, kind in kinds if kind.startswith("audio/")]


def _button(message: Json, row: int, place: int) -> str | None:
    """Return the custom id of a button by its place in the message, as a person finds it."""
    rows = message["components"]
    if row >= len(rows) or place >= len(rows[row]["components"]):
        return None
    custom_id = rows[row]["components"][place].get("custom_id")
    return None if custom_id is None else str(custom_id)


def _button_with(message: Json, part: str, end: str = "") -> str | None:
    for row in message["components"]:
        for one in row.get("components", []):
            custom_id = str(one.get("custom_id", ""))
            if part in custom_id and custom_id.endswith(end):
                return custom_id
    return None
