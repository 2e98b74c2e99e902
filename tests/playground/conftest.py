import asyncio
from contextlib import AsyncExitStack, asynccontextmanager

import aiohttp
import discord
import pytest
import yarl
from discord.gateway import DiscordWebSocket

from playground.options import PlaygroundOptions
from playground.server import PlaygroundServer
from playground.start import FIRST_LISTENER_ID, MODERATOR_ID
from tests.playground.pageclient import Page
from tests.playground.testbot import Bot


@pytest.fixture
async def start_server(tmp_path):
    """Start servers with options; all are closed at the end."""
    async with AsyncExitStack() as stack:

        async def start(clock=None, **options):
            more = {} if clock is None else {"clock": clock}
            server = PlaygroundServer(
                PlaygroundOptions(**{"global_limit": 0, **options}),
                media_folder=tmp_path / "media",
                **more,
            )
            stack.push_async_callback(server.close)
            await server.start()
            return server

        yield start


@pytest.fixture
async def server(start_server):
    return await start_server()


@pytest.fixture
def log_in(monkeypatch):
    """Log the real client into a server."""

    @asynccontextmanager
    async def running(server, intents=None):
        monkeypatch.setattr(discord.http.Route, "BASE", server.api_url)
        monkeypatch.setattr(DiscordWebSocket, "DEFAULT_GATEWAY", yarl.URL(server.gateway_url))
        bot = Bot(intents or discord.Intents.all())
        task = asyncio.ensure_future(bot.start("playground"))
        try:
            await bot.saw("ready")
            yield bot
            assert not task.done(), "the client ended"
        finally:
            await bot.close()
            await task

    return running


@pytest.fixture
async def bot(server, log_in):
    async with log_in(server) as client:
        yield client


@pytest.fixture
async def ada(server):
    async with Page(server.page_url, FIRST_LISTENER_ID) as page:
        yield page


@pytest.fixture
async def bix(server):
    async with Page(server.page_url, FIRST_LISTENER_ID + 1) as page:
        yield page


@pytest.fixture
async def mo(server):
    async with Page(server.page_url, MODERATOR_ID) as page:
        yield page


class Rest:
    """Calls REST as the bot, without discord.py."""

    def __init__(self, http, base):
        self.http = http
        self.base = base
        self.headers = {"Authorization": "Bot playground"}

    async def __call__(self, method, path, status=None, headers=None, **kwargs):
        headers = self.headers if headers is None else headers
        async with self.http.request(
            method, self.base + path, headers=headers, **kwargs
        ) as response:
            body = await response.read()
            if status is not None:
                assert response.status == status, body
            if body and response.headers["Content-Type"] == "application/json":
                response.body_json = await response.json()
            else:
                response.body_json = None
            return response


@pytest.fixture
async def rest(server):
    async with aiohttp.ClientSession() as http:
        yield Rest(http, server.api_url)
