from __future__ import annotations

import discord
import pytest
import yarl
from discord.gateway import DiscordWebSocket
from discord.http import Route

from bot.endpoints import point_at, shield
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


def test_another_discord_py_is_refused():
    with pytest.raises(ConfigError, match=r"2\.7"):
        shield(object())
