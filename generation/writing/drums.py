"""The drummer: grooves from the style, played by metre and form; fills, ghosts, builds and breaks around them."""

from __future__ import annotations

from generation.generator import Note
from generation.planning.casting import Voice
from generation.planning.form import Bar
from generation.planning.grid import BAR
from generation.planning.patches import percussion_key
from generation.planning.plan import Plan
from generation.writing.endings import Stroke, last_strokes
from generation.writing.fills import PIECES, SOFT_GROOVE, build_up, for_dancing, lead_over
from generation.writing.pen import FULL, Pen, dice, habits, phase_of, place_of

_LEVELS = {"X": 1.0, "x": 0.84, "o": 0.5, "+": 0.66, "g": 0.3}
_NEEDS_ENERGY = {"open": 0.22, "clap": 0.12, "crash": 0.4}
_TICKING = {"hat", "ride", "shaker", "cabasa", "tambourine"}
_BACKBEAT = {"snare", "clap", "rim"}
_CORE = {"kick", "snare", "clap", "rim", "hat", "ride", "surdo", "tom_floor", "conga_low"}
"""Pieces that a groove cannot do without."""
_MARGIN = 0.15
"""How far below its usual energy a style still has all its pieces."""
_QUIET_STARTS = {"intro", "break", "build", "upbeat", "outro", "end"}
_LAYERS = {
    "pop": "tambourine", "soul": "tambourine", "rock": "tambourine", "disco": "tambourine",
    "house": "shaker", "techno": "shaker", "synthwave": "shaker", "funk": "cowbell",
    "hiphop": "shaker", "reggae": "shaker", "afrobeat": "shaker", "country": "tambourine",
}  # fmt: skip
"""What joins in fuller sections."""


def play_drums(plan: Plan, voice: Voice) -> tuple[Note, ...]:
    """Write the drum part."""
    return _Drummer(plan, voice).play()


def _key(piece: str) -> int:
    return percussion_key(piece) or 42


