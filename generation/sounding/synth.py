"""Pitched sounds of our own, where a General MIDI font is weak: pads, supersaws, chip voices, sub and 808 bass.

Every patch is a tuple of zones, so the sampler plays it like a SoundFont's. Ensembles follow the PADsynth idea
(Nasca, 2006: give each harmonic a bell of random-phase partials and take one inverse FFT), which yields a wide,
seamless loop for the price of an FFT.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, partial
from typing import Any

import numpy as np

from generation.audio import SAMPLE_RATE, Floats, as_floats
from generation.sounding.wavetables import Doubles, evolving, hertz_of, operators, resonant, struck
from generation.sounding.zones import Zone

_LOOP = 32_768
_CYCLE = 2048
_SPACING = 6
"""Keys that share one recording: transposing further would shift the timbre audibly."""

Shape = Callable[[Floats], Floats]
"""Amplitudes of harmonics 1, 2, 3 ... given their numbers."""


def _saw(cutoff: float) -> Shape:
    """A saw whose harmonics past ``cutoff`` fall off by 12 dB an octave more."""
    return lambda n: (1 / n / (1 + (n / np.float32(cutoff)) ** 2)).astype(np.float32)


def _pulse(width: float) -> Shape:
    return lambda n: np.abs(np.sin(np.pi * n * np.float32(width)) / n).astype(np.float32)


def _triangle(n: Floats) -> Floats:
    return as_floats(np.where(n % 2 == 1, 1 / n**2, 0))


def _voice(n: Floats) -> Floats:
    """A vowel-like hump around the third harmonic."""
    return as_floats(np.exp(-((n - 2.6) ** 2) / 5) + 0.5 / n**1.6)


def _cycle(shape: Shape, key: int) -> Floats:
    """One band-limited period of 2,048 samples, for keys up to ``key``."""
    count = int(min(400, 18_000 / hertz_of(key)))
    numbers = np.arange(1, max(2, count + 1), dtype=np.float32)
    spectrum = np.zeros(_CYCLE // 2 + 1, dtype=np.complex64)
    spectrum[1 : numbers.size + 1] = -1j * shape(numbers)
    wave = np.fft.irfft(spectrum, _CYCLE).astype(np.float32)
    return wave * np.float32(0.3 / np.sqrt(np.mean(wave**2)))


def _ensemble(shape: Shape, key: int, cents: float, seed: int) -> Floats:
    """A loop of 32,768 samples in which each harmonic is ``cents`` wide."""
    base = hertz_of(key)
    rng = np.random.default_rng([seed, key])
    bins = np.arange(_LOOP // 2 + 1, dtype=np.float32) * np.float32(SAMPLE_RATE / _LOOP)
    level = np.zeros_like(bins)
    numbers = np.arange(1, max(2, int(min(64, 16_000 / base)) + 1), dtype=np.float32)
    for number, amount in zip(numbers, shape(numbers), strict=True):
        centre = base * float(number)
        width = centre * (2 ** (cents / 1200) - 1) + 0.7
        near = slice(
            max(1, int((centre - 5 * width) * _LOOP / SAMPLE_RATE)),
            int((centre + 5 * width) * _LOOP / SAMPLE_RATE) + 2,
        )
        bell = np.exp(-(((bins[near] - centre) / width) ** 2))
        level[near] += bell * np.float32(amount / np.sqrt(width))
    phase = rng.uniform(0, 2 * np.pi, bins.size).astype(np.float32)
    wave = np.fft.irfft(level * np.exp(1j * phase), _LOOP).astype(np.float32)
    return wave * np.float32(0.22 / np.sqrt(np.mean(wave**2)))


Data = tuple[Floats, tuple[int, int] | None, float]
"""A recording, its loop, and its samples per second."""


class _Patch:
    """Collects zones over the keyboard."""

    def __init__(self, low: int = 24, high: int = 102) -> None:
        self.low, self.high = low, high
        self.zones: list[Zone] = []

    def _spans(self) -> list[tuple[int, tuple[int, int]]]:
        roots = list(range(self.low, self.high + 1, _SPACING))
        spans = [(root, (root - 3, root + 2)) for root in roots]
        spans[0] = (roots[0], (0, spans[0][1][1]))
        spans[-1] = (roots[-1], (spans[-1][1][0], 127))
        return spans

    def cycle(self, shape: Shape, *, cents: float = 0.0, **envelope: float) -> _Patch:
        """Add a single steady oscillator."""
        for root, keys in self._spans():
            self.zones.append(
                Zone(
                    data=_cycle(shape, keys[1] if keys[1] < 127 else root + 4),
                    loop=(0, _CYCLE),
                    rate=hertz_of(root) * _CYCLE,
                    root=root,
                    keys=keys,
                    cents=cents,
                    **envelope,  # type: ignore[arg-type]  # the names are Zone's own floats
                )
            )
        return self

    def recorded(self, make: Callable[[int], Data], **envelope: Any) -> _Patch:
        """Add a recording made for each root."""
        for root, keys in self._spans():
            data, loop, rate = make(root)
            self.zones.append(
                Zone(data=data, loop=loop, rate=rate, root=root, keys=keys, **envelope)
            )
        return self

    def ensemble(self, shape: Shape, width: float, seed: int, **envelope: float) -> _Patch:
        """Add a wide, beating section, another one on each side."""
        for root, keys in self._spans():
            for side in (-1, 1):
                self.zones.append(
                    Zone(
                        data=_ensemble(shape, root, width, seed * 2 + side),
                        loop=(0, _LOOP),
                        root=root,
                        keys=keys,
                        pan=side * 0.75,
                        **envelope,  # type: ignore[arg-type]
                    )
                )
        return self


def _sine(n: Floats) -> Floats:
    return as_floats(np.where(n == 1, 1, 0))


def _warm_sine(n: Floats) -> Floats:
    # Enough overtones that a small speaker lets the ear guess the rest.
    return as_floats(np.where(n == 1, 1, np.where(n < 6, 0.9 / n**1.7, 0)))


def _glass(n: Floats) -> Floats:
    return as_floats(np.isin(n, (1, 3, 4, 7)) / n**0.8)


def _closing_bass() -> _Patch:
    """A bright layer that dies quickly over a dark one that stays: a closing filter."""
    patch = _Patch(24, 66).cycle(_saw(16), decay=1.6, sustain=30, release=0.15)
    return patch.cycle(_saw(3), decay=9, sustain=12, release=0.15)


def _pluck() -> _Patch:
    patch = _Patch(36, 102).ensemble(_saw(30), 12, 15, decay=1.1, sustain=60, release=0.4)
    return patch.cycle(_saw(3), decay=3.5, sustain=60, release=0.5)


def _warm_pad() -> _Patch:
    """A dark section that stays, and a brighter one that swells and sinks: a filter that opens slowly and closes."""
    patch = _mid().ensemble(_saw(3), 22, 5, attack=0.35, release=2.2)
    swell = {"attack": 1.6, "decay": 22.0, "sustain": 14.0, "release": 1.6, "attenuation": 4.0}
    return patch.ensemble(_saw(11), 26, 25, **swell)


def _lead() -> _Patch:
    patch = _Patch(36, 102).ensemble(_saw(14), 10, 17, attack=0.012, release=0.3)
    return patch.cycle(_saw(5), release=0.25)


def _acid() -> _Patch:
    """A saw through a filter that whistles and closes, further open the harder the key."""

    def make(root: int, octaves: float) -> Data:
        base = hertz_of(root)

        def cutoff(times: Doubles) -> Doubles:
            out: Doubles = 2.2 * base**0.5 * 9 * 2 ** (octaves * np.exp(-times / 0.16))
            return out

        return _even(evolving(root, 0.9, resonant(cutoff, base, 6.0)))

    patch = _Patch(24, 66)
    for touch, octaves in (((0, 79), 1.6), ((80, 104), 2.6), ((105, 127), 3.5)):
        patch.recorded(
            partial(make, octaves=octaves),
            velocities=touch, attack=0.002, decay=3.5, sustain=18, release=0.09,
        )  # fmt: skip
    return patch


def _fm_piano() -> _Patch:
    """Two FM pairs, as electric pianos of the eighties were made: a round body and a bright tine that dies first."""

    def make(root: int, hard: float) -> Data:
        # The zone's own decay makes both die away.
        body = operators(1, lambda t: hard * (0.35 + 0.9 * np.exp(-t / 0.5)), np.ones_like)
        tine = operators(
            14, lambda t: 0.6 * np.exp(-t / 0.25), lambda t: 0.28 * hard * np.exp(-t / 0.35)
        )
        return _even(evolving(root, 1.8, lambda t, n: body(t, n) + tine(t, n)))

    patch = _Patch(30, 102)
    for touch, hard in (((0, 84), 0.7), ((85, 127), 1.3)):
        patch.recorded(
            partial(make, hard=hard),
            velocities=touch, attack=0.002, decay=22, sustain=70, release=0.35,
        )  # fmt: skip
    return patch


def _fm_bell() -> _Patch:
    """The partials of a tubular FM bell at 1 : 3.5."""
    partials = (
        (0.5, 0.25, 1.6), (1.0, 1.0, 1.5), (2.0, 0.25, 1.0), (2.5, 0.5, 0.8),
        (3.01, 0.2, 0.6), (4.5, 0.35, 0.5), (6.02, 0.18, 0.3), (8.1, 0.12, 0.2),
    )  # fmt: skip
    return _Patch(48, 102).recorded(
        lambda root: _even((struck(root, 4.0, partials), None, float(SAMPLE_RATE))), release=1.2
    )


def _even(made: Data) -> Data:
    """Bring a recording's loudest tenth of a second to the level of the other patches."""
    data, loop, rate = made
    size = max(1, data.size // 4410)
    rows = data[: size * 4410].reshape(size, -1) if data.size >= 4410 else data[None, :]
    loud = float(np.sqrt(np.square(rows).mean(axis=1).max())) + 1e-9
    return data * np.float32(0.3 / loud), loop, rate


def _mid() -> _Patch:
    return _Patch(36, 96)


_RECIPES: dict[str, Callable[[], _Patch]] = {
    "bass_reese": lambda: (
        _Patch(24, 66)
        .ensemble(_saw(7), 16, 11, attack=0.01, release=0.25, attenuation=4)
        .cycle(_sine, release=0.2)
    ),
    "bass_sub": lambda: _Patch(24, 60).cycle(_warm_sine),
    "bass_saw": _closing_bass,
    "chip_triangle": lambda: _Patch().cycle(_triangle, release=0.06),
    "chip_square": lambda: _Patch().cycle(_pulse(0.5), decay=12, sustain=9, release=0.08),
    "chip_pulse": lambda: _Patch().cycle(_pulse(0.25), decay=7, sustain=14, release=0.08),
    "supersaw": lambda: (
        _mid()
        .ensemble(_saw(22), 24, 3, attack=0.015, release=0.5)
        .cycle(_saw(26), attack=0.01, release=0.4, attenuation=3)
    ),
    "warm_pad": _warm_pad,
    "glass_pad": lambda: _mid().ensemble(_glass, 9, 7, attack=0.25, release=2.6),
    "acid_bass": _acid,
    "fm_piano": _fm_piano,
    "fm_bell": _fm_bell,
    "voice_pad": lambda: _Patch(36, 90).ensemble(_voice, 20, 9, attack=0.3, release=1.8),
    "drone": lambda: (
        _Patch(24, 84)
        .ensemble(_saw(6), 24, 13, attack=0.5, release=3.0)
        .cycle(_saw(5), attack=0.5, release=3.0, attenuation=3)
    ),
    "synth_pluck": _pluck,
    "saw_lead": _lead,
    "soft_lead": lambda: (
        _Patch(36, 102)
        .ensemble(_triangle, 8, 19, attack=0.03, release=0.4, attenuation=5)
        .cycle(_triangle, attack=0.02, release=0.3)
    ),
}

PATCHES = tuple(_RECIPES)
"""Names that ``zones`` knows."""
GLIDING = frozenset({"bass_808"})
"""Sounds with one voice that ``generation.sounding.gliding`` plays."""


@cache
def zones(name: str) -> tuple[Zone, ...]:
    """Return the zones of one of ``PATCHES``.

    Raises:
        KeyError: There is no such patch.
    """
    return tuple(_RECIPES[name]().zones)
