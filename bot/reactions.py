"""Ordinary emoji reactions as weaker votes: added, removed, cleared, and healed after the bot was away."""

from __future__ import annotations

import logging

import discord

from bot.errors import WIRE_ERRORS
from bot.room import Room, place
from domain.errors import TunebreederError
from domain.ids import DIRECT_MESSAGES, ChannelId, GuildId, ListenerId, MessageId
from domain.run import Post

log = logging.getLogger(__name__)

MOST_EMOJI = 20
MOST_PEOPLE = 500
"""People read for each emoji when a message is healed."""


class Reactions:
    """Translates reaction events. Guards go from cheap to dear: most reactions in a server are on other messages."""

    def __init__(self, client: discord.Client, room: Room) -> None:
        self._client = client
        self._feedback = room.services.feedback
        self._next_id = room.next_event_id

    async def changed(self, event: discord.RawReactionActionEvent, *, added: bool) -> None:
        """Record a reaction that was added or removed."""
        user = self._client.user
        if user is None or event.user_id == user.id:
            return
        if event.member is not None and event.member.bot:
            return
        if event.message_author_id is not None and event.message_author_id != user.id:
            return
        await self._feedback.react(
            guild_id=GuildId(event.guild_id) if event.guild_id else DIRECT_MESSAGES,
            channel_id=ChannelId(event.channel_id),
            message_id=MessageId(event.message_id),
            listener_id=ListenerId(event.user_id),
            emoji=emoji_name(event.emoji),
            added=added,
            event_id=self._next_id(),
        )

    async def cleared(self, message_id: int, emoji: discord.PartialEmoji | None) -> None:
        """Take back everybody's reactions on a message, or those with one emoji."""
        await self._feedback.clear_reactions(
            message_id=MessageId(message_id),
            emoji=emoji_name(emoji) if emoji is not None else None,
            event_id=self._next_id(),
        )

    async def heal(self) -> None:
        """Read the reactions of every open round as they stand now: events are lost while the bot is away."""
        for post in await self._feedback.open_posts():
            if post.message_id is None:
                continue
            try:
                await self._heal(post, post.message_id)
            except discord.NotFound as error:
                log.debug("Post %s is not there any more: %s", post.id, error)
            except WIRE_ERRORS as error:
                log.info("The reactions of post %s cannot be read: %s", post.id, error)
            except TunebreederError as error:
                log.warning("The reactions of post %s were not healed: %s", post.id, error)

    async def _heal(self, post: Post, message_id: MessageId) -> None:
        event_id = self._next_id()  # before reading, so that what happens meanwhile is newer
        message = await place(self._client, post.channel_id).fetch_message(message_id)
        seen: dict[str, set[ListenerId]] = {}
        for reaction in message.reactions[:MOST_EMOJI]:
            if reaction.count > MOST_PEOPLE:
                log.info(
                    "Post %s has too many %s reactions to be read again", post.id, reaction.emoji
                )
                return
            people = {
                ListenerId(user.id)
                async for user in reaction.users(limit=MOST_PEOPLE)
                if not user.bot
            }
            seen.setdefault(emoji_name(reaction.emoji), set()).update(people)
        await self._feedback.heal_reactions(message_id=message_id, seen=seen, event_id=event_id)


def emoji_name(emoji: discord.PartialEmoji | discord.Emoji | str) -> str:
    """Return the emoji itself, or ``name:id`` for a custom one."""
    if isinstance(emoji, str):
        return emoji
    return f"{emoji.name}:{emoji.id}" if emoji.id else emoji.name
