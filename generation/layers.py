"""Arrangement: which roles are silent in which section, so that long pieces grow, thin out and return."""

from __future__ import annotations

from generation.form import Bar
from generation.pen import dice, place_of
from generation.plan import Plan
from generation.sections import SHORT

_RESTS = {
    "intro": {"lead", "counter"},
    "verse": {"counter"},
    "build": {"counter"},
    "break": {"counter"},
    "bridge": {"counter"},
    "outro": {"counter"},
}
"""Who is silent through a whole section."""
_ENTERS = {"bass": 0.46, "pad": 0.43, "chords": 0.4}
"""Intensity from which a role plays in an intro, where voices come in one by one."""
_ONE_BY_ONE = {"house", "techno", "afrobeat", "polyrhythm", "gamelan", "funk", "hiphop", "raga", "drone"}
"""Families whose pieces begin with one player."""


def rests(plan: Plan, role: str, number: int, bar: Bar) -> bool:
    """Say whether a role is silent in a bar for the sake of the form. In short pieces nobody is.

    Args:
        plan: The player's view.
        role: Of the player.
        number: Of the bar.
        bar: Which.
    """
    if len(plan.bars) <= SHORT + 2 or bar.section == "end":
        return False
    if role in _RESTS.get(bar.section, ()):
        return True
    if bar.section == "intro":
        late = plan.style.family in _ONE_BY_ONE or role == "pad"
        return late and bar.intensity < _ENTERS.get(role, 0.0) + 0.04
    if role == "pad" and bar.section in {"verse", "break"}:
        return dice(plan, f"pad rests {bar.section}", 1)[0] < 0.45 and plan.energy > 0.3
    if role == "lead" and bar.section in {"break", "build"}:
        return dice(plan, f"lead rests {bar.section} {place_of(bar, number) // 16}", 1)[0] < 0.5
    return False
