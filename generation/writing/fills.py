"""Rows of drum marks beyond the groove: fills that grow with the form, builds, dancing feet, single pieces."""

from __future__ import annotations

from collections.abc import Mapping

from generation.planning.feel import kick_on_beat, offbeat_hat
from generation.planning.form import Bar
from generation.planning.plan import Plan
from generation.writing.pen import dice, habits, place_of

TICKING = {"hat", "ride", "shaker", "cabasa", "tambourine"}
"""Pieces that go on through short fills."""
_PLAIN_FILLS: tuple[Mapping[str, str], ...] = (
    {"snare": "....X...x.xxx.xx", "kick": "x...............", "tom_low": "..............x."},
    {"snare": "........x.x.....", "tom_high": "............xx..", "tom_low": "..............xx"},
)
SOFT_GROOVE: tuple[Mapping[str, str], ...] = (
    {"kick": "x.......x.......", "rim": "....x.......x...", "hat": "x.o.x.o.x.o.x.o."},
    {"kick": "x.....+.x.......", "rim": "....x.......x..+", "shaker": "x.o.x.o.x.o.x.o."},
)
"""For families without drums of their own, when a prompt asks for them."""
PIECES = {
    "shaker": "xoxoxoxoxoxoxoxo",
    "cabasa": "x.xox.xox.xox.xo",
    "tambourine": "..x...x...x...xo",
    "cowbell": "x...x...x...x...",
    "conga_high": "..x...x...x..xx.",
    "conga_low": "......xx......xx",
    "conga_mute": "x..x..x.x..x..x.",
    "bongo_high": "x.oxx.oxx.oxx.ox",
    "bongo_low": "......x.......x.",
    "timbale_high": "x..x..x...x.x...",
    "timbale_low": "..........x...xx",
    "agogo_high": "x...x.....x.x...",
    "agogo_low": "..x...x...x...x.",
    "clave": "x..x..x...x.x...",
    "guiro": "x...x.x.x...x.x.",
    "block_high": "x..x..x.x..x..x.",
    "block_low": "..x...x...x...x.",
    "triangle": "..x...x...x...x.",
    "clap": "....x.......x...",
    "rim": "....x.......x...",
    "hat": "x.x.x.x.x.x.x.x.",
    "ride": "x...x.x.x...x.x.",
    "snare": "....x.......x...",
    "kick": "x.......x.x.....",
    "tom_low": "x.....x...x.....",
    "tom_mid": "...x......x..x..",
    "timpani": "x.......x...x.x.",
}
"""What a single piece plays when a prompt asks for it."""


def lead_over(
    plan: Plan,
    rows: dict[str, str],
    where: tuple[int, Bar],
    fills: tuple[Mapping[str, str], ...],
) -> dict[str, str]:
    """Return a bar with a fill where one belongs: a beat at the end of a phrase, half a bar or more before a section.

    Args:
        plan: Energy, metre and the style's habits.
        rows: The groove's marks by piece.
        where: Number and bar.
        fills: The style's own; soft styles have none.
    """
    number, bar = where
    steps = plan.grid.bar_steps
    beat = min(4, steps)
    size = _size(plan, number, bar) * habits(plan).fills
    beats = min(round(size), steps // beat)
    if beats < 1 or not fills:
        return rows
    pool = (
        fills
        if len(fills) > 1 or plan.energy < 0.5 or "snare" not in rows
        else (*fills, *_PLAIN_FILLS[:1])
    )
    fill = pool[
        min(len(pool) - 1, int(dice(plan, f"fill {place_of(bar, number)}", 1)[0] * len(pool)))
    ]
    start = max(0, steps - beats * beat)
    silent = "." * steps
    goes_on = TICKING if beats <= 2 else set()
    out = {p: r if p in goes_on else r[:start] + silent[start:] for p, r in rows.items()}
    for piece, row in fill.items():
        fitted = _fitted(plan, row)
        out[piece] = out.get(piece, silent)[:start] + fitted[start:]
    return out


def _size(plan: Plan, number: int, bar: Bar) -> float:
    """Beats of a fill: the more follows, the longer it is."""
    following = plan.bars[number + 1].section if number + 1 < len(plan.bars) else "end"
    drive = 0.6 + 0.8 * plan.energy
    if not bar.fill:
        luck = dice(plan, f"turn {place_of(bar, number)}", 1)[0]
        return drive if bar.closing and plan.energy > 0.5 and luck < 0.6 else 0.0
    if following in {"chorus", "drop", "B", "solo"}:
        return 3.0 * drive if len(plan.bars) > 11 else 2.0 * drive
    return 2.0 * drive


def _fitted(plan: Plan, row: str) -> str:
    """Bring a fill to the metre: its end belongs at the bar's end."""
    steps = plan.grid.bar_steps
    if plan.grid.compound or steps == 16:
        return plan.grid.fit(row, 0)
    return row[-steps:].rjust(steps, ".")


def build_up(rows: dict[str, str], bar: Bar, steps: int) -> dict[str, str]:
    """Return a bar of a build: the snare doubles its strokes and swells, the bass drum falls silent at the end.

    Digits are levels from 0 to 9.
    """
    share = min(1.0, max(0.0, (bar.intensity - 0.5) / 0.4))
    gap = 4 if share < 0.4 else 2 if share < 0.8 else 1
    lift = 1 + 5 * share
    roll = "".join(
        str(min(9, round(lift + 3 * step / steps))) if step % gap == 0 else "."
        for step in range(steps)
    )
    out = {p: r for p, r in rows.items() if p in TICKING or p == "kick"}
    if bar.fill and "kick" in out:
        half = steps // 2
        out["kick"] = out["kick"][:half] + "." * (steps - half)
    return {**out, "snare": roll}


def for_dancing(plan: Plan, rows: dict[str, str], where: tuple[int, Bar]) -> dict[str, str]:
    """Put kicks on the beats and hats between them, or leave kicks out, as far as the levels ask for it."""
    surely, hats = kick_on_beat(plan.levels, plan.style), offbeat_hat(plan.levels, plan.style)
    grid = plan.grid
    number, bar = where
    lucky = dice(plan, f"dancing {place_of(bar, number) % 2}", 64)
    out = dict(rows)
    kick = list(out.get("kick", "." * grid.bar_steps))
    hat = list(out.get("hat", "." * grid.bar_steps))
    for step in range(0, grid.bar_steps, grid.beat_steps):
        luck = lucky[step % 64]
        if kick[step] in ".+" and luck < surely:
            kick[step] = "X"
        elif step and kick[step] != "." and luck < -surely:
            kick[step] = "."
        half = step + grid.beat_steps // 2
        if half < grid.bar_steps and hat[half] == "." and luck < hats:
            hat[half] = "x"
    for piece, row in (("kick", kick), ("hat", hat)):
        if piece in out or row.count(".") < len(row):
            out[piece] = "".join(row)
    return out
