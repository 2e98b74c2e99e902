"""The one file that reaches into discord.py: where Discord is, a guard around its event parsers, calmer endings.

discord.py has no setting for these, so some of its internals are used here and checked at import time. When an
upgrade moves one of them, the bot says so at start instead of talking to the wrong server.
"""

from __future__ import annotations

import functools
import logging
from collections.abc import Awaitable, Callable
from typing import Any, ParamSpec, TypeVar

import aiohttp
import discord
import yarl
from discord.backoff import ExponentialBackoff
from discord.gateway import DiscordWebSocket
from discord.http import HTTPClient, Route
from discord.webhook.async_ import AsyncWebhookAdapter

from domain.errors import ConfigError

P = ParamSpec("P")
T = TypeVar("T")

log = logging.getLogger(__name__)

REQUESTS: tuple[tuple[Any, str], ...] = (
    (HTTPClient, "request"),
    (HTTPClient, "get_from_cdn"),
    (AsyncWebhookAdapter, "request"),
)
"""Everything that goes to Discord passes one of these, whoever asks and however long it waited for its turn."""

for _owner, _name in (
    (Route, "BASE"),
    (DiscordWebSocket, "DEFAULT_GATEWAY"),
    (discord.client, "ExponentialBackoff"),
    (ExponentialBackoff(), "_max"),
    *REQUESTS,
):
    if not hasattr(_owner, _name):
        raise ImportError(f"discord.py {discord.__version__} has no {_name} in {_owner!r}")

discord.VoiceClient.warn_nacl = discord.VoiceClient.warn_dave = False  # the bot does not speak

SESSION_CLOSED = "Session is closed"
"""How aiohttp says, as a bare ``RuntimeError``, that a request came after the end of its session."""


class DisconnectedError(aiohttp.ClientConnectionError):
    """A request was made, or its turn came, when the client had been closed: like every other lost connection."""


def _as_lost_connection(request: Callable[P, Awaitable[T]]) -> Callable[P, Awaitable[T]]:
    @functools.wraps(request)
    async def requested(*args: P.args, **kwargs: P.kwargs) -> T:
        try:
            return await request(*args, **kwargs)
        except RuntimeError as error:
            if str(error) != SESSION_CLOSED:
                raise
            raise DisconnectedError("the connection to Discord has ended") from None

    return requested


for _owner, _name in REQUESTS:
    setattr(_owner, _name, _as_lost_connection(getattr(_owner, _name)))

VITAL_EVENTS = frozenset({"READY", "RESUMED"})
"""Without these there is no session, so an error in one of them must end it."""


LONGEST_DOUBLINGS = 6
"""A reconnect waits at most 2 ** this many seconds: discord.py alone goes up to 17 minutes after a long outage."""


class _Backoff(ExponentialBackoff[Any]):
    def __init__(self) -> None:
        super().__init__()
        self._max = LONGEST_DOUBLINGS


class _OneLine(logging.Filter):
    """Says in one line what discord.py says with a trace on every attempt to connect again."""

    def filter(self, record: logging.LogRecord) -> bool:
        if record.exc_info and record.msg == RETRY_MESSAGE:
            error = record.exc_info[1]
            record.msg = "The connection to Discord was lost (%s). Trying again in %.0f s."
            record.args = (str(error) or type(error).__name__, *_numbers(record.args))
            record.levelno, record.levelname = logging.WARNING, "WARNING"
            record.exc_info = record.exc_text = None
        return True


RETRY_MESSAGE = "Attempting a reconnect in %.2fs"
_ONE_LINE = _OneLine()


def _numbers(args: Any) -> tuple[float, ...]:
    return tuple(one for one in args or () if isinstance(one, float))[:1] or (0.0,)


def tidy_reconnects() -> None:
    """Connect again within about a minute after an outage of any length, and without a trace in the log each time."""
    setattr(discord.client, "ExponentialBackoff", _Backoff)  # noqa: B010 - not exported, so mypy has no name for it
    logging.getLogger("discord.client").addFilter(_ONE_LINE)


def point_at(api: str, gateway: str) -> None:
    """Use these addresses for every client of this process from now on.

    Args:
        api: Base address of the REST API, such as ``https://discord.com/api/v10``.
        gateway: Address of the gateway, such as ``wss://gateway.discord.gg/``.
    """
    Route.BASE = api.rstrip("/")
    DiscordWebSocket.DEFAULT_GATEWAY = yarl.URL(gateway)


def shield(client: discord.Client) -> None:
    """Let a malformed event be logged and skipped.

    discord.py parses an event on the connection's own task, so one bad payload would end the connection and with it
    everything else that arrives on it.

    Raises:
        ConfigError: This discord.py keeps its parsers elsewhere.
    """
    reported: set[str] = set()
    parsers: dict[str, Callable[[Any], Any]] | None = getattr(
        getattr(client, "_connection", None), "parsers", None
    )
    if not isinstance(parsers, dict):
        raise ConfigError(
            f"discord.py {discord.__version__} does not fit this version of the bot. Install discord.py 2.7."
        )
    for event, parse in list(parsers.items()):
        if event not in VITAL_EVENTS:
            parsers[event] = _guarded(event, parse, reported)


def _check_interaction(data: Any) -> None:
    """Raise when an interaction lacks what an answer needs: discord.py reads some of it only on a task of its own."""
    ids = (data["id"], data["channel_id"], (data.get("member") or data)["user"]["id"])
    if not all(0 <= int(one) < 2**64 for one in ids):
        raise ValueError("an id is none")
    inner = data.get("data") or {}
    name, custom_id = inner.get("name", ""), inner.get("custom_id", "")
    texts = (str(data["id"]), data["token"], name, custom_id)
    if not all(isinstance(text, str) and len(text) <= LONGEST for text in texts):
        raise ValueError("a text is missing or too long")
    if not data["token"] or not data["token"].isascii() or not isinstance(data["type"], int):
        raise ValueError("the token or the type is none")
    if data["type"] in _COMMANDS and not name:
        raise ValueError("a command without a name")


def _check_reaction(data: Any) -> None:
    name = data["emoji"].get("name")
    if not isinstance(name, str | None):
        raise TypeError("the emoji's name is no text")


LONGEST = 1000
"""Characters of an interaction's token or custom id: several times what Discord sends."""
_COMMANDS = frozenset({2, 4})
_CHECKS: dict[str, Callable[[Any], None]] = {
    "INTERACTION_CREATE": _check_interaction,
    "MESSAGE_REACTION_ADD": _check_reaction,
    "MESSAGE_REACTION_REMOVE": _check_reaction,
    "MESSAGE_REACTION_REMOVE_EMOJI": _check_reaction,
}


def _guarded(event: str, parse: Callable[[Any], Any], reported: set[str]) -> Callable[[Any], Any]:
    """Return a parser that never raises. The first failure for each kind of event is logged, not a flood of them."""
    check = _CHECKS.get(event)

    def guarded(data: Any) -> Any:
        try:
            if check is not None:
                check(data)
            return parse(data)
        except Exception:  # the boundary between the wire and the bot
            level = logging.DEBUG if event in reported else logging.WARNING
            reported.add(event)
            log.log(level, "Skipped a malformed %s event", event, exc_info=True)
            return None

    return guarded
