"""Plays notes on zones: resampling, envelopes and summing, in numpy.

What is slow is done once: the waveform of a zone at a key does not depend on velocity or length, so it is kept,
and so are envelopes. A note is then one product and one addition.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import numpy as np

from generation.audio import SAMPLE_RATE, Floats, as_floats
from generation.generator import Note
from generation.sounding.blocks import Spectrum, cubic
from generation.sounding.zones import Zone

_BUDGET = 1_000_000
"""Cached floats at most (4 MB); past that what was not used for longest is forgotten and made again."""
_LONGEST_TAIL = 1.1
"""Seconds that a note may ring after its key was let go."""
_ONE_SHOT = 3.0
"""Seconds of a percussion sound at most."""
_NARROW = 0.16
"""Zones panned less than this are played as mono."""
_FADE = 220
_PIECE = 8192
"""Frames that are read at once, few enough for the processor's cache."""
_CHUNK, _PAST = 4096, 2048
_WINDOW = _CHUNK + _PAST
"""Frames that are filtered at once, and how far they look back: past the memory of the darkest filter."""
_DARKEST, _BRIGHTEST = 200.0, 13_000.0
"""Hertz between which a touch closes the filter."""


class Sampler:
    """Plays zones. Keeps waveforms and envelopes between calls; the sound does not depend on what it keeps."""

    def __init__(self) -> None:
        self._kept = _Kept()

    def play(
        self, notes: Sequence[Note], zones: Sequence[Zone], frames: int, *, percussion: bool = False
    ) -> Floats:
        """Play notes into a fresh stem.

        Args:
            notes: What to play; whatever rings past the end is cut.
            zones: The patch.
            frames: Length of the stem.
            percussion: Sounds ring out whatever their notes' lengths are.

        Returns:
            Shape (1, frames) when everything lies in the middle, else (2, frames).
        """
        wide = any(abs(zone.pan) >= _NARROW for zone in zones)
        stem = np.zeros((2 if wide else 1, frames), dtype=np.float32)
        ends = _choke_ends(notes, zones) if percussion else {}
        for index, note in enumerate(notes):
            start = round(note.start * SAMPLE_RATE)
            if start >= frames:
                continue
            for zone in zones:
                if not (
                    zone.keys[0] <= note.pitch <= zone.keys[1]
                    and zone.velocities[0] <= note.velocity <= zone.velocities[1]
                ):
                    continue
                held = note.seconds
                if percussion:
                    held = min(_ONE_SHOT, ends.get((index, zone.choke), _ONE_SHOT))
                sound = self._sound(zone, note, held, frames - start)
                _add(stem, sound, start, note.velocity, zone)
        return stem

    def _sound(self, zone: Zone, note: Note, held: float, room: int) -> Floats:
        # Lengths are rounded to 64 frames so that humanised notes share envelopes.
        frames = max(64, round(held * SAMPLE_RATE / 64) * 64)
        envelope = self._envelope(zone, frames)
        wave = self._wave(zone, note, min(room, envelope.size))
        size = min(wave.size, envelope.size, room)
        return wave[:size] * envelope[:size]

    def _wave(self, zone: Zone, note: Note, frames: int) -> Floats:
        """Return at least ``frames`` of a zone at a key, as bright as the touch makes it."""
        hertz = _brightness(zone, note.velocity)
        key = ("wave", zone, note.pitch, hertz)
        known = self._kept.get(key)
        # A longer reading begins with the shorter one, so what was made before never shows in the sound.
        if known is None or (known.size < frames and not _ended(zone, note.pitch, known.size)):
            known = _resample(zone, zone.step(note.pitch), _roomy(frames))
            if hertz is not None:
                known = _darkened(known, hertz)
            self._kept.put(key, known)
        return known

    def _envelope(self, zone: Zone, held: int) -> Floats:
        shape = (zone.delay, zone.attack, zone.hold, zone.decay, zone.sustain, zone.release)
        known = self._kept.get((*shape, held))
        if known is None:
            known = _envelope(zone, held)
            self._kept.put((*shape, held), known)
        return known


class _Kept:
    """What was made before, up to ``_BUDGET`` floats; what was not used for longest goes first."""

    def __init__(self) -> None:
        self._made: OrderedDict[tuple[Any, ...], Floats] = OrderedDict()
        self._size = 0

    def get(self, key: tuple[Any, ...]) -> Floats | None:
        found = self._made.get(key)
        if found is not None:
            self._made.move_to_end(key)
        return found

    def put(self, key: tuple[Any, ...], made: Floats) -> None:
        before = self._made.pop(key, None)
        self._size += made.size - (0 if before is None else before.size)
        self._made[key] = made
        while self._size > _BUDGET and len(self._made) > 1:
            _, oldest = self._made.popitem(last=False)
            self._size -= oldest.size


def _roomy(frames: int) -> int:
    """Return the next length of 2^k or 3 * 2^k that is whole chunks."""
    power = max(_CHUNK, 1 << (frames - 1).bit_length())
    less = power * 3 // 4
    return less if less >= frames and less % _CHUNK == 0 else power


