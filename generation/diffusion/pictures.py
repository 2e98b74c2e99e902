"""Pictures of sound, as Riffusion learned them, and back to sound. numpy and scipy only.

A picture has a row for each of 512 mel bands (HTK's scale, 0 to 10 kHz, the highest on top) and a column for each
hundredth of a second; dark is loud: 1 minus the fourth root of the magnitude, the loudest being 0. Magnitudes are of
windows of a tenth of a second. Everything is at 24 kHz here, since nothing above 10 kHz is in a picture.

The phases that a picture lacks are found by the fast Griffin-Lim algorithm (Perraudin, Balazs and Søndergaard, "A fast
Griffin-Lim algorithm", WASPAA 2013).
"""

from __future__ import annotations

from functools import cache

import numpy as np
import numpy.typing as npt
from scipy.fft import irfft, rfft
from scipy.sparse import csr_array

from generation.audio import Floats, as_floats

RATE = 24_000
"""Frames per second."""
COLUMNS = 100
"""Of a second."""
BANDS = 512
HOP = RATE // COLUMNS
WINDOW = RATE // 10
FINE = 4
"""How much finer than a window's own the frequencies are on which bands are laid: low bands are narrower than those."""
TOP = 10_000.0
"""Hz."""
POWER = 0.25
ROUNDS = 32
"""Of finding phases."""
MOMENTUM = 0.99

Complex = npt.NDArray[np.complex64]


def pictured(sound: Floats, columns: int) -> Floats:
    """Return the picture (bands, columns) of sound (frames,) at ``RATE``, in [0, 1]; of what is beyond it, silence."""
    spectra = np.abs(_spectra(_fitted(sound, columns), columns, FINE * WINDOW))
    bands = _bands() @ spectra.T
    loudest = bands.max(initial=0.0)
    if loudest <= 0:
        return np.ones((BANDS, columns), dtype=np.float32)
    return as_floats(1 - (bands[::-1] / loudest) ** POWER)


def heard(
    picture: Floats, frames: int, rng: np.random.Generator, *, rounds: int = ROUNDS
) -> Floats:
    """Return the sound (frames,) of a picture (bands, columns) in [0, 1].

    Args:
        picture: At least as wide as the sound is long.
        frames: At ``RATE``.
        rng: For the phases to begin with.
        rounds: Of finding better ones.
    """
    magnitudes = _magnitudes(np.clip(1 - picture[::-1], 0, 1) ** (1 / POWER))
    turns = rng.uniform(0, 2 * np.pi, magnitudes.shape)
    now = _turned(magnitudes, np.exp(1j * turns).astype(np.complex64))
    before = np.zeros_like(now)
    for _ in range(rounds):
        possible = _spectra(_sound(now), len(magnitudes), WINDOW)
        now = _turned(magnitudes, possible + MOMENTUM * (possible - before))
        before = possible
    return _sound(now)[WINDOW // 2 :][:frames]


def _turned(magnitudes: Floats, phases: Complex) -> Complex:
    size = np.maximum(np.abs(phases), np.float32(1e-12))
    return (magnitudes * (phases / size)).astype(np.complex64)


@cache
def _window() -> Floats:
    return as_floats(np.hanning(WINDOW + 1)[:-1])


@cache
def _edges() -> npt.NDArray[np.float64]:
    """Return in Hz where each band begins, has its middle and ends: those of its neighbours, in HTK's mel."""
    highest = 2595 * np.log10(1 + TOP / 700)
    found: npt.NDArray[np.float64] = 700 * (
        10 ** (np.linspace(0, highest, BANDS + 2, dtype=np.float64) / 2595) - 1
    )
    return found


@cache
def _bands() -> csr_array:
    """Return triangles over fine frequencies (bands, frequencies), 1 in their middle."""
    edges = _edges()[:, None]
    there = np.fft.rfftfreq(FINE * WINDOW, 1 / RATE)[None]
    low, middle, high = edges[:-2], edges[1:-1], edges[2:]
    rise, fall = (there - low) / (middle - low), (high - there) / (high - middle)
    return csr_array(as_floats(np.maximum(0, np.minimum(rise, fall))))


def _magnitudes(bands: Floats) -> Floats:
    """Return magnitudes (columns, frequencies) of bands (bands, columns).

    A band is the mean of what is under its triangle, taken for the magnitude in its middle; between the middles it is
    a straight line.
    """
    weight = _bands().sum(axis=1)
    means = bands / np.maximum(weight, 1e-6)[:, None]
    middles = _edges()[1:-1]
    there = np.fft.rfftfreq(WINDOW, 1 / RATE)
    place = np.interp(there, middles, np.arange(BANDS))
    low = np.minimum(place.astype(int), BANDS - 2)
    part = (place - low)[:, None]
    lines = (1 - part) * means[low] + part * means[low + 1]
    lines[there > TOP] = 0
    return as_floats(lines.T)


def _fitted(sound: Floats, columns: int) -> Floats:
    """Return as much sound as ``columns`` need, half a window around included."""
    out = np.zeros((columns - 1) * HOP + WINDOW, dtype=np.float32)
    begin = WINDOW // 2
    taken = sound[: len(out) - begin]
    out[begin : begin + len(taken)] = taken
    return out


def _spectra(sound: Floats, columns: int, size: int) -> Complex:
    """Return (columns, frequencies) of ``sound``, which has half a window around it."""
    views = np.lib.stride_tricks.sliding_window_view(sound, WINDOW)[::HOP][:columns]
    found: Complex = rfft(views * _window(), size, axis=1)
    return found


def _sound(spectra: Complex) -> Floats:
    """Return the sound whose windows are nearest to ``spectra`` (columns, frequencies), half a window around it."""
    columns = len(spectra)
    parts = irfft(spectra, WINDOW, axis=1) * _window()
    # Windows are a whole number of hops long: their pieces of one hop are laid over each other, shifted.
    pieces = parts.reshape(columns, WINDOW // HOP, HOP)
    squares = np.broadcast_to((_window() ** 2).reshape(1, -1, HOP), pieces.shape)
    total = np.zeros((columns - 1 + WINDOW // HOP, HOP), dtype=np.float32)
    weight = np.zeros_like(total)
    for shift in range(WINDOW // HOP):
        total[shift : shift + columns] += pieces[:, shift]
        weight[shift : shift + columns] += squares[:, shift]
    return as_floats((total / np.maximum(weight, 1e-3)).reshape(-1))
