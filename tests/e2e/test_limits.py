"""Each thing that a host, a moderator or a disk can do to the bot gets a sentence, and nothing is lost."""

from __future__ import annotations

import asyncio
import io
import os
import subprocess
import sys

import aiohttp
import pytest
import pytest_asyncio

from playground.people import Place
from playground.permissions import Permission
from playground.start import LOUNGE_ID, MUSIC_ID
from tests.e2e.bot_process import ADA, CONFIG, MO, VERBS, BotProcess, playing

pytestmark = [pytest.mark.e2e, pytest.mark.asyncio(loop_scope="module")]

UPLOAD = 20 * 2**20
EMOJI_VIBE = "🎷" * 2000
"""4,000 in the units in which Discord counts."""
NOT_ALLOWED = "I may not post in that channel any more"
NOWHERE = "http://127.0.0.1:9/api/v10"
NO_GATEWAY = "ws://127.0.0.1:9/gateway"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def bot(tmp_path_factory):
    async with playing(tmp_path_factory.mktemp("limits")) as process:
        yield process


def mo_in(channel) -> Place:
    return Place(user_id=MO.user_id, channel_id=channel.id)


def new_channel(bot: BotProcess, name: str):
    """A thread of its own in #lounge, so that one test does not meet another's run."""
    return bot.people.start_thread(Place(user_id=MO.user_id, channel_id=LOUNGE_ID), name)


async def begin(bot: BotProcess, channel, **values) -> None:
    bot.command(mo_in(channel), "evolve", "start", **values)
    await bot.until(lambda: bot.rounds(channel.id), "a round in the new place")


def custom_ids(message) -> list[str]:
    return [one["custom_id"] for row in message.components for one in row["components"]]


def count_told(bot: BotProcess, place: Place, words: str) -> int:
    return sum(words in text for text in bot.private(place, place.channel_id))


async def told(bot: BotProcess, place: Place, words: str, *, times: int = 1) -> None:
    """Wait until somebody has read some words privately."""
    await bot.until(lambda: count_told(bot, place, words) >= times, f"{words!r} is read", 20)


async def given_up(bot: BotProcess, channel_id: int) -> None:
    """Wait until the run of a channel is paused because its round could not be posted."""

    async def paused() -> bool:
        query = "SELECT count(*) FROM runs WHERE channel_id = ? AND state = 'paused'"
        async with bot.database() as db, db.reading() as tx:
            return bool(await tx.value(query, (channel_id,)))

    await bot.eventually(paused, "the run is paused", 20)


async def making(bot: BotProcess, channel_id: int) -> None:
    """Wait until clips are being made for a channel: then its status line can be cancelled."""
    messages = bot.server.parts.world.channels[channel_id].messages
    await bot.until(
        lambda: any("tb:cancel:" in str(one.components) for one in messages.values()), "rendering"
    )


async def test_a_20_mb_upload_gets_a_sentence(bot):
    form = aiohttp.FormData()
    form.add_field(
        "payload_json", f'{{"user": "{ADA.user_id}", "channel": "{MUSIC_ID}", "content": "x"}}'
    )
    form.add_field("files[0]", io.BytesIO(b"\x00" * UPLOAD), filename="big.wav")
    async with aiohttp.ClientSession() as http:
        url = f"{bot.server.page_url}playground/api/messages"
        async with http.post(url, data=form) as response:
            refusal = await response.json()
    assert response.status in {400, 413}
    assert "large" in refusal["error"]
    receipt = bot.press(ADA, bot.rounds()[-1], 0, 2)
    await bot.until(lambda: receipt.stage.name == "ANSWERED", "a receipt", 3)


async def test_a_vibe_of_4000_emoji(bot):
    channel = new_channel(bot, "emoji")
    await begin(bot, channel, vibe=EMOJI_VIBE)
    assert "🎷" in bot.rounds(channel.id)[0].content


async def test_a_locked_and_archived_thread_waits_for_its_round(bot):
    channel = new_channel(bot, "locked")
    lounge = bot.server.parts.world.channels[LOUNGE_ID]
    bot.server.faults.revoke(lounge, int(Permission.MANAGE_THREADS))
    await begin(bot, channel)
    bot.press(mo_in(channel), bot.rounds(channel.id)[0], VERBS, 0)
    await making(bot, channel.id)
    bot.server.faults.lock(channel, archive=True)
    await given_up(bot, channel.id)  # nobody can be told anything in there now
    channel.locked = channel.archived = False
    bot.command(mo_in(channel), "evolve", "status")
    await told(bot, mo_in(channel), "could not be posted: The thread is locked or archived")
    bot.command(mo_in(channel), "evolve", "resume")
    await bot.until(lambda: len(bot.rounds(channel.id)) == 2, "the round is posted")


@pytest.mark.parametrize("permission", ["SEND_MESSAGES", "ATTACH_FILES"])
async def test_a_revoked_permission_delays_exactly_the_same_round(bot, permission):
    lost = Permission[permission]
    music = bot.server.parts.world.channels[MUSIC_ID]
    before, read = len(bot.rounds()), count_told(bot, MO, NOT_ALLOWED)
    bot.press(MO, bot.rounds()[-1], VERBS, 0)
    await making(bot, MUSIC_ID)
    bot.server.faults.revoke(music, int(lost))
    await told(bot, MO, NOT_ALLOWED, times=read + 1)
    async with bot.database() as db, db.reading() as tx:
        waiting = await tx.value(
            "SELECT id FROM clips WHERE run_id = 1 AND posted_slot = 1 ORDER BY generation DESC"
        )
    bot.server.faults.grant(music, int(lost))
    bot.command(MO, "evolve", "resume")
    await bot.until(lambda: len(bot.rounds()) == before + 1, "the round is posted")
    assert custom_ids(bot.rounds()[-1])[0] == f"tb:rate:{waiting}:0"


