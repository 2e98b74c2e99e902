"""Chords as people write them."""

from __future__ import annotations

import re
from dataclasses import dataclass

from domain.checks import one_of, within
from domain.errors import DescriptionError
from domain.facets import TONICS

QUALITIES = (
    *("", "m", "dim", "aug", "5", "sus2", "sus4", "7", "maj7", "m7", "m(maj7)", "m7b5", "dim7"),
    *("6", "m6", "add9", "madd9", "9", "maj9", "m9"),
)
"""What may follow the root of a chord."""

_CHORD = re.compile(r"([A-G][#b]?)([^@]*)(?:@(\d+(?:\.\d+)?))?")
_SPELLINGS = {
    "C#": "C#", "Db": "C#", "D#": "Eb", "Eb": "Eb", "E#": "F", "Fb": "E", "F#": "F#", "Gb": "F#",
    "G#": "Ab", "Ab": "Ab", "A#": "Bb", "Bb": "Bb", "B#": "C", "Cb": "B",
}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class ChordAt:
    """A chord and where it begins.

    Attributes:
        beat: Beats of the metre after the bar line, at least 0.
        root: One of ``TONICS``.
        quality: One of ``QUALITIES``.
    """

    beat: float = 0.0
    root: str
    quality: str = ""

    def __post_init__(self) -> None:
        within(self.beat, 0.0, 64.0, "chord.beat")
        one_of(self.root, TONICS, "chord.root")
        one_of(self.quality, QUALITIES, "chord.quality")

    def __str__(self) -> str:
        """Return such as ``"Am7"``, or ``"D7@2"`` when it begins on the third beat."""
        return f"{self.root}{self.quality}" + (f"@{self.beat:.12g}" if self.beat else "")

    @classmethod
    def parse(cls, text: str) -> ChordAt:
        """Read what ``str`` writes; sharps and flats of every spelling.

        Raises:
            DescriptionError: It is not such a chord.
        """
        match = _CHORD.fullmatch(text.strip())
        if match is None:
            raise DescriptionError(
                "chord", f'{text!r} is not a chord; write one as "Am7" or "D7@2"'
            )
        root = _SPELLINGS.get(match[1], match[1])
        return cls(root=root, quality=match[2].strip(), beat=float(match[3] or 0.0))
