"""Ten thousand random and malformed interactions and events: the bot stays connected and goes on answering."""

from __future__ import annotations

import asyncio
import copy
import json
import random
from pathlib import Path

import pytest

from playground.people import Place
from playground.start import FIRST_LISTENER_ID, GUILD_ID, LOUNGE_ID, MUSIC_ID
from tests.e2e.bot_process import ADA, MO, VERBS, BotProcess, playing

pytestmark = pytest.mark.e2e

EVENTS = 10_000
BATCH = 250
GROWTH = 120_000
"""Kilobytes by which the bot's memory may grow."""
MOST_ERRORS = 40
"""Lines in the log about what the client library itself stumbles over, on tasks of its own. It must be no flood."""
BIX = Place(user_id=FIRST_LISTENER_ID + 1, channel_id=MUSIC_ID)
CLEO = Place(user_id=FIRST_LISTENER_ID + 2, channel_id=MUSIC_ID)
HUGE = 10**30


def nested(depth: int = 300) -> object:
    value: object = {}
    for level in range(depth):
        value = [value] if level % 2 else {"components": value}
    return value


ABSURD = (
    None,
    True,
    -1,
    0,
    HUGE,
    -HUGE,
    1e308,
    "",
    "x" * 100_000,
    "\ud83c\udfb7" * 2000,
    "\x00",
    "\ud800",
    "9" * 400,
    "-1",
    [],
    [None],
    {},
    {"id": None},
    nested(),
)
CUSTOM_IDS = (
    "tb:rate:{n}:{g}",
    "tb:rate:{n}",
    "tb:rate:-{n}:1",
    "tb:rate:{n}:{n}",
    "tb:fav:{n}",
    "tb:do:{n}:{g}:vary",
    "tb:do:{n}:{n}:more",
    "tb:do:{n}:{g}:explode",
    "tb:more:{n}:{g}:why:{n}",
    "tb:more:{n}:{g}:allbad",
    "tb:more:{n}:{g}:forme",
    "tb:more:{n}:{g}:wav:{n}",
    "tb:pick:{n}:{g}:cross",
    "tb:resume:{n}",
    "tb:cancel:{n}",
    "tb:consent:maybe",
    "tb:::::",
    "tb:",
    "rate:1:😖",
    "\x00tb:rate:1:1",
)
NUMBERS = (0, 1, 2, 3, 4, 5, 17, 2**31, 2**63 - 1, 2**63, 2**64, HUGE)
EMOJI = ("😍", "😖", "🦄", "", "x" * 3000, "👩‍👩‍👧‍👦", "\x00", None, 7, {"id": "1"})
NAMES = (
    "NO_SUCH_EVENT",
    "interaction_create",
    "",
    "MESSAGE_CREATE",
    "MESSAGE_DELETE_BULK",
    "GUILD_MEMBER_ADD",
    "GUILD_ROLE_DELETE",
    "THREAD_LIST_SYNC",
    "THREAD_MEMBERS_UPDATE",
    "THREAD_DELETE",
    "THREAD_CREATE",
    "CHANNEL_UPDATE",
    "CHANNEL_PINS_UPDATE",
    "GUILD_UPDATE",
    "GUILD_DELETE",
    "GUILD_EMOJIS_UPDATE",
    "VOICE_STATE_UPDATE",
    "PRESENCE_UPDATE",
    "TYPING_START",
    "STAGE_INSTANCE_CREATE",
    "USER_UPDATE",
    "AUTO_MODERATION_ACTION_EXECUTION",
    "MESSAGE_POLL_VOTE_ADD",
    "ENTITLEMENT_CREATE",
    "INTEGRATION_UPDATE",
    "INVITE_CREATE",
    "WEBHOOKS_UPDATE",
)


