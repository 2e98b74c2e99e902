"""A playground and the small bot on an event loop of their own, so that a blocking browser can look at them."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import threading
from collections.abc import Coroutine, Iterator
from concurrent.futures import Future
from typing import Any, TypeVar

import discord
import pytest
from discord.gateway import DiscordWebSocket
from yarl import URL

from playground.options import PlaygroundOptions
from playground.server import PlaygroundServer
from playground.world import World
from tests.e2e.page_bot import PageBot

TOKEN = "playground"  # noqa: S105
START_SECONDS = 20.0
CALL_SECONDS = 10.0
Result = TypeVar("Result")


class Herd:
    """Listeners who only count: they join, keep still and can be asked what they like."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.found: dict[int, bool] = {}

    async def add(self, count: int, seed: int) -> list[int]:
        """Let some join."""
        people = [
            self.world.add_person(f"Listener {seed}-{n}", synthetic=True) for n in range(count)
        ]
        self.found |= {one.id: False for one in people}
        return [one.id for one in people]

    def rows(self) -> list[dict[str, Any]]:
        """Who they are, with their taste once it was revealed."""
        return [
            {
                "user": str(who),
                "votes": 2,
                "revealed": shown,
                **({"hidden": {"bass": 0.7, "genre": "dub"}} if shown else {}),
            }
            for who, shown in self.found.items()
        ]

    async def reveal(self, user_id: int | None) -> None:
        """Show the taste of one, or of all."""
        self.found |= {who: True for who in self.found if user_id in (None, who)}

    async def clear(self) -> None:
        """Let all leave."""
        for who in self.found:
            self.world.remove_person(who)
        self.found.clear()


class Stage:
    """A running playground with its bot.

    Attributes:
        url: Where the page is, without a slash at the end.
        bot: The bot; use ``call`` for what it does.
    """

    def __init__(self, server: PlaygroundServer, bot: PageBot) -> None:
        self.server = server
        self.bot = bot
        self.loop = asyncio.get_running_loop()
        self.url = server.page_url.rstrip("/")

    def call(self, work: Coroutine[Any, Any, Result]) -> Result:
        """Run something on the stage's loop and wait for its result."""
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(CALL_SECONDS)

    def person(self, name: str) -> str:
        """The id of somebody by the name shown."""
        for one in self.server.parts.world.people():
            if name in (one["global_name"], one["username"]):
                return str(one["id"])
        raise LookupError(name)

    def moderator(self) -> str:
        """The id of the moderator."""
        return next(str(p["id"]) for p in self.server.parts.world.people() if p["moderator"])

    def channel(self, name: str) -> str:
        """The id of a text channel."""
        return str(self.bot.channel(name).id)


async def _play(ready: Future[Stage], stop: asyncio.Event, options: PlaygroundOptions) -> None:
    server = PlaygroundServer(options)
    server.use_listeners(Herd(server.parts.world))
    await server.start()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(discord.http.Route, "BASE", server.api_url)
        patch.setattr(DiscordWebSocket, "DEFAULT_GATEWAY", URL(server.gateway_url))
        bot = PageBot()
        running = asyncio.ensure_future(bot.start(TOKEN))
        try:
            waiting = asyncio.ensure_future(bot.settled.wait())
            await asyncio.wait({running, waiting}, return_when=asyncio.FIRST_COMPLETED)
            if running.done():
                running.result()
            ready.set_result(Stage(server, bot))
            await stop.wait()
        finally:
            await bot.close()
            with contextlib.suppress(asyncio.CancelledError):
                await running
            await server.close()


@contextlib.contextmanager
def staged(options: PlaygroundOptions) -> Iterator[Stage]:
    """Start a playground and the bot in a thread, and stop both at the end."""
    logging.getLogger("discord").setLevel(logging.ERROR)
    ready: Future[Stage] = Future()
    stop = asyncio.Event()

    async def main() -> None:
        try:
            await _play(ready, stop, options)
        except BaseException as error:
            if not ready.done():
                ready.set_exception(error)
            raise

    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_until_complete, args=(main(),), daemon=True)
    thread.start()
    try:
        yield ready.result(START_SECONDS)
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join(CALL_SECONDS)
        assert not thread.is_alive(), "the playground did not stop"
        loop.close()
