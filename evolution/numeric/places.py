"""Where told candidates lie: what a proposal of a search by numbers keeps of itself in its genome."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

KEY = "numeric"
"""Key of the genome."""
_LARGEST = 1e300
"""Beyond this lie infinity and whole numbers that no float holds, which ``isfinite`` stumbles over."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a candidate lies.

    Attributes:
        space: Name of the genome that it was proposed in.
        step: Number of the ``ask`` that it came from, from 1.
        far: How far it is from words, in [0, 1].
        where: What the genome keeps, see ``evolution.numeric.genome.Genome.place``.
    """

    space: str
    step: int
    far: float
    where: Mapping[str, Any]

    def to_json(self) -> dict[str, Any]:
        """Return it ready for ``json.dumps``."""
        return {"space": self.space, "step": self.step, "far": self.far, **self.where}

    @classmethod
    def from_json(cls, data: object) -> Place | None:
        """Return a place from anything; ``None`` for what is none. Numbers that are not finite make it none."""
        if not isinstance(data, Mapping):
            return None
        space, step, far = data.get("space"), data.get("step"), data.get("far", 0.0)
        if not isinstance(space, str) or not _whole(step) or not _number(step):
            return None
        if not _number(far):
            return None
        where = {key: data[key] for key in ("root", "row", "weights", "cells") if key in data}
        row, weights = where.get("row", []), where.get("weights", {})
        if not isinstance(row, list) or not all(_number(one) for one in row):
            return None
        if not isinstance(weights, Mapping) or not all(map(_number, weights.values())):
            return None
        return cls(space=space, step=int(str(step)), far=float(str(far)), where=where)


def _whole(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _number(value: object) -> bool:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return abs(value) <= _LARGEST
