"""Requests to orders, and orders that may be made together."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field

from domain.clip import ClipFailure, ClipRequest, Source
from generation.audio import Floats
from generation.diffusion.family import Limits, Words
from generation.sources import prepared


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """One clip to make.

    Attributes:
        words: Its prompt, read.
        seed: In [0, 2**31).
        seconds: Length.
        steps: At most.
        source: What to do with ``sound``, or ``None``.
        sound: (frames, 2) at the checkpoint's rate, as long as the clip; or ``None``.
    """

    words: Words
    seed: int
    seconds: float
    steps: int
    source: Source | None = None
    sound: Floats | None = field(default=None, compare=False)

    @property
    def alike(self) -> Hashable:
        """Orders with the same may be made together."""
        one = self.source
        use = None if one is None else (one.use, one.strength, one.start, one.end)
        return self.seconds, self.steps, use


def order(request: ClipRequest, words: Words, limits: Limits) -> Order | ClipFailure:
    """Return what to make of a request that was not refused, or what is wrong with its sound."""
    sound = None
    if request.source is not None:
        heard = prepared(request.source, limits.rate, request.seconds)
        if isinstance(heard, ClipFailure):
            return heard
        sound = heard
    return Order(
        words=words,
        seed=request.seed,
        seconds=request.seconds,
        steps=limits.draft if request.draft else limits.steps,
        source=request.source,
        sound=sound,
    )


def batches(orders: Mapping[int, Order], size: int) -> list[list[int]]:
    """Return which orders are made together, at most ``size`` of them, in the order of the first of each."""
    groups: defaultdict[Hashable, list[int]] = defaultdict(list)
    for place, one in orders.items():
        groups[one.alike].append(place)
    return [
        places[start : start + size]
        for places in groups.values()
        for start in range(0, len(places), size)
    ]
