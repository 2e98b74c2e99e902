"""A hub on the loopback that speaks as much of the real one's HTTP as a download needs, and fails on demand."""

from __future__ import annotations

import asyncio
import hashlib
import threading
from dataclasses import dataclass, field

from aiohttp import web

COMMIT = "0123456789abcdef0123456789abcdef01234567"
LARGE = (".bin", ".safetensors")


@dataclass
class FakeHub:
    """Repositories by name: each a file's content by its path. ``card`` is what a model's card says.

    ``cut`` ends so many transfers after ``cut_after`` bytes; ``broken`` answers so many with 503 after that;
    ``lies`` are files whose content is not what the hub says it is; ``status`` answers everything so.
    """

    repos: dict[str, dict[str, bytes]] = field(default_factory=dict)
    card: dict[str, str] = field(default_factory=dict)
    commit: str = COMMIT
    cut: int = 0
    cut_after: int = 0
    broken: int = 0
    status: int = 0
    error_code: str = ""
    lies: set[str] = field(default_factory=set)
    ranges: list[str] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    url: str = ""

    async def info(self, request: web.Request) -> web.Response:
        self.asked.append(request.path)
        name = "{owner}/{name}".format(**request.match_info)
        refused = self._refused(name)
        if refused is not None:
            return refused
        return web.json_response(
            {
                "id": name,
                "modelId": name,
                "sha": self.commit,
                "cardData": self.card,
                "siblings": [self._sibling(*one) for one in self.repos[name].items()],
            }
        )

    def _refused(self, name: str) -> web.Response | None:
        if self.status:
            return web.Response(status=self.status, headers={"X-Error-Code": self.error_code})
        if name not in self.repos:
            return web.Response(status=404, headers={"X-Error-Code": "RepoNotFound"})
        return None

    def _sibling(self, path: str, content: bytes) -> dict[str, object]:
        git = hashlib.sha1(b"blob %d\0" % len(content) + content, usedforsecurity=False).hexdigest()
        about: dict[str, object] = {"rfilename": path, "size": len(content), "blobId": git}
        if path.endswith(LARGE):
            sha = hashlib.sha256(content).hexdigest()
            about["lfs"] = {"size": len(content), "sha256": sha, "pointerSize": 100}
        return about

    async def file(self, request: web.Request) -> web.StreamResponse:
        self.asked.append(f"{request.method} {request.path}")
        name = "{owner}/{name}".format(**request.match_info)
        path = request.match_info["path"]
        refused = self._refused(name)
        if refused is not None:
            return refused
        content = self.repos[name][path]
        headers = {
            "X-Repo-Commit": self.commit,
            "ETag": f'"{hashlib.sha256(content).hexdigest()}"',
            "X-Linked-Size": str(len(content)),
            "Accept-Ranges": "bytes",
        }
        if request.method == "HEAD":
            return web.Response(headers={**headers, "Content-Length": str(len(content))})
        if path in self.lies:
            content = b"\0" * len(content)
        start = 0
        if asked := request.headers.get("Range"):
            self.ranges.append(asked)
            start = int(asked.removeprefix("bytes=").split("-")[0])
            headers["Content-Range"] = f"bytes {start}-{len(content) - 1}/{len(content)}"
        if self.cut and path.endswith(LARGE):
            return await self._cut(request, content[start:], headers)
        if self.broken and path.endswith(LARGE):
            self.broken -= 1
            return web.Response(status=503)
        return web.Response(status=206 if start else 200, body=content[start:], headers=headers)

    async def _cut(
        self, request: web.Request, content: bytes, headers: dict[str, str]
    ) -> web.StreamResponse:
        self.cut -= 1
        response = web.StreamResponse(headers={**headers, "Content-Length": str(len(content))})
        await response.prepare(request)
        await response.write(content[: self.cut_after])
        assert request.transport is not None
        await asyncio.sleep(0.05)
        request.transport.close()
        return response


class Running:
    """Runs a hub on a thread of its own, so that synchronous code can talk to it."""

    def __init__(self, hub: FakeHub) -> None:
        self._hub = hub
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)

    def __enter__(self) -> FakeHub:
        self._thread.start()
        asyncio.run_coroutine_threadsafe(self._start(), self._loop).result(10)
        return self._hub

    def __exit__(self, *_: object) -> None:
        asyncio.run_coroutine_threadsafe(self._runner.cleanup(), self._loop).result(10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()

    async def _start(self) -> None:
        app = web.Application()
        app.router.add_get("/api/models/{owner}/{name}/revision/{revision}", self._hub.info)
        app.router.add_route("*", "/{owner}/{name}/resolve/{revision}/{path:.+}", self._hub.file)
        self._runner = web.AppRunner(app)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        host, port = self._runner.addresses[0][:2]
        self._hub.url = f"http://{host}:{port}"
