"""Routes about interactions: the callback, the original response and follow-ups. A token in the path is their key."""

from __future__ import annotations

from aiohttp import web

from playground import errors
from playground.forms import read_form
from playground.model import Message
from playground.parts import Parts
from playground.rest import PREFIX, answer, empty, path_id
from playground.snowflakes import parse

_CALLBACK = PREFIX + "/interactions/{interaction}/{token}/callback"
_HOOK = PREFIX + "/webhooks/{app}/{token}"
_MESSAGE = _HOOK + "/messages/{name}"


class InteractionRoutes:
    """What the bot says to interactions."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._world = parts.world

    def routes(self) -> list[web.RouteDef]:
        """The route table."""
        return [
            web.post(_CALLBACK, self.respond),
            web.post(_HOOK, self.follow_up),
            web.get(_MESSAGE, self.get),
            web.patch(_MESSAGE, self.edit),
            web.delete(_MESSAGE, self.delete),
        ]

    def _token(self, request: web.Request) -> str:
        if parse(request.match_info["app"]) != self._world.bot.id:
            raise errors.unknown_webhook()
        return request.match_info["token"]

    def _drawn(self, message: Message) -> web.Response:
        return answer(self._parts.messages.payload(message))

    async def respond(self, request: web.Request) -> web.Response:
        """Take a first response."""
        form = await read_form(request, self._world.options)
        interaction_id = path_id(request, "interaction", errors.unknown_interaction)
        body = self._parts.answers.respond(interaction_id, request.match_info["token"], form)
        wanted = request.query.get("with_response", "").lower() in ("1", "true")
        return answer(body) if wanted else empty()

    async def follow_up(self, request: web.Request) -> web.Response:
        """Send one more message."""
        token = self._token(request)
        form = await read_form(request, self._world.options)
        return self._drawn(self._parts.answers.follow_up(token, form))

    async def get(self, request: web.Request) -> web.Response:
        """A message of an interaction."""
        _, _, message = self._parts.answers.find(self._token(request), request.match_info["name"])
        return self._drawn(message)

    async def edit(self, request: web.Request) -> web.Response:
        """Change a message of an interaction."""
        token = self._token(request)
        form = await read_form(request, self._world.options)
        return self._drawn(self._parts.answers.edit(token, request.match_info["name"], form))

    async def delete(self, request: web.Request) -> web.Response:
        """Delete a message of an interaction."""
        self._parts.answers.delete(self._token(request), request.match_info["name"])
        return empty()
