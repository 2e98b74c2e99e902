"""The drummer: grooves and fills from the style, thinned or filled up by density and energy."""

from __future__ import annotations

from collections.abc import Mapping

from generation.casting import Voice
from generation.feel import kick_on_beat, offbeat_hat
from generation.form import Bar
from generation.generator import Note
from generation.patches import percussion_key
from generation.pen import Pen, dice
from generation.plan import Plan

_LEVELS = {"X": 1.0, "x": 0.84, "o": 0.5, "+": 0.66}
_NEEDS_ENERGY = {"open": 0.22, "clap": 0.12, "crash": 0.4}
_TICKING = {"hat", "ride", "shaker", "cabasa", "tambourine"}
_SOFT_GROOVE: tuple[Mapping[str, str], ...] = (
    {"kick": "x.......x.......", "rim": "....x.......x...", "hat": "x.o.x.o.x.o.x.o."},
    {"kick": "x.....+.x.......", "rim": "....x.......x..+", "shaker": "x.o.x.o.x.o.x.o."},
)
"""For families without drums of their own, when a prompt asks for them."""
_PIECES = {
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


def play_drums(plan: Plan, voice: Voice) -> tuple[Note, ...]:
    """Write the drum part."""
    pen = Pen(plan, "drums", drag=plan.style.human.drag * 0.5)
    grooves = _grooves(plan)
    for number, bar in enumerate(plan.bars):
        if bar.section == "end":
            _close(plan, pen, number)
            continue
        rows = _rows(plan, bar, grooves, number)
        for piece, row in rows.items():
            _play_row(plan, pen, (number, bar), piece, row)
        if bar.first and bar.section == "B" and _crashes(plan):
            pen.write(number, 0, 8, _key("crash"), 0.8)
    del voice
    return pen.finish()


def kick_steps(plan: Plan, number: int) -> frozenset[int]:
    """Return the steps of a bar on which the bass drum sounds, for the bass to sit on."""
    if plan.cast.voice("drums") is None or not plan.cast.groove:
        return frozenset()
    row = _grooves(plan)[0].get("kick", "")
    if not row:
        return frozenset()
    return frozenset(i for i, m in enumerate(plan.grid.fit(row, number)) if m in "Xx")


def _key(piece: str) -> int:
    return percussion_key(piece) or 42


def _crashes(plan: Plan) -> bool:
    own = plan.style.drums
    banned = plan.cast.banned_pieces & {"crash", "ride"}
    return plan.cast.groove and own is not None and own.crash and plan.energy > 0.4 and not banned


def _grooves(plan: Plan) -> tuple[Mapping[str, str], Mapping[str, str]]:
    """The groove of the clip and a second one for long clips' B parts."""
    pool = plan.style.drums.grooves if plan.style.drums is not None else _SOFT_GROOVE
    first = int(dice(plan, "groove", 1)[0] * len(pool))
    return pool[first], pool[(first + 1) % len(pool)]


def _rows(
    plan: Plan, bar: Bar, grooves: tuple[Mapping[str, str], Mapping[str, str]], number: int
) -> dict[str, str]:
    """Assemble one bar as rows of marks in the clip's metre."""
    rows: dict[str, str] = {}
    if plan.cast.groove:
        groove = grooves[1] if bar.section == "B" and len(plan.bars) > 12 else grooves[0]
        for piece, row in groove.items():
            rows[piece] = plan.grid.fit(row, number)
        rows = _for_dancing(plan, rows, number)
        if bar.section in {"intro", "break"}:
            rows = {p: r for p, r in rows.items() if p in _TICKING or p == "kick"}
        fills = plan.style.drums.fills if plan.style.drums is not None else ()
        if bar.fill and fills and plan.energy > 0.18 and bar.section != "intro":
            rows = _with_fill(
                plan, rows, fills[int(dice(plan, f"fill {number}", 1)[0] * len(fills))]
            )
    for piece in plan.cast.pieces:
        extra = plan.grid.fit(_PIECES.get(piece, "x...x...x...x..."), number)
        old = rows.get(piece, "")
        rows[piece] = (
            extra
            if not old
            else "".join(a if a != "." else b for a, b in zip(old, extra, strict=True))
        )
    return {p: r for p, r in rows.items() if p not in plan.cast.banned_pieces}


def _for_dancing(plan: Plan, rows: dict[str, str], number: int) -> dict[str, str]:
    """Put kicks on the beats and hats between them, or leave kicks out, as far as the levels ask for it."""
    surely, hats = kick_on_beat(plan.levels, plan.style), offbeat_hat(plan.levels, plan.style)
    grid = plan.grid
    lucky = dice(plan, f"dancing {number % 2}", 64)
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


def _with_fill(plan: Plan, rows: dict[str, str], fill: Mapping[str, str]) -> dict[str, str]:
    steps = plan.grid.bar_steps
    half = max(0, steps - (8 if plan.energy > 0.45 else 4))
    silent = "." * steps
    out = {p: r[:half] + silent[half:] for p, r in rows.items() if p not in _TICKING}
    out |= {p: r for p, r in rows.items() if p in _TICKING}
    for piece, row in fill.items():
        # The fill's end belongs at the bar's end, whatever the metre.
        fitted = (
            plan.grid.fit(row, 0)
            if steps == 16 or plan.grid.compound
            else row[-steps:].rjust(steps, ".")
        )
        out[piece] = out.get(piece, silent)[:half] + fitted[half:]
    return out


def _play_row(plan: Plan, pen: Pen, where: tuple[int, Bar], piece: str, row: str) -> None:
    number, bar = where
    if plan.energy < _NEEDS_ENERGY.get(piece, 0.0):
        return
    lucky = dice(plan, f"{piece} {number % 2}", 64)
    full = plan.density * (0.72 + 0.28 * bar.intensity) * (0.7 + 0.5 * plan.energy)
    for step, mark in enumerate(row):
        luck = lucky[step % 64]
        if mark == ".":
            # Very busy clips get soft strokes between those of whatever ticks.
            if piece in _TICKING and plan.cast.groove and luck < 3 * (full - 0.72):
                pen.write(number, step, 1, _key(piece), 0.42)
            continue
        if _left_out(plan, mark, (piece, step), luck, full):
            continue
        weak = step % 4 != 0
        lift = 1.0 if not weak or piece not in _TICKING else 0.86
        pen.write(number, step, 1, _key(piece), _LEVELS[mark] * lift)


def _left_out(plan: Plan, mark: str, where: tuple[str, int], luck: float, full: float) -> bool:
    """Say whether a stroke is left out of a sparse or calm clip; the same strokes always go first."""
    piece, step = where
    if mark == "+":
        return luck > 1.5 * full - 0.35
    if mark == "o":
        return luck > 3.0 * full - 0.3
    if piece == "kick":
        # A calm clip keeps the first beat and the middle of the bar.
        half = plan.grid.bar_steps // 2
        return step not in {0, half} and luck > 0.1 + 3.2 * plan.energy
    return mark == "x" and (step % 4 != 0 or piece in _TICKING) and luck > 0.06 + 3.2 * full


def _close(plan: Plan, pen: Pen, number: int) -> None:
    """One last stroke together."""
    banned = plan.cast.banned_pieces
    if not plan.cast.groove:
        for piece in plan.cast.pieces:
            pen.write(number, 0, 2, _key(piece), 0.8)
        return
    has_kick = any("kick" in groove for groove in _grooves(plan))
    if has_kick and "kick" not in banned:
        pen.write(number, 0, 2, _key("kick"), 0.9)
    if _crashes(plan):
        pen.write(number, 0, 8, _key("crash"), 0.7)
    elif "ride" not in banned and plan.energy > 0.2:
        pen.write(number, 0, 4, _key("ride"), 0.5)