def _brightness(zone: Zone, velocity: int) -> float | None:
    """Return the low-pass of a touch in Hz in four grades, or ``None`` where it would change nothing."""
    if zone.cutoff is None:
        return None
    # The format's default modulator: two octaves less at the softest touch.
    grade = min(3, velocity // 32)
    cents = zone.cutoff - 2400 * (1 - (grade * 32 + 28) / 127)
    hertz = max(_DARKEST, 8.176 * 2 ** (cents / 1200))
    return hertz if hertz < _BRIGHTEST else None


def _ended(zone: Zone, pitch: int, size: int) -> bool:
    """Whether a reading of so many frames is all that a one-shot has."""
    return zone.loop is None and size >= _whole(zone, zone.step(pitch))


def _whole(zone: Zone, step: float) -> int:
    return max(0, int((zone.data.size - 3) / step) + 1)


@lru_cache(maxsize=64)
def _filter(hertz: float) -> Spectrum:
    """Spectrum of a second-order Butterworth low-pass, the format's own filter without resonance."""
    k = np.tan(np.pi * hertz / SAMPLE_RATE)
    z = np.exp(-2j * np.pi * np.arange(_WINDOW // 2 + 1) / _WINDOW)
    top = k * k * (1 + z) ** 2
    bottom = 1 + np.sqrt(2) * k + k * k + 2 * (k * k - 1) * z + (1 - np.sqrt(2) * k + k * k) * z * z
    return np.asarray(top / bottom, dtype=np.complex64)


def _darkened(wave: Floats, hertz: float) -> Floats:
    """Low-pass in chunks of one size that look only back, so that a longer wave begins with the shorter one."""
    chunks = -(-wave.size // _CHUNK)
    padded = np.zeros(_PAST + chunks * _CHUNK, dtype=np.float32)
    padded[_PAST : _PAST + wave.size] = wave
    windows = np.lib.stride_tricks.sliding_window_view(padded, _WINDOW)[::_CHUNK]
    spectrum = np.fft.rfft(windows, axis=1)
    spectrum *= _filter(hertz)
    return as_floats(np.fft.irfft(spectrum, _WINDOW, axis=1)[:, _PAST:].reshape(-1)[: wave.size])


def _resample(zone: Zone, step: float, frames: int) -> Floats:
    """Read a recording at another speed, by Catmull-Rom splines; it loops or ends."""
    data, loop = zone.data, zone.loop
    whole = frames
    if loop is None:
        whole = min(frames, _whole(zone, step))
        ends = (data[:1], data[: int(whole * step) + 4], np.zeros(4, dtype=data.dtype))
    else:
        a, b = loop
        ends = (data[b - 1 : b] if a == 0 else data[:1], data[:b], data[a : a + 3])
    source = zone.floats(np.concatenate(ends))
    wave = np.empty(whole, dtype=np.float32)
    for start in range(0, whole, _PIECE):
        position = np.arange(start, min(whole, start + _PIECE), dtype=np.float64) * step
        if loop is not None:
            turns = np.maximum(0, np.floor((position - a) / (b - a)))
            position -= turns * (b - a)
        index = position.astype(np.int32)
        share = (position - index).astype(np.float32)
        wave[start : start + _PIECE] = cubic([source[index + k] for k in range(4)], share)
    if loop is None and 64 < wave.size < frames:
        # Only where the recording itself ends, not where this reading of it was cut.
        wave[-64:] *= np.linspace(1, 0, 64, dtype=np.float32)
    return wave


def _add(stem: Floats, sound: Floats, start: int, velocity: int, zone: Zone) -> None:
    # The format's default velocity curve: 40 dB for a tenfold velocity.
    gain = (velocity / 127) ** 2 * 10 ** (-zone.attenuation / 20)
    place = slice(start, start + sound.size)
    if stem.shape[0] == 1:
        stem[0, place] += sound * np.float32(gain)
        return
    angle = (zone.pan + 1) * np.pi / 4
    if zone.pan < 0.98:
        stem[0, place] += sound * np.float32(gain * np.sqrt(2) * np.cos(angle))
    if zone.pan > -0.98:
        stem[1, place] += sound * np.float32(gain * np.sqrt(2) * np.sin(angle))


def _envelope(zone: Zone, held: int) -> Floats:
    """Delay, linear attack, hold, exponential decay to the sustain level, exponential release."""
    rate = SAMPLE_RATE
    release = min(zone.release * 0.6, _LONGEST_TAIL)
    tail = max(_FADE, int(release * rate))
    out = np.ones(held + tail, dtype=np.float32)
    attack_from = min(held, int(zone.delay * rate))
    attack_to = min(held, int((zone.delay + zone.attack) * rate))
    out[:attack_from] = 0
    if zone.attack > 0.0005:
        ramp = np.arange(attack_to - attack_from, dtype=np.float32)
        out[attack_from:attack_to] = ramp / np.float32(zone.attack * rate)
    decay_from = min(held, int((zone.delay + zone.attack + zone.hold) * rate))
    if zone.decay > 0 and zone.sustain > 0 and held > decay_from:
        per_frame = 100 / (zone.decay * rate) * np.log(10) / 20
        time = np.arange(held - decay_from, dtype=np.float32)
        floor = np.float32(10 ** (-zone.sustain / 20))
        out[decay_from:held] = np.maximum(np.exp(time * np.float32(-per_frame)), floor)
    level = float(out[held - 1])
    per_frame = 100 / (max(zone.release, 0.02) * rate) * np.log(10) / 20
    time = np.arange(tail, dtype=np.float32)
    out[held:] = np.exp(time * np.float32(-per_frame)) * np.float32(level)
    out[-_FADE:] *= np.linspace(1, 0, _FADE, dtype=np.float32)
    return out


def _choke_ends(notes: Sequence[Note], zones: Sequence[Zone]) -> dict[tuple[int, int], float]:
    """Return for each note and choke group how long it may ring until the next note of its group."""
    group_of = {
        key: zone.choke
        for zone in zones
        if zone.choke
        for key in range(zone.keys[0], zone.keys[1] + 1)
    }
    ends = {}
    following: dict[int, float] = {}
    for index in range(len(notes) - 1, -1, -1):
        note = notes[index]
        group = group_of.get(note.pitch)
        if group is None:
            continue
        if group in following:
            ends[index, group] = max(0.02, following[group] - note.start)
        following[group] = note.start
    return ends
