"""Routes about channels, their permissions, threads and thread members."""

from __future__ import annotations

from aiohttp import web

from playground import errors, fields, permissions
from playground.forms import read_form
from playground.model import Channel, ChannelType, Json, Overwrite
from playground.parts import Parts
from playground.payloads import member as draw_member
from playground.permissions import Permission
from playground.rest import PREFIX, answer, empty, path_id

_ONE = PREFIX + "/channels/{channel}"
_MEMBERS = _ONE + "/thread-members"


class ChannelRoutes:
    """What the bot does with channels and threads."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._world = parts.world
        self._bot = parts.world.bot

    def routes(self) -> list[web.RouteDef]:
        """The route table."""
        return [
            web.get(_ONE, self.get),
            web.patch(_ONE, self.change),
            web.delete(_ONE, self.delete),
            web.put(_ONE + "/permissions/{target}", self.set_permissions),
            web.delete(_ONE + "/permissions/{target}", self.delete_permissions),
            web.post(_ONE + "/threads", self.start_thread),
            web.post(_ONE + "/messages/{message}/threads", self.start_thread),
            web.get(_ONE + "/threads/archived/{kind:public|private}", self.archived),
            web.get(_ONE + "/users/@me/threads/archived/private", self.archived),
            web.get(_MEMBERS, self.members),
            web.put(_MEMBERS + "/{user}", self.join),
            web.delete(_MEMBERS + "/{user}", self.leave),
            web.get(_MEMBERS + "/{user}", self.member),
        ]

    def _channel(self, request: web.Request, wanted: int = 0) -> Channel:
        channel_id = path_id(request, "channel", errors.unknown_channel)
        return self._world.channel_for(self._bot.id, channel_id, wanted)

    def _thread(self, request: web.Request) -> Channel:
        channel = self._channel(request)
        if not channel.is_thread:
            raise errors.ApiError(400, 50024, "Cannot execute action on this channel type")
        return channel

    def _user_id(self, request: web.Request) -> int:
        if request.match_info["user"] == "@me":
            return self._bot.id
        return path_id(request, "user", errors.unknown_user)

    async def _body(self, request: web.Request) -> Json:
        return (await read_form(request, self._world.options)).payload

    def _drawn(self, channel: Channel, status: int = 200) -> web.Response:
        return answer(self._world.draw.channel(channel, self._bot.id), status)

    async def get(self, request: web.Request) -> web.Response:
        """One channel."""
        return self._drawn(self._channel(request))

    async def change(self, request: web.Request) -> web.Response:
        """Change a channel or thread."""
        body = await self._body(request)
        return self._drawn(self._parts.threads.change(self._channel(request), self._bot.id, body))

    async def delete(self, request: web.Request) -> web.Response:
        """Delete a channel or thread; close a direct message."""
        channel = self._channel(request)
        if not channel.is_dm:
            wanted = Permission.MANAGE_THREADS if channel.is_thread else Permission.MANAGE_CHANNELS
            self._channel(request, wanted)
        drawn = self._drawn(channel)
        self._parts.threads.delete(channel)
        return drawn

    async def set_permissions(self, request: web.Request) -> web.Response:
        """Set an overwrite."""
        channel = self._channel(request, Permission.MANAGE_ROLES)
        target = path_id(request, "target", errors.unknown_role)
        body = await self._body(request)
        channel.overwrites[target] = Overwrite(
            id=target,
            kind=fields.whole(body, "type", 0),
            allow=fields.whole(body, "allow", 0),
            deny=fields.whole(body, "deny", 0),
        )
        self._world.announce_channel("CHANNEL_UPDATE", channel)
        return empty()

    async def delete_permissions(self, request: web.Request) -> web.Response:
        """Take an overwrite away."""
        channel = self._channel(request, Permission.MANAGE_ROLES)
        target = path_id(request, "target", errors.unknown_role)
        if channel.overwrites.pop(target, None) is None:
            raise errors.ApiError(404, 10009, "Unknown Overwrite")
        self._world.announce_channel("CHANNEL_UPDATE", channel)
        return empty()

    async def start_thread(self, request: web.Request) -> web.Response:
        """Start a thread, from a message or on its own."""
        body = await self._body(request)
        parent = self._channel(request)
        message = None
        if "message" in request.match_info:
            message_id = path_id(request, "message", errors.unknown_message)
            message = self._world.message(parent, message_id, self._bot.id)
        thread = self._parts.threads.start(parent, self._bot, body, message=message)
        return self._drawn(thread, 201)

    async def archived(self, request: web.Request) -> web.Response:
        """Archived threads, newest first."""
        parent = self._channel(request, Permission.READ_MESSAGE_HISTORY)
        public = request.match_info.get("kind") == "public"
        kind = ChannelType.PUBLIC_THREAD if public else ChannelType.PRIVATE_THREAD
        bits = self._world.permissions(self._bot.id, parent)
        if request.match_info.get("kind") == "private" and permissions.missing(
            bits, Permission.MANAGE_THREADS
        ):
            raise errors.missing_permissions()
        found = [
            one
            for one in self._world.channels.values()
            if one.parent_id == parent.id and one.archived and one.kind is kind
        ]
        found.sort(key=lambda one: one.archived_at, reverse=True)
        drawn = [self._world.draw.channel(one, self._bot.id) for one in found[:100]]
        members = [
            self._world.draw.thread_member(one, self._bot.id)
            for one in found
            if self._bot.id in one.members
        ]
        return answer({"threads": drawn, "members": members, "has_more": len(found) > 100})

    def _member(self, thread: Channel, user_id: int, request: web.Request) -> Json:
        body = self._world.draw.thread_member(thread, user_id)
        wants = request.query.get("with_member", "").lower() in ("1", "true")
        if wants and user_id in self._world.members:
            body["member"] = draw_member(self._world.members[user_id])
        return body

    async def members(self, request: web.Request) -> web.Response:
        """Members of a thread."""
        thread = self._thread(request)
        return answer([self._member(thread, uid, request) for uid in thread.members])

    async def member(self, request: web.Request) -> web.Response:
        """One member of a thread."""
        thread, user_id = self._thread(request), self._user_id(request)
        if user_id not in thread.members:
            raise errors.unknown_member()
        return answer(self._member(thread, user_id, request))

    async def join(self, request: web.Request) -> web.Response:
        """Add somebody to a thread, or join it."""
        thread, user_id = self._thread(request), self._user_id(request)
        if user_id != self._bot.id:
            self._world.member(user_id)
            self._channel(request, Permission.SEND_MESSAGES_IN_THREADS)
        self._parts.threads.join(thread, user_id)
        return empty()

    async def leave(self, request: web.Request) -> web.Response:
        """Take somebody out of a thread, or leave it."""
        thread, user_id = self._thread(request), self._user_id(request)
        if self._bot.id not in (user_id, thread.owner_id):
            self._channel(request, Permission.MANAGE_THREADS)
        self._parts.threads.leave(thread, user_id)
        return empty()
