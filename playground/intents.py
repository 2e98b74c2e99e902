"""Which dispatches a session asked for, and what it sees of messages without the message content intent."""

from __future__ import annotations

from enum import IntFlag

from playground.model import Json


class Intent(IntFlag):
    """Groups of dispatches that matter here."""

    GUILDS = 1 << 0
    GUILD_MEMBERS = 1 << 1
    GUILD_PRESENCES = 1 << 8
    GUILD_MESSAGES = 1 << 9
    GUILD_MESSAGE_REACTIONS = 1 << 10
    GUILD_MESSAGE_TYPING = 1 << 11
    DIRECT_MESSAGES = 1 << 12
    DIRECT_MESSAGE_REACTIONS = 1 << 13
    DIRECT_MESSAGE_TYPING = 1 << 14
    MESSAGE_CONTENT = 1 << 15


KNOWN = (1 << 26) - 1
"""Bits that Discord has defined; others are refused with close code 4013."""

_BY_PREFIX: tuple[tuple[str, Intent, Intent | None], ...] = (
    ("MESSAGE_REACTION_", Intent.GUILD_MESSAGE_REACTIONS, Intent.DIRECT_MESSAGE_REACTIONS),
    ("MESSAGE_", Intent.GUILD_MESSAGES, Intent.DIRECT_MESSAGES),
    ("TYPING_", Intent.GUILD_MESSAGE_TYPING, Intent.DIRECT_MESSAGE_TYPING),
    ("GUILD_MEMBER_", Intent.GUILD_MEMBERS, None),
    ("THREAD_MEMBERS_", Intent.GUILDS, None),
    ("THREAD_", Intent.GUILDS, None),
    ("CHANNEL_", Intent.GUILDS, Intent.DIRECT_MESSAGES),
    ("GUILD_", Intent.GUILDS, None),
)


def wanted(event: str, data: Json, intents: int) -> bool:
    """Whether a session with these intents gets this dispatch."""
    for prefix, in_guild, in_dm in _BY_PREFIX:
        if event.startswith(prefix):
            needed = in_guild if "guild_id" in data or event == "GUILD_CREATE" else in_dm
            return needed is None or bool(intents & needed)
    return True


def content_hidden(data: Json, intents: int, bot_id: int) -> Json:
    """A message as a session sees it: without the intent, content only where the bot takes part.

    Own messages, direct messages and those that mention the bot keep it.
    """
    if intents & Intent.MESSAGE_CONTENT or "guild_id" not in data or "author" not in data:
        return data
    bot = str(bot_id)
    if data["author"]["id"] == bot or any(each["id"] == bot for each in data["mentions"]):
        return data
    return {**data, "content": "", "embeds": [], "attachments": [], "components": []}
