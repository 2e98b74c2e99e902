"""Routes about the application, its commands and the gateway's address."""

from __future__ import annotations

from aiohttp import web

from playground import errors
from playground.forms import read_form, read_list
from playground.gateway import application_flags
from playground.model import Json
from playground.parts import Parts
from playground.payloads import user as draw_user
from playground.rest import PREFIX, answer, empty, path_id
from playground.snowflakes import parse

_APP = PREFIX + "/applications/{app}"


class ApplicationRoutes:
    """Answers what a client asks before and while it logs in."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._world = parts.world

    def routes(self) -> list[web.RouteDef]:
        """The route table."""
        found = [
            web.get(PREFIX + "/gateway", self.gateway),
            web.get(PREFIX + "/gateway/bot", self.gateway_bot),
            web.get(PREFIX + "/oauth2/applications/@me", self.application),
            web.get(PREFIX + "/applications/@me", self.application),
            web.get(_APP + "/emojis", self.emojis),
            web.get(_APP + "/entitlements", self.nothing),
            web.get(_APP + "/skus", self.nothing),
            web.get(_APP + "/guilds/{guild}/commands/permissions", self.nothing),
        ]
        for base in (_APP + "/commands", _APP + "/guilds/{guild}/commands"):
            found += [
                web.get(base, self.list_commands),
                web.put(base, self.replace_commands),
                web.post(base, self.add_command),
                web.get(base + "/{command}", self.get_command),
                web.patch(base + "/{command}", self.change_command),
                web.delete(base + "/{command}", self.delete_command),
            ]
        return found

    async def gateway(self, _request: web.Request) -> web.Response:
        """Where the gateway is."""
        return answer({"url": self._parts.gateway.url})

    async def gateway_bot(self, _request: web.Request) -> web.Response:
        """Where the gateway is, with shards and session starts."""
        starts = {"total": 1000, "remaining": 1000, "reset_after": 14_400_000, "max_concurrency": 1}
        return answer({"url": self._parts.gateway.url, "shards": 1, "session_start_limit": starts})

    async def application(self, _request: web.Request) -> web.Response:
        """The application object."""
        bot = self._world.bot
        return answer(
            {
                "id": str(bot.id),
                "name": bot.username,
                "icon": None,
                "description": "Breeds music for a community.",
                "summary": "",
                "bot": draw_user(bot),
                "bot_public": True,
                "bot_require_code_grant": False,
                "owner": draw_user(self._world.user(self._world.owner_id)),
                "team": None,
                "verify_key": "0" * 64,
                "flags": application_flags(self._world),
                "approximate_guild_count": 1,
                "approximate_user_install_count": 0,
                "interactions_endpoint_url": None,
                "redirect_uris": [],
                "tags": [],
            }
        )

    async def emojis(self, _request: web.Request) -> web.Response:
        """The application's own emoji: none."""
        return answer({"items": []})

    async def nothing(self, _request: web.Request) -> web.Response:
        """An empty list."""
        return answer([])

    def _scope(self, request: web.Request) -> int | None:
        """The guild of a command route, ``None`` for global commands."""
        if parse(request.match_info["app"]) != self._world.bot.id:
            raise errors.unknown_application()
        if "guild" not in request.match_info:
            return None
        guild_id = path_id(request, "guild", errors.unknown_guild)
        if guild_id != self._world.guild_id:
            raise errors.missing_access()
        return guild_id

    async def _body(self, request: web.Request) -> Json:
        return (await read_form(request, self._world.options)).payload

    async def list_commands(self, request: web.Request) -> web.Response:
        """Registered commands."""
        return answer(self._parts.commands.listed(self._scope(request)))

    async def replace_commands(self, request: web.Request) -> web.Response:
        """Register exactly these commands."""
        scope = self._scope(request)
        return answer(
            self._parts.commands.replace_all(scope, await read_list(request, self._world.options))
        )

    async def add_command(self, request: web.Request) -> web.Response:
        """Register one more command."""
        scope = self._scope(request)
        return answer(self._parts.commands.put(scope, await self._body(request)), 201)

    async def get_command(self, request: web.Request) -> web.Response:
        """One command."""
        command_id = path_id(request, "command", errors.unknown_command)
        return answer(self._parts.commands.get(self._scope(request), command_id))

    async def change_command(self, request: web.Request) -> web.Response:
        """Change one command."""
        command_id = path_id(request, "command", errors.unknown_command)
        scope = self._scope(request)
        return answer(self._parts.commands.change(scope, command_id, await self._body(request)))

    async def delete_command(self, request: web.Request) -> web.Response:
        """Take one command away."""
        command_id = path_id(request, "command", errors.unknown_command)
        self._parts.commands.delete(self._scope(request), command_id)
        return empty()
