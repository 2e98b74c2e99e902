"""Scales, chords and voice leading: the little music theory that the arranger needs."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from domain.errors import GenerationError
from domain.facets import TONICS

SCALES: dict[str, tuple[int, ...]] = {
    "major": (0, 2, 4, 5, 7, 9, 11),
    "minor": (0, 2, 3, 5, 7, 8, 10),
    "dorian": (0, 2, 3, 5, 7, 9, 10),
    "phrygian": (0, 1, 3, 5, 7, 8, 10),
    "lydian": (0, 2, 4, 6, 7, 9, 11),
    "mixolydian": (0, 2, 4, 5, 7, 9, 10),
    "pentatonic": (0, 2, 4, 5, 7, 9, 11),
    "blues": (0, 2, 4, 5, 7, 9, 10),
    "harmonic_minor": (0, 2, 3, 5, 7, 8, 11),
    "locrian": (0, 1, 3, 5, 6, 8, 10),
    "phrygian_dominant": (0, 1, 4, 5, 7, 8, 10),
    "double_harmonic": (0, 1, 4, 5, 7, 8, 11),
    "melodic_minor": (0, 2, 3, 5, 7, 9, 11),
    "whole_tone": (0, 2, 4, 6, 8, 10, 11),
    "pelog": (0, 1, 3, 5, 7, 8, 10),
}
"""Seven degrees of each mode, from which chords are stacked; a melody may have fewer or others, see ``MELODIES``.

The whole tones are six; the seventh is the leading tone, on which stands the augmented dominant. Pelog's five tones
are completed to the phrygian mode, in which they lie.
"""

MELODIES: dict[str, tuple[int, ...]] = {
    "pentatonic": (0, 2, 4, 7, 9),
    "minor_pentatonic": (0, 3, 5, 7, 10),
    "blues": (0, 3, 5, 6, 7, 10),
    "phrygian_dominant": SCALES["phrygian_dominant"],
    "double_harmonic": SCALES["double_harmonic"],
    "whole_tone": (0, 2, 4, 6, 8, 10),
    "pelog": (0, 1, 3, 7, 8),
}
"""Scales for melodies that differ from the mode's own."""

MINOR_MODES = frozenset(
    {"minor", "dorian", "phrygian", "harmonic_minor", "locrian", "melodic_minor", "pelog"}
)
"""Modes with a minor third."""
DARK_MODES = MINOR_MODES | {"phrygian_dominant", "double_harmonic"}
"""Modes that use a style's minor progressions, the others the major ones: a flat second and sixth ask for it."""

_STACKS: dict[str, tuple[int, ...]] = {
    "triad": (0, 2, 4),
    "7": (0, 2, 4, 6),
    "9": (0, 2, 4, 6, 8),
    "6": (0, 2, 4, 5),
    "sus2": (0, 1, 4),
    "sus4": (0, 3, 4),
    "add9": (0, 2, 4, 8),
    "p": (0, 4),
}
_FIXED: dict[str, tuple[int, ...]] = {
    "dom": (0, 4, 7, 10),
    "dom9": (0, 4, 7, 10, 14),
    "M": (0, 4, 7),
    "m": (0, 3, 7),
    "m7": (0, 3, 7, 10),
    "M7": (0, 4, 7, 11),
    "dim7": (0, 3, 6, 9),
}
COLOURS = (*_STACKS, *_FIXED)
"""What may follow a degree in a progression: diatonic stacks, then fixed qualities."""

_SYMBOL = re.compile(r"([b#]?)([1-7])(.*)")
_NAMES: dict[frozenset[int], str] = {
    frozenset({0, 7}): "5",
    frozenset({0, 4, 7}): "",
    frozenset({0, 3, 7}): "m",
    frozenset({0, 3, 6}): "dim",
    frozenset({0, 4, 8}): "aug",
    frozenset({0, 2, 7}): "sus2",
    frozenset({0, 5, 7}): "sus4",
    frozenset({0, 4, 7, 11}): "maj7",
    frozenset({0, 4, 7, 10}): "7",
    frozenset({0, 3, 7, 10}): "m7",
    frozenset({0, 3, 7, 11}): "m(maj7)",
    frozenset({0, 3, 6, 10}): "m7b5",
    frozenset({0, 3, 6, 9}): "dim7",
    frozenset({0, 4, 7, 9}): "6",
    frozenset({0, 3, 7, 9}): "m6",
    frozenset({0, 2, 4, 7}): "add9",
    frozenset({0, 2, 3, 7}): "madd9",
    frozenset({0, 2, 4, 7, 11}): "maj9",
    frozenset({0, 2, 4, 7, 10}): "9",
    frozenset({0, 2, 3, 7, 10}): "m9",
}


@dataclass(frozen=True, slots=True)
class Chord:
    """A chord: pitch class of its root in [0, 11] and semitones above it, lowest first."""

    root: int
    intervals: tuple[int, ...]

    @property
    def classes(self) -> frozenset[int]:
        """Pitch classes of its tones."""
        return frozenset((self.root + i) % 12 for i in self.intervals)

    @property
    def name(self) -> str:
        """Such as ``"Am7"``."""
        kind = _NAMES.get(frozenset(i % 12 for i in self.intervals))
        if kind is None:
            kind = "m" if 3 in self.intervals else ""
        return TONICS[self.root] + kind

    def tone(self, wanted: int) -> int:
        """Return the interval that stands for a third, fifth or seventh (3, 5 or 7) of this chord."""
        near = {3: (3, 4, 5, 2), 5: (7, 6, 8), 7: (10, 11, 9)}[wanted]
        have = {i % 12 for i in self.intervals}
        return next((i for i in near if i in have), 7 if wanted != 3 else 0)


