"""Key and mode by ear: a chroma that is tuned, freed of overtones, and laid against key profiles.

The profiles are those of Albrecht and Shanahan (2013, "The use of large corpora to train a new type of key-finding
algorithm"): how often each degree sounds in their corpus. As listeners do, the ear gives weight to the bass and to
where a piece rests, its last chord; ``Key.plain`` is what it says without the latter.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bench.listening import RATE, TINY, Doubles, Floats, heard_at, spectrogram

WINDOW, HOP = 8192, 2048
LOWEST, HIGHEST = 55.0, 2200.0
"""Hz between which peaks are tones."""
BASS = 250.0
"""Hz below which tones are the bass."""
OVERTONES = ((7, 0.22), (4, 0.08))
"""Semitones above a tone at which its third and fifth partials sound, and how strong they are against it."""
MAJOR = np.array([238, 6, 111, 6, 137, 94, 16, 214, 9, 80, 8, 81]) / 1000
MINOR = np.array([220, 6, 104, 123, 19, 103, 12, 214, 62, 22, 61, 52]) / 1000
REST = 0.12
"""Share of the clip at its end that is where it rests."""
BASS_WEIGHT, REST_WEIGHT = 0.25, 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Key:
    """A key that was heard.

    Attributes:
        tonic: Pitch class in [0, 11], 0 is C.
        major: Whether it has a major third.
        strength: How much better it fits than the second best key.
        brightness: Fit of the best major key less that of the best minor key by profile.
        tuning: Cents above equal temperament at 440 Hz, in [-50, 50).
        chroma: Shape (12,), adding up to 1.
        plain: Tonic, and whether major, by the profiles alone, without weight on the last chord.
    """

    tonic: int
    major: bool
    strength: float
    brightness: float
    tuning: float
    chroma: Doubles
    plain: tuple[int, bool]


def hear_key(samples: NDArray[np.floating], sample_rate: int) -> Key:
    """Return the key of a clip (frames,) or (frames, channels) of 3 s or more."""
    mono = heard_at(samples, sample_rate)
    times, pitches, weights = _tones(mono)
    tuning = _tuning(pitches, weights)
    frames = int(times.max(initial=0)) + 1
    whole = _chroma(pitches - tuning / 100, weights)
    low = pitches < _key_number(BASS)
    bass = _chroma(pitches[low] - tuning / 100, weights[low], overtones=False)
    late = times >= frames * (1 - REST)
    rest = _chroma(pitches[late] - tuning / 100, weights[late])
    by_profile = _profile_fits(whole, bass)
    fit = by_profile + REST_WEIGHT * _rests(rest)
    order = np.sort(fit.ravel())
    kind, tonic = divmod(int(np.argmax(fit)), 12)
    return Key(
        tonic=tonic,
        major=kind == 0,
        strength=float(order[-1] - order[-2]),
        brightness=float(by_profile[0].max() - by_profile[1].max()),
        tuning=tuning,
        chroma=whole,
        plain=(int(np.argmax(by_profile)) % 12, bool(np.argmax(by_profile) < 12)),
    )


def _profile_fits(whole: Doubles, bass: Doubles) -> Doubles:
    """Return how well each key fits, shape (2, 12): major, then minor keys by tonic."""
    out = np.zeros((2, 12))
    for kind, profile in enumerate((MAJOR, MINOR)):
        for tonic in range(12):
            turned = np.roll(profile, tonic)
            out[kind, tonic] = _likeness(turned, whole) + BASS_WEIGHT * _likeness(turned, bass)
    return out


def _likeness(first: Doubles, second: Doubles) -> float:
    """Return the correlation; a flat chroma is like nothing."""
    return float(np.corrcoef(first, second)[0, 1]) if second.std() > 1e-9 else 0.0


def _rests(rest: Doubles) -> Doubles:
    """Return how much of the last chord is each key's tonic triad, its root counting more, shape (2, 12)."""
    fifth = np.roll(rest, -7)
    return np.stack([1.5 * rest + np.roll(rest, -third) + fifth for third in (4, 3)])


def _key_number(hertz: float | Doubles) -> Doubles:
    """Return MIDI keys with fractions."""
    return np.asarray(69 + 12 * np.log2(np.asarray(hertz) / 440.0))


def _tones(mono: Floats) -> tuple[NDArray[np.int64], Doubles, Doubles]:
    """Return frame, pitch in MIDI keys and weight of every spectral peak that stands out."""
    magnitude = spectrogram(mono, WINDOW, HOP)
    level = np.log(magnitude + 1e-9)
    inner = level[:, 1:-1]
    pitch = np.fft.rfftfreq(WINDOW, 1 / RATE)
    loud = magnitude.max(axis=1, keepdims=True)
    peak = (inner > level[:, :-2]) & (inner >= level[:, 2:]) & (magnitude[:, 1:-1] > 0.01 * loud)
    peak &= loud > 0.01 * max(float(loud.max()), TINY)
    peak &= (pitch[1:-1] > LOWEST) & (pitch[1:-1] < HIGHEST)
    frame, place = np.nonzero(peak)
    place = place + 1
    before, here, after = (level[frame, place + off] for off in (-1, 0, 1))
    bend = before - 2 * here + after
    shift = np.where(bend < -1e-9, 0.5 * (before - after) / np.minimum(bend, -1e-9), 0.0)
    hertz = (place + np.clip(shift, -0.5, 0.5)) * RATE / WINDOW
    # Between loudness and power: one loud player must not hide the others, nor overtones outnumber their tones.
    weight = magnitude[frame, place] ** 0.75
    return frame, _key_number(hertz), weight


def _tuning(pitches: Doubles, weights: Doubles) -> float:
    """Return the common deviation from equal temperament in cents, as the angle of the mean over a semitone."""
    mean = (weights * np.exp(2j * np.pi * pitches)).sum()
    return float(np.angle(mean) / (2 * np.pi) * 100) if abs(mean) > TINY else 0.0


def _chroma(pitches: Doubles, weights: Doubles, *, overtones: bool = True) -> Doubles:
    out = np.zeros(12)
    if not len(pitches):
        return out + 1 / 12
    nearest = np.round(pitches)
    # What lies between two semitones (drums, vibrato, slides) counts less.
    clear = weights * np.exp(-0.5 * ((pitches - nearest) / 0.2) ** 2)
    np.add.at(out, nearest.astype(int) % 12, clear)
    if overtones:
        for interval, share in OVERTONES:
            out = out - share * np.roll(out, interval)
        out = np.maximum(0.0, out)
    total = out.sum()
    return out / total if total > 0 else out + 1 / 12
