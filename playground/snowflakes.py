"""Snowflakes: Discord's ids, a millisecond timestamp with a counter below it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

EPOCH_MS = 1_420_070_400_000
"""Discord counts milliseconds from the first second of 2015."""

_SHIFT = 22
_LIMIT = 1 << 63


def at(seconds: float, sequence: int = 0) -> int:
    """The snowflake of a moment.

    Args:
        seconds: Unix time.
        sequence: Tells ids of the same millisecond apart, in [0, 2**22).
    """
    return (max(0, int(seconds * 1000) - EPOCH_MS) << _SHIFT) | sequence


def seconds_of(snowflake: int) -> float:
    """Unix time at which a snowflake was made."""
    return ((snowflake >> _SHIFT) + EPOCH_MS) / 1000


def iso(seconds: float) -> str:
    """A Unix time as Discord writes timestamps."""
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="microseconds")


def parse(value: object) -> int | None:
    """Read an id sent as text or as a JSON integer; ``None`` when it is not an id."""
    if isinstance(value, bool):
        return None
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) <= 20:
        value = int(value)
    if isinstance(value, int) and 0 <= value < _LIMIT:
        return value
    return None


class Snowflakes:
    """Makes ids that always grow, even when the clock is set back."""

    def __init__(self, clock: Callable[[], float]) -> None:
        """Take ``clock``, which gives Unix time in seconds."""
        self._clock = clock
        self._last = 0

    def next(self) -> int:
        """A new id, larger than every earlier one."""
        self._last = max(at(self._clock()), self._last + 1)
        return self._last
