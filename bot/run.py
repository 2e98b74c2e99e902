"""Keep the bot connected: one client after the other, until somebody ends it or Discord refuses it for good."""

from __future__ import annotations

import asyncio
import logging
import secrets
import signal
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeVar

import discord

from bot.app import Ready, TunebreederBot
from bot.endpoints import point_at, tidy_reconnects
from bot.errors import is_transient
from bot.room import Room
from bot.sink import DiscordSink
from domain.errors import ConfigError
from service.views import RevealView

if TYPE_CHECKING:  # the caller builds them; the bot only names their type
    from service.bootstrap import Services

T = TypeVar("T")

log = logging.getLogger(__name__)

FIRST_WAIT = 1.0
LAST_WAIT = 60.0
STABLE = 300.0
"""Seconds of connection after which a failure counts as the first one again."""
BAD_LOGIN = (
    "Discord refused the token. Copy the bot's token from the developer portal into the environment variable "
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
    tidy_reconnects()
    room = Room(services=services)

    def revealed(view: RevealView) -> None:
        services.tasks.spawn(room.receipts.reveal(view), "receipts of a closed round")

    sink = DiscordSink(revealed)
    supervisor = Supervisor(token, services, sink, lambda: TunebreederBot(room, sink, ready=ready))
    if stop is not None:
        await supervisor.run(stop)
        return
    ending = asyncio.Event()
    with ending_signals(ending):
        await supervisor.run(ending)


class Supervisor:
    """Starts a fresh client whenever one ends, with a growing pause in between."""

    def __init__(
        self,
        token: str,
        services: Services,
        sink: DiscordSink,
        make_client: Callable[[], discord.Client],
    ) -> None:
        self._token = token
        self._services = services
        self._clock = services.clock
        self._sink = sink
        self._make_client = make_client

    async def run(self, stop: asyncio.Event) -> None:
        """Stay connected until ``stop`` is set.

        Raises:
            ConfigError: Discord refused the token or the intents.
        """
        wait = FIRST_WAIT
        while not stop.is_set():
            began = self._clock.now()
            refusal = await self._connect(stop)
            if refusal is not None:
                raise refusal
            if self._clock.now() - began > STABLE:
                wait = FIRST_WAIT
            await self._until(self._clock.sleep(wait), stop)
            wait = min(LAST_WAIT, 2 * wait)

    async def _connect(self, stop: asyncio.Event) -> ConfigError | None:
        client = self._make_client()
        try:
            return await self._until(self._live(client), stop)
        finally:
            self._sink.disconnect()
            self._services.outbox.detach()

    async def _live(self, client: discord.Client) -> ConfigError | None:
        """Run one client to its end. What it fails with is logged and tried again, or returned when that is useless."""
        try:
            async with client:
                await client.start(self._token)
        except discord.LoginFailure:
            return ConfigError(BAD_LOGIN)
        except discord.PrivilegedIntentsRequired:
            return ConfigError(BAD_INTENTS)
        except discord.ConnectionClosed as error:
            log.warning("Discord closed the connection (code %s); connecting again", error.code)
        except Exception as error:
            trouble = _trouble(error)
            if trouble is not None:
                log.warning("Discord cannot be reached (%s); connecting again", trouble)
            else:
                log.exception(
                    "The connection to Discord ended (ref %s); connecting again",
                    secrets.token_hex(3),
                )
        return None

    async def _until(self, work: Coroutine[Any, Any, T], stop: asyncio.Event) -> T | None:
        """Return what some work returns, or ``None`` after ending it because ``stop`` was set."""
        working = self._services.tasks.spawn(work, "Discord connection")
        stopping = self._services.tasks.spawn(stop.wait(), "wait for the end")
        try:
            await asyncio.wait({working, stopping}, return_when=asyncio.FIRST_COMPLETED)
            return working.result() if working.done() else None
        finally:
            stopping.cancel()
            working.cancel()
            await asyncio.wait({working, stopping})


def _trouble(error: BaseException) -> str | None:
    """Return what kept a client from Discord, in words; ``None`` when it is something else.

    When the very first connection fails, discord.py stumbles over the one it does not have yet; why it has none is
    then the error's context.
    """
    if isinstance(error, AttributeError) and error.obj is None and error.__context__ is not None:
        error = error.__context__
    return (str(error) or type(error).__name__) if is_transient(error) else None


@contextmanager
def ending_signals(ending: asyncio.Event) -> Iterator[None]:
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
