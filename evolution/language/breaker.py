"""Leave a server alone that does not answer: nobody waits for its timeout twelve times a round."""

from __future__ import annotations

import logging
from collections.abc import Callable

from domain.errors import UnreachableError

log = logging.getLogger(__name__)

FAILURES = 3
"""Failures in a row after which a server counts as down."""
FIRST_REST = 15.0
LONGEST_REST = 60.0


class Breaker:
    """Counts failures in a row; while a server rests every request fails at once, then a single one probes.

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
        self._probing = False

    @property
    def resting(self) -> float:
        """Seconds until the server is asked again; 0 when it is not resting."""
        return max(0.0, self._until - self._now()) if self._rest else 0.0

    def enter(self) -> bool:
        """Take note that a request is about to be sent; returns whether it is the probe.

        Raises:
            UnreachableError: The server rests, or another request is probing whether it is back.
        """
        if not self._rest:
            return False
        if self.resting or self._probing:
            seconds = max(1, round(self.resting))
            raise UnreachableError(
                f"The language model {self._name} did not answer lately and is asked again in about {seconds} s."
            )
        self._probing = True
        return True

    def succeeded(self) -> None:
        """Take note of an answer."""
        if self._rest:
            log.info("The language model %s answers again", self._name)
        self._failures, self._rest, self._probing = 0, 0.0, False

    def failed(self, *, probe: bool) -> None:
        """Take note that the server did not answer."""
        self._failures += 1
        if probe:
            self._probing = False
        if probe or (self._failures >= FAILURES and not self._rest):
            self._rest = min(LONGEST_REST, self._rest * 2 or FIRST_REST)
            self._until = self._now() + self._rest
            log.warning("The language model %s is left alone for %g s", self._name, self._rest)

    def left(self, *, probe: bool) -> None:
        """Take note that a request was given up before it was known how it ends."""
        if probe:
            self._probing = False
