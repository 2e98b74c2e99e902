"""A small additive band whose tempo, mode, brightness and the rest are known: test material with a ground truth."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

MAJOR = (0, 2, 4, 5, 7, 9, 11)
MINOR = (0, 2, 3, 5, 7, 8, 10)
PROGRESSIONS = ((0, 3, 4, 0), (0, 5, 3, 4), (0, 4, 5, 3), (0, 3, 0, 4))


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """What to play. ``bright``, ``density``, ``drums`` and ``swing`` lie in [0, 1]; ``register`` in octaves."""

    tempo: float = 110.0
    tonic: int = 0
    minor: bool = False
    bright: float = 0.4
    density: float = 0.5
    drums: float = 0.5
    swing: float = 0.0
    register: float = 0.0
    sustain: float = 0.4
    width: float = 0.4

    @classmethod
    def draw(cls, rng: np.random.Generator) -> Piece:
        return cls(
            tempo=float(2 ** rng.uniform(np.log2(65), np.log2(175))),
            tonic=int(rng.integers(12)),
            minor=bool(rng.integers(2)),
            bright=float(rng.random()),
            density=float(rng.random()),
            drums=float(rng.random()),
            swing=float(rng.choice([0.0, 1.0], p=[0.7, 0.3])),
            register=float(rng.uniform(-1, 1)),
            sustain=float(rng.random()),
            width=float(rng.random()),
        )


def _tone(pitch: float, seconds: float, piece: Piece, rate: int) -> NDArray[np.float64]:
    t = np.arange(int(seconds * rate)) / rate
    f = 440.0 * 2 ** ((pitch - 69) / 12)
    slope = 2.6 - 2.0 * piece.bright
    turn = np.exp(2j * np.pi * f * t)
    wave, harmonic = np.zeros(len(t), dtype=np.complex128), np.ones(len(t), dtype=np.complex128)
    for k in range(1, 13):
        if f * k > min(rate * 0.45, 12000):
            break
        harmonic = harmonic * turn
        wave += np.exp(2.4j * k * k) / k**slope * harmonic
    decay = 0.15 + 1.6 * piece.sustain
    edge = np.minimum(1, t / 0.005) * np.minimum(1, (seconds - t) / 0.01)
    out: NDArray[np.float64] = wave.imag * np.exp(-t / decay) * edge
    return out


def _hit(kind: int, rate: int, rng: np.random.Generator) -> NDArray[np.float64]:
    n = int((0.18, 0.15, 0.05)[kind] * rate)
    t = np.arange(n) / rate
    if kind == 0:
        return np.sin(2 * np.pi * (50 * t + 4 * (1 - np.exp(-t * 40)))) * np.exp(-t * 18) * 1.4
    noise = rng.normal(size=n)
    if kind == 2:
        noise = np.diff(noise, prepend=0.0) * 0.5
    return noise * np.exp(-t * (22 if kind == 1 else 80)) * (0.7 if kind == 1 else 0.5)


def _add(track: NDArray[np.float64], at: float, sound: NDArray[np.float64], rate: int) -> None:
    start = int(at * rate)
    if start < len(track):
        part = sound[: len(track) - start]
        track[start : start + len(part)] += part


def play(
    piece: Piece, *, seed: int = 0, seconds: float = 6.0, rate: int = 32000
) -> NDArray[np.float32]:
    """Return float32 (frames, 2) at about -16 dBFS RMS, peak below 0.89."""
    rng = np.random.default_rng(seed)
    n = int(seconds * rate)
    chords, lead, bass, drums = (np.zeros(n) for _ in range(4))
    beat = 60.0 / piece.tempo
    scale = MINOR if piece.minor else MAJOR
    progression = PROGRESSIONS[int(rng.integers(len(PROGRESSIONS)))]
    base = 57 + piece.tonic + round(12 * piece.register)

    known: dict[tuple[int, float], NDArray[np.float64]] = {}

    def pitch(degree: int) -> int:
        return base + scale[degree % 7] + 12 * (degree // 7)

    def tone(key: int, length: float) -> NDArray[np.float64]:
        if (key, length) not in known:
            known[key, length] = _tone(key, length, piece, rate)
        return known[key, length]

    for number in range(int(seconds / beat) + 1):
        at, root = number * beat, progression[(number // 4) % 4]
        if number % 4 == 0:
            for step in (0, 2, 4):
                _add(chords, at, tone(pitch(root + step), 4 * beat) * 0.5, rate)
        if number % 2 == 0:
            _add(bass, at, tone(pitch(root) - 24, 2 * beat) * 1.2, rate)
        offbeat = beat * (2 / 3 if piece.swing > 0.5 else 0.5)
        for shift in (0.0, offbeat):
            if rng.random() < (0.25 + 0.75 * piece.density) * (1.0 if shift == 0 else 0.7):
                degree = root + int(rng.choice([0, 2, 4, 1, 7]))
                _add(lead, at + shift, tone(pitch(degree) + 12, beat * 0.8) * 0.7, rate)
            if rng.random() < 0.4 + 0.6 * piece.density:
                _add(drums, at + shift, _hit(2, rate, rng), rate)
        _add(drums, at, _hit(number % 2, rate, rng), rate)
    side = piece.width * 0.5
    band = chords + bass + piece.drums * 1.8 * drums
    left, right = band + lead * (1 - side), band + lead * (1 + side) + 0.3 * side * chords
    out = np.stack([left, right - 0.6 * side * chords], axis=1)
    out *= 0.16 / np.sqrt((out**2).mean())
    return np.tanh(out / 0.89).astype(np.float32) * np.float32(0.89)
