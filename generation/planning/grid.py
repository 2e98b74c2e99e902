"""Time: bars, beats and sixteenth steps, swing, and patterns written for 4/4 refitted to other metres."""

from __future__ import annotations

from dataclasses import dataclass

BAR = 16
"""Steps for which patterns in the style files are written (4/4 in sixteenths)."""

_COMPOUND = {0: 0, 1: 2, 2: 4, 3: 5}


@dataclass(frozen=True, slots=True, kw_only=True)
class Grid:
    """The grid of one clip.

    A tempo counts quarters in x/4 and irregular x/8, halves in x/2, and dotted quarters in 6/8, 9/8 and 12/8.

    Attributes:
        tempo: Beats per minute.
        metre: Beats in a bar and note value.
        swing: Delay of every second unit, 0 straight to 0.33 triplets to 0.5.
        swing_unit: 8 or 16: what is swung.
        downbeat: Seconds at which bar 0 begins; negative when the clip enters in the middle of bar 0.
    """

    tempo: float
    metre: tuple[int, int]
    swing: float = 0.0
    swing_unit: int = 16
    downbeat: float = 0.0

    @property
    def compound(self) -> bool:
        """Whether beats divide in three."""
        return self.metre[1] == 8 and self.metre[0] % 3 == 0

    @property
    def beat_steps(self) -> int:
        """Sixteenths in the beat that the tempo counts."""
        if self.compound:
            return 6
        return 8 if self.metre[1] == 2 else 4

    @property
    def bar_steps(self) -> int:
        """Sixteenths in a bar."""
        return max(1, self.metre[0] * 16 // self.metre[1])

    @property
    def step_seconds(self) -> float:
        """Length of a sixteenth before swing."""
        return 60 / self.tempo / self.beat_steps

    @property
    def bar_seconds(self) -> float:
        """Length of a bar."""
        return self.bar_steps * self.step_seconds

    @property
    def quarter_bpm(self) -> float:
        """Quarters per minute."""
        return self.tempo * self.beat_steps / 4

    @property
    def beats(self) -> int:
        """Beats in a bar, at least 1."""
        return max(1, self.bar_steps // self.beat_steps)

    @property
    def middle(self) -> int:
        """Step of the second strong beat: the half, or what follows the longer group; the end if there is one beat."""
        return -(-self.beats // 2) * self.beat_steps if self.beats > 1 else self.bar_steps

    def weight(self, step: float) -> float:
        """Return how strong a step is in the metre: 1 the first, 0.85 the middle, 0.7 a beat, 0.45, 0.25."""
        if step == 0:
            return 1.0
        if step == self.middle:
            return 0.85
        if step % self.beat_steps == 0:
            return 0.7
        return 0.45 if step % 2 == 0 else 0.25

    def time(self, bar: int, step: float) -> float:
        """Return when a step sounds, swung, in seconds."""
        unit = 2 if self.swing_unit == 8 else 1
        place = step
        if self.swing and not self.compound:
            pair, within = divmod(step, 2 * unit)
            x = within / unit
            x = x * (1 + self.swing) if x < 1 else (1 + self.swing) + (x - 1) * (1 - self.swing)
            place = pair * 2 * unit + x * unit
        return self.downbeat + bar * self.bar_seconds + place * self.step_seconds

    def fit(self, pattern: str, bar: int) -> str:
        """Cut one bar out of a pattern of one or more 4/4 bars and bring it to this metre."""
        bars = max(1, len(pattern) // BAR)
        start = bar % bars * BAR
        cut = pattern[start : start + BAR]
        if self.compound:
            return self._triple(cut)
        steps = self.bar_steps
        while len(cut) < steps:
            cut += cut[: steps - len(cut)]
        return cut[:steps]

    def _triple(self, cut: str) -> str:
        """Spread each quarter of a 4/4 bar over a dotted quarter, its offbeat on the last eighth."""
        hold = "-" if "-" in cut else "."
        out = []
        for beat in range(self.bar_steps // 6):
            quarter = cut[beat % 4 * 4 : beat % 4 * 4 + 4]
            cells = [""] * 6
            for place, mark in enumerate(quarter):
                cells[_COMPOUND[place]] = mark
            for place in range(6):
                if not cells[place]:
                    before = cells[place - 1]
                    sounding = before not in {".", ""}
                    cells[place] = hold if sounding and hold == "-" else "."
            out.append("".join(cells))
        return "".join(out)


def runs(pattern: str) -> list[tuple[int, str, int]]:
    """Read a pattern: for each mark that sounds its step, the mark, and its length with the holds after it.

    A hold without a note before it is silence.
    """
    out = []
    step = 0
    while step < len(pattern):
        mark = pattern[step]
        length = 1
        if mark not in ".-":
            while step + length < len(pattern) and pattern[step + length] == "-":
                length += 1
            out.append((step, mark, length))
        step += length
    return out