class Garbage:
    """Makes events out of real ones and out of nothing, always the same for a seed."""

    def __init__(self, real: dict[str, list[dict]], seed: int) -> None:
        self._real = real
        self._rng = random.Random(seed)

    def event(self) -> tuple[str, object]:
        """One event: its name and its data."""
        kind = self._rng.random()
        if kind < 0.25:
            return "INTERACTION_CREATE", self._forged()
        if kind < 0.45:
            return "INTERACTION_CREATE", self._broken("INTERACTION_CREATE")
        if kind < 0.65:
            return self._reaction()
        if kind < 0.85:
            name = self._rng.choice(sorted(self._real))
            return name, self._broken(name)
        return self._rng.choice(NAMES), self._absurd()

    def _absurd(self) -> object:
        keys = ("id", "guild_id", "channel_id", "user_id", "message_id", "type", "threads", "emoji")
        if self._rng.random() < 0.3:
            return self._rng.choice(ABSURD)
        return {key: self._rng.choice(ABSURD) for key in self._rng.sample(keys, 4)}

    def _forged(self) -> dict:
        """A whole interaction with a custom id, a type or values that nobody was offered."""
        event = copy.deepcopy(self._rng.choice(self._real["INTERACTION_CREATE"]))
        event["id"] = str(self._rng.randrange(1, 2**62))
        wanted = self._rng.choice(CUSTOM_IDS)
        event["data"] = {
            "custom_id": wanted.format(n=self._rng.choice(NUMBERS), g=self._rng.randrange(6)),
            "component_type": self._rng.choice((2, 2, 2, 3, 5, 8, 77, -1, None)),
            "values": self._rng.choice(([], ["1"], ["x" * 5000], [None], None, "1", ["9" * 30])),
            "components": self._rng.choice(
                (None, [], [{"components": [{"value": "x"}]}], nested())
            ),
        }
        event["type"] = self._rng.choice((3, 3, 3, 3, 5, 5, 2, 4, 9, None))
        return event

    def _broken(self, name: str) -> object:
        """A real event with some of it missing or replaced."""
        event = copy.deepcopy(self._rng.choice(self._real[name]))
        if name.endswith("_DELETE"):
            event["id"] = str(self._rng.randrange(2**60))  # a true one ends the run, as it should
        for _ in range(self._rng.randrange(1, 4)):
            self._spoil(event)
        return event

    def _spoil(self, event: object) -> None:
        place = event
        while True:
            keys = list(place) if isinstance(place, dict) else list(range(len(place)))
            if not keys:
                return
            key = self._rng.choice(keys)
            inner = place[key]
            if isinstance(inner, (dict, list)) and inner and self._rng.random() < 0.6:
                place = inner
                continue
            if self._rng.random() < 0.4:
                del place[key]
            else:
                place[key] = copy.deepcopy(self._rng.choice(ABSURD))
            return

    def _reaction(self) -> tuple[str, object]:
        name = self._rng.choice(("ADD", "REMOVE", "REMOVE_ALL", "REMOVE_EMOJI"))
        message = self._rng.choice(self._real["INTERACTION_CREATE"]).get("message") or {}
        data = {
            "user_id": self._rng.choice(
                ("1", str(self._rng.randrange(2**64)), str(HUGE), "x", None)
            ),
            "channel_id": self._rng.choice((str(MUSIC_ID), "1", str(HUGE), None)),
            "message_id": self._rng.choice((message.get("id", "5"), "1", str(HUGE), None)),
            "guild_id": self._rng.choice((str(GUILD_ID), "1", None)),
            "emoji": {
                "name": self._rng.choice(EMOJI),
                "id": self._rng.choice((None, "1", str(HUGE), "x")),
            },
            "type": self._rng.choice((0, 1, None)),
            "burst": self._rng.choice((False, None)),
        }
        for key in self._rng.sample(sorted(data), self._rng.randrange(3)):
            del data[key]
        return f"MESSAGE_REACTION_{name}", data


def heard(bot: BotProcess) -> dict[str, list[dict]]:
    """The events that the bot has been sent so far, by name; without those that make a session."""
    events: dict[str, list[dict]] = {}
    for session in bot.server.parts.sessions._sessions.values():
        for _, frame in session._replay:
            payload = json.loads(frame)
            if payload["t"] not in {"READY", "RESUMED"}:
                events.setdefault(payload["t"], []).append(payload["d"])
    return events


def memory(bot: BotProcess) -> int:
    """Resident memory in kilobytes."""
    status = Path(f"/proc/{bot.process.pid}/status").read_text()
    return int(status.partition("VmRSS:")[2].split()[0])


async def test_ten_thousand_pieces_of_garbage(tmp_path):
    async with playing(tmp_path) as bot:
        message = bot.rounds()[-1]
        bot.people.react(ADA, message.id, "🔥")
        bot.people.unreact(ADA, message.id, "🔥")
        thread = bot.people.start_thread(
            Place(user_id=MO.user_id, channel_id=LOUNGE_ID), "A thread"
        )
        bot.server.faults.lock(thread)
        bot.press(ADA, message, VERBS, 4)
        answer = bot.press(ADA, message, 0, 3)
        await bot.until(lambda: answer.stage.name == "ANSWERED", "an answer")
        real, before, used = heard(bot), bot.sessions(), memory(bot)
        garbage = Garbage(real, seed=5)
        for number in range(EVENTS):
            bot.server.faults.inject(*garbage.event())
            if number % BATCH == 0:
                await asyncio.sleep(0.02)
        unavailable = {"id": str(GUILD_ID), "unavailable": True}
        bot.server.faults.inject("GUILD_DELETE", unavailable)
        bot.server.faults.inject("GUILD_CREATE", real["GUILD_CREATE"][0])
        bot.press(CLEO, message, 1, 2)  # the forged ones come from Ada and Mo

        async def through() -> bool:
            return bool(await bot.votes(CLEO))

        await bot.eventually(through, "the bot is through with it", 25)
        answer = bot.press(BIX, message, 2, 3)
        await bot.until(lambda: answer.stage.name == "ANSWERED", "a real press is answered", 3)
        await bot.until(
            lambda: any("**C** 😍" in text for text in bot.private(BIX)), "a receipt", 3
        )
        assert bot.sessions() == before
        assert memory(bot) - used < GROWTH
        assert await bot.integrity() == []
        errors = [line for line in bot.failures() if "Traceback" not in line]
        assert len(errors) <= MOST_ERRORS, "\n".join(errors)
        assert await bot.stop() == 0
