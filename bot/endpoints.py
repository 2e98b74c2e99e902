"""The one file that reaches into discord.py: where Discord is, and a guard around its event parsers.

discord.py has no setting for either, so three of its internals are used here and checked at import time. When an
upgrade moves one of them, the bot says so at start instead of talking to the wrong server.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

import discord
import yarl
from discord.gateway import DiscordWebSocket
from discord.http import Route

from domain.errors import ConfigError

log = logging.getLogger(__name__)

for _owner, _name in ((Route, "BASE"), (DiscordWebSocket, "DEFAULT_GATEWAY")):
    if not hasattr(_owner, _name):
        raise ImportError(f"discord.py {discord.__version__} has no {_owner.__name__}.{_name}")

discord.VoiceClient.warn_nacl = discord.VoiceClient.warn_dave = False  # the bot does not speak

VITAL_EVENTS = frozenset({"READY", "RESUMED"})
"""Without these there is no session, so an error in one of them must end it."""


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
    parsers: dict[str, Callable[[Any], Any]] | None = getattr(
        getattr(client, "_connection", None), "parsers", None
    )
    if not isinstance(parsers, dict):
        raise ConfigError(
            f"discord.py {discord.__version__} does not fit this version of the bot. Install discord.py 2.7."
        )
    for event, parse in list(parsers.items()):
        if event not in VITAL_EVENTS:
            parsers[event] = _guarded(event, parse)


def _guarded(event: str, parse: Callable[[Any], Any]) -> Callable[[Any], Any]:
    def guarded(data: Any) -> Any:
        try:
            return parse(data)
        except Exception:  # the boundary between the wire and the bot
            log.warning("Skipped a malformed %s event", event, exc_info=True)
            return None

    return guarded
