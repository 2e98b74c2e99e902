"""Fan-out: everything that happens is published once and drawn for each onlooker who may see it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

from playground.model import Json

QUEUE_LIMIT = 2000
"""Events that may wait for a slow page before it is cut off."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Viewer:
    """Who looks, and under which address the server is reached, for links to files."""

    user_id: int
    base_url: str
    is_bot: bool = False


Render = Callable[[Viewer], Json | None]
"""Draws an event for a viewer; ``None`` hides it from them."""

BotListener = Callable[[str, Render], None]


class EventStream:
    """What one open page (or one synthetic listener) gets to see, in order."""

    def __init__(self, viewer: Viewer, hub: EventHub) -> None:
        self.viewer = viewer
        self.overrun = False
        self._hub = hub
        self._queue: asyncio.Queue[Json | None] = asyncio.Queue()

    def push(self, name: str, data: Json) -> None:
        """Queue an event; a reader who lags too far behind is cut off."""
        if self.overrun:
            return
        if self._queue.qsize() >= QUEUE_LIMIT:
            self.overrun = True
            self.close()
            return
        self._queue.put_nowait({"t": name, "d": data})

    async def next(self) -> Json | None:
        """The next event as ``{"t": name, "d": data}``, or ``None`` once closed."""
        return await self._queue.get()

    def close(self) -> None:
        """Stop listening; ``next`` gives what is left and then ``None``."""
        self._hub.forget(self)
        self._queue.put_nowait(None)


class EventHub:
    """Knows every onlooker: the bot's gateway and the open pages."""

    def __init__(self) -> None:
        self._streams: list[EventStream] = []
        self._bots: list[BotListener] = []

    def attach_bot(self, listener: BotListener) -> None:
        """Send everything to a gateway as well."""
        self._bots.append(listener)

    def open(self, user_id: int, base_url: str) -> EventStream:
        """Start to watch as a person."""
        stream = EventStream(Viewer(user_id=user_id, base_url=base_url), self)
        self._streams.append(stream)
        return stream

    def forget(self, stream: EventStream) -> None:
        """Take a stream off the list."""
        if stream in self._streams:
            self._streams.remove(stream)

    def publish(self, name: str, render: Render) -> None:
        """Tell the bot and every page that may see it."""
        for listener in self._bots:
            listener(name, render)
        self.publish_pages(name, render)

    def publish_pages(self, name: str, render: Render) -> None:
        """Tell pages only."""
        for stream in tuple(self._streams):
            data = render(stream.viewer)
            if data is not None:
                stream.push(name, data)

    def tell(self, user_id: int, name: str, data: Json) -> None:
        """Tell the pages of one person."""
        self.publish_pages(name, lambda viewer: data if viewer.user_id == user_id else None)

    def close(self) -> None:
        """End every stream."""
        for stream in tuple(self._streams):
            stream.close()
