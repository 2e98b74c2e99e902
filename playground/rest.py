"""What all REST routes share: authorization, planned faults, rate limits, and errors in Discord's shape."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable
from typing import Any

from aiohttp import web

from playground import errors
from playground.errors import ApiError
from playground.faults import FaultPlan, RestFault
from playground.options import PlaygroundOptions
from playground.ratelimits import RateLimits, Verdict
from playground.snowflakes import parse

PREFIX = "/api/v10"
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

_log = logging.getLogger(__name__)
_OPEN = ("/interactions/", "/webhooks/")
_MAJOR = ("channel", "guild", "app", "token")


def answer(body: Any, status: int = 200) -> web.Response:
    """A JSON response. Clients compare the content type with ``application/json`` exactly, so it has no charset."""
    text = json.dumps(body, separators=(",", ":"))
    return web.Response(
        body=text.encode(), status=status, headers={"Content-Type": "application/json"}
    )


def empty() -> web.Response:
    """Success without a body."""
    return web.Response(status=204)


def path_id(request: web.Request, name: str, unknown: Callable[[], ApiError]) -> int:
    """An id in the path; text that is none gives Discord's form error."""
    number = parse(request.match_info[name])
    if number is None:
        raise errors.form_error(f"{name}_id", "NUMBER_TYPE_COERCE", "Value is not snowflake.")
    if number == 0:
        raise unknown()
    return number


def limit(request: web.Request, *, default: int, high: int) -> int:
    """The ``limit`` of a list, in [1, high]."""
    given = request.query.get("limit")
    if given is None:
        return default
    number = parse(given)
    if number is None or not 1 <= number <= high:
        raise errors.form_error(
            "limit", "NUMBER_TYPE_MAX", f"int value should be between 1 and {high}."
        )
    return number


class RestGate:
    """Every REST request passes through here."""

    def __init__(self, options: PlaygroundOptions, limits: RateLimits, faults: FaultPlan) -> None:
        self._options = options
        self._limits = limits
        self._faults = faults

    async def serve(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Answer a request, whatever happens."""
        path = request.path.removeprefix(PREFIX)
        fault = self._faults.take(request.method, path)
        if fault is not None and not fault.after:
            early = await self._fail(request, fault)
            if early is not None:
                return early
        try:
            response = await self._checked(request, handler, path)
        except ApiError as error:
            response = answer(error.payload(), error.status)
        except web.HTTPException as error:
            response = answer(
                {"message": f"{error.status}: {error.reason}", "code": 0}, error.status
            )
        except asyncio.CancelledError:
            raise
        except Exception:  # noqa: BLE001  (the boundary: a bug in one route must not end the server)
            _log.exception("%s %s failed", request.method, request.path)
            response = answer({"message": "500: Internal Server Error", "code": 0}, 500)
        if fault is not None and fault.after:
            return await self._fail(request, fault) or response
        return response

    async def _checked(
        self, request: web.Request, handler: Handler, path: str
    ) -> web.StreamResponse:
        exempt = path.startswith(_OPEN)
        if not exempt:
            scheme, _, token = request.headers.get("Authorization", "").partition(" ")
            if scheme != "Bot" or token not in self._options.tokens:
                raise errors.unauthorized()
        resource = request.match_info.route.resource
        pattern = f"{request.method} {resource.canonical if resource else path}"
        major = "+".join(request.match_info[key] for key in _MAJOR if key in request.match_info)
        verdict = self._limits.take(pattern, major, exempt=exempt)
        if not verdict.allowed:
            return limited(verdict)
        try:
            response = await handler(request)
        except ApiError as error:
            response = answer(error.payload(), error.status)
        if not response.prepared:
            response.headers.update(verdict.headers)
        return response

    async def _fail(self, request: web.Request, fault: RestFault) -> web.Response | None:
        """Do what a fault says; ``None`` means: go on."""
        if fault.kind == "slow":
            await asyncio.sleep(fault.seconds)
            return None
        if fault.kind == "drop-request":
            if request.transport is not None:
                request.transport.abort()
            return web.Response(status=502)
        if fault.kind.startswith("429"):
            everywhere = fault.kind == "429-global"
            return limited(
                Verdict(allowed=False, headers={}, wait=fault.seconds, everywhere=everywhere)
            )
        status = int(fault.kind)
        return answer({"message": f"{status}: fault on request", "code": 0}, status)


def limited(verdict: Verdict) -> web.Response:
    """A 429. Without ``Via`` clients take it for a ban and do not wait."""
    body = {
        "message": "You are being rate limited.",
        "retry_after": verdict.wait,
        "global": verdict.everywhere,
    }
    response = answer(body, 429)
    response.headers.update(verdict.headers)
    response.headers["Retry-After"] = f"{verdict.wait:.3f}"
    response.headers["Via"] = "1.1 playground"
    response.headers["X-RateLimit-Scope"] = "global" if verdict.everywhere else "user"
    if verdict.everywhere:
        response.headers["X-RateLimit-Global"] = "true"
    return response
