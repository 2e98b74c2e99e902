"""Arrangement: which roles are silent in which section, so that long pieces grow, thin out and return."""

from __future__ import annotations

from generation.planning.form import INTENSITY, INTRO_RISE, Bar
from generation.planning.plan import Plan
from generation.planning.sections import SHORT
from generation.writing.pen import dice, place_of

_RESTS = {
    "intro": {"lead", "counter"},
    "verse": {"counter"},
    "build": {"counter"},
    "break": {"counter"},
    "bridge": {"counter"},
    "outro": {"counter"},
}
"""Who is silent through a whole section."""
_ENTERS = {"chords": 0.2, "bass": 0.45, "pad": 0.7}
"""Part of an intro after which a role plays where voices come in one by one."""
_ONE_BY_ONE = {
    "house",
    "techno",
    "afrobeat",
    "polyrhythm",
    "gamelan",
    "funk",
    "hiphop",
    "raga",
    "drone",
}
"""Families whose pieces begin with one player."""


def rests(plan: Plan, role: str, number: int, bar: Bar, *, asked: bool = False) -> bool:
    """Say whether a role is silent in a bar for the sake of the form. In short pieces nobody is.

    Args:
        plan: The player's view.
        role: Of the player.
        number: Of the bar.
        bar: Which.
        asked: Whether somebody asked for this player.
    """
    if len(plan.bars) <= SHORT + 2 or bar.section == "end":
        return False
    if role in _RESTS.get(bar.section, ()) or (bar.section == "intro" and _waits(plan, role, bar)):
        return True
    place = f"{bar.section} {place_of(bar, number) // 16}"
    match role:
        case "counter":
            return bar.section == "A" and not asked and bar.place < 8
        case "pad" if bar.section in {"verse", "break"}:
            return plan.energy > 0.3 and dice(plan, f"pad rests {bar.section}", 1)[0] < 0.45
        case "lead" if bar.section in {"break", "build"}:
            return dice(plan, f"lead rests {place}", 1)[0] < 0.5
    return False


def _waits(plan: Plan, role: str, bar: Bar) -> bool:
    """Whether a role has not come in yet in an intro."""
    share = (bar.intensity - INTENSITY["intro"]) / INTRO_RISE
    if plan.style.family in _ONE_BY_ONE:
        return share <= _ENTERS.get(role, 0.0)
    late = role == "pad" or (role == "bass" and dice(plan, "bass waits", 1)[0] < 0.5)
    return late and share <= 0.5
