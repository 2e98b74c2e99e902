"""What was read of somebody's data and what was not: counted, and the first few named with their places."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

NAMED = 3
"""Places that are named for each reason."""


@dataclass(slots=True)
class Account:
    """Filled while reading.

    Attributes:
        rows: Rows of the log, good ones and others.
        plays: Plays that could be used.
        embedded: Tracks with a usable embedding.
        skipped: How often something was left out, by reason.
        places: Where, for the first few of each reason.
    """

    rows: int = 0
    plays: int = 0
    embedded: int = 0
    skipped: Counter[str] = field(default_factory=Counter)
    places: dict[str, list[str]] = field(default_factory=dict)

    def skip(self, reason: str, where: str) -> None:
        """Note that something was left out."""
        self.skipped[reason] += 1
        places = self.places.setdefault(reason, [])
        if len(places) < NAMED:
            places.append(where)

    def lines(self) -> list[str]:
        """Return what was skipped in sentences."""
        return [
            f"Skipped {count:,}: {reason} ({', '.join(self.places[reason])}{', ...' if count > NAMED else ''})"
            for reason, count in self.skipped.items()
        ]
