"""Which metres a family can be played in."""

from __future__ import annotations

from generation.planning.styles import Style


def suits(style: Style, metre: tuple[int, int]) -> bool:
    """Say whether a family can be played in a metre.

    One that knows 4/4 takes any metre. One that lives from another, as a waltz does, takes its own and, when all of its
    own are counted in threes, whatever is counted in threes.
    """
    if "4/4" in style.metres or f"{metre[0]}/{metre[1]}" in style.metres:
        return True
    own = [int(name.partition("/")[0]) for name in style.metres]
    return all(beats % 3 == 0 for beats in own) and metre[0] % 3 == 0


def usual(style: Style) -> tuple[int, int]:
    """Return the metre that a family is played in most."""
    beats, _, value = max(style.metres, key=lambda name: style.metres[name]).partition("/")
    return int(beats), int(value)
