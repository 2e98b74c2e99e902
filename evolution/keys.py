"""Keys, scales and chords as far as breeding needs them: transposing, other modes, substitutes.

Breeding knows no sound, so this is the theory of names: which chords belong to a key and what may stand for another.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping

from domain.chords import ChordAt
from domain.description import BarDescription, Description
from domain.facets import MODES, TONICS

SCALES: Mapping[str, tuple[int, ...]] = {
    "major": (0, 2, 4, 5, 7, 9, 11),
    "minor": (0, 2, 3, 5, 7, 8, 10),
    "dorian": (0, 2, 3, 5, 7, 9, 10),
    "phrygian": (0, 1, 3, 5, 7, 8, 10),
    "lydian": (0, 2, 4, 6, 7, 9, 11),
    "mixolydian": (0, 2, 4, 5, 7, 9, 10),
    "locrian": (0, 1, 3, 5, 6, 8, 10),
    "harmonic_minor": (0, 2, 3, 5, 7, 8, 11),
    "melodic_minor": (0, 2, 3, 5, 7, 9, 11),
    "phrygian_dominant": (0, 1, 4, 5, 7, 8, 10),
    "double_harmonic": (0, 1, 4, 5, 7, 8, 11),
    "pentatonic": (0, 2, 4, 5, 7, 9, 11),
    "blues": (0, 2, 4, 5, 7, 9, 10),
    "whole_tone": (0, 2, 4, 6, 8, 10),
    "pelog": (0, 1, 3, 5, 7, 8, 10),
}
"""Degrees on which each mode builds its chords, in semitones above the tonic."""

_INTERVALS: Mapping[str, tuple[int, ...]] = {
    "": (0, 4, 7), "m": (0, 3, 7), "dim": (0, 3, 6), "aug": (0, 4, 8),
    "7": (0, 4, 7, 10), "maj7": (0, 4, 7, 11), "m7": (0, 3, 7, 10), "m(maj7)": (0, 3, 7, 11),
    "m7b5": (0, 3, 6, 10), "dim7": (0, 3, 6, 9), "6": (0, 4, 7, 9), "m6": (0, 3, 7, 9),
    "add9": (0, 2, 4, 7), "madd9": (0, 2, 3, 7),
    "9": (0, 2, 4, 7, 10), "maj9": (0, 2, 4, 7, 11), "m9": (0, 2, 3, 7, 10),
}  # fmt: skip
_NAMES = {frozenset(tones): name for name, tones in _INTERVALS.items()}
_STACKS = {
    (0, 2, 4): ("", "m", "dim", "aug"),
    (0, 2, 4, 6): ("7", "maj7", "m7", "m(maj7)", "m7b5", "dim7"),
    (0, 2, 4, 5): ("6", "m6"),
    (0, 1, 2, 4): ("add9", "madd9"),
    (0, 1, 2, 4, 6): ("9", "maj9", "m9"),
}
"""Scale steps over the root, and what they may be called. Open fifths and suspensions stay what they are."""
_STACK_OF = {name: stack for stack, names in _STACKS.items() for name in names}

MINOR_LIKE = frozenset({"m", "m7", "m9", "m6", "madd9", "m(maj7)", "dim", "m7b5", "dim7"})

Key = tuple[int, str]
"""Pitch class of the tonic, and mode."""


def scale(mode: str) -> tuple[int, ...]:
    """Return the degrees of ``mode`` in semitones; those of major for a mode that is not known here."""
    return SCALES.get(mode, SCALES["major"])


def key_of(description: Description) -> Key:
    """Return the key of a piece."""
    return TONICS.index(description.tonic), description.mode


def by_brightness() -> tuple[str, ...]:
    """Return all modes from dark to bright: the higher its degrees lie, the brighter a mode."""
    return tuple(sorted(MODES, key=lambda mode: (sum(scale(mode)), len(scale(mode)), mode)))


def is_minor(mode: str) -> bool:
    """Say whether the third over the tonic is a minor one."""
    return 4 not in scale(mode)


def diatonic(key: Key, degree: int, stack: tuple[int, ...] = (0, 2, 4)) -> ChordAt:
    """Return the chord on a degree (0 is the tonic) of a key, stacked by steps of its scale.

    Where the stack has no name its triad stands for it, and the triad over the tonic of the mode's kind as a last
    resort.
    """
    tonic, mode = key
    steps = scale(mode)
    root = steps[degree % len(steps)]
    quality = None
    for tried in (stack, (0, 2, 4)):
        tones = frozenset((steps[(degree + step) % len(steps)] - root) % 12 for step in tried)
        quality = _NAMES.get(tones)
        if quality is not None:
            break
    if quality is None:
        quality = "m" if is_minor(mode) else ""
    return ChordAt(root=TONICS[(tonic + root) % 12], quality=quality)


def moved(chord: ChordAt, semitones: int) -> ChordAt:
    """Return ``chord`` transposed."""
    return dataclasses.replace(chord, root=TONICS[(TONICS.index(chord.root) + semitones) % 12])


def revoiced(chord: ChordAt, old: Key, new: Key) -> ChordAt:
    """Return the chord that has in the key ``new`` the place that ``chord`` has in ``old``.

    A chord of the old scale becomes that of the new one; a foreign chord keeps its quality and its distance from the
    tonic, and so does a dominant of its own making, such as the major fifth of a minor key.
    """
    away = (TONICS.index(chord.root) - old[0]) % 12
    steps, wanted = scale(old[1]), scale(new[1])
    if away not in steps:
        return dataclasses.replace(chord, root=TONICS[(new[0] + away) % 12])
    degree = steps.index(away)
    goal = degree if len(steps) == len(wanted) else round(degree * len(wanted) / len(steps))
    stack = _STACK_OF.get(chord.quality)
    if stack is not None and diatonic(old, degree, stack).quality == chord.quality:
        return dataclasses.replace(diatonic(new, goal, stack), beat=chord.beat)
    root = (new[0] + wanted[goal % len(wanted)]) % 12
    return dataclasses.replace(chord, root=TONICS[root])


def with_chords(
    bars: tuple[BarDescription, ...], change: Callable[[ChordAt], ChordAt]
) -> tuple[BarDescription, ...]:
    """Return ``bars`` with every chord changed."""
    return tuple(
        dataclasses.replace(bar, chords=tuple(change(chord) for chord in bar.chords))
        for bar in bars
    )


def nearest_shift(source: Key, target: Key) -> int:
    """Return by how many semitones, in [-6, 6), ``source`` is moved to share most tones with ``target``.

    A minor key therefore goes to the relative of a major one: both then have the same signature.
    """
    goal = {(target[0] + step) % 12 for step in scale(target[1])}

    def fit(shift: int) -> tuple[int, bool, int]:
        tones = {(source[0] + shift + step) % 12 for step in scale(source[1])}
        return len(tones & goal), (source[0] + shift - target[0]) % 12 == 0, -abs(shift)

    return max(range(-6, 6), key=fit)


def substitutes(chord: ChordAt, key: Key) -> tuple[ChordAt, ...]:
    """Return what may stand for ``chord`` in ``key``, from what is hardly noticed to what surprises.

    Another colour, a suspension, the relative, the neighbour a third above, the chord of the parallel mode, and the
    dominant a tritone away.
    """
    minor = chord.quality in MINOR_LIKE
    parallel = (key[0], "major" if is_minor(key[1]) else "minor")
    away = (TONICS.index(chord.root) - key[0]) % 12
    steps = scale(key[1])
    options = [
        dataclasses.replace(chord, quality="m7" if minor else "add9"),
        dataclasses.replace(chord, quality="sus2" if minor else "sus4"),
        dataclasses.replace(moved(chord, 3 if minor else -3), quality="" if minor else "m"),
    ]
    if away in steps:
        third = diatonic(key, steps.index(away) + 2, (0, 2, 4, 6))
        options.append(dataclasses.replace(third, beat=chord.beat))
    options.append(revoiced(chord, key, parallel))
    options.append(dataclasses.replace(moved(chord, 6), quality="7"))
    return tuple(dict.fromkeys(option for option in options if option != chord))
