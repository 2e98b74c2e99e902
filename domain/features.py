"""Ten features of a song, by the names and units of Spotify's audio features, which the emotion-to-music field uses."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from domain.errors import DescriptionError

RANGES: Mapping[str, tuple[float, float]] = {
    "energy": (0.0, 1.0),
    "valence": (0.0, 1.0),
    "danceability": (0.0, 1.0),
    "acousticness": (0.0, 1.0),
    "instrumentalness": (0.0, 1.0),
    "loudness": (-30.0, 0.0),
    "tempo": (40.0, 220.0),
    "key": (0, 11),
    "mode": (0, 1),
    "time_signature": (2, 7),
}
"""Lowest and highest value of each feature."""
WHOLE = frozenset({"key", "mode", "time_signature"})
"""Features that are whole numbers."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Features:
    """What a listener asks of a song. The defaults are the medians of 1,248 songs of the Spotify and Lakh data.

    Attributes:
        energy: Calm 0 to driving 1.
        valence: Sad 0 to happy 1.
        danceability: 0 to 1.
        acousticness: Electronic 0 to acoustic 1.
        instrumentalness: Sung 0 to without any voice 1.
        loudness: Decibels in [-30, 0]: how loudly it is played and how densely mixed; the file's level stays.
        tempo: Beats per minute in [40, 220].
        key: Pitch class, 0 is C.
        mode: 1 is major, 0 minor.
        time_signature: What is counted in a bar, 2 to 7; see ``prompts.features`` for the metres.
    """

    energy: float = 0.70
    valence: float = 0.60
    danceability: float = 0.56
    acousticness: float = 0.12
    instrumentalness: float = 0.0
    loudness: float = -7.4
    tempo: float = 121.2
    key: int = 0
    mode: int = 1
    time_signature: int = 4

    def __post_init__(self) -> None:
        for name, (low, high) in RANGES.items():
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, int | float):
                raise DescriptionError(name, f"{value!r} is not a number")
            if not math.isfinite(value) or not low <= value <= high:
                raise DescriptionError(name, f"{value!r} does not lie between {low:g} and {high:g}")
            if name in WHOLE and value != int(value):
                raise DescriptionError(name, f"{value!r} is not a whole number")

    def to_json(self) -> dict[str, Any]:
        """Return all ten, ready for ``json.dumps``."""
        return dataclasses.asdict(self)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Features:
        """Rebuild from ``to_json``; what is missing takes its median.

        Raises:
            DescriptionError: A feature does not exist or is out of range; names it.
        """
        for name in data:
            if name not in RANGES:
                raise DescriptionError(
                    str(name), f"there is no such feature; there are {', '.join(RANGES)}"
                )
        return cls(
            **{name: int(v) if name in WHOLE and v == int(v) else v for name, v in data.items()}
        )