class _Drummer:
    def __init__(self, plan: Plan, voice: Voice) -> None:
        self.plan = plan
        self.manners = habits(plan)
        self.pen = Pen(plan, "drums", drag=plan.style.human.drag * 0.5)
        self.brushes = voice.patch.name == "kit_brush"
        self.timpani = voice.patch.name == "kit_orchestra"
        self.banned = plan.cast.banned_pieces
        own = plan.style.drums
        pool = own.grooves if own is not None else SOFT_GROOVE
        if own is not None:
            pool = tuple(own.odd.get("{}/{}".format(*plan.grid.metre), pool))
        first = min(len(pool) - 1, int(dice(plan, "groove", 1)[0] * len(pool)))
        self.grooves = (pool[first], pool[(first + 1) % len(pool)])
        self.fills = own.fills if own is not None else ()
        cymbals = own is not None and own.crash and not self.banned & {"crash", "ride"}
        self.crashes = plan.cast.groove and cymbals and plan.energy > 0.4
        self.needs = self._thresholds()

    def play(self) -> tuple[Note, ...]:
        for number, bar in enumerate(self.plan.bars):
            if bar.section == "end":
                self._close(number)
                continue
            if bar.section == "build" and self.plan.cast.groove and self.manners.build:
                rows = build_up(self._rows(number, bar), bar, self.plan.grid.bar_steps)
            else:
                rows = self._rows(number, bar)
            for piece, row in rows.items():
                if piece not in self.banned:
                    self._row(number, bar, piece, row)
            if bar.first and bar.section not in _QUIET_STARTS and self.crashes:
                self.pen.write(number, 0, 8, _key("crash"), 0.66 + 0.16 * bar.intensity)
        return self.pen.finish()

    def _thresholds(self) -> dict[str, float]:
        """Energy from which each piece joins: the core always, the rest one by one up to the style's usual energy."""
        needs: dict[str, float] = {}
        usual = max(0.2, self.plan.style.energy - _MARGIN)
        for groove in self.grooves:
            extra = [p for p in groove if p not in _CORE and p not in self.plan.cast.pieces]
            first = [] if len(extra) < len(groove) else extra[:2]
            late = [p for p in extra if p not in first]
            for index, piece in enumerate(late):
                place = usual * (index + 1) / len(late)
                needs[piece] = min(needs.get(piece, 1.0), place)
        return needs

    def _key(self, piece: str) -> int:
        """The key of a piece; an orchestra's kettledrums lie on a keyboard from F, and are tuned to the tonic."""
        key = _key(piece)
        return key + (self.plan.tonic - key) % 12 if piece == "timpani" and self.timpani else key

    def _rows(self, number: int, bar: Bar) -> dict[str, str]:
        """Assemble one bar as rows of marks in the clip's metre."""
        rows: dict[str, str] = {}
        if self.plan.cast.groove:
            rows = self._groove(number, bar)
        for piece in self.plan.cast.pieces:
            extra = self._fit(PIECES.get(piece, "x...x...x...x..."), bar)
            old = rows.get(piece, "." * len(extra))
            rows[piece] = "".join(a if a != "." else b for a, b in zip(old, extra, strict=True))
        return rows

    def _fit(self, row: str, bar: Bar) -> str:
        steps = self.plan.grid.bar_steps
        if len(row) == steps and steps % BAR:
            return row  # written for this metre
        return self.plan.grid.fit(row, phase_of(bar))

    def _groove(self, number: int, bar: Bar) -> dict[str, str]:
        other = bar.section in FULL and len(self.plan.bars) > 12
        groove = self.grooves[1 if other else 0]
        rows = {piece: self._fit(row, bar) for piece, row in groove.items()}
        if "kick" in rows:
            rows["kick"] = self._own_foot(rows["kick"])
        rows = for_dancing(self.plan, rows, (number, bar))
        match bar.section:
            case "intro" | "outro":
                rows = {p: r for p, r in rows.items() if p in _TICKING or p == "kick"}
            case "break":
                # The bass drum is out until the section's last bar lets it back in.
                rows = {p: r for p, r in rows.items() if p != "kick" and p not in _BACKBEAT}
            case _:
                self._decorate(number, bar, rows)
        if bar.section in FULL and len(self.plan.bars) > 8:
            layer = _LAYERS.get(self.plan.style.family)
            if layer is not None and layer not in rows and self.plan.energy > 0.4:
                rows[layer] = self._fit(PIECES[layer], bar).replace("x", "o")
        self._drive(number, bar, rows)
        if bar.section not in {"intro", "upbeat"} and self.plan.energy > 0.18:
            rows = lead_over(self.plan, rows, (number, bar), self.fills)
        return rows

    def _drive(self, number: int, bar: Bar, rows: dict[str, str]) -> None:
        """Above a style's usual energy more joins: sixteenths on what ticks, claps on the backbeat, cymbals."""
        extra = self.plan.energy - self.plan.style.energy
        if extra <= 0 or bar.section in _QUIET_STARTS or self.manners.feather:
            return
        share = extra / max(0.35, 1 - self.plan.style.energy)
        ticking = next((p for p in ("hat", "shaker", "cabasa", "ride") if p in rows), None)
        if ticking is not None and share > 0.25:
            lucky = dice(self.plan, f"drive {place_of(bar, number) % 2}", 64)
            rows[ticking] = "".join(
                "o" if mark == "." and lucky[step % 64] < share else mark
                for step, mark in enumerate(rows[ticking])
            )
        if "snare" in rows and "clap" not in rows and share > 0.6 and "snare" not in self.needs:
            rows["clap"] = "".join("x" if mark == "X" else "." for mark in rows["snare"])
        if share > 0.5 and bar.place % 2 == 0 and self.crashes and "crash" not in rows:
            rows["crash"] = "o" + "." * (self.plan.grid.bar_steps - 1)

    def _own_foot(self, row: str) -> str:
        """The piece's own bass drum: one more stroke, the same in every bar, where the groove leaves room."""
        luck = dice(self.plan, "own foot", 2)
        spots = [i for i in (3, 6, 7, 10, 11, 14) if i < len(row) and row[i] == "."]
        if luck[0] > 0.55 or not spots or self.manners.feather:
            return row
        spot = spots[int(luck[1] * len(spots))]
        return row[:spot] + "+" + row[spot + 1 :]

    def _decorate(self, number: int, bar: Bar, rows: dict[str, str]) -> None:
        """Ghost notes, an open hat before the phrase turns, another foot every fourth bar."""
        place = place_of(bar, number)
        steps = self.plan.grid.bar_steps
        luck = dice(self.plan, f"drum turn {place % 8}", 4)
        if "snare" in rows and self.plan.energy > 0.15:
            rows["snare"] = self._ghosted(rows["snare"], place)
        if self.brushes and "snare" in rows:
            beat = self.plan.grid.beat_steps
            rows["snare"] = "".join(
                "g" if m == "." and i % beat == beat // 2 else m
                for i, m in enumerate(rows["snare"])
            )
        if bar.closing and steps >= 8:
            if "hat" in rows and luck[0] < self.manners.opening and "open" not in self.banned:
                spot = steps - 2
                rows["hat"] = rows["hat"][:spot] + "." + rows["hat"][spot + 1 :]
                old = rows.get("open", "." * steps)
                rows["open"] = old[:spot] + "x" + old[spot + 1 :]
            if "kick" in rows and luck[1] < 0.5 and rows["kick"][steps - 2] == ".":
                row = rows["kick"]
                rows["kick"] = row[: steps - 2] + "+" + row[steps - 1 :]
        elif bar.phrase == 1 and "kick" in rows and luck[2] < 0.35 and steps >= 12:
            spot = self.plan.grid.middle - 1
            if rows["kick"][spot] == ".":
                rows["kick"] = rows["kick"][:spot] + "+" + rows["kick"][spot + 1 :]

    def _ghosted(self, row: str, place: int) -> str:
        """Whisper between the backbeats, in the same spots every other bar."""
        luck = dice(self.plan, f"ghosts {place % 2}", 64)
        chance = 0.42 * self.manners.ghost * (0.4 + 0.8 * self.plan.density)
        out = []
        for step, mark in enumerate(row):
            beside = mark == "." and step % 2 == 1 and row[step - 1] not in "Xx"
            out.append("g" if beside and luck[step % 64] < chance else mark)
        return "".join(out)

    def _row(self, number: int, bar: Bar, piece: str, row: str) -> None:
        if self.plan.energy < max(_NEEDS_ENERGY.get(piece, 0.0), self.needs.get(piece, 0.0)):
            return
        lucky = dice(self.plan, f"{piece} {place_of(bar, number) % 2}", 64)
        touch = dice(self.plan, f"touch {piece}", 64)
        full = self.plan.density * (0.72 + 0.28 * bar.intensity) * (0.7 + 0.5 * self.plan.energy)
        late = self.manners.push.get(piece, 0.0) / 1000
        for step, mark in enumerate(row):
            luck = lucky[step % 64]
            if mark == ".":
                # Very busy clips get soft strokes between those of whatever ticks.
                if piece in _TICKING and self.plan.cast.groove and luck < 3 * (full - 0.72):
                    self.pen.write(number, step, 1, _key(piece), 0.42, late)
                continue
            if self._left_out(mark, (piece, step), luck, full):
                continue
            level = self._level(piece, mark, step) * (0.955 + 0.09 * touch[step % 64])
            self.pen.write(number, step, 1, self._key(piece), level, late)
            self._after(number, bar, (piece, step, mark), level)

    def _level(self, piece: str, mark: str, step: int) -> float:
        """An accent by mark and metre; what ticks breathes with the beat."""
        if mark.isdigit():
            return 0.34 + 0.07 * int(mark)
        level = _LEVELS[mark]
        if piece == "kick" and self.manners.feather:
            return min(level, 0.4)
        if piece in _TICKING:
            return level * (0.74 + 0.26 * self.plan.grid.weight(step))
        if self.brushes and piece == "snare":
            return level * 0.8
        return level * (1.0 if step % 4 == 0 else 0.95)

    def _after(self, number: int, bar: Bar, stroke: tuple[str, int, str], level: float) -> None:
        """Add what belongs to a stroke: a roll on the hat, a flam before a loud snare at a phrase's end."""
        piece, step, mark = stroke
        place = place_of(bar, number)
        if piece == "hat" and self.manners.rolls and step % 2 == 0 and self.plan.density > 0.3:
            luck = dice(self.plan, f"roll {place % 4} {step}", 2)
            if luck[0] < self.manners.rolls * 0.16 and step > 2:
                cuts = (0.5, 1.0, 1.5) if luck[1] < 0.6 else (0.67, 1.33)
                for index, cut in enumerate(cuts):
                    soft = level * (0.6 + 0.1 * index)
                    self.pen.write(number, step + cut, 0.4, _key(piece), soft)
        elif piece == "snare" and mark == "X" and bar.fill and self.plan.energy > 0.5:
            self.pen.write(number, step, 0.5, _key(piece), level * 0.45, -0.024)

    def _left_out(self, mark: str, where: tuple[str, int], luck: float, full: float) -> bool:
        """Say whether a stroke is left out of a sparse or calm clip; the same strokes always go first."""
        piece, step = where
        if mark == "+":
            return luck > 1.5 * full - 0.35
        if mark in "og":
            return luck > 3.0 * full - 0.3
        if piece == "kick":
            # A calm clip keeps the first beat and the middle of the bar.
            half = self.plan.grid.bar_steps // 2
            return step not in {0, half} and luck > 0.1 + 3.2 * self.plan.energy
        return mark == "x" and (step % 4 != 0 or piece in _TICKING) and luck > 0.06 + 3.2 * full

    def _close(self, number: int) -> None:
        """One last stroke together."""
        if not self.plan.cast.groove:
            for piece in self.plan.cast.pieces:
                self.pen.write(number, 0, 2, self._key(piece), 0.8)
            return
        has_kick = any("kick" in groove for groove in self.grooves)
        strokes = last_strokes(self.plan, "drums")
        self._hit(number, strokes, "kick" if has_kick else "")
        if len(strokes) > 1 and "snare" in self.grooves[0]:
            self._hit(number, strokes, "snare")
        if self.crashes:
            self.pen.write(number, strokes[-1].step, 8, _key("crash"), 0.7)
        elif any("ride" in groove for groove in self.grooves) and "ride" not in self.banned:
            self.pen.write(number, 0, 4, _key("ride"), 0.5)
        elif not has_kick:
            # Hand drums and gongs end on what begins their round.
            for piece, row in self.grooves[0].items():
                if row[0] in "Xx" and piece not in self.banned:
                    self.pen.write(number, 0, 2, self._key(piece), 0.8)

    def _hit(self, number: int, strokes: tuple[Stroke, ...], piece: str) -> None:
        if piece and piece not in self.banned:
            for stroke in strokes:
                self.pen.write(number, stroke.step, 2, _key(piece), 0.9 * stroke.level)
