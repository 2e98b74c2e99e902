"""What tokens cost."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

MILLION = 1_000_000.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Price:
    """Money for a million tokens, at least 0, in whatever currency the host pays."""

    read: float = 0.0
    written: float = 0.0

    def of(self, tokens_in: int, tokens_out: int) -> float:
        """Return what an answer costs."""
        return (self.read * tokens_in + self.written * tokens_out) / MILLION


@dataclass(frozen=True, slots=True, kw_only=True)
class Prices:
    """Prices of all models: ``models`` by name, ``default`` for the others."""

    default: Price = field(default_factory=Price)
    models: Mapping[str, Price] = field(default_factory=dict)

    def of(self, model: str) -> Price:
        """Return a model's price."""
        return self.models.get(model, self.default)
