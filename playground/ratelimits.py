"""Rate limits as Discord tells of them: a window for each route and major parameter, and one for everything."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass

from playground.options import PlaygroundOptions

_KEPT = 2000


@dataclass(slots=True)
class Window:
    """Requests since the window opened."""

    opened: float
    used: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What a request is told.

    Attributes:
        allowed: Whether it may go on.
        headers: The headers of the bucket.
        wait: Seconds until it may try again.
        everywhere: Whether the global limit was hit.
    """

    allowed: bool
    headers: dict[str, str]
    wait: float = 0.0
    everywhere: bool = False


class RateLimits:
    """Counts requests."""

    def __init__(self, options: PlaygroundOptions, clock: Callable[[], float]) -> None:
        self._options = options
        self._clock = clock
        self._windows: dict[tuple[str, str], Window] = {}

    def take(self, route: str, major: str, *, exempt: bool) -> Verdict:
        """Count a request.

        Args:
            route: Method and path pattern.
            major: The channel, guild or webhook that it is about.
            exempt: Whether the global limit leaves it alone, as it does with interactions.
        """
        now = self._clock()
        if self._options.global_limit and not exempt:
            shared = self._window(("", ""), now, 1.0)
            if shared.used >= self._options.global_limit:
                wait = max(0.001, shared.opened + 1.0 - now)
                return Verdict(allowed=False, headers={}, wait=wait, everywhere=True)
            shared.used += 1
        if not self._options.route_limit:
            return Verdict(allowed=True, headers={})
        window = self._window((route, major), now, self._options.route_seconds)
        wait = max(0.001, window.opened + self._options.route_seconds - now)
        allowed = window.used < self._options.route_limit
        window.used += allowed
        return Verdict(allowed=allowed, headers=self._headers(route, window, now, wait), wait=wait)

    def _window(self, key: tuple[str, str], now: float, length: float) -> Window:
        window = self._windows.get(key)
        if window is None or not window.opened <= now < window.opened + length:
            if len(self._windows) > _KEPT:
                self._windows.clear()
            window = self._windows[key] = Window(opened=now)
        return window

    def _headers(self, route: str, window: Window, now: float, wait: float) -> dict[str, str]:
        limit = self._options.route_limit
        return {
            "X-RateLimit-Limit": str(limit),
            "X-RateLimit-Remaining": str(limit - window.used),
            "X-RateLimit-Reset": f"{now + wait:.3f}",
            "X-RateLimit-Reset-After": f"{wait:.3f}",
            "X-RateLimit-Bucket": hashlib.sha256(route.encode()).hexdigest()[:32],
        }
