"""What clips cost, by the server's word or by the price that the host set."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import Any

from generation.remote.server import Server


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """What one clip costs.

    Attributes:
        amount: In ``currency``.
        currency: Such as ``"USD"``.
        told: Whether the server said so; else it is the price that the host set.
    """

    amount: float
    currency: str
    told: bool

    def to_json(self) -> dict[str, Any]:
        """Return what a clip's description says of it."""
        source = "server" if self.told else "price"
        return {"amount": round(self.amount, 6), "currency": self.currency, "source": source}


def cost_of(server: Server, told: float | None, seconds: float) -> Cost | None:
    """Return what a clip costs; ``None`` where nobody knows.

    Args:
        server: With its prices.
        told: What it said, or ``None``.
        seconds: Of sound that were ordered.
    """
    if told is not None:
        return Cost(amount=told, currency=server.currency, told=True)
    if not server.price_per_clip and not server.price_per_minute:
        return None
    amount = server.price_per_clip + server.price_per_minute * seconds / 60
    return Cost(amount=amount, currency=server.currency, told=False)


class Tally:
    """What was spent since the process began. Any thread may add."""

    def __init__(self, currency: str) -> None:
        self._currency = currency
        self._alone = threading.Lock()
        self.clips = 0
        self._amount = 0.0

    def add(self, cost: Cost | None) -> None:
        """One more file came. Those that turn out to be no sound count too: they are paid for."""
        with self._alone:
            self.clips += 1
            self._amount += cost.amount if cost is not None else 0.0

    def __str__(self) -> str:
        """Say it."""
        with self._alone:
            return f"{self._amount:.2f} {self._currency} for {self.clips} clips"
