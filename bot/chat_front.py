"""What a conversation needs of Discord: places for runs, permissions, and views of use cases in words."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import discord

from bot.chat_words import words_of
from bot.places import Setting, branch_thread, check_may_post, private_place
from domain.ids import DIRECT_MESSAGES, ChannelId, GuildId
from service.chat.turns import Where


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """Where a message was written, by whom, and what the bot may do there."""

    guild_id: int | None
    channel: Any
    user: discord.User | discord.Member
    app_permissions: discord.Permissions


class DiscordFront:
    """The ``Front`` of a message or of a press."""

    def __init__(self, scene: Setting) -> None:
        self._scene = scene

    def check_may_post(self) -> None:
        """Check that rounds can be posted here."""
        check_may_post(self._scene)

    @asynccontextmanager
    async def private_place(self, title: str) -> AsyncIterator[Where]:
        """Make a place that the speaker and the bot see."""
        async with private_place(self._scene, title) as place:
            threaded = isinstance(place, discord.Thread)
            guild = self._scene.guild_id if threaded and self._scene.guild_id else DIRECT_MESSAGES
            link = f"<#{place.id}>" if threaded else "our direct messages"
            yield Where(channel_id=ChannelId(place.id), guild_id=GuildId(guild), link=link)

    @asynccontextmanager
    async def branch_thread(self, title: str) -> AsyncIterator[Where]:
        """Make a public thread."""
        async with branch_thread(self._scene, title) as thread:
            guild = GuildId(self._scene.guild_id or DIRECT_MESSAGES)
            yield Where(channel_id=ChannelId(thread.id), guild_id=guild, link=f"<#{thread.id}>")

    def words(self, view: object) -> str:
        """Return a view in words."""
        return words_of(view)
