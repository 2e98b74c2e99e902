"""Long sound in short pieces: filters and convolution in blocks of a second or so.

A block's FFT stays in the processor's cache and its memory does not grow with the length of a piece. What a filter
does depends on the sound alone, never on where the blocks happen to lie: every block is read with enough context on
both sides for our gentle curves to have died away.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence

import numpy as np
import numpy.typing as npt

from generation.audio import SAMPLE_RATE, Floats, as_floats

Spectrum = npt.NDArray[np.complex64]

SIZE = 1 << 16
"""Length of the FFT of one block with its context."""
CONTEXT = 4096
"""Frames on each side that are read and thrown away: 93 ms, in which a 28 Hz high-pass has fallen by 100 dB."""
STRIDE = SIZE - 2 * CONTEXT
"""Frames that a block yields."""
HOP = 64
"""Frames for which one gain is computed: 1.45 ms."""
_PARTITION = 1 << 16


def rfft(wave: Floats) -> Spectrum:
    """Return the spectrum of a float32 wave in the same precision."""
    return np.asarray(np.fft.rfft(wave), dtype=np.complex64)


def spectra(channel: Floats) -> Iterator[tuple[slice, Spectrum]]:
    """Yield where each block lies and its spectrum, context included. The channel may be overwritten meanwhile."""
    frames = channel.size
    before = np.zeros(CONTEXT, dtype=np.float32)
    padded = np.empty(SIZE, dtype=np.float32)
    for start in range(0, frames, STRIDE):
        stop = min(frames, start + STRIDE)
        last = min(frames, stop + CONTEXT)
        padded[:CONTEXT] = before
        padded[CONTEXT : CONTEXT + last - start] = channel[start:last]
        padded[CONTEXT + last - start :] = 0
        if stop < frames:
            before[:] = channel[stop - CONTEXT : stop]
        yield slice(start, stop), rfft(padded)


def inside(spectrum: Spectrum, place: slice) -> Floats:
    """Return the part of a block that belongs to ``place``."""
    return as_floats(np.fft.irfft(spectrum, SIZE)[CONTEXT : CONTEXT + place.stop - place.start])


def equalise(channel: Floats, curve: Floats, weight: Floats | None = None) -> float:
    """Filter one channel in place by a zero-phase curve over ``frequencies(SIZE)``.

    Args:
        channel: Shape (frames,).
        curve: Gain of each bin, smooth enough that its impulse response is shorter than ``CONTEXT``.
        weight: Curve with which the returned energy is weighted.

    Returns:
        Sum of squares of the filtered and weighted channel, to a few percent.
    """
    energy = 0.0
    for place, raw in spectra(channel):
        spectrum = raw * curve
        channel[place] = inside(spectrum, place)
        heard = spectrum if weight is None else spectrum * weight
        energy += float(np.vdot(heard, heard).real)
    return energy * 2 / SIZE * STRIDE / SIZE


def saturate(spectrum: Spectrum, place: slice, shape: Callable[[Floats], Floats]) -> Floats:
    """Bend a block's wave at twice the sample rate, so that what bending adds above the range does not fold back."""
    wide = np.zeros(SIZE + 1, dtype=np.complex64)
    wide[: SIZE // 2] = spectrum[:-1]
    wave = as_floats(np.fft.irfft(wide, 2 * SIZE))
    wave *= np.float32(2)
    bent = rfft(shape(wave))[: SIZE // 2 + 1] * np.float32(0.5)
    bent[0] = 0
    return inside(bent, place)


def partitions(response: Floats) -> tuple[Spectrum, ...]:
    """Cut an impulse response for ``convolve``."""
    parts = -(-response.size // _PARTITION)
    padded = np.zeros((parts, 2 * _PARTITION), dtype=np.float32)
    for index in range(parts):
        piece = response[index * _PARTITION : (index + 1) * _PARTITION]
        padded[index, : piece.size] = piece
    return tuple(rfft(row) for row in padded)


def convolve(
    channel: Floats, responses: Sequence[Sequence[Spectrum]], outs: Floats, gain: float
) -> None:
    """Add a channel, convolved by uniformly partitioned overlap-save, to one output for each response.

    Args:
        channel: Shape (frames,).
        responses: As ``partitions`` makes them, all of as many parts.
        outs: Shape (responses, frames).
        gain: Factor.
    """
    frames = channel.size
    past: deque[Spectrum] = deque(maxlen=len(responses[0]))
    window = np.zeros(2 * _PARTITION, dtype=np.float32)
    for start in range(0, frames, _PARTITION):
        stop = min(frames, start + _PARTITION)
        window[:_PARTITION] = window[_PARTITION:]
        window[_PARTITION : _PARTITION + stop - start] = channel[start:stop]
        window[_PARTITION + stop - start :] = 0
        past.appendleft(rfft(window))
        for response, out in zip(responses, outs, strict=True):
            total = past[0] * response[0]
            for heard, part in zip(list(past)[1:], response[1:], strict=False):
                total += heard * part
            wave = np.fft.irfft(total, 2 * _PARTITION)
            out[start:stop] += wave[_PARTITION : _PARTITION + stop - start] * np.float32(gain)


def hops(frames: int) -> int:
    """Return how many hops hold so many frames."""
    return -(-frames // HOP)


def hop_power(samples: Floats) -> Floats:
    """Mean square of each hop over all channels, shape (hops,)."""
    count = hops(samples.shape[1])
    whole = samples.shape[1] // HOP
    power = np.zeros(count, dtype=np.float32)
    for channel in samples:
        rows = channel[: whole * HOP].reshape(whole, HOP)
        power[:whole] += np.einsum("ij,ij->i", rows, rows)
        rest = channel[whole * HOP :]
        if rest.size:
            power[-1] += np.dot(rest, rest)
    return power / np.float32(HOP * samples.shape[0])


def stretched(values: npt.ArrayLike, start: int, stop: int) -> Floats:
    """Interpolate one value per hop to frames ``start`` to ``stop``; ``start`` lies on a hop."""
    points = as_floats(values)
    first, last = start // HOP, -(-stop // HOP)
    points = points[first : last + 1]
    if points.size < last - first + 1:
        points = np.concatenate([points, np.repeat(points[-1:], last - first + 1 - points.size)])
    step = (np.arange(HOP, dtype=np.float32) / HOP)[None, :]
    full = points[:-1, None] + (points[1:] - points[:-1])[:, None] * step
    return as_floats(full.reshape(-1)[: stop - start])


def ride(samples: Floats, gain: npt.ArrayLike) -> None:
    """Multiply samples of shape (channels, frames) in place by one gain per hop, interpolated."""
    frames = samples.shape[1]
    for start in range(0, frames, STRIDE):
        stop = min(frames, start + STRIDE)
        samples[:, start:stop] *= stretched(gain, start, stop)


def wander(frames: int, hertz: float, phase: float) -> Floats:
    """Return a sine with one value per hop, one hop past the end."""
    time = np.arange(hops(frames) + 1) * (HOP / SAMPLE_RATE)
    return as_floats(np.sin(2 * np.pi * hertz * time + phase))


def delayed(channel: Floats, delay: npt.ArrayLike) -> Floats:
    """Read a channel late by a delay in frames that has one value per hop, by cubic interpolation."""
    frames = channel.size
    out = np.empty_like(channel)
    for start in range(0, frames, STRIDE):
        stop = min(frames, start + STRIDE)
        late = stretched(delay, start, stop)
        whole = np.floor(late)
        share = 1 - (late - whole)
        at = np.arange(start, stop) - whole.astype(np.int64) - 1
        points = [channel[np.clip(at + k, 0, frames - 1)] for k in (-1, 0, 1, 2)]
        out[start:stop] = cubic(points, as_floats(share))
    return out


def cubic(points: Sequence[Floats], share: Floats) -> Floats:
    """Catmull-Rom spline between the second and the third of four neighbours."""
    a, b, c, d = points
    out = b - c
    out *= np.float32(3)
    out += d
    out -= a
    out *= share
    out += a * np.float32(2) - b * np.float32(5) + c * np.float32(4) - d
    out *= share
    out += c
    out -= a
    out *= share
    out *= np.float32(0.5)
    out += b
    return out
