"""What the log and a person read when something goes wrong."""

from __future__ import annotations

import logging

import pytest

from bot.app import TunebreederBot
from bot.errors import sentence_for
from bot.room import Room
from bot.sink import DiscordSink
from domain.errors import ClosedError, NotFoundError
from tests.bot.fakes import World


@pytest.fixture
def client():
    return TunebreederBot(Room(services=World(lambda: 0.0)), DiscordSink())


async def handling(client, error):
    """Let a handler of an event fail with this error."""
    try:
        raise error
    except type(error):
        await client.on_error("ready")


async def test_a_handler_that_fails_leaves_a_trace(client, caplog):
    await handling(client, KeyError("x"))
    (record,) = caplog.records
    assert (record.levelname, bool(record.exc_info)) == ("ERROR", True)


async def test_a_handler_that_is_cut_off_by_the_end_leaves_a_line(client, caplog):
    caplog.set_level(logging.INFO)
    await client.close()
    await handling(client, ClosedError("The database is closed."))
    (record,) = caplog.records
    assert (record.levelname, record.exc_info) == ("INFO", None)


async def test_what_happens_after_the_end_is_not_handled(client):
    await client.close()
    client.dispatch("ready")  # discord.py has no loop any more to handle it on


async def test_what_is_not_there_leaves_a_line(client, caplog):
    caplog.set_level(logging.INFO)
    await handling(client, NotFoundError("That round is gone."))
    (record,) = caplog.records
    assert (record.levelname, record.exc_info) == ("INFO", None)


def test_a_press_while_the_bot_ends_is_to_be_repeated(caplog):
    assert "Try it again" in sentence_for(ClosedError("The database is closed."))
    assert not [record for record in caplog.records if record.exc_info]
    assert "ref " in sentence_for(KeyError("x"))
    assert [record for record in caplog.records if record.exc_info]
