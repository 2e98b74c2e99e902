"""The page's routes for synthetic listeners. Who they are and how they vote is behind a Protocol."""

from __future__ import annotations

from typing import Protocol

from aiohttp import web

from playground.model import Json
from playground.options import PlaygroundOptions
from playground.page_api import PAGE_PREFIX
from playground.page_body import read_page_body
from playground.refusals import RefusalError
from playground.rest import answer
from playground.world import World

MOST = 50


class Listeners(Protocol):
    """People who are played by a program."""

    async def add(self, count: int, seed: int) -> list[int]:
        """Let ``count`` more join; gives their user ids. The same seed gives the same tastes."""

    def rows(self) -> list[Json]:
        """For each: ``user`` (id as text), ``votes``, ``revealed``, and ``hidden`` (their taste) once revealed."""

    async def reveal(self, user_id: int | None) -> None:
        """Show the taste of one, or of all."""

    async def clear(self) -> None:
        """Let all of them leave."""


class PageListeners:
    """Routes about synthetic listeners."""

    def __init__(self, world: World, options: PlaygroundOptions) -> None:
        self._world = world
        self._options = options
        self.listeners: Listeners | None = None

    def routes(self) -> list[web.RouteDef]:
        """The route table."""
        return [
            web.get(PAGE_PREFIX + "/listeners", self.rows),
            web.post(PAGE_PREFIX + "/listeners", self.add),
            web.delete(PAGE_PREFIX + "/listeners", self.clear),
            web.post(PAGE_PREFIX + "/listeners/reveal", self.reveal),
        ]

    def _found(self) -> Listeners:
        if self.listeners is None:
            raise RefusalError("This playground was started without synthetic listeners.", 409)
        return self.listeners

    async def rows(self, _request: web.Request) -> web.Response:
        """Who listens."""
        return answer([] if self.listeners is None else self.listeners.rows())

    async def add(self, request: web.Request) -> web.Response:
        """Let some join."""
        body = await read_page_body(request, self._options)
        count = int(body.number("count", 1, low=1, high=MOST))
        seed = int(body.number("seed", 0, low=0, high=2**53))
        found = self._found()
        if len(found.rows()) + count > MOST:
            raise RefusalError(f"At most {MOST} synthetic listeners can take part.", 409)
        added = {str(user_id) for user_id in await found.add(count, seed)}
        return answer([one for one in self._world.people() if one["id"] in added])

    async def reveal(self, request: web.Request) -> web.Response:
        """Show tastes."""
        body = await read_page_body(request, self._options)
        await self._found().reveal(body.optional_identity("user"))
        return answer({"ok": True})

    async def clear(self, _request: web.Request) -> web.Response:
        """Let all leave."""
        await self._found().clear()
        return answer({"ok": True})
