"""The page's live events: one WebSocket for each open page."""

from __future__ import annotations

import asyncio
import json

from aiohttp import WSCloseCode, web

from playground.events import EventStream
from playground.page_api import PAGE_PREFIX, base_url
from playground.parts import Parts
from playground.refusals import RefusalError
from playground.snowflakes import parse

_PING_SECONDS = 30.0


class PageEvents:
    """Streams events to pages."""

    def __init__(self, parts: Parts) -> None:
        self._world = parts.world

    def routes(self) -> list[web.RouteDef]:
        """The route table."""
        return [web.get(PAGE_PREFIX + "/events", self.events)]

    async def events(self, request: web.Request) -> web.StreamResponse:
        """Send a person everything that they may see, until the page goes."""
        user_id = parse(request.query.get("user"))
        if user_id is None or user_id not in self._world.users:
            raise RefusalError("There is nobody with this id.", 404)
        socket = web.WebSocketResponse(heartbeat=_PING_SECONDS, max_msg_size=4096)
        await socket.prepare(request)
        stream = self._world.hub.open(user_id, base_url(request))
        try:
            async with asyncio.TaskGroup() as group:
                writer = group.create_task(self._write(socket, stream))
                async for _ in socket:
                    pass  # a page only listens
                stream.close()
                writer.cancel()
        except* ConnectionError:
            pass
        finally:
            stream.close()
        return socket

    async def _write(self, socket: web.WebSocketResponse, stream: EventStream) -> None:
        while (event := await stream.next()) is not None:
            await socket.send_str(json.dumps(event, separators=(",", ":")))
        code = WSCloseCode.TRY_AGAIN_LATER if stream.overrun else WSCloseCode.GOING_AWAY
        await socket.close(code=code)
