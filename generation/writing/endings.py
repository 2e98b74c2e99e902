"""Endings: how the players of a style leave the last chord, each kind by its strokes on and after the last downbeat."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from generation.planning.manners import manners
from generation.planning.plan import Plan
from generation.writing.pen import dice

_LONG = 64.0
"""Steps of a tone that is held until the clip rings out."""
_AIR = 0.5
"""Seconds before the end of the clip after which no stroke begins."""
_CALM = 0.35
"""Energy below which nobody ends with hits."""


@dataclass(frozen=True, slots=True)
class Stroke:
    """A stroke of the last chord: steps after the last downbeat, length in steps, level against the first."""

    step: float
    length: float
    level: float


_Beats = tuple[tuple[float, float, float], ...]
_HELD: _Beats = ((0.0, _LONG, 1.0),)
_KINDS: Mapping[str, Mapping[str, _Beats]] = {
    "hold": {},
    "roll": {},
    "ring": {},
    "stop": {
        "chords": ((0.0, 0.5, 1.0),),
        "bass": ((0.0, 1.6, 1.0),),
        "counter": ((0.0, 0.5, 1.0),),
    },
    "echo": {
        "chords": ((0.0, 0.45, 1.0), (0.75, 0.4, 0.68), (1.5, 0.4, 0.5), (2.25, 0.4, 0.38)),
        "bass": ((0.0, 1.5, 1.0),),
        "counter": ((0.0, 0.45, 1.0), (0.75, 0.4, 0.6)),
    },
    "hits": {
        "chords": ((0.0, 0.4, 0.92), (0.75, _LONG, 1.0)),
        "bass": ((0.0, 0.4, 0.95), (0.75, _LONG, 1.0)),
        "drums": ((0.0, 1.0, 0.95), (0.75, 1.0, 1.0)),
    },
    "two": {
        "chords": ((0.0, 0.5, 1.0), (1.0, _LONG, 0.85)),
        "bass": ((0.0, 0.6, 1.0), (1.0, _LONG, 0.88)),
        "drums": ((0.0, 1.0, 1.0), (1.0, 1.0, 0.8)),
    },
    "tag": {
        "chords": ((0.0, 0.4, 0.9), (1.5, _LONG, 0.8)),
        "bass": ((0.0, 1.4, 1.0), (1.5, _LONG, 0.8)),
        "drums": ((0.0, 1.0, 0.9), (1.5, 1.0, 0.8)),
    },
}
"""Strokes in beats by role; roles that are not named hold the chord. In ``roll`` the tones follow one another
quickly, in ``ring`` on the half beats, as the last turn of a figure."""
_HITTING = {"hits", "stop", "two"}


def ending(plan: Plan) -> str:
    """Return how a player's style ends this piece."""
    kinds = manners(plan.style.family).endings
    kind = kinds[min(len(kinds) - 1, int(dice(plan, "ending", 1)[0] * len(kinds)))]
    return "hold" if kind in _HITTING and plan.energy < _CALM else kind


def last_strokes(plan: Plan, role: str) -> tuple[Stroke, ...]:
    """Return the strokes of a role on the last chord, as far as there is time; the last that fits is held if any is.

    Args:
        plan: The player's view.
        role: Of the player.
    """
    grid = plan.grid
    room = (plan.seconds - _AIR - grid.time(len(plan.bars) - 1, 0)) / grid.step_seconds
    beats = _KINDS[ending(plan)].get(role, _HELD)
    fitting = [one for one in beats if one[0] == 0 or one[0] * grid.beat_steps <= room]
    if len(fitting) < len(beats) and beats[-1][1] == _LONG:
        start, _, level = fitting[-1]
        fitting[-1] = (start, _LONG, level)
    unit = grid.beat_steps
    return tuple(
        Stroke(start * unit, length if length == _LONG else length * unit, level)
        for start, length, level in fitting
    )
