from __future__ import annotations

import asyncio
import inspect
import logging

import aiohttp
import discord
import pytest
import yarl
from discord.gateway import DiscordWebSocket
from discord.http import HTTPClient, Route
from discord.webhook.async_ import AsyncWebhookAdapter

from bot.endpoints import (
    RETRY_MESSAGE,
    SESSION_CLOSED,
    DisconnectedError,
    point_at,
    shield,
    tidy_reconnects,
)
from bot.errors import WIRE_ERRORS, is_transient
from domain.errors import ConfigError


@pytest.fixture
def untouched(monkeypatch):
    monkeypatch.setattr(Route, "BASE", Route.BASE)
    monkeypatch.setattr(DiscordWebSocket, "DEFAULT_GATEWAY", DiscordWebSocket.DEFAULT_GATEWAY)


@pytest.mark.usefixtures("untouched")
def test_any_server_that_speaks_the_protocol():
    point_at("http://127.0.0.1:8080/api/v10/", "ws://127.0.0.1:8080/gateway")
    route = Route("GET", "/users/@me")
    assert route.url == "http://127.0.0.1:8080/api/v10/users/@me"
    assert yarl.URL("ws://127.0.0.1:8080/gateway") == DiscordWebSocket.DEFAULT_GATEWAY


async def test_a_malformed_event_is_skipped_and_a_broken_session_is_not(caplog):
    client = discord.Client(intents=discord.Intents.none())
    shield(client)
    parsers = client._connection.parsers
    assert parsers["INTERACTION_CREATE"]({"nonsense": True}) is None
    assert "Skipped a malformed INTERACTION_CREATE event" in caplog.text
    with pytest.raises(KeyError):
        parsers["READY"]({})
    for _ in range(3):
        parsers["INTERACTION_CREATE"]({"nonsense": True})
    assert caplog.text.count("Skipped a malformed") == 1


@pytest.fixture
def tidy(monkeypatch):
    monkeypatch.setattr(discord.client, "ExponentialBackoff", discord.client.ExponentialBackoff)
    logger = logging.getLogger("discord.client")
    monkeypatch.setattr(logger, "filters", list(logger.filters))
    tidy_reconnects()
    return logger


def test_a_lost_connection_is_one_line(tidy, caplog):
    try:
        raise ConnectionResetError(104, "Connection reset by peer")
    except ConnectionResetError:
        tidy.exception(RETRY_MESSAGE, 3.2)
        tidy.exception("Something else")
    lost, other = caplog.records
    assert lost.getMessage().endswith("reset by peer). Trying again in 3 s.")
    assert (lost.levelname, lost.exc_info) == ("WARNING", None)
    assert (other.levelname, bool(other.exc_info)) == ("ERROR", True)


def test_a_long_outage_is_followed_by_a_short_wait(tidy):
    backoff = discord.client.ExponentialBackoff()
    assert max(backoff.delay() for _ in range(200)) <= 64


def test_the_library_still_says_what_is_tidied():
    assert RETRY_MESSAGE in inspect.getsource(discord.client.Client.connect)


def test_another_discord_py_is_refused():
    with pytest.raises(ConfigError, match=r"2\.7"):
        shield(object())


@pytest.fixture
async def closed():
    """A session that has ended, as a handler still sees it that was busy when its client was closed."""
    session = aiohttp.ClientSession()
    await session.close()
    return session


async def test_a_request_after_the_end_is_a_lost_connection(closed):
    http = HTTPClient(asyncio.get_running_loop())
    http._global_over = asyncio.Event()
    http._global_over.set()
    http._HTTPClient__session = closed
    route = Route("GET", "/channels/{channel_id}", channel_id=1)
    for request in (
        http.request(route),
        http.get_from_cdn("https://cdn.invalid/a.png"),
        AsyncWebhookAdapter().request(route, closed),
    ):
        with pytest.raises(DisconnectedError, match="has ended") as caught:
            await request
        assert isinstance(caught.value, WIRE_ERRORS)
        assert is_transient(caught.value)


async def test_other_faults_of_a_request_stay_what_they_are(closed):
    adapter = AsyncWebhookAdapter()
    with pytest.raises(AttributeError):
        await adapter.request(None, closed)
    with pytest.raises(RuntimeError, match=SESSION_CLOSED):
        await closed.get("https://cdn.invalid/a.png")
