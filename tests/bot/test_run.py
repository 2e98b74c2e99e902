from __future__ import annotations

import asyncio
import os
import signal

import discord
import pytest

from bot.run import Supervisor, ending_signals
from bot.sink import DiscordSink
from domain.errors import ConfigError
from tests.bot.fakes import World


class FakeClient:
    """A client whose connection ends as told: with an error, by itself, or never."""

    def __init__(self, ending: BaseException | None, started: asyncio.Event) -> None:
        self.ending = ending
        self.started = started
        self.closed = False

    async def __aenter__(self):
        return self

    async def __aexit__(self, *error):
        self.closed = True

    async def start(self, token: str) -> None:
        if self.ending is not None:
            raise self.ending
        self.started.set()
        await asyncio.Event().wait()


def never_connected() -> AttributeError:
    """What discord.py ends with when its first connection fails."""
    connection = None
    try:
        try:
            raise ConnectionRefusedError(111, "refused")
        except ConnectionRefusedError:
            connection.sequence  # noqa: B018
    except AttributeError as error:
        return error
    raise RuntimeError


class Closed:
    """A connection that was closed with a code."""

    close_code = 4012


def supervise(*endings):
    world = World(lambda: 0.0)
    started = asyncio.Event()
    clients = [FakeClient(ending, started) for ending in endings]
    waiting = iter(clients)
    return (
        Supervisor("secret-token", world, DiscordSink(), lambda: next(waiting)),
        world,
        clients,
        started,
    )


async def test_a_broken_connection_is_replaced_until_somebody_stops(caplog):
    supervisor, world, clients, started = supervise(KeyError("t"), ValueError("seq"), None)
    stop = asyncio.Event()
    running = world.tasks.spawn(supervisor.run(stop), "supervisor")
    await asyncio.wait_for(started.wait(), 5)
    assert caplog.text.count("connecting again") == 2
    assert "secret-token" not in caplog.text
    stop.set()
    await asyncio.wait_for(running, 5)
    assert all(client.closed for client in clients)


@pytest.mark.parametrize(
    ("ending", "words"),
    [
        (ConnectionRefusedError(111, "Connection refused"), "cannot be reached"),
        (discord.GatewayNotFound(), "cannot be reached"),
        (never_connected(), "refused); connecting"),
        (TimeoutError(), "TimeoutError"),
        (discord.ConnectionClosed(Closed(), shard_id=None), "code 4012"),
    ],
)
async def test_an_outage_is_one_line_in_the_log_each_time(caplog, ending, words):
    supervisor, world, _, started = supervise(ending, None)
    stop = asyncio.Event()
    running = world.tasks.spawn(supervisor.run(stop), "supervisor")
    await asyncio.wait_for(started.wait(), 5)
    stop.set()
    await asyncio.wait_for(running, 5)
    assert words in caplog.text
    assert "Traceback" not in caplog.text


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (discord.LoginFailure("improper token"), "DISCORD_TOKEN"),
        (discord.PrivilegedIntentsRequired(None), "intents"),
    ],
)
async def test_a_refusal_for_good_is_a_sentence(error, words):
    supervisor, *_ = supervise(error)
    with pytest.raises(ConfigError, match=words):
        await supervisor.run(asyncio.Event())


async def test_posts_wait_while_the_connection_is_replaced():
    supervisor, world, _, started = supervise(KeyError("t"), None)
    world.outbox.sink = object()
    stop = asyncio.Event()
    running = world.tasks.spawn(supervisor.run(stop), "supervisor")
    await asyncio.wait_for(started.wait(), 5)
    assert world.outbox.sink is None
    stop.set()
    await asyncio.wait_for(running, 5)


async def test_stopped_before_it_began():
    supervisor, _, clients, _ = supervise(None)
    stop = asyncio.Event()
    stop.set()
    await supervisor.run(stop)
    assert not clients[0].closed


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_signals_end_it_gently(number):
    ending = asyncio.Event()
    with ending_signals(ending):
        os.kill(os.getpid(), number)
        await asyncio.wait_for(ending.wait(), 5)
