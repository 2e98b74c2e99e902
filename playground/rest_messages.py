"""Routes about messages and reactions."""

from __future__ import annotations

from aiohttp import web

from playground import emoji, errors, permissions
from playground.drafts import read_draft
from playground.forms import read_form
from playground.model import Channel, Emoji, Json, Message, MessageFlag
from playground.parts import Parts
from playground.payloads import user as draw_user
from playground.permissions import Permission
from playground.posting import check_post
from playground.rest import PREFIX, answer, empty, limit, path_id
from playground.snowflakes import iso, parse

_ALL = PREFIX + "/channels/{channel}/messages"
_ONE = _ALL + "/{message}"
_REACTIONS = _ONE + "/reactions"


class MessageRoutes:
    """What the bot does with messages."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._world = parts.world
        self._bot = parts.world.bot

    def routes(self) -> list[web.RouteDef]:
        """The route table."""
        return [
            web.get(_ALL, self.history),
            web.post(_ALL, self.send),
            web.post(_ALL + "/bulk-delete", self.bulk_delete),
            web.get(_ALL + "/pins", self.pins),
            web.put(_ALL + "/pins/{message}", self.pin),
            web.delete(_ALL + "/pins/{message}", self.unpin),
            web.get(_ONE, self.get),
            web.patch(_ONE, self.edit),
            web.delete(_ONE, self.delete),
            web.delete(_REACTIONS, self.clear_reactions),
            web.get(_REACTIONS + "/{emoji}", self.reactors),
            web.delete(_REACTIONS + "/{emoji}", self.clear_emoji),
            web.put(_REACTIONS + "/{emoji}/@me", self.react),
            web.delete(_REACTIONS + "/{emoji}/@me", self.unreact),
            web.delete(_REACTIONS + "/{emoji}/{user}", self.unreact_other),
            web.post(PREFIX + "/channels/{channel}/typing", self.typing),
        ]

    def _channel(self, request: web.Request, wanted: int = 0) -> Channel:
        channel_id = path_id(request, "channel", errors.unknown_channel)
        return self._world.channel_for(self._bot.id, channel_id, wanted)

    def _message(self, request: web.Request, wanted: int = 0) -> tuple[Channel, Message]:
        """The message of a route; ephemeral ones do not exist here, not even for the bot."""
        channel = self._channel(request, wanted)
        message_id = path_id(request, "message", errors.unknown_message)
        return channel, self._world.message(channel, message_id, self._bot.id)

    def _emoji(self, request: web.Request) -> Emoji:
        return emoji.read(request.match_info["emoji"], self._world.emojis)

    async def history(self, request: web.Request) -> web.Response:
        """Messages, newest first."""
        channel = self._channel(request)
        bits = self._world.permissions(self._bot.id, channel)
        size = limit(request, default=50, high=100)
        if permissions.missing(bits, Permission.READ_MESSAGE_HISTORY):
            return answer([])
        found = self._parts.messages.history(channel, self._bot.id, dict(request.query), limit=size)
        return answer([self._parts.messages.payload(one) for one in found])

    async def send(self, request: web.Request) -> web.Response:
        """Send a message."""
        channel = self._channel(request)
        draft = read_draft(await read_form(request, self._world.options))
        channel = self._channel(request)
        check_post(self._world, self._bot.id, channel, draft)
        return answer(
            self._parts.messages.payload(self._parts.messages.send(channel, self._bot, draft))
        )

    async def get(self, request: web.Request) -> web.Response:
        """One message."""
        _, message = self._message(request, Permission.READ_MESSAGE_HISTORY)
        return answer(self._parts.messages.payload(message))

    async def edit(self, request: web.Request) -> web.Response:
        """Change an own message."""
        form = await read_form(request, self._world.options)
        channel, message = self._message(request)
        if message.author.id != self._bot.id:
            raise errors.ApiError(403, 50005, "Cannot edit a message authored by another user")
        if channel.archived:
            raise errors.archived()
        layout = bool(message.flags & MessageFlag.COMPONENTS_V2)
        draft = self._parts.messages.clear_content(read_draft(form, layout=layout), form.payload)
        if draft.files:
            check_post(self._world, self._bot.id, channel, draft)
        return answer(self._parts.messages.payload(self._parts.messages.edit(message, draft)))

    async def delete(self, request: web.Request) -> web.Response:
        """Delete a message; somebody else's needs permission."""
        channel, message = self._message(request)
        if message.author.id != self._bot.id:
            self._channel(request, Permission.MANAGE_MESSAGES)
        if channel.archived:
            raise errors.archived()
        self._parts.messages.delete(channel, message)
        return empty()

    async def bulk_delete(self, request: web.Request) -> web.Response:
        """Delete 2 to 100 messages."""
        channel = self._channel(request, Permission.MANAGE_MESSAGES)
        body = (await read_form(request, self._world.options)).payload
        wanted = body.get("messages")
        if not isinstance(wanted, list) or not 2 <= len(wanted) <= 100:
            raise errors.bad_length("messages", 2, 100)
        for each in wanted:
            message = channel.messages.get(parse(each) or 0)
            if message is not None and message.is_for(self._bot.id):
                self._parts.messages.delete(channel, message)
        return empty()

    async def pins(self, request: web.Request) -> web.Response:
        """Pinned messages, newest first."""
        channel = self._channel(request)
        found = [one for one in reversed(channel.messages.values()) if one.pinned]
        items = [
            {"message": self._parts.messages.payload(one), "pinned_at": iso(one.created)}
            for one in found
        ]
        return answer({"items": items, "has_more": False})

    async def pin(self, request: web.Request) -> web.Response:
        """Pin a message."""
        return self._set_pinned(request, pinned=True)

    async def unpin(self, request: web.Request) -> web.Response:
        """Unpin a message."""
        return self._set_pinned(request, pinned=False)

    def _set_pinned(self, request: web.Request, *, pinned: bool) -> web.Response:
        _, message = self._message(request, Permission.PIN_MESSAGES)
        if message.pinned != pinned:
            message.pinned = pinned
            self._parts.messages.announce("MESSAGE_UPDATE", message)
        return empty()

    async def typing(self, request: web.Request) -> web.Response:
        """Show that the bot writes."""
        channel = self._channel(request)
        wanted = (
            Permission.SEND_MESSAGES_IN_THREADS if channel.is_thread else Permission.SEND_MESSAGES
        )
        self._channel(request, wanted)
        data: Json = {
            "channel_id": str(channel.id),
            "user_id": str(self._bot.id),
            "timestamp": int(self._world.clock()),
        }
        if channel.guild_id:
            data["guild_id"] = str(channel.guild_id)
        self._world.hub.publish_pages(
            "TYPING_START",
            lambda viewer: data if self._world.can_see(viewer.user_id, channel) else None,
        )
        return empty()

    async def react(self, request: web.Request) -> web.Response:
        """Add an own reaction."""
        channel, message = self._message(request, Permission.READ_MESSAGE_HISTORY)
        self._parts.reactions.add(channel, message, self._emoji(request), self._bot.id)
        return empty()

    async def unreact(self, request: web.Request) -> web.Response:
        """Take an own reaction back."""
        channel, message = self._message(request)
        self._parts.reactions.remove(channel, message, self._emoji(request), self._bot.id)
        return empty()

    async def unreact_other(self, request: web.Request) -> web.Response:
        """Take somebody else's reaction away."""
        channel, message = self._message(request, Permission.MANAGE_MESSAGES)
        user_id = path_id(request, "user", errors.unknown_user)
        self._parts.reactions.remove(channel, message, self._emoji(request), user_id)
        return empty()

    async def reactors(self, request: web.Request) -> web.Response:
        """Who reacted with an emoji."""
        _, message = self._message(request)
        found = self._parts.reactions.users(
            message,
            self._emoji(request),
            limit=limit(request, default=25, high=100),
            after=parse(request.query.get("after", "0")) or 0,
        )
        return answer([draw_user(one) for one in found])

    async def clear_reactions(self, request: web.Request) -> web.Response:
        """Take every reaction away."""
        channel, message = self._message(request, Permission.MANAGE_MESSAGES)
        self._parts.reactions.clear(channel, message)
        return empty()

    async def clear_emoji(self, request: web.Request) -> web.Response:
        """Take every reaction with one emoji away."""
        channel, message = self._message(request, Permission.MANAGE_MESSAGES)
        self._parts.reactions.clear_emoji(channel, message, self._emoji(request))
        return empty()
