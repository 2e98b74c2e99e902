"""Keep the bot connected: one client after the other, until somebody ends it or Discord refuses it for good."""

from __future__ import annotations

import asyncio
import logging
import secrets
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import discord

from bot.app import Ready, TunebreederBot
from bot.endpoints import point_at
from bot.room import Room
from bot.sink import DiscordSink
from domain.errors import ConfigError
from service.clock import Clock

if TYPE_CHECKING:  # the caller builds them; the bot only names their type
    from service.bootstrap import Services

log = logging.getLogger(__name__)

FIRST_WAIT = 1.0
LAST_WAIT = 60.0
STABLE = 300.0
"""Seconds of connection after which a failure counts as the first one again."""
BAD_TOKEN = (
    "Discord refused the token. Copy the bot's token from the developer portal into the environment variable "  # noqa: S105
    "DISCORD_TOKEN and start again."
)
BAD_INTENTS = (
    "Discord refused the intents of this bot, which needs none of the privileged ones. Check in the developer portal "
    "that the token belongs to a bot."
)


async def run_bot(
    token: str, services: Services, *, ready: Ready | None = None, stop: asyncio.Event | None = None
) -> None:
    """Be on Discord until ``stop`` is set, or until SIGINT or SIGTERM when it is ``None``.

    Args:
        token: The bot's token.
        services: The use cases; they outlive every client.
        ready: Called whenever a connection is ready.
        stop: Ends it.

    Raises:
        ConfigError: Discord refused the token or the intents; says what to do.
    """
    point_at(services.settings.discord.api, services.settings.discord.gateway)
    supervisor = Supervisor(token, services, ready)
    if stop is not None:
        await supervisor.run(stop)
        return
    ending = asyncio.Event()
    with _signals(ending):
        await supervisor.run(ending)


class Supervisor:
    """Starts a fresh client whenever one ends, with a growing pause in between."""

    def __init__(self, token: str, services: Services, ready: Ready | None) -> None:
        self._token = token
        self._services = services
        self._clock: Clock = services.clock
        self._ready = ready
        self._room = Room(services=services)
        self._sink = DiscordSink()

    async def run(self, stop: asyncio.Event) -> None:
        """Stay connected until ``stop`` is set."""
        wait = FIRST_WAIT
        while not stop.is_set():
            began = self._clock.now()
            await self._connect(stop)
            if stop.is_set():
                return
            if self._clock.now() - began > STABLE:
                wait = FIRST_WAIT
            await self._pause(wait, stop)
            wait = min(LAST_WAIT, 2 * wait)

    async def _connect(self, stop: asyncio.Event) -> None:
        client = TunebreederBot(self._room, self._sink, ready=self._ready)
        connection = self._services.tasks.spawn(self._live(client), "Discord connection")
        stopping = self._services.tasks.spawn(_wait(stop), "wait for the end")
        try:
            await asyncio.wait({connection, stopping}, return_when=asyncio.FIRST_COMPLETED)
            if stop.is_set():
                log.info("Leaving Discord")
            await client.close()
            await connection
        finally:
            stopping.cancel()
            connection.cancel()
            self._sink.disconnect()
            self._services.outbox.detach()

    async def _live(self, client: TunebreederBot) -> None:
        """Run one client to its end; what it fails with is worded, logged, and tried again."""
        try:
            async with client:
                await client.start(self._token)
        except discord.LoginFailure:
            raise ConfigError(BAD_TOKEN) from None
        except discord.PrivilegedIntentsRequired:
            raise ConfigError(BAD_INTENTS) from None
        except Exception:
            log.exception(
                "The connection to Discord ended (ref %s); connecting again", secrets.token_hex(3)
            )

    async def _pause(self, seconds: float, stop: asyncio.Event) -> None:
        sleeping = self._services.tasks.spawn(self._clock.sleep(seconds), "reconnect")
        stopping = self._services.tasks.spawn(_wait(stop), "wait for the end")
        await asyncio.wait({sleeping, stopping}, return_when=asyncio.FIRST_COMPLETED)
        sleeping.cancel()
        stopping.cancel()


async def _wait(stop: asyncio.Event) -> None:
    await stop.wait()


@contextmanager
def _signals(ending: asyncio.Event) -> Iterator[None]:
    """Set an event on SIGINT and SIGTERM, where the platform lets a loop handle them."""
    loop = asyncio.get_running_loop()
    handled = []
    for number in (signal.SIGINT, signal.SIGTERM):
        try:
            loop.add_signal_handler(number, ending.set)
        except NotImplementedError:
            continue
        handled.append(number)
    try:
        yield
    finally:
        for number in handled:
            loop.remove_signal_handler(number)
