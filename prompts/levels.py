"""The five levels that energy and the other axes can be written in.

People do not hear the difference between an energy of .68 and one of .71, and no natural sentence can say it.
Whatever is bred or written is therefore quantised here and nowhere else.
"""

from __future__ import annotations

LEVELS = (0.1, 0.3, 0.5, 0.7, 0.9)
"""Very low, low, middle, high, very high."""

AXES = (
    *("energy", "density", "brightness", "valence"),
    *("danceability", "acousticness", "instrumentalness", "loudness"),
)
"""The fields of ``Facets`` that are levels."""

SLOWEST, FASTEST = 40.0, 220.0
"""Range of ``Facets.tempo`` in beats per minute."""


def level_index(value: float) -> int:
    """Return which of ``LEVELS`` is nearest to ``value`` in [0, 1]; halves go to the lower one."""
    return min(range(len(LEVELS)), key=lambda index: (round(abs(LEVELS[index] - value), 9), index))


def quantise(value: float) -> float:
    """Return the level nearest to ``value`` in [0, 1]."""
    return LEVELS[level_index(value)]


def quantise_tempo(value: float) -> float:
    """Return ``value`` as whole beats per minute in [40, 220]."""
    return float(round(min(max(value, SLOWEST), FASTEST)))


def clamp(value: float, low: float = 0.0, high: float = 1.0) -> float:
    """Return ``value`` limited to [``low``, ``high``]."""
    return min(max(value, low), high)
