"""What every handler needs, and who is acting where."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import discord

from bot.receipts import ReceiptBook
from domain.errors import UserError
from domain.ids import DIRECT_MESSAGES, ChannelId, GuildId, ListenerId
from service.views import Actor

if TYPE_CHECKING:  # the caller builds them; the bot only names their type
    from service.bootstrap import Services


def snowflake(at: float) -> int:
    """Return the smallest id that Discord could have given at a Unix time."""
    return max(0, int(at * 1000) - discord.utils.DISCORD_EPOCH) << 22


class EventIds:
    """Snowflakes for events that Discord gives none: made from the clock, each larger than the one before."""

    def __init__(self) -> None:
        self._last = 0

    def next(self, now: float) -> int:
        """Return the next one; ``now`` is Unix time in seconds."""
        self._last = max(self._last + 1, snowflake(now))
        return self._last


@dataclass(frozen=True, slots=True, kw_only=True)
class Room:
    """The handlers' surroundings: shared by all of them, and by every client that a supervisor starts."""

    services: Services
    receipts: ReceiptBook = field(default_factory=ReceiptBook)
    event_ids: EventIds = field(default_factory=EventIds)

    def next_event_id(self) -> int:
        """Return an id for an event that happens now and that Discord gives none."""
        return self.event_ids.next(self.services.clock.now())


def is_moderator(permissions: discord.Permissions, *, in_guild: bool) -> bool:
    """Tell whether somebody moderates a channel. In direct messages everybody does."""
    return (
        not in_guild
        or permissions.administrator
        or permissions.manage_guild
        or permissions.manage_messages
    )


def actor_of(interaction: discord.Interaction) -> Actor:
    """Return who is behind an interaction.

    Raises:
        UserError: Discord did not say where it happened.
    """
    if interaction.channel_id is None:
        raise UserError("I cannot see which channel this is. Try it in a text channel.")
    in_guild = interaction.guild_id is not None
    return Actor(
        user_id=ListenerId(interaction.user.id),
        guild_id=GuildId(interaction.guild_id)
        if interaction.guild_id is not None
        else DIRECT_MESSAGES,
        channel_id=ChannelId(interaction.channel_id),
        is_moderator=is_moderator(interaction.permissions, in_guild=in_guild),
        name=interaction.user.display_name,
    )


def place(client: discord.Client, channel_id: int) -> discord.PartialMessageable:
    """Return a channel to write to, cached or not."""
    return client.get_partial_messageable(channel_id)


def values_of(interaction: discord.Interaction) -> list[str]:
    """Return what was chosen in a select; empty for anything else or malformed."""
    data: Any = interaction.data or {}
    values = data.get("values") if isinstance(data, dict) else None
    return [value for value in values if isinstance(value, str)] if isinstance(values, list) else []
