"""The page's own API: what one chosen person sees, and what they do. Objects have Discord's shapes."""

from __future__ import annotations

from typing import Any

from aiohttp import web

from playground.events import Viewer
from playground.forms import Form
from playground.model import Channel, Json
from playground.option_values import Filled
from playground.page_body import PageBody, read_page_body
from playground.parts import Parts
from playground.people import CommandCall, People, Place
from playground.permissions import Permission
from playground.refusals import RefusalError
from playground.rest import answer
from playground.snowflakes import parse

PAGE_PREFIX = "/playground/api"
_CALL = {"content", "flags", "attachments", "message_reference", "tts"}


class PageApi:
    """Routes of the page."""

    def __init__(self, parts: Parts, people: People) -> None:
        self._parts = parts
        self._world = parts.world
        self._people = people

    def routes(self) -> list[web.RouteDef]:
        """The route table."""
        return [
            web.get(PAGE_PREFIX + "/health", self.health),
            web.get(PAGE_PREFIX + "/state", self.state),
            web.get(PAGE_PREFIX + "/messages", self.messages),
            web.post(PAGE_PREFIX + "/messages", self.say),
            web.delete(PAGE_PREFIX + "/messages", self.delete),
            web.post(PAGE_PREFIX + "/click", self.click),
            web.post(PAGE_PREFIX + "/command", self.command),
            web.post(PAGE_PREFIX + "/autocomplete", self.autocomplete),
            web.post(PAGE_PREFIX + "/modal", self.modal),
            web.put(PAGE_PREFIX + "/reactions", self.react),
            web.delete(PAGE_PREFIX + "/reactions", self.unreact),
            web.post(PAGE_PREFIX + "/threads", self.start_thread),
            web.post(PAGE_PREFIX + "/dm", self.dm),
        ]

    async def _body(self, request: web.Request) -> PageBody:
        return await read_page_body(request, self._world.options)

    def viewer(self, request: web.Request) -> Viewer:
        """The person whose eyes the page looks through; files are linked under the address the page uses."""
        user_id = parse(request.query.get("user"))
        if user_id is None or user_id not in self._world.users:
            raise RefusalError("There is nobody with this id.", 404)
        return Viewer(user_id=user_id, base_url=base_url(request))

    def drawn(self, channel: Channel, user_id: int) -> Json:
        """A channel with what the person may do in it."""
        bits = str(self._world.permissions(user_id, channel))
        return {**self._world.draw.channel(channel, user_id), "permissions": bits}

    async def health(self, _request: web.Request) -> web.Response:
        """Whether the server and the bot are there."""
        return answer({"ok": True, "bot_online": self._parts.sessions.online})

    async def state(self, request: web.Request) -> web.Response:
        """Everything a page needs to draw itself for a person. Without one, only who there is to be."""
        user_id = parse(request.query.get("user")) or 0
        seen: list[Json] = []
        if user_id in self._world.users:
            channels = [
                one for one in self._world.channels.values() if self._world.can_see(user_id, one)
            ]
            seen = [self.drawn(one, user_id) for one in channels if not one.archived]
        registered = self._parts.commands.listed
        return answer(
            {
                "users": self._world.people(),
                "guild": {"id": str(self._world.guild_id), "name": self._world.guild_name},
                "channels": seen,
                "commands": [*registered(self._world.guild_id), *registered(None)],
                "bot_online": self._parts.sessions.online,
            }
        )

    async def messages(self, request: web.Request) -> web.Response:
        """Messages of a channel, oldest first, the person's own ephemeral ones among them."""
        viewer = self.viewer(request)
        channel_id = parse(request.query.get("channel")) or 0
        channel = self._people.channel(Place(user_id=viewer.user_id, channel_id=channel_id))
        size = min(max(parse(request.query.get("limit")) or 50, 1), 200)
        if not self._world.permissions(viewer.user_id, channel) & Permission.READ_MESSAGE_HISTORY:
            return answer([])
        found = self._parts.messages.history(
            channel, viewer.user_id, dict(request.query), limit=size
        )
        return answer([self._parts.messages.payload(one, viewer) for one in reversed(found)])

    async def say(self, request: web.Request) -> web.Response:
        """Write a message."""
        body = await self._body(request)
        place = body.place
        payload = {key: value for key, value in body.form.payload.items() if key in _CALL}
        if body.form.payload.get("reply_to") is not None:
            payload["message_reference"] = {"message_id": str(body.identity("reply_to"))}
        message = self._people.say(place, Form(payload=payload, files=body.form.files))
        viewer = Viewer(user_id=place.user_id, base_url=base_url(request))
        return answer(self._parts.messages.payload(message, viewer))

    async def delete(self, request: web.Request) -> web.Response:
        """Delete a message."""
        body = await self._body(request)
        self._people.delete(body.place, body.identity("message"))
        return answer({"ok": True})

    async def click(self, request: web.Request) -> web.Response:
        """Press a button or choose in a menu."""
        body = await self._body(request)
        values = body.items("values")
        custom_id = body.text("custom_id", high=100)
        interaction = self._people.click(body.place, body.identity("message"), custom_id, values)
        return answer({"interaction": str(interaction.id)})

    def _call(self, body: PageBody, *, focused: str | None = None) -> CommandCall:
        values: dict[str, Any] = {}
        for each in body.items("options"):
            if not isinstance(each, dict) or not isinstance(each.get("name"), str):
                raise RefusalError("Each option needs a name and a value.")
            values[each["name"]] = each.get("value")
        path = tuple(str(each) for each in body.items("path"))
        if focused is not None:
            values.setdefault(focused, "")
        return CommandCall(
            name=body.text("name", high=32),
            filled=Filled(path=path, values=values, focused=focused),
            kind=int(body.number("type", 1, low=1, high=3)),
            target=body.optional_identity("target"),
            files=body.form.files,
        )

    async def command(self, request: web.Request) -> web.Response:
        """Run a command."""
        body = await self._body(request)
        interaction = self._people.command(body.place, self._call(body))
        return answer({"interaction": str(interaction.id)})

    async def autocomplete(self, request: web.Request) -> web.Response:
        """Ask the bot for suggestions."""
        body = await self._body(request)
        call = self._call(body, focused=body.text("focused", high=32))
        return answer({"choices": await self._people.autocomplete(body.place, call)})

    async def modal(self, request: web.Request) -> web.Response:
        """Send a form."""
        body = await self._body(request)
        values = body.form.payload.get("values")
        if not isinstance(values, dict):
            raise RefusalError("values must be an object.")
        interaction = self._people.submit(
            body.place, body.identity("modal"), values, body.form.files
        )
        return answer({"interaction": str(interaction.id)})

    async def react(self, request: web.Request) -> web.Response:
        """Add a reaction."""
        body = await self._body(request)
        self._people.react(body.place, body.identity("message"), body.text("emoji", high=100))
        return answer({"ok": True})

    async def unreact(self, request: web.Request) -> web.Response:
        """Take a reaction back; with ``everyone`` a moderator takes all of them away."""
        body = await self._body(request)
        message_id = body.identity("message")
        if body.form.payload.get("everyone") is True:
            symbol = body.text("emoji", high=100) if body.form.payload.get("emoji") else None
            self._people.clear_reactions(body.place, message_id, symbol)
        else:
            self._people.unreact(body.place, message_id, body.text("emoji", high=100))
        return answer({"ok": True})

    async def start_thread(self, request: web.Request) -> web.Response:
        """Start a thread."""
        body = await self._body(request)
        place = body.place
        thread = self._people.start_thread(
            place, body.text("name", high=100), body.optional_identity("message")
        )
        return answer(self.drawn(thread, place.user_id))

    async def dm(self, request: web.Request) -> web.Response:
        """Open the direct message with the bot."""
        user_id = (await self._body(request)).identity("user")
        return answer(self.drawn(self._people.dm(user_id), user_id))


def base_url(request: web.Request) -> str:
    """The address under which the page reaches this server."""
    return f"{request.scheme}://{request.host}"
