"""How well a piece keeps to a description, by FIGARO's metrics (von Rütte et al. 2023).

For each bar, what was asked against what is found in the notes alone (``generation.genome.extract``): F1 of the sets of
instruments and of chords, and for a piece the root mean square error of density, velocity, pitch and duration divided
by the mean of what was asked. Chords are compared as FIGARO's tokens name them, which do not tell a ninth from a
seventh; ``chord_exact`` compares all twenty qualities. Bars of drums alone have no chords to find.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from domain.chords import ChordAt
from domain.description import Description
from generation.genome.extract import BarFound, Found, extract
from generation.genome.figaro import chord_name
from generation.genome.invent import random_description
from generation.genome.midi_read import read_midi
from generation.genome.realise import plan_of
from generation.midi import score_to_midi
from generation.planning.gm import instrument_name
from generation.planning.patches import patch
from generation.writing.arrange import arrange


@dataclass(frozen=True, slots=True, kw_only=True)
class Fidelity:
    """How near a piece is to its description; see the module.

    Attributes:
        instrument_f1: In [0, 1], mean over bars.
        chord_f1: Likewise, by FIGARO's eight qualities.
        chord_exact: Likewise, by all twenty qualities.
        density: Normalised root mean square error over bars; as the next three. 0 when nothing was asked.
        velocity: Of mean velocities.
        pitch: Of mean keys.
        duration: Of mean lengths.
        tempo: Whether it is the tempo asked, to a hundredth of a beat per minute.
        metre: Whether it is the metre asked.
        bars: Bars compared.
    """

    instrument_f1: float
    chord_f1: float
    chord_exact: float
    density: float
    velocity: float
    pitch: float
    duration: float
    tempo: bool
    metre: bool
    bars: int


def compare(description: Description, found: Found) -> Fidelity:
    """Return how near what was found is to what was asked."""
    nothing = BarFound(
        instruments=(), chords=(), density=0.0, velocity=None, pitch=None, duration=None
    )
    names = {
        voice.name: instrument_name(
            patch(voice.instrument).program, percussion=patch(voice.instrument).percussion
        )
        for voice in description.voices
    }
    drums = {voice.name for voice in description.voices if voice.role == "drums"}
    instruments, chords, exact = [], [], []
    heard = [*found.bars, *[nothing] * (len(description.bars) - len(found.bars))]
    for asked, bar in zip(description.bars, heard, strict=False):
        instruments.append(f1({names[name] for name in asked.voices}, set(bar.instruments)))
        wanted = asked.chords if set(asked.voices) - drums else ()
        chords.append(f1(set(map(chord_name, wanted)), set(map(chord_name, bar.chords))))
        exact.append(f1(_whole(wanted), _whole(bar.chords)))
    errors = {
        name: nrmse(
            [
                (asked, getattr(bar, name))
                for one, bar in zip(description.bars, heard, strict=False)
                if (asked := getattr(one, name)) is not None
            ]
        )
        for name in ("density", "velocity", "pitch", "duration")
    }
    return Fidelity(
        instrument_f1=_mean(instruments),
        chord_f1=_mean(chords),
        chord_exact=_mean(exact),
        tempo=abs(found.tempo - description.tempo) <= 0.011,
        metre=found.metre == description.metre and len(found.bars) <= len(description.bars),
        bars=len(description.bars),
        **errors,
    )


def fidelity(seed: int) -> Fidelity:
    """Draw a description, compose it, write it as MIDI, read that back and compare. No sound is made.

    Args:
        seed: Of the description, at least 0.
    """
    description = random_description(np.random.default_rng(seed))
    score = arrange(plan_of(description))
    return compare(description, extract(read_midi(score_to_midi(score))))


def f1(asked: set[str], found: set[str]) -> float:
    """Return the harmonic mean of precision and recall of two sets; 1 when both are empty."""
    if not asked and not found:
        return 1.0
    return 2 * len(asked & found) / (len(asked) + len(found))


def nrmse(pairs: Sequence[tuple[float, float | None]]) -> float:
    """Return the root mean square error over the mean of what was asked; what was not found counts as 0."""
    if not pairs:
        return 0.0
    mean = math.fsum(asked for asked, _ in pairs) / len(pairs)
    squares = math.fsum((asked - (found or 0.0)) ** 2 for asked, found in pairs)
    return math.sqrt(squares / len(pairs)) / mean if mean else 0.0


def _whole(chords: Sequence[ChordAt]) -> set[str]:
    return {chord.root + chord.quality for chord in chords}


def _mean(values: Sequence[float]) -> float:
    return math.fsum(values) / len(values) if values else 1.0
