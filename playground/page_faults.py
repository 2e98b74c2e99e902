"""The page API's way to make things go wrong, for tests of the bot."""

from __future__ import annotations

from typing import Any

from aiohttp import web

from playground.errors import ApiError
from playground.faults import Faults, UnknownFaultError
from playground.page_api import PAGE_PREFIX
from playground.page_body import PageBody, read_page_body
from playground.parts import Parts
from playground.permissions import Permission
from playground.refusals import RefusalError, refused
from playground.rest import answer


class PageFaults:
    """Routes about faults."""

    def __init__(self, parts: Parts, faults: Faults) -> None:
        self._parts = parts
        self._world = parts.world
        self._faults = faults

    def routes(self) -> list[web.RouteDef]:
        """The route table."""
        return [
            web.post(PAGE_PREFIX + "/faults", self.add),
            web.delete(PAGE_PREFIX + "/faults", self.clear),
        ]

    async def add(self, request: web.Request) -> web.Response:
        """Plan a fault, or do one to the gateway or the world now."""
        body = await read_page_body(request, self._world.options)
        kind = body.text("kind", high=40)
        if kind in ("delete-channel", "lock", "archive", "revoke", "grant"):
            self._world_fault(kind, body)
        elif kind == "inject":
            self._faults.inject(body.text("event", high=100), body.form.payload.get("data"))
        else:
            await self._plan(kind, body)
        return answer({"ok": True})

    async def _plan(self, kind: str, body: PageBody) -> None:
        details: dict[str, Any] = {"count": int(body.number("count", 1, low=1, high=100_000))}
        if body.form.payload.get("route"):
            details["route"] = body.text("route", high=200)
        if body.form.payload.get("method"):
            details["method"] = body.text("method", high=10).upper()
        if body.form.payload.get("seconds") is not None:
            details["seconds"] = body.number("seconds", 0.1, low=0, high=60)
        details["after"] = body.form.payload.get("after") is True
        if kind == "drop" and "route" in details:
            kind = "drop-request"
        try:
            await self._faults.raise_fault(kind, **details)
        except UnknownFaultError as error:
            raise RefusalError(str(error)) from None

    def _world_fault(self, kind: str, body: PageBody) -> None:
        try:
            channel = self._world.channel(body.identity("channel"))
        except ApiError as error:
            raise refused(error) from None
        if kind == "delete-channel":
            self._parts.threads.delete(channel)
        elif kind in ("lock", "archive"):
            self._faults.lock(channel, archive=kind == "archive")
        else:
            change = self._faults.revoke if kind == "revoke" else self._faults.grant
            change(channel, self._permission(body), user_id=body.optional_identity("user"))

    def _permission(self, body: PageBody) -> int:
        name = body.text("permission", high=40).upper()
        if name not in Permission.__members__:
            raise RefusalError(f"There is no permission called {name.lower()!r}.")
        return int(Permission[name])

    async def clear(self, _request: web.Request) -> web.Response:
        """Plan nothing any more."""
        self._faults.plan.clear()
        return answer({"ok": True})