async def test_channels_that_vanish(bot):
    """One while its round is rendered, one while its round is open."""
    rendering, listening = new_channel(bot, "first"), new_channel(bot, "second")
    await begin(bot, listening)
    bot.command(mo_in(rendering), "evolve", "start")
    await making(bot, rendering.id)
    bot.server.parts.threads.delete(rendering)
    bot.server.parts.threads.delete(listening)

    async def ended() -> bool:
        query = "SELECT count(*) FROM runs WHERE channel_id IN (?, ?) AND state = 'stopped'"
        async with bot.database() as db, db.reading() as tx:
            return await tx.value(query, (rendering.id, listening.id)) == 2

    await bot.eventually(ended, "their runs end", 20)


async def test_buttons_of_an_open_round_work_after_a_restart(bot):
    began = asyncio.get_running_loop().time()
    assert await bot.stop() == 0
    assert asyncio.get_running_loop().time() - began < 5
    await bot.start()
    star = bot.press(ADA, bot.rounds()[-1], 1, 4)
    await bot.until(lambda: star.stage.name == "ANSWERED", "a receipt", 5)
    await told(bot, ADA, "**B** ⭐")


async def test_a_second_bot_on_the_same_data_is_turned_away(bot):
    second = BotProcess.__new__(BotProcess)
    second.__dict__.update(vars(bot))
    second.process = None
    before = len(bot.log())
    await second.launch()
    assert await second.ended() == 1
    assert "Another Tunebreeder already uses this data" in bot.log()[before:]


async def test_nothing_of_all_this_was_unexpected(bot):
    assert await bot.integrity() == []
    assert bot.failures() == []


async def test_starts_that_cannot_succeed_say_why(tmp_path):
    async with playing(tmp_path, start=False) as broken:
        data = tmp_path / "data"
        data.mkdir()
        (data / "tunebreeder.db").write_bytes(b"this is no database" * 500)
        await broken.launch()
        assert await broken.ended() == 1
        (sentence,) = broken.log().splitlines()
        assert "is damaged" in sentence
        (data / "tunebreeder.db").unlink()
        (tmp_path / "bot.log").unlink()
        await broken.launch(DISCORD_TOKEN="wrong-token")  # noqa: S106 - made up
        assert await broken.ended() == 2
        assert "Discord refused the token" in broken.log().splitlines()[-1]
        assert "wrong-token" not in broken.log()
        assert broken.failures() == []


@pytest.mark.parametrize(
    "environ",
    [
        {"TUNEBREEDER_DISCORD_API": NOWHERE, "TUNEBREEDER_DISCORD_GATEWAY": NO_GATEWAY},
        {"TUNEBREEDER_DISCORD_GATEWAY": NO_GATEWAY},
    ],
    ids=["nothing", "no-gateway"],
)
async def test_discord_out_of_reach_is_tried_again(tmp_path, environ):
    async with playing(tmp_path, start=False) as alone:
        await alone.launch(**environ)
        words = ("cannot be reached", "connection to Discord was lost")
        await alone.until(
            lambda: sum(any(one in line for one in words) for line in alone.log().splitlines()) > 1,
            "the second attempt",
            15,
        )
        assert alone.failures() == []
        began = asyncio.get_running_loop().time()
        assert await alone.stop() == 0
        assert asyncio.get_running_loop().time() - began < 5


@pytest.fixture
def small_disk(tmp_path):
    """A folder for data on a disk of 16 MB."""
    folder = tmp_path / "data"
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=16m", "none", str(folder)]
    root = sys.platform == "linux" and os.geteuid() == 0
    if not root or subprocess.run(command, check=False, capture_output=True).returncode:
        pytest.skip("A full disk cannot be made here: that needs root and tmpfs.")
    yield folder
    command = ["umount", "-l", str(folder)]
    subprocess.run(command, check=False)


def fill(folder) -> None:
    """Write until nothing fits any more."""
    with (folder / "filler").open("wb", buffering=0) as file:
        size = 2**20
        while size:
            try:
                file.write(b"\0" * size)
            except OSError:
                size //= 2


async def test_a_full_disk(tmp_path, small_disk):
    async with playing(tmp_path, config=CONFIG) as bot:
        first = bot.rounds()[-1]
        fill(small_disk)
        for row in range(4):  # the log of the database may have room for one or two
            bot.press(ADA, first, row, 3)
        await told(bot, ADA, "disk")
        bot.press(MO, first, VERBS, 0)
        await told(bot, MO, "disk")
        (small_disk / "filler").unlink()
        confirmed = len(await bot.votes(ADA))
        bot.press(ADA, first, 0, 1)

        async def stored() -> bool:
            return any(one.rating < 0 for one in await bot.votes(ADA))

        await bot.eventually(stored, "a vote is stored again")
        assert len(await bot.votes(ADA)) in {confirmed, confirmed + 1}
        assert "no room left" in bot.log()
        assert "Traceback" not in bot.log()
        bot.command(MO, "evolve", "next")
        await bot.until(lambda: len(bot.rounds()) == 2, "the next round")
        assert await bot.integrity() == []