def parse_chord(symbol: str) -> tuple[int, int, str]:
    """Split a progression's symbol such as ``"57"``, ``"b7M"`` or ``"2sus4"``.

    Returns:
        Alteration in semitones, degree from 1 to 7, and colour (one of ``COLOURS`` or ``""``).

    Raises:
        GenerationError: It is not such a symbol.
    """
    match = _SYMBOL.fullmatch(symbol)
    if match is None or (match[3] and match[3] not in COLOURS):
        raise GenerationError(f"{symbol!r} is not a chord: write a degree 1-7 and a colour.")
    return {"b": -1, "#": 1, "": 0}[match[1]], int(match[2]), match[3]


def build_chord(symbol: str, tonic: int, mode: str, colour: str) -> Chord:
    """Build a chord on a degree of the mode.

    Args:
        symbol: As ``parse_chord`` reads it.
        tonic: Pitch class.
        mode: One of ``SCALES``.
        colour: Used when the symbol has none of its own.
    """
    shift, degree, own = parse_chord(symbol)
    kind = own or colour
    scale = SCALES[mode]
    root = scale[degree - 1]
    if kind in _FIXED:
        return Chord((tonic + root + shift) % 12, _FIXED[kind])
    if mode == "blues" and kind in {"7", "9"}:
        # Every chord of a blues is a dominant, which no single scale holds.
        return Chord((tonic + root + shift) % 12, _FIXED["dom" if kind == "7" else "dom9"])
    if mode == "whole_tone":
        # Every third is major here, so that every stack is the augmented triad.
        return Chord((tonic + root + shift) % 12, (0, 4, 8))
    steps = _STACKS[kind]
    tones = [scale[(degree - 1 + s) % 7] + 12 * ((degree - 1 + s) // 7) - root for s in steps]
    if kind == "p":
        tones = [0, 7]
    return Chord((tonic + root + shift) % 12, tuple(tones))


def melody_scale(mode: str, wish: str) -> tuple[int, ...]:
    """Return the semitones a melody may use: the mode's, or fewer where the style asks for it."""
    if mode in MELODIES:
        return MELODIES[mode]
    if wish == "pentatonic":
        return MELODIES["minor_pentatonic" if mode in MINOR_MODES else "pentatonic"]
    if wish == "blues" and mode in MINOR_MODES:
        return MELODIES["blues"]
    return SCALES[mode]


def voice(
    chord: Chord, previous: Sequence[int], span: tuple[int, int], *, kind: str = "close"
) -> tuple[int, ...]:
    """Place a chord so that the voices move as little as they can.

    Args:
        chord: What to play.
        previous: MIDI keys of the voicing before, or empty.
        span: Lowest and highest key to use.
        kind: ``"close"``, ``"spread"`` (second voice from the top an octave down), ``"rootless"`` (from four tones
            on, the bass has the root) or ``"power"`` (root, fifth, octave).

    Returns:
        MIDI keys, lowest first.
    """
    ways = voicings(chord, span, kind=kind)
    middle = sum(span) / 2
    return min(ways, key=lambda w: (_effort(w, previous) + 0.35 * abs(sum(w) / len(w) - middle), w))


def voicings(
    chord: Chord, span: tuple[int, int], *, kind: str = "close"
) -> tuple[tuple[int, ...], ...]:
    """Return all ways to place a chord within a span, at least one; see ``voice`` for the arguments."""
    low = span[0]
    base = low + (chord.root - low) % 12
    if kind == "power":
        return ((base, base + 7, base + 12),)
    tones = list(chord.intervals)
    if kind == "rootless" and len(tones) > 3:
        tones = tones[1:]
    ways = tuple(
        placed
        for keys in _inversions(chord.root, tones)
        for placed in _placements(keys, span, spread=kind == "spread")
    )
    return ways or (tuple(base + t for t in tones),)


def _inversions(root: int, tones: list[int]) -> list[list[int]]:
    """Return every rotation of a chord as rising keys, each within an octave of the one below."""
    out = []
    for turn in range(len(tones)):
        keys = [root + t for t in tones[turn:] + tones[:turn]]
        for i in range(1, len(keys)):
            keys[i] = keys[i - 1] + ((keys[i] - keys[i - 1] - 1) % 12 + 1)
        out.append(keys)
    return out


def _placements(keys: list[int], span: tuple[int, int], *, spread: bool) -> list[tuple[int, ...]]:
    """Return the octaves in which rising keys fit a span, give or take a third."""
    out = []
    for octave in range(11):
        placed = [k + 12 * octave for k in keys]
        if spread and len(placed) > 2:
            placed = sorted([*placed[:-2], placed[-2] - 12, placed[-1]])
        if placed[0] >= span[0] - 4 and placed[-1] <= span[1] + 4:
            out.append(tuple(placed))
    return out


def _effort(keys: Sequence[int], previous: Sequence[int]) -> float:
    if not previous:
        return 0.0
    up = sum(min(abs(k - p) for p in previous) for k in keys)
    down = sum(min(abs(k - p) for k in keys) for p in previous)
    return float(up + down) / 2


def nearest(target: float, classes: frozenset[int] | set[int], span: tuple[int, int]) -> int:
    """Return the key of the given pitch classes that lies nearest to ``target`` within ``span``."""
    keys = [k for k in range(span[0], span[1] + 1) if k % 12 in classes]
    if not keys:
        return round(target)
    return min(keys, key=lambda k: (abs(k - target), k))
