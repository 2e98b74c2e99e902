"""Register the slash commands only when they changed: Discord allows 200 new ones a day."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from typing import Any

import discord
from discord import app_commands

log = logging.getLogger(__name__)

Payload = Mapping[str, Any]


async def sync_if_changed(tree: app_commands.CommandTree[Any]) -> bool:
    """Compare the commands with those that Discord has and register them if they differ.

    Returns:
        Whether they were registered.
    """
    have = [command.to_dict() for command in await tree.fetch_commands()]
    want = [command.to_dict(tree) for command in tree.get_commands()]
    if not differs(want, have):
        log.debug("The slash commands are up to date")
        return False
    await tree.sync()
    log.info("Registered %s slash commands", len(want))
    return True


def differs(want: Sequence[Payload], have: Sequence[Payload]) -> bool:
    """Tell whether Discord's commands are others than the wanted ones. Their order does not matter."""
    by_name = {(one.get("type", 1), one["name"]): one for one in have}
    if len(by_name) != len(want):
        return True
    return any(not _covers(one, by_name.get((one.get("type", 1), one["name"]))) for one in want)


def _covers(want: Any, have: Any) -> bool:
    """Tell whether everything wanted is there; Discord adds ids, versions and defaults of its own."""
    if isinstance(want, Mapping):
        return isinstance(have, Mapping) and all(
            _is_default(key, have.get(key))
            if _is_default(key, value)
            else _covers(value, have.get(key))
            for key, value in want.items()
        )
    if isinstance(want, (list, tuple)):
        return (
            isinstance(have, (list, tuple))
            and len(want) == len(have)
            and all(_covers(one, other) for one, other in zip(want, have, strict=True))
        )
    if isinstance(want, bool) or isinstance(have, bool):
        return bool(want) == bool(have)
    return bool(str(want) == str(have))


def _is_default(key: str, value: Any) -> bool:
    """Tell whether a value is what Discord assumes when nothing is said."""
    return not value or (key == "dm_permission" and value is True) or (key == "type" and value == 1)


def commands_of(tree: app_commands.CommandTree[discord.Client]) -> list[str]:
    """Return the full names of all commands, such as ``"evolve start"``."""
    return [
        command.qualified_name
        for command in tree.walk_commands()
        if isinstance(command, app_commands.Command)
    ]
