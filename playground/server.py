"""The playground server: Discord's REST and gateway protocols, files, the page and the page's own API."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from aiohttp import web

from playground.faults import Faults
from playground.guard import refusal
from playground.media import MediaStore
from playground.options import PlaygroundOptions
from playground.page_api import PageApi
from playground.page_events import PageEvents
from playground.page_faults import PageFaults
from playground.page_files import PageFiles
from playground.page_gate import serve_page
from playground.page_listeners import Listeners, PageListeners
from playground.parts import Parts, assemble
from playground.people import People
from playground.ratelimits import RateLimits
from playground.rest import PREFIX, Handler, RestGate
from playground.rest_application import ApplicationRoutes
from playground.rest_channels import ChannelRoutes
from playground.rest_guild import GuildRoutes
from playground.rest_interactions import InteractionRoutes
from playground.rest_messages import MessageRoutes
from playground.snowflakes import parse
from playground.studio_api import StudioApi
from service.studio import Studio

_SHUTDOWN_SECONDS = 0.5


class PlaygroundServer:
    """One playground on one port.

    Attributes:
        parts: The world and everything that acts on it.
        people: Acts for people, as the page does.
        faults: What can be made to go wrong.
    """

    def __init__(
        self,
        options: PlaygroundOptions | None = None,
        *,
        clock: Callable[[], float] = time.time,
        media_folder: Path | None = None,
    ) -> None:
        """Build the world; nothing listens yet.

        Args:
            options: Names, limits and timings.
            clock: Unix time in seconds.
            media_folder: Where uploads are kept; ``None`` for a temporary folder.
        """
        self.options = options or PlaygroundOptions()
        self._hosts = self.options.hosts
        self._any_address = False
        self._media = MediaStore(media_folder)
        self.parts: Parts = assemble(self.options, clock=clock, media=self._media)
        self.people = People(self.parts)
        self.faults = Faults(self.parts.world, self.parts.gateway, self.parts.sessions)
        self._listeners = PageListeners(self.parts.world, self.options)
        self._studio = StudioApi()
        self._gate = RestGate(self.options, RateLimits(self.options, clock), self.faults.plan)
        self._runner: web.AppRunner | None = None
        self._site: web.TCPSite | None = None

    @property
    def page_url(self) -> str:
        """Where the page is."""
        return self.parts.world.base_url + "/"

    @property
    def api_url(self) -> str:
        """What ``discord.http.Route.BASE`` has to be."""
        return self.parts.world.base_url + PREFIX

    @property
    def gateway_url(self) -> str:
        """What ``DiscordWebSocket.DEFAULT_GATEWAY`` has to be."""
        return self.parts.gateway.url

    def use_listeners(self, listeners: Listeners) -> None:
        """Let the page's listener panel work."""
        self._listeners.listeners = listeners

    def use_studio(self, studio: Studio) -> None:
        """Let the studio page and its API work."""
        self._studio.studio = studio

    def application(self) -> web.Application:
        """The aiohttp application with every route."""
        app = web.Application(
            middlewares=[self._guarded], client_max_size=self.options.request_bytes + 1024 * 1024
        )
        for group in (
            ApplicationRoutes(self.parts),
            GuildRoutes(self.parts),
            ChannelRoutes(self.parts),
            MessageRoutes(self.parts),
            InteractionRoutes(self.parts),
            PageApi(self.parts, self.people),
            PageEvents(self.parts),
            PageFaults(self.parts, self.faults),
            self._listeners,
            self._studio,
            PageFiles(),
        ):
            app.add_routes(group.routes())
        app.add_routes(
            [
                web.get("/gateway", self.parts.gateway.handle),
                web.get("/gateway/", self.parts.gateway.handle),
                web.get("/attachments/{channel}/{attachment}/{filename}", self._attachment),
            ]
        )
        return app

    async def start(self, host: str = "127.0.0.1", port: int = 0) -> None:
        """Listen.

        Args:
            host: Address to bind.
            port: Port to bind, 0 for any free one.

        Raises:
            OSError: The port is taken or the address is not this machine's.
        """
        runner = web.AppRunner(
            self.application(), access_log=None, shutdown_timeout=_SHUTDOWN_SECONDS
        )
        await runner.setup()
        self._runner = runner
        site = web.TCPSite(runner, host, port)
        try:
            await site.start()
        except OSError:
            await self.close()
            raise
        self._site = site
        address: Any = runner.addresses[0]
        self._any_address = host in ("", "0.0.0.0", "::")  # noqa: S104 - compared, not bound
        self._hosts |= {host.lower()}
        shown = "127.0.0.1" if self._any_address else f"[{host}]" if ":" in host else host
        self.parts.world.base_url = f"http://{shown}:{address[1]}"
        self.parts.gateway.url = f"ws://{shown}:{address[1]}/gateway"

    async def close(self) -> None:
        """Stop listening, end every connection and remove uploads."""
        if self._site is not None:
            await (
                self._site.stop()
            )  # first, so that nobody comes back while the others are being seen off
            self._site = None
        self.parts.interactions.close()
        self.parts.world.hub.close()
        await self.parts.gateway.close_all(1001, "The playground is closing.")
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None
        self._media.close()

    @web.middleware
    async def _guarded(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        reason = refusal(request, self._hosts, any_address=self._any_address)
        if reason is not None:
            return web.json_response({"error": reason}, status=403)
        if request.path.startswith("/api/"):
            return await self._gate.serve(request, handler)
        if request.path.startswith(("/playground/", "/studio/")):
            return await serve_page(request, handler)
        return await handler(request)

    async def _attachment(self, request: web.Request) -> web.StreamResponse:
        attachment_id = parse(request.match_info["attachment"]) or 0
        return self._media.response(attachment_id, request.match_info["filename"])
