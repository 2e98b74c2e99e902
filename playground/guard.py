"""Keeps other web sites out: only loopback host names, and only pages that this server itself has served."""

from __future__ import annotations

import ipaddress
from urllib.parse import urlsplit

from aiohttp import web


def host_name(host: str) -> str:
    """The name in a Host header, without its port."""
    try:
        return (urlsplit(f"//{host}").hostname or "").rstrip(".").lower()
    except ValueError:
        return ""


def is_loopback(name: str) -> bool:
    """Whether a host name can only mean this machine."""
    if name == "localhost" or name.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False


def is_address(name: str) -> bool:
    """Whether a host name is a bare IP address, which no foreign domain can stand for."""
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


def refusal(
    request: web.Request, extra_hosts: frozenset[str], *, any_address: bool = False
) -> str | None:
    """Why a request is turned away, or ``None``.

    A foreign Host header means that somebody's domain was pointed at this machine; a foreign Origin means that
    another site's script is calling.

    Args:
        request: The request.
        extra_hosts: Host names that are fine besides the loopback ones.
        any_address: Whether every bare IP address is fine, for a server that listens on all of them on purpose.
    """
    host = request.headers.get("Host", "")
    name = host_name(host)
    if not (is_loopback(name) or name in extra_hosts or (any_address and is_address(name))):
        return "This server answers only under a loopback address such as http://127.0.0.1."
    origin = request.headers.get("Origin")
    if origin is not None and urlsplit_netloc(origin) != host.lower():
        return "Another web site may not call this server. Open its own page instead."
    if (
        origin is None
        and request.headers.get("Sec-Fetch-Site", "none") == "cross-site"
        and not _navigates(request)
    ):
        return "Another web site may not call this server. Open its own page instead."
    return None


def _navigates(request: web.Request) -> bool:
    """Whether somebody follows a link to the page itself."""
    return request.method == "GET" and request.headers.get("Sec-Fetch-Mode") == "navigate"


def urlsplit_netloc(origin: str) -> str:
    """Host and port of an Origin header; ``"null"`` and nonsense give an empty text."""
    try:
        parts = urlsplit(origin)
    except ValueError:
        return ""
    return parts.netloc.lower() if parts.scheme in ("http", "https") else ""
