"""Adds, removes and lists reactions, and tells everybody."""

from __future__ import annotations

from playground import errors, permissions
from playground.events import Viewer
from playground.model import Channel, Emoji, Json, Message, Reaction, User
from playground.payloads import member as draw_member
from playground.permissions import Permission
from playground.world import World

MAX_DIFFERENT = 20


class Reactions:
    """What can be done with reactions."""

    def __init__(self, world: World) -> None:
        self._world = world

    def add(self, channel: Channel, message: Message, emoji: Emoji, user_id: int) -> None:
        """React. Doing so twice changes nothing.

        Raises:
            ApiError: 30010 over twenty different emoji, 50013, 50083 in an archived thread.
        """
        if channel.archived:
            raise errors.archived()
        if message.only_for is not None:
            raise errors.unknown_message()
        reaction = message.reactions.get(emoji.key)
        if reaction is None:
            if permissions.missing(
                self._world.permissions(user_id, channel), Permission.ADD_REACTIONS
            ):
                raise errors.missing_permissions()
            if len(message.reactions) >= MAX_DIFFERENT:
                text = f"Maximum number of reactions reached ({MAX_DIFFERENT})"
                raise errors.ApiError(400, 30010, text)
            reaction = message.reactions[emoji.key] = Reaction(emoji=emoji)
        if user_id in reaction.users:
            return
        reaction.users[user_id] = None
        data = self._event(channel, message) | {
            "user_id": str(user_id),
            "emoji": reaction.emoji.payload(),
            "message_author_id": str(message.author.id),
            "burst": False,
            "type": 0,
        }
        if channel.guild_id and user_id in self._world.members:
            data["member"] = draw_member(self._world.members[user_id])
        self._publish("MESSAGE_REACTION_ADD", channel, data)

    def remove(self, channel: Channel, message: Message, emoji: Emoji, user_id: int) -> None:
        """Take one person's reaction back. One that is not there is no error."""
        if channel.archived:
            raise errors.archived()
        reaction = message.reactions.get(emoji.key)
        if reaction is None or user_id not in reaction.users:
            return
        del reaction.users[user_id]
        if not reaction.users:
            del message.reactions[emoji.key]
        data = self._event(channel, message) | {
            "user_id": str(user_id),
            "emoji": reaction.emoji.payload(),
            "burst": False,
            "type": 0,
        }
        self._publish("MESSAGE_REACTION_REMOVE", channel, data)

    def clear(self, channel: Channel, message: Message) -> None:
        """Take every reaction away."""
        message.reactions.clear()
        self._publish("MESSAGE_REACTION_REMOVE_ALL", channel, self._event(channel, message))

    def clear_emoji(self, channel: Channel, message: Message, emoji: Emoji) -> None:
        """Take every reaction with one emoji away."""
        reaction = message.reactions.pop(emoji.key, None)
        if reaction is None:
            raise errors.unknown_emoji()
        data = self._event(channel, message) | {"emoji": reaction.emoji.payload()}
        self._publish("MESSAGE_REACTION_REMOVE_EMOJI", channel, data)

    def users(self, message: Message, emoji: Emoji, *, limit: int, after: int) -> list[User]:
        """Who reacted with an emoji, by id, from just above ``after``."""
        reaction = message.reactions.get(emoji.key)
        reacted = sorted(reaction.users) if reaction else []
        return [
            self._world.users[uid] for uid in reacted if uid > after and uid in self._world.users
        ][:limit]

    def _event(self, channel: Channel, message: Message) -> Json:
        data = {"channel_id": str(channel.id), "message_id": str(message.id)}
        if channel.guild_id:
            data["guild_id"] = str(channel.guild_id)
        return data

    def _publish(self, event: str, channel: Channel, data: Json) -> None:
        def render(viewer: Viewer) -> Json | None:
            return data if self._world.can_see(viewer.user_id, channel) else None

        self._world.hub.publish(event, render)
