"""A zone: one looped recording with its pitch, range and envelope. SoundFonts and our own synthesis both make them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from generation.audio import SAMPLE_RATE, Floats

Shorts = npt.NDArray[np.int16]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Zone:
    """How some keys of a patch sound.

    Attributes:
        data: Mono recording, float32, or int16 as it lies on disk.
        loop: First sample of the loop and the one after its last, or ``None`` for a one-shot.
        rate: Samples per second at which ``data`` sounds at ``root``.
        root: MIDI key of the recording.
        cents: Tuning added to every key.
        cents_per_key: 100 for a keyboard, 0 for a sound that has the same pitch everywhere.
        keys: Lowest and highest key that this zone answers to.
        velocities: Lowest and highest velocity that it answers to.
        attenuation: Decibels taken off.
        pan: Left -1 to right 1.
        delay: Seconds before the attack.
        attack: Seconds from silence to full level.
        hold: Seconds at full level.
        decay: Seconds in which the level would fall by 100 dB.
        sustain: Decibels under full level at which the decay stops.
        release: Seconds in which the level would fall by 100 dB once the key is let go.
        choke: Notes of one choke group above 0 cut each other off, as open and closed hi-hat do.
        cutoff: Low-pass at full velocity in cents above 8.176 Hz, or ``None`` for none.
    """

    data: Floats | Shorts
    loop: tuple[int, int] | None
    root: int
    rate: float = float(SAMPLE_RATE)
    cents: float = 0.0
    cents_per_key: float = 100.0
    keys: tuple[int, int] = (0, 127)
    velocities: tuple[int, int] = (0, 127)
    attenuation: float = 0.0
    pan: float = 0.0
    delay: float = 0.0
    attack: float = 0.0
    hold: float = 0.0
    decay: float = 0.0
    sustain: float = 0.0
    release: float = 0.2
    choke: int = 0
    cutoff: float | None = None

    def step(self, key: int) -> float:
        """Return how many samples of ``data`` pass per output frame for ``key``."""
        cents = (key - self.root) * self.cents_per_key + self.cents
        return float(2.0 ** (cents / 1200) * self.rate / SAMPLE_RATE)

    def floats(self, cut: npt.NDArray[np.generic]) -> Floats:
        """Return a cut of ``data`` with full scale 1."""
        if cut.dtype == np.int16:
            return cut.astype(np.float32) / np.float32(32_768)
        return cut.astype(np.float32, copy=False)


def fast_length(size: int) -> int:
    """Return the smallest 2^a 3^b 5^c that is at least ``size``, even: FFTs of such lengths are quick."""
    best = 1 << max(1, (size - 1).bit_length())
    five = 1
    while five < best:
        three = five
        while three < best:
            two = 2
            while two * three < size:
                two *= 2
            best = min(best, two * three)
            three *= 3
        five *= 5
    return best
