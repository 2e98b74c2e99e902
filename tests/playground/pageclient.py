"""Acts on the page's API as one person, over real HTTP and a real WebSocket."""

import asyncio
import itertools
from typing import Any, Self

import aiohttp


class Page:
    def __init__(self, base: str, user: int) -> None:
        self.base = base.rstrip("/")
        self.user = str(user)
        self.events: list[dict[str, Any]] = []
        self._numbers = itertools.count(1)
        self._changed = asyncio.Event()

    async def __aenter__(self) -> Self:
        self.http = aiohttp.ClientSession()
        address = f"{self.base.replace('http', 'ws', 1)}/playground/api/events?user={self.user}"
        self._socket = await self.http.ws_connect(address)
        self._reader = asyncio.ensure_future(self._read())
        return self

    async def __aexit__(self, *_exc: object) -> None:
        await self._socket.close()
        await self._reader
        await self.http.close()

    async def _read(self) -> None:
        async for frame in self._socket:
            self.events.append(frame.json())
            self._changed.set()

    async def saw(self, name: str, *, count: int = 1, **wanted: Any) -> dict[str, Any]:
        """Wait for an event whose data has these values."""
        async with asyncio.timeout(10):
            while True:
                found = [
                    each["d"]
                    for each in self.events
                    if each["t"] == name
                    and all(each["d"].get(key) == value for key, value in wanted.items())
                ]
                if len(found) >= count:
                    return found[-1]
                self._changed.clear()
                await self._changed.wait()

    def nonce(self) -> str:
        return f"n{next(self._numbers)}"

    async def call(
        self, method: str, path: str, body: Any = None, status: int = 200, **kwargs: Any
    ) -> Any:
        if body is not None:
            kwargs["json"] = body
        url = f"{self.base}/playground/api{path}"
        async with self.http.request(method, url, **kwargs) as response:
            data = await response.json()
            assert response.status == status, data
            return data

    async def post(self, route: str, channel: int, status: int = 200, /, **body: Any) -> Any:
        return await self.call(
            "POST", route, {"user": self.user, "channel": str(channel), **body}, status
        )

    async def messages(self, channel: int) -> list[dict[str, Any]]:
        return await self.call("GET", f"/messages?user={self.user}&channel={channel}")

    async def click(self, message: dict[str, Any] | Any, custom_id: str, **more: Any) -> str:
        nonce = self.nonce()
        channel, number = message["channel_id"], message["id"]
        await self.post("/click", channel, message=number, custom_id=custom_id, nonce=nonce, **more)
        return nonce

    async def command(self, channel: int, command: str, *path: str, **more: Any) -> str:
        nonce = self.nonce()
        await self.post("/command", channel, name=command, path=list(path), nonce=nonce, **more)
        return nonce
