"""A bass with one voice: notes that touch slide into each other, the way an 808 does."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from generation.audio import SAMPLE_RATE, Floats, as_floats
from generation.generator import Note

_TOUCH = 0.035
"""Seconds between two notes that still count as touching."""
_SLIDE = 0.03
"""Seconds in which a slide covers two thirds of its way."""
_RING = 1.1
"""Seconds in which a held note falls to a third."""
_RELEASE = 0.05
_FADE = 0.006
_DRIVE = 2.2


@dataclass(frozen=True, slots=True)
class _Moment:
    """Where the voice is when the next note begins: phase in turns, level, and pitch in hertz."""

    phase: float = 0.0
    level: float = 0.0
    hertz: float = 0.0


def play(notes: Sequence[Note], frames: int) -> Floats:
    """Play notes one at a time.

    Args:
        notes: In any order; a later one takes the voice from an earlier one.
        frames: Length of the stem.

    Returns:
        Shape (1, frames).
    """
    stem = np.zeros((1, frames), dtype=np.float32)
    ordered = sorted(notes, key=lambda note: (note.start, -note.pitch))
    before = _Moment()
    for index, note in enumerate(ordered):
        start = round(note.start * SAMPLE_RATE)
        following = ordered[index + 1] if index + 1 < len(ordered) else None
        until = following.start if following else note.start + note.seconds + 9 * _RELEASE
        stop = min(frames, start + round((until - note.start) * SAMPLE_RATE))
        if stop <= start:
            continue
        touches = bool(following and note.start + note.seconds > following.start - _TOUCH)
        size = min(frames - start, stop - start + (0 if touches else round(_FADE * SAMPLE_RATE)))
        wave, after = _voice(note, size, before)
        if not touches:
            fade = min(size, round(_FADE * SAMPLE_RATE))
            wave[size - fade :] *= np.linspace(1, 0, fade, dtype=np.float32)
            after = _Moment()
        stem[0, start : start + size] += wave
        before = after
    return stem


def _voice(note: Note, size: int, before: _Moment) -> tuple[Floats, _Moment]:
    """Return a note's wave and where it ends."""
    time = np.arange(size + 1, dtype=np.float64) / SAMPLE_RATE
    hertz = 440 * 2 ** ((note.pitch - 69) / 12)
    if before.hertz:
        bend = np.log2(before.hertz / hertz) * np.exp(-time / _SLIDE)
        pitch = hertz * 2**bend
    else:
        # A struck note falls into its pitch.
        pitch = hertz * (1 + 1.6 * np.exp(-time / 0.018))
    phase = before.phase + np.concatenate([[0.0], np.cumsum(pitch[:-1])]) / SAMPLE_RATE
    goal = (note.velocity / 127) ** 2
    level = goal * np.exp(-time / _RING)
    level += (before.level - goal) * np.exp(-time / (0.012 if before.hertz else 0.0015))
    level *= np.exp(-np.maximum(0, time - note.seconds) / _RELEASE)
    wave = 0.45 * np.tanh(_DRIVE * np.sin(2 * np.pi * phase) * level / max(goal, 1e-6)) * goal
    end = _Moment(phase=float(phase[-1] % 1), level=float(level[-1]), hertz=float(pitch[-1]))
    return as_floats(wave[:-1]), end
