"""FIGARO's own rule for naming chords, strictly as its authors describe it, as a second opinion beside ours.

It knows seven qualities, weighs pitch classes by presence above a threshold, and looks for the path of stretches of one
to four beats with the highest sum of scores (von Rütte et al. 2023, after the chord analysis of Chou et al.). Where it
leaves a tie open, the first candidate found wins.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from generation.genome.extract import Sound

Doubles = NDArray[np.float64]

PRESENT = 10.0
"""Velocity-weighted presence above which a pitch class counts."""
LONGEST = 4
"""Beats of the longest stretch."""
TONES = {
    "": (0, 4),
    "m": (0, 3),
    "dim": (0, 3, 6),
    "aug": (0, 4, 8),
    "7": (0, 4, 10),
    "maj7": (0, 4, 11),
    "m7": (0, 3, 10),
}
INSIDERS = {"": (7,), "m": (7,), "dim": (9,), "aug": (), "7": (7,), "maj7": (7,), "m7": (7,)}
NEAR = {"m": (2, 5, 8), "m7": (2, 5, 8), "dim": (2, 5, 10)}
"""Outsiders that cost 1 by quality; others cost 2. Major sides have 2, 5 and 9."""
REDUCED = {
    "": "", "add9": "", "6": "", "9": "7", "7": "7", "maj7": "maj7", "maj9": "maj7", "m": "m", "madd9": "m", "m6": "m",
    "m7": "m7", "m9": "m7", "dim": "dim", "m7b5": "dim", "dim7": "dim", "aug": "aug",
}  # fmt: skip
"""What our qualities are in FIGARO's words; fifths, suspended and minor-major chords have none."""

Chord = tuple[int, str]
"""Pitch class of the root, and a quality of ``TONES``."""


def name_chords(sounds: Sequence[Sound], beats: int, beat_quarters: float) -> list[Chord | None]:
    """Return the chord of each beat from the beginning of bar 0, ``None`` where there is none.

    Args:
        sounds: The piece.
        beats: How many beats to name.
        beat_quarters: Quarter notes of a beat.
    """
    chroma = _by_beat(sounds, beats, beat_quarters)
    best = np.full(beats + 1, -np.inf)
    best[0] = 0.0
    came: list[tuple[int, Chord | None]] = [(0, None)] * (beats + 1)
    for end in range(1, beats + 1):
        for start in range(max(0, end - LONGEST), end):
            chord, score = judge(chroma[start:end].sum(axis=0))
            if best[start] + score > best[end]:
                best[end], came[end] = best[start] + score, (start, chord)
    out: list[Chord | None] = [None] * beats
    end = beats
    while end > 0:
        start, chord = came[end]
        out[start:end] = [chord] * (end - start)
        end = start
    return out


def _by_beat(sounds: Sequence[Sound], beats: int, beat_quarters: float) -> Doubles:
    """Return the mean velocity with which each pitch class sounds in each beat (beats, 12)."""
    out = np.zeros((beats, 12))
    for sound in sounds:
        if sound.percussion:
            continue
        start, stop = sound.start / beat_quarters, (sound.start + sound.length) / beat_quarters
        for beat in range(max(0, int(start)), min(beats, int(np.ceil(stop)))):
            inside = min(stop, beat + 1) - max(start, beat)
            out[beat, sound.pitch % 12] += max(0.0, inside) * sound.velocity
    return out


def judge(chroma: Doubles) -> tuple[Chord | None, float]:
    """Return the best chord for what sounds in a stretch and its score; nothing at all is worth 10."""
    active = {int(place) for place in np.flatnonzero(chroma > PRESENT)}
    if not active:
        return None, 10.0
    best: tuple[Chord | None, float] = (None, -np.inf)
    for root in sorted(active):
        heard = {(place - root) % 12 for place in active}
        quality = _quality(heard)
        score = -100.0 if quality is None else _score(heard, quality)
        if score > best[1]:
            best = (None if quality is None else (root, quality), score)
    return best


def _quality(heard: set[int]) -> str | None:
    if (3 in heard) == (4 in heard):
        return None
    if 3 in heard:
        return "dim" if 6 in heard else "m7" if 10 in heard else "m"
    return "aug" if 8 in heard else "7" if 10 in heard else "maj7" if 11 in heard else ""


def _score(heard: set[int], quality: str) -> float:
    near = NEAR.get(quality, (2, 5, 9))
    total = 0.0
    for tone in heard - set(TONES[quality]):
        if tone in INSIDERS[quality]:
            total += 10
        else:
            total -= 1 if tone in near else 2
    return total
