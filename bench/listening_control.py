"""Sounds whose tempo and key are known without doubt, to see how far the ear of ``bench.listening`` can be trusted."""

from __future__ import annotations

import numpy as np

from bench.listening import Doubles, Floats

SAMPLE_RATE = 44_100
MAJOR_CADENCE = ((0, 4, 7), (5, 9, 12), (7, 11, 14), (0, 4, 7))
MINOR_CADENCE = ((0, 3, 7), (5, 8, 12), (7, 11, 14), (0, 3, 7))
"""Tonic, subdominant, dominant, tonic: semitones above the tonic."""
MIDDLE = 48
"""MIDI key of the C at or above which cadences lie."""


def beat_and_cadence(
    tempo: float, tonic: int, *, major: bool, seconds: float, drums: bool = True
) -> Floats:
    """Return a rock beat or a bare pulse under a cadence of plain tones, one chord a bar of four beats.

    Args:
        tempo: Beats per minute.
        tonic: Pitch class.
        major: Whether the cadence is a major one.
        seconds: Length, of at least one second; the last bar holds the tonic.
        drums: Whether kick, snare and hat play; without them the chords are struck on each beat.

    Returns:
        Shape (frames,) at ``SAMPLE_RATE``, peak 0.5.
    """
    frames = round(seconds * SAMPLE_RATE)
    out = np.zeros(frames)
    beat = 60 / tempo
    beats = int(seconds / beat)
    bars = max(1, beats // 4)
    for number in range(beats):
        bar, within = divmod(number, 4)
        cadence = MAJOR_CADENCE if major else MINOR_CADENCE
        chord = cadence[0] if bar >= bars - 1 else cadence[bar % 4]
        held = beat * (0.9 if not drums or within == 3 else 1.0)
        if not drums or within == 0:
            length = held if not drums else 3.9 * beat
            for semitone in (*chord, chord[0] - 12):
                _add(out, number * beat, _tone(MIDDLE + tonic + semitone, length, 0.12))
        if drums:
            _add(out, number * beat, _kick() if within % 2 == 0 else _hiss(0.12, 0.4, number))
            _add(out, number * beat, _hiss(0.02, 0.15, 100 + number))
            _add(out, (number + 0.5) * beat, _hiss(0.02, 0.1, 200 + number))
    return np.asarray(0.5 * out / np.abs(out).max(), dtype=np.float32)


def sines(notes: list[tuple[float, float, int, int]], seconds: float) -> Floats:
    """Play notes as sine beeps, the usual stand-in of symbolic research (``pretty_midi.synthesize`` does the same).

    Args:
        notes: Start and length in seconds, MIDI key, velocity; struck percussion is a short burst of noise for a
            negative key.
        seconds: Length of the clip.
    """
    out = np.zeros(round(seconds * SAMPLE_RATE))
    for number, (start, length, key, velocity) in enumerate(notes):
        loud = 0.1 * velocity / 127
        sound = _hiss(0.05, loud, number) if key < 0 else _tone(key, length, loud)
        _add(out, start, sound)
    return np.asarray(0.5 * out / max(1e-9, float(np.abs(out).max())), dtype=np.float32)


def _add(out: Doubles, start: float, sound: Doubles) -> None:
    place = round(start * SAMPLE_RATE)
    cut = sound[: max(0, len(out) - place)]
    out[place : place + len(cut)] += cut


def _tone(key: int, seconds: float, loud: float) -> Doubles:
    time = np.arange(max(1, round(seconds * SAMPLE_RATE))) / SAMPLE_RATE
    wave = np.sin(2 * np.pi * 440 * 2 ** ((key - 69) / 12) * time)
    edge = np.minimum(1.0, np.minimum(time / 0.01, time[::-1] / 0.05))
    out: Doubles = loud * wave * edge * np.exp(-time)
    return out


def _kick() -> Doubles:
    time = np.arange(round(0.15 * SAMPLE_RATE)) / SAMPLE_RATE
    out: Doubles = 0.6 * np.sin(2 * np.pi * 60 * time) * np.exp(-time / 0.05)
    return out


def _hiss(decay: float, loud: float, seed: int) -> Doubles:
    time = np.arange(round(3 * decay * SAMPLE_RATE)) / SAMPLE_RATE
    out: Doubles = (
        loud * np.random.default_rng(seed).normal(0, 0.4, len(time)) * np.exp(-time / decay)
    )
    return out
