"""Rooms to play in: impulse responses of a room, a plate, a hall and a spring, made of noise and arithmetic."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from generation.audio import SAMPLE_RATE, Floats, as_floats
from generation.sounding.blocks import Spectrum, partitions

SPACES = ("room", "plate", "hall", "spring")
"""Kinds that ``space`` knows."""

_LONGEST = 4.0
"""Seconds of a response at most."""
# Pre-delay in ms, decay of lows and highs against the middle, level of early reflections, high-pass, low-pass.
_KINDS = {
    "room": (6.0, 0.9, 0.55, 1.6, 220.0, 9000.0),
    "plate": (4.0, 0.75, 0.6, 0.0, 260.0, 10_500.0),
    "hall": (24.0, 1.15, 0.4, 0.9, 200.0, 7500.0),
}


@lru_cache(maxsize=4)
def space(kind: str, seconds: float) -> tuple[tuple[Spectrum, ...], tuple[Spectrum, ...]]:
    """Return the responses of a space for the left and right ear, each of unit energy, cut for ``convolve``.

    Args:
        kind: One of ``SPACES``.
        seconds: Time in which the middle of the range decays by 60 dB.
    """
    ears = []
    for ear in (0, 1):
        rng = np.random.default_rng([71, ear, int(seconds * 100), SPACES.index(kind)])
        wave = _spring(seconds, ear) if kind == "spring" else _diffuse(kind, seconds, rng)
        ears.append(partitions(as_floats(wave / np.sqrt(np.sum(np.square(wave))))))
    return ears[0], ears[1]


def _diffuse(kind: str, seconds: float, rng: np.random.Generator) -> Floats:
    """Noise in three bands that decay at their own speed, after a few early reflections."""
    wait, lows, highs, early, low_cut, high_cut = _KINDS[kind]
    length = int(min(_LONGEST, seconds * 1.1 + 0.05) * SAMPLE_RATE)
    time = np.arange(length, dtype=np.float32) / SAMPLE_RATE
    size = 1 << (length - 1).bit_length()
    noise = np.fft.rfft(rng.standard_normal(length).astype(np.float32), size)
    hertz = np.fft.rfftfreq(size, 1 / SAMPLE_RATE).astype(np.float32) + 1
    low = 1 / (1 + (hertz / 500) ** 2)
    high = 1 / (1 + (2800 / hertz) ** 2)
    out = np.zeros(length, dtype=np.float32)
    for share, times in ((low, lows), (1 - low - high, 1.0), (high, highs)):
        band = np.fft.irfft(noise * share, size)[:length]
        out += as_floats(band * np.exp(-6.9 * time / np.float32(seconds * times)))
    onset = {"room": 0.004, "plate": 0.002, "hall": 0.06}[kind]
    out *= np.minimum(1, 0.25 + time / np.float32(onset))
    level = float(np.sqrt(np.mean(np.square(out[: SAMPLE_RATE // 10]))))
    for _ in range(9 if early else 0):
        at = int(rng.uniform(0.004, 0.03 if kind == "room" else 0.08) * SAMPLE_RATE)
        if at < length:
            out[at] += early * 9 * level * rng.uniform(0.4, 1) * rng.choice((-1, 1))
    curve = 1 / np.sqrt((1 + (low_cut / hertz) ** 4) * (1 + (hertz / high_cut) ** 4))
    shaped = np.fft.irfft(np.fft.rfft(out, size) * curve, size)[:length]
    # The last tenth fades, so that a response that was cut short has no edge.
    tail = max(1, length // 10)
    shaped[-tail:] *= np.linspace(1, 0, tail)
    return np.concatenate([np.zeros(int(wait * SAMPLE_RATE / 1000), dtype=np.float32), shaped])


def _spring(seconds: float, ear: int) -> Floats:
    """Two springs, in which low frequencies travel faster than high ones and bounce from end to end."""
    length = int(min(_LONGEST, seconds * 1.1 + 0.3) * SAMPLE_RATE)
    size = 1 << length.bit_length()
    hertz = np.fft.rfftfreq(size, 1 / SAMPLE_RATE)
    total = np.zeros(hertz.size, dtype=np.complex128)
    for delay in ((0.033, 0.0413), (0.0351, 0.0437))[ear]:
        late = delay * (1 + 0.55 * (np.minimum(hertz, 4400) / 4400) ** 2.5)
        # Three journeys per bounce; the loss per bounce gives the wanted decay.
        loss = 10 ** (-3 * 2 * delay / seconds)
        total += np.exp(-2j * np.pi * hertz * late) / (
            1 + loss * np.exp(-2j * np.pi * hertz * 2 * late)
        )
    total *= 1 / np.sqrt((1 + (180 / (hertz + 1)) ** 4) * (1 + (hertz / 4300) ** 8))
    wave = np.fft.irfft(total, size)[:length]
    time = np.arange(length) / SAMPLE_RATE
    return as_floats(wave * np.exp(-2.5 * time / seconds) * np.linspace(1, 0, length) ** 0.3)
