"""Serves the page itself: index.html and the files beside it."""

from __future__ import annotations

from pathlib import Path

from aiohttp import web

STATIC = Path(__file__).parent / "static"
_TYPES = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
    ".png": "image/png",
    ".woff2": "font/woff2",
    ".json": "application/json",
    ".txt": "text/plain; charset=utf-8",
}


class PageFiles:
    """Routes of the page's files. They are checked again on every visit, so that an upgrade shows at once."""

    def __init__(self, folder: Path = STATIC) -> None:
        self._folder = folder.resolve()

    def routes(self) -> list[web.RouteDef]:
        """The route table."""
        return [
            web.get("/", self.index),
            web.get("/studio", self.studio),
            web.get("/favicon.ico", self.icon),
            web.get("/static/{name:.+}", self.file),
        ]

    async def index(self, _request: web.Request) -> web.StreamResponse:
        """The page."""
        return self._serve("index.html")

    async def studio(self, _request: web.Request) -> web.StreamResponse:
        """The page with sliders, for single clips."""
        return self._serve("studio.html")

    async def icon(self, _request: web.Request) -> web.StreamResponse:
        """The icon for browsers that ask for it by habit."""
        return self._serve("icon.svg")

    async def file(self, request: web.Request) -> web.StreamResponse:
        """A file of the page."""
        return self._serve(request.match_info["name"])

    def _serve(self, name: str) -> web.StreamResponse:
        if "\0" in name:
            raise web.HTTPNotFound
        path = (self._folder / name).resolve()
        kind = _TYPES.get(path.suffix)
        if not path.is_relative_to(self._folder) or kind is None or not path.is_file():
            raise web.HTTPNotFound(text="There is no such file.")
        headers = {
            "Content-Type": kind,
            "Cache-Control": "no-cache",
            "X-Content-Type-Options": "nosniff",
            "Referrer-Policy": "no-referrer",
            "X-Frame-Options": "DENY",
        }
        return web.FileResponse(path, headers=headers)
