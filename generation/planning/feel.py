"""What danceability, loudness and energy do to the way notes are played. Pure numbers; players multiply by them.

Where they belong:

* ``Pen``: ``velocity`` in place of a base level times the stroke's level; ``timing_scale`` on the scatter and the drag.
* The grid: ``swing_scale`` on the style's swing, once, where the plan is made.
* The drummer: ``kick_on_beat`` for every beat of the bar, ``offbeat_hat`` for every step between two beats.

At the style's usual level each of them leaves a style as it is.
"""

from __future__ import annotations

from domain.description import Levels
from generation.planning.levels import usual_of
from generation.planning.styles import Style

_FLOOR = 36.0
_BY_ENERGY = 40.0
_BY_LOUDNESS = 46.0


def velocity(levels: Levels, stroke: float) -> float:
    """Return the MIDI velocity of a stroke, before scatter; louder and livelier is never softer.

    A quiet piece has a wide range: its soft strokes are much softer than its accents. A loud one is even.

    Args:
        levels: Energy and loudness count.
        stroke: How loud within the part, 1 is an accent, in (0, 1.3].
    """
    base = _FLOOR + _BY_ENERGY * levels.energy + _BY_LOUDNESS * levels.loudness
    return float(base * stroke ** (1.3 - 0.6 * levels.loudness))


def timing_scale(levels: Levels, style: Style) -> float:
    """Return by how much players scatter around the beat, times the style's own: less the more it is for dancing."""
    return _limited(1 - 1.4 * _extra(levels, style), 0.2, 1.8)


def swing_scale(levels: Levels, style: Style) -> float:
    """Return by how much to swing, times the style's own: danced music is straighter."""
    return _limited(1 - 0.7 * _extra(levels, style), 0.5, 1.3)


def kick_on_beat(levels: Levels, style: Style) -> float:
    """Return how surely there is a kick on each beat.

    Above the style's usual danceability a share of the missing ones is added, up to all at .9 (positive, 0 to 1). Below
    it that share of those off the first beat is left out (negative, -1 to 0).
    """
    usual = usual_of(style).danceability
    here = levels.danceability
    if here >= usual:
        return _limited((here - usual - 0.04) / max(0.05, 0.9 - usual - 0.04), 0.0, 1.0)
    return -_limited((usual - here - 0.04) / max(0.05, usual - 0.04 - 0.1), 0.0, 1.0)


def offbeat_hat(levels: Levels, style: Style) -> float:
    """Return the share of steps halfway between two beats that get a hat on top of the groove, 0 to 1."""
    return _limited(1.6 * (_extra(levels, style) - 0.1), 0.0, 1.0)


def _extra(levels: Levels, style: Style) -> float:
    return levels.danceability - usual_of(style).danceability


def _limited(value: float, low: float, high: float) -> float:
    return float(min(high, max(low, value)))
