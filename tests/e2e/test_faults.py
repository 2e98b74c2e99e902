"""Whatever Discord and the network do: votes are recorded once, rounds are posted once, and the bot comes back."""

from __future__ import annotations

import asyncio
import itertools

import pytest
import pytest_asyncio

from playground.faults import RestFault
from playground.people import Place
from playground.start import FIRST_LISTENER_ID, MUSIC_ID
from storage import posts
from tests.e2e.bot_process import MO, VERBS, BotProcess, playing

pytestmark = [pytest.mark.e2e, pytest.mark.asyncio(loop_scope="module")]

ANSWERS = "/interactions/"
MESSAGES = f"/channels/{MUSIC_ID}/messages"
HEARTBEAT = 1.5


class Voters:
    """Presses that were never made before: each of four people, each clip, once."""

    def __init__(self, bot: BotProcess) -> None:
        self.bot = bot
        self._turns = itertools.product(range(4), range(-1, 3))
        self.message = bot.rounds()[-1]
        self.made: list[tuple[Place, int]] = []

    def press(self):
        """Press the next button; gives what has to be stored because of it."""
        row, person = next(self._turns)
        who = Place(user_id=FIRST_LISTENER_ID + person, channel_id=MUSIC_ID)
        custom_id = self.message.components[row]["components"][3]["custom_id"]
        clip_id = int(custom_id.split(":")[2])
        self.made.append((who, clip_id))
        return who, clip_id, self.bot.press(who, self.message, row, 3)

    async def recorded(self, who: Place, clip_id: int) -> None:
        """Wait until a press is stored."""

        async def stored() -> list[float]:
            cast = await self.bot.votes(who)
            return [one.rating for one in cast if (one.clip_id, one.source) == (clip_id, "button")]

        assert await self.bot.eventually(stored, "the vote is stored", 15) == [1.0]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def bot(tmp_path_factory):
    async with playing(tmp_path_factory.mktemp("faults"), heartbeat_seconds=HEARTBEAT) as process:
        yield process


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def voters(bot):
    return Voters(bot)


async def fault(bot: BotProcess, kind: str, **details) -> None:
    await bot.server.faults.raise_fault(kind, **details)


async def test_an_answer_whose_confirmation_is_lost_becomes_the_receipt(bot, voters):
    await fault(bot, "502", count=1, route=ANSWERS, after=True)
    who, clip_id, _ = voters.press()
    await voters.recorded(who, clip_id)
    await bot.until(lambda: any("Your votes" in text for text in bot.private(who)), "the receipt")
    assert not any("again in a minute" in text for text in bot.private(who))


@pytest.mark.parametrize(
    ("kind", "details"),
    [
        ("429", {"count": 3, "seconds": 0.05}),
        ("429", {"count": 12, "seconds": 0.01}),
        ("429-global", {"count": 12, "seconds": 0.01, "route": ""}),
        ("503", {"count": 4}),
        ("drop-request", {"count": 2}),
        ("drop-request", {"count": 1, "after": True}),
        ("slow", {"count": 1, "seconds": 1.0}),
    ],
)
async def test_a_vote_counts_even_if_its_answer_does_not_get_through(bot, voters, kind, details):
    await fault(bot, kind, **{"route": ANSWERS, **details})
    who, clip_id, _ = voters.press()
    await voters.recorded(who, clip_id)
    bot.server.faults.plan.clear()


async def test_presses_do_not_wait_for_answers(bot, voters):
    await fault(bot, "502", count=1000, route=ANSWERS)
    who, clip_id, _ = voters.press()
    await voters.recorded(who, clip_id)
    message = voters.message
    other = next(one for one in range(4) if f":{clip_id}:" not in str(message.components[one]))
    custom_id = message.components[other]["components"][4]["custom_id"]
    bot.press(
        who, message, other, 4
    )  # the star of another clip, while the first press has no answer yet

    async def starred() -> bool:
        cast = await bot.votes(who)
        return any(
            f"tb:fav:{one.clip_id}" == custom_id for one in cast if one.source == "favourite"
        )

    await bot.eventually(starred, "the second press is stored", 2)
    bot.server.faults.plan.clear()


@pytest.mark.parametrize("kind", ["drop", "op7", "op9-resumable", "close4000", "op9"])
async def test_the_bot_comes_back_and_counts_what_was_pressed(kind, bot, voters):
    before = bot.sessions()
    lines = set(bot.server.parts.gateway._connections)
    await fault(bot, kind)
    if kind == "op9":
        # That session is gone, and with it what happens until there is a new one.
        await bot.until(lambda: bot.sessions() - before and bot.server.parts.sessions.online, kind)
    who, clip_id, _ = voters.press()
    await voters.recorded(who, clip_id)
    await bot.until(lambda: bot.server.parts.sessions.online, "the bot is back")
    assert not lines & bot.server.parts.gateway._connections
    assert (bot.sessions() == before) is (kind != "op9")


async def test_heartbeats_without_an_answer(bot, voters):
    before = bot.server.parts.gateway_faults.silent_beats
    await fault(bot, "silence", count=2)
    who, clip_id, _ = voters.press()
    await voters.recorded(who, clip_id)
    await bot.until(lambda: bot.server.parts.gateway_faults.silent_beats == before, "the silence")
    assert bot.server.parts.sessions.online


async def test_events_that_arrive_twice_count_once(bot, voters):
    await fault(bot, "duplicate", count=1)
    who, clip_id, receipt = voters.press()
    await voters.recorded(who, clip_id)
    await bot.until(lambda: receipt.stage.name == "ANSWERED", "the receipt")
    await asyncio.sleep(0.2)
    await voters.recorded(who, clip_id)


@pytest.mark.parametrize(
    "storm",
    [
        [
            RestFault(kind="502", method="POST", route=MESSAGES, after=True),
            RestFault(kind="429", method="POST", route=MESSAGES, count=6, seconds=0.02),
            RestFault(kind="503", method="GET", route=MESSAGES),
        ],
        [
            RestFault(kind="drop-request", method="POST", route=MESSAGES, after=True),
            RestFault(kind="slow", method="GET", route=MESSAGES, seconds=0.3),
        ],
        [
            RestFault(kind="429-global", method="", route="", count=8, seconds=0.02),
        ],
    ],
    ids=["refused", "lost", "limited"],
)
async def test_a_round_is_posted_once(bot, storm):
    before = len(bot.rounds())
    await fault(bot, "duplicate", count=1)  # Next arrives twice
    bot.press(MO, bot.rounds()[-1], VERBS, 0)

    def making() -> bool:
        messages = bot.server.parts.world.channels[MUSIC_ID].messages.values()
        return any("asked for the next round" in message.content for message in messages)

    await bot.until(making, "the status line")
    for one in storm:
        bot.server.faults.plan.add(one)
    await bot.until(lambda: len(bot.rounds()) > before, "the next round")

    async def delivered() -> bool:
        async with bot.database() as db, db.reading() as tx:
            return not await posts.undelivered(tx)

    await bot.eventually(delivered, "nothing waits to be posted", 30)
    bot.server.faults.plan.clear()
    assert len(bot.rounds()) == before + 1
    assert len(set(bot.clips())) == len(bot.clips())


async def test_afterwards_everything_is_in_order(bot, voters):
    for who, clip_id in voters.made:
        await voters.recorded(who, clip_id)
    assert await bot.integrity() == []
    assert bot.failures() == []
    assert await bot.stop() == 0
    assert bot.failures() == []
