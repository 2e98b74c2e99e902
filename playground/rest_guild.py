"""Routes about users, the guild, its members, roles and emoji."""

from __future__ import annotations

from aiohttp import web

from playground import errors, permissions
from playground.forms import read_form
from playground.parts import Parts
from playground.payloads import emoji as draw_emoji
from playground.payloads import member as draw_member
from playground.payloads import role as draw_role
from playground.payloads import user as draw_user
from playground.permissions import Permission
from playground.rest import PREFIX, answer, limit, path_id
from playground.snowflakes import parse

_GUILD = PREFIX + "/guilds/{guild}"


class GuildRoutes:
    """Answers what a client asks about people and the guild."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._world = parts.world

    def routes(self) -> list[web.RouteDef]:
        """The route table."""
        return [
            web.get(PREFIX + "/users/@me", self.me),
            web.get(PREFIX + "/users/@me/guilds", self.my_guilds),
            web.post(PREFIX + "/users/@me/channels", self.open_dm),
            web.get(PREFIX + "/users/{user}", self.user),
            web.get(_GUILD, self.guild),
            web.get(_GUILD + "/channels", self.channels),
            web.post(_GUILD + "/channels", self.create_channel),
            web.get(_GUILD + "/threads/active", self.active_threads),
            web.get(_GUILD + "/members", self.members),
            web.get(_GUILD + "/members/search", self.search),
            web.get(_GUILD + "/members/{user}", self.member),
            web.get(_GUILD + "/roles", self.roles),
            web.get(_GUILD + "/roles/{role}", self.role),
            web.get(_GUILD + "/emojis", self.emojis),
            web.get(_GUILD + "/emojis/{emoji}", self.emoji),
            web.get(_GUILD + "/stickers", self.nothing),
        ]

    def _check_guild(self, request: web.Request) -> None:
        if path_id(request, "guild", errors.unknown_guild) != self._world.guild_id:
            raise errors.unknown_guild()

    async def me(self, _request: web.Request) -> web.Response:
        """The bot's own user."""
        extra = {
            "verified": True,
            "mfa_enabled": True,
            "email": None,
            "flags": 0,
            "locale": "en-US",
        }
        return answer({**draw_user(self._world.bot), **extra})

    async def my_guilds(self, _request: web.Request) -> web.Response:
        """The guilds that the bot is in."""
        bits = self._world.guild_permissions(self._world.bot.id)
        body = self._world.draw.guild(self._world.bot.id)
        counts = {
            "approximate_member_count": len(self._world.members),
            "approximate_presence_count": 1,
        }
        return answer([{**body, "owner": False, "permissions": str(bits), **counts}])

    async def open_dm(self, request: web.Request) -> web.Response:
        """Open a direct message."""
        body = (await read_form(request, self._world.options)).payload
        user_id = parse(body.get("recipient_id"))
        if user_id is None or user_id not in self._world.users or user_id == self._world.bot.id:
            raise errors.ApiError(400, 50033, "Invalid Recipient(s)")
        return answer(self._world.draw.channel(self._world.dm_with(user_id), self._world.bot.id))

    async def user(self, request: web.Request) -> web.Response:
        """Any user."""
        return answer(draw_user(self._world.user(path_id(request, "user", errors.unknown_user))))

    async def guild(self, request: web.Request) -> web.Response:
        """The guild."""
        self._check_guild(request)
        body = self._world.draw.guild(self._world.bot.id)
        if request.query.get("with_counts", "").lower() in ("1", "true"):
            body |= {
                "approximate_member_count": len(self._world.members),
                "approximate_presence_count": 1,
            }
        return answer(body)

    async def channels(self, request: web.Request) -> web.Response:
        """The guild's channels, without threads."""
        self._check_guild(request)
        found = [one for one in self._world.channels.values() if one.guild_id and not one.is_thread]
        return answer([self._world.draw.channel(one, self._world.bot.id) for one in found])

    async def create_channel(self, request: web.Request) -> web.Response:
        """Make a text channel."""
        self._check_guild(request)
        bits = self._world.guild_permissions(self._world.bot.id)
        if permissions.missing(bits, Permission.MANAGE_CHANNELS):
            raise errors.missing_permissions()
        body = (await read_form(request, self._world.options)).payload
        channel = self._parts.threads.create_text(body)
        return answer(self._world.draw.channel(channel, self._world.bot.id), 201)

    async def active_threads(self, request: web.Request) -> web.Response:
        """Threads that are not archived."""
        self._check_guild(request)
        bot = self._world.bot.id
        found = [
            one
            for one in self._world.channels.values()
            if one.is_thread and not one.archived and self._world.can_see(bot, one)
        ]
        members = [self._world.draw.thread_member(one, bot) for one in found if bot in one.members]
        return answer(
            {"threads": [self._world.draw.channel(one, bot) for one in found], "members": members}
        )

    async def members(self, request: web.Request) -> web.Response:
        """Members by id."""
        self._check_guild(request)
        if not self._world.options.members_intent:
            raise errors.missing_access()
        after = parse(request.query.get("after", "0")) or 0
        found = sorted((uid, one) for uid, one in self._world.members.items() if uid > after)
        page = found[: limit(request, default=1, high=1000)]
        return answer([draw_member(one) for _, one in page])

    async def search(self, request: web.Request) -> web.Response:
        """Members whose name starts with the query."""
        self._check_guild(request)
        query = request.query.get("query", "").lower()
        found = [one for one in self._world.members.values() if one.user.username.startswith(query)]
        return answer([draw_member(one) for one in found[: limit(request, default=1, high=1000)]])

    async def member(self, request: web.Request) -> web.Response:
        """One member."""
        self._check_guild(request)
        return answer(
            draw_member(self._world.member(path_id(request, "user", errors.unknown_member)))
        )

    async def roles(self, request: web.Request) -> web.Response:
        """All roles."""
        self._check_guild(request)
        return answer(
            [draw_role(one, bot_id=self._world.bot.id) for one in self._world.roles.values()]
        )

    async def role(self, request: web.Request) -> web.Response:
        """One role."""
        self._check_guild(request)
        one = self._world.roles.get(path_id(request, "role", errors.unknown_role))
        if one is None:
            raise errors.unknown_role()
        return answer(draw_role(one, bot_id=self._world.bot.id))

    async def emojis(self, request: web.Request) -> web.Response:
        """The guild's own emoji."""
        self._check_guild(request)
        return answer([draw_emoji(one) for one in self._world.emojis.values()])

    async def emoji(self, request: web.Request) -> web.Response:
        """One of the guild's own emoji."""
        self._check_guild(request)
        one = self._world.emojis.get(path_id(request, "emoji", errors.unknown_emoji))
        if one is None:
            raise errors.unknown_emoji()
        return answer(draw_emoji(one))

    async def nothing(self, request: web.Request) -> web.Response:
        """An empty list."""
        self._check_guild(request)
        return answer([])
