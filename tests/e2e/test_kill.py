"""kill -9 at any moment: no vote that was confirmed is lost, and no round is posted twice."""

from __future__ import annotations

import asyncio

import pytest

from playground.server import PlaygroundServer
from storage import votes
from storage.database import Database
from tests.e2e.bot_process import ADA, MO, VERBS, BotProcess

pytestmark = pytest.mark.e2e

MOMENTS = (0.02, 0.4, 0.9, 1.3, 1.6, 2.0)
"""Seconds after Next at which the bot is killed: asked, rendering, saving, posting, just posted."""


def custom_ids(message) -> list[str]:
    return [one["custom_id"] for row in message.components for one in row["components"]]


@pytest.fixture
async def bot(tmp_path):
    server = PlaygroundServer(media_folder=tmp_path / "media")
    await server.start()
    process = BotProcess(server, tmp_path)
    yield process
    await process.stop()
    await server.close()


async def test_a_killed_bot_loses_no_vote_and_posts_no_round_twice(bot):
    await bot.start()
    bot.command(MO, "evolve", "start")
    await bot.until(bot.rounds, "the first round")
    confirmed = 0
    for number, moment in enumerate(MOMENTS, start=1):
        await bot.until(lambda number=number: len(bot.rounds()) >= number, f"round {number}")
        latest = bot.rounds()[-1]
        receipt = bot.press(ADA, latest, 0, 3)
        await bot.until(lambda receipt=receipt: receipt.stage.name == "ANSWERED", "the receipt")
        confirmed += 1
        before = len(bot.rounds())
        bot.press(MO, latest, VERBS, 0)
        await asyncio.sleep(moment)
        await bot.kill()
        await bot.start()
        asked = len(bot.rounds()) > before
        try:
            await bot.until(lambda before=before: len(bot.rounds()) > before, "the next round", 8)
        except AssertionError:
            assert not asked  # killed before the press was taken: it is pressed again
            bot.press(MO, latest, VERBS, 0)
        await bot.until(
            lambda before=before: len(bot.rounds()) == before + 1, "exactly one more round"
        )
    await asyncio.sleep(0.5)
    firsts = [custom_ids(message)[0] for message in bot.rounds()]
    assert len(set(firsts)) == len(firsts), "a round was posted twice"
    await bot.stop()
    db = await Database.open(bot.folder / "data" / "tunebreeder.db")
    try:
        assert await db.integrity() == []
        async with db.reading() as tx:
            cast = await votes.votes_of_run(tx, 1)
        assert len([vote for vote in cast if not vote.retracted]) == confirmed
    finally:
        await db.close()
    assert "Traceback" not in bot.log()
