"""Leave a server alone that does not answer: nobody waits for its timeout twelve times a round."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

from domain.errors import UnreachableError

log = logging.getLogger(__name__)

FAILURES = 3
"""Failures in a row after which a server counts as down."""
FIRST_REST = 15.0
LONGEST_REST = 60.0
PROBE_PATIENCE = 20.0
"""Seconds that other requests wait for how a probe ends."""


class Breaker:
    """Counts failures in a row; while a server rests every request fails at once, then a single one probes.

    Requests that come while one probes wait for how it ends, so that the first round after an outage is not left
    without the model because only one of its requests was let through.

    Args:
        name: What it is about, for sentences.
        now: Time in seconds.
    """

    def __init__(self, name: str, now: Callable[[], float]) -> None:
        self._name = name
        self._now = now
        self._failures = 0
        self._rest = 0.0
        self._until = 0.0
        self._probe: asyncio.Event | None = None

    @property
    def resting(self) -> float:
        """Seconds until the server is asked again; 0 when it is not resting."""
        return max(0.0, self._until - self._now()) if self._rest else 0.0

    def check(self) -> None:
        """Raise at once where a request would be refused because the server rests.

        Raises:
            UnreachableError: It does.
        """
        if self.resting:
            raise UnreachableError(
                f"The language model {self._name} did not answer lately and is asked again in about "
                f"{max(1, round(self.resting))} s."
            )

    async def enter(self) -> bool:
        """Take note that a request is about to be sent; returns whether it is the probe.

        Raises:
            UnreachableError: The server rests, or the request that probed whether it is back failed or is not done.
        """
        while self._rest:
            self.check()
            if self._probe is None:
                self._probe = asyncio.Event()
                return True
            try:
                async with asyncio.timeout(PROBE_PATIENCE):
                    await self._probe.wait()
            except TimeoutError:
                raise UnreachableError(
                    f"The language model {self._name} did not answer lately; whether it is back is not known yet."
                ) from None
        return False

    def succeeded(self) -> None:
        """Take note of an answer."""
        if self._rest:
            log.info("The language model %s answers again", self._name)
        self._failures, self._rest = 0, 0.0
        self._end_probe()

    def failed(self, *, probe: bool) -> None:
        """Take note that the server did not answer."""
        self._failures += 1
        if probe or (self._failures >= FAILURES and not self._rest):
            self._rest = min(LONGEST_REST, self._rest * 2 or FIRST_REST)
            self._until = self._now() + self._rest
            log.warning("The language model %s is left alone for %g s", self._name, self._rest)
        if probe:
            self._end_probe()

    def left(self, *, probe: bool) -> None:
        """Take note that a request was given up before it was known how it ends."""
        if probe:
            self._end_probe()

    def _end_probe(self) -> None:
        """Let those go on who wait for the probe."""
        if self._probe is not None:
            self._probe.set()
            self._probe = None
