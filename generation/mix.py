"""The mixing desk: levels, equalisers, panning, pumping, echo and room; stems in, stereo out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from generation.audio import SAMPLE_RATE, Floats, as_floats
from generation.generator import Note
from generation.patches import patch
from generation.plan import Plan
from generation.spectrum import (
    Spectrum,
    frequencies,
    high_pass,
    high_shelf,
    loudness_weight,
    low_pass,
    low_shelf,
    room,
)
from generation.zones import fast_length

_CUT = {"drums": 28.0, "bass": 28.0, "chords": 130.0, "pad": 190.0, "lead": 170.0, "counter": 200.0}
"""High-pass of each role: only drums and bass may have the bottom."""
_PAN = {"chords": -0.28, "lead": 0.06, "counter": 0.42, "pad": 0.0}
_SEND = {"drums": 0.35, "bass": 0.06, "chords": 0.8, "pad": 1.2, "lead": 1.0, "counter": 1.2}
_ECHO = {"lead": 1.0, "counter": 0.8, "chords": 0.4}
_DUCKED = {"bass": 1.0, "chords": 0.8, "pad": 1.0, "counter": 0.6, "lead": 0.25}
_DOUBLED = {"distortion_guitar", "overdrive_guitar", "clean_guitar", "muted_guitar"}
"""Guitars that are played twice, once on each side."""
_DEEP = {"sub_bass": 4.0, "bass_808": 1.5, "drone_pad": 1.5}
"""Decibels taken off sounds that are nearly all fundamental."""
_HOP = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class Stem:
    """One part as sound: role, name of its patch, and samples of shape (1 or 2, frames)."""

    role: str
    patch: str
    samples: Floats


class _Bus:
    """Sums of spectra: left, right and what goes to the room."""

    def __init__(self, size: int) -> None:
        bins = size // 2 + 1
        self.left = np.zeros(bins, dtype=np.complex64)
        self.right = np.zeros(bins, dtype=np.complex64)
        self.send = np.zeros(bins, dtype=np.complex64)


def mix(plan: Plan, stems: Sequence[Stem], kicks: Sequence[Note]) -> Floats:
    """Mix stems to stereo.

    Args:
        plan: The style's desk settings, brightness and effects.
        stems: All of one length.
        kicks: Strokes that duck the other parts.

    Returns:
        Shape (2, frames), not yet mastered.
    """
    desk, effects = plan.style.mix, plan.effects
    frames = stems[0].samples.shape[1] if stems else int(plan.seconds * SAMPLE_RATE)
    space = min(5.0, desk.room + effects.room)
    wet = min(0.75, max(0.0, desk.reverb + effects.wet))
    size = fast_length(frames + int(min(space, 3.0) * SAMPLE_RATE) + 2048)
    bus = _Bus(size)
    duck = _ducking(plan, kicks, frames)
    counters = 0
    for stem in stems:
        side = -1.0 if stem.role == "counter" and counters % 2 else 1.0
        counters += stem.role == "counter"
        _add_part(plan, bus, _treated(plan, stem, duck), size, (stem, side))
    curve = _tone(plan, size)
    left, right = bus.left, bus.right
    if wet > 0.005:
        ears = room(size, round(space, 2))
        # A longer room spreads the same energy thinner, so it may be a little louder.
        amount = np.float32(1.5 * wet)
        left = left + bus.send * ears[0] * amount
        right = right + bus.send * ears[1] * amount
    out = np.empty((2, frames), dtype=np.float32)
    out[0] = np.fft.irfft(left * curve, size)[:frames]
    out[1] = np.fft.irfft(right * curve, size)[:frames]
    return _colour(plan, out)


def _treated(plan: Plan, stem: Stem, duck: Floats | None) -> Floats:
    """What has to happen in time: vibrato, double tracking, ducking, tremolo, echo."""
    samples = stem.samples
    if stem.role in {"lead", "counter"} and patch(stem.patch).kind == "sustained":
        samples = _vibrato(samples)
    if stem.role == "chords" and stem.patch in _DOUBLED and samples.shape[0] == 1:
        drift = 640 + 45 * _wave(samples.shape[1], 0.31, 0.4)
        samples = np.stack([samples[0], _shifted(samples[0], drift)])
    if duck is not None and stem.role in _DUCKED:
        samples = samples * (1 - np.float32(_DUCKED[stem.role]) * (1 - duck))
    tremolo = plan.effects.tremolo
    if tremolo > 0 and stem.role in {"chords", "lead", "counter", "pad"}:
        time = np.arange(samples.shape[1], dtype=np.float32) / SAMPLE_RATE
        rate = np.float32(2 * np.pi * 2 / (plan.grid.step_seconds * plan.grid.beat_steps))
        samples = samples * (1 - np.float32(0.4 * min(1, tremolo)) * (1 + np.sin(rate * time)))
    amount = min(0.75, plan.style.mix.echo + plan.effects.echo) * _ECHO.get(stem.role, 0.0)
    if amount > 0.02:
        samples = _echo(samples, amount, plan.grid.step_seconds * 3)
    return samples


def _vibrato(samples: Floats) -> Floats:
    """Up to 13 cents at 5.4 Hz, coming and going as a player's does."""
    frames = samples.shape[1]
    depth = 5 + 4.5 * _wave(frames, 0.43, -1.2)
    delay = 12 + depth * _wave(frames, 5.4, 0.0)
    return np.stack([_shifted(channel, delay) for channel in samples])


def _echo(samples: Floats, amount: float, seconds: float) -> Floats:
    """Three repeats that wander from side to side."""
    gap = int(seconds * SAMPLE_RATE)
    out = np.zeros((2, samples.shape[1]), dtype=np.float32)
    out[:] = samples
    centre = samples.mean(axis=0) if samples.shape[0] == 2 else samples[0]
    for index in (1, 2, 3):
        shift = index * gap
        if shift >= out.shape[1]:
            break
        level = np.float32(0.62 * amount**index)
        near = index % 2
        out[near, shift:] += level * centre[: out.shape[1] - shift]
        out[1 - near, shift:] += 0.3 * level * centre[: out.shape[1] - shift]
    return out


def _add_part(plan: Plan, bus: _Bus, samples: Floats, size: int, who: tuple[Stem, float]) -> None:
    stem, side = who
    role = stem.role
    # A bass without overtones is loud on paper and mud in the room.
    level = getattr(plan.style.mix, role) - _DEEP.get(stem.patch, 0.0)
    curve = _role_curve(stem, size, plan)
    spectra: list[Spectrum] = [
        (np.fft.rfft(channel, size) * curve).astype(np.complex64, copy=False) for channel in samples
    ]
    gain = _gain(samples, spectra, size, level)
    pan = _PAN.get(role, 0.0) * side
    angle = (pan + 1) * np.pi / 4
    left, right = (
        np.float32(gain * np.sqrt(2) * np.cos(angle)),
        np.float32(gain * np.sqrt(2) * np.sin(angle)),
    )
    if len(spectra) == 2 and stem.role == "chords":
        left = right = np.float32(gain)
    both = spectra if len(spectra) == 2 else [spectra[0], spectra[0]]
    bus.left += both[0] * left
    bus.right += both[1] * right
    send = np.float32(gain * _SEND[role] / len(spectra))
    for spectrum in spectra:
        bus.send += spectrum * send


def _role_curve(stem: Stem, size: int, plan: Plan) -> Floats:
    curve = high_pass(size, _CUT[stem.role])
    if stem.role == "bass":
        return np.asarray(curve * low_pass(size, 5200.0))
    if stem.role == "drums" and not patch(stem.patch).synth:
        # Cymbals and skins of General MIDI kits are recorded dull.
        return np.asarray(curve * high_shelf(size, 4500.0, 6.5))
    if (
        stem.role == "chords"
        and plan.style.chords is not None
        and plan.style.chords.voicing == "power"
    ):
        # Driven guitars live between 85 Hz and 7 kHz; the rest is fizz.
        return np.asarray(
            high_pass(size, 85.0) * low_pass(size, 7000.0) * high_shelf(size, 2000.0, 4.0)
        )
    return np.asarray(curve * high_shelf(size, 3000.0, 0.0 if patch(stem.patch).synth else 3.5))


def _gain(samples: Floats, spectra: list[Spectrum], size: int, decibels: float) -> float:
    """Bring the part's loudness while it plays to ``decibels`` relative to a common reference."""
    weight = loudness_weight(size)
    power = sum(float(np.vdot(w := s * weight, w).real) for s in spectra) * 2 / size / size
    usable = samples.shape[1] // 2048 * 2048
    if usable == 0 or power <= 1e-14:
        return 0.0
    blocks = np.square(samples[0, :usable]).reshape(-1, 2048).mean(axis=1)
    active = float(np.mean(blocks > 0.01 * blocks.max())) if blocks.max() > 0 else 1.0
    # ``size`` frames were measured, of which the part fills a share.
    playing = power * size / (samples.shape[1] * max(active, 0.12)) / len(spectra)
    return float(0.1 * 10 ** (decibels / 20) / np.sqrt(playing))


def _tone(plan: Plan, size: int) -> Floats:
    """The whole mix's equaliser: the style's, bent by brightness and by words."""
    desk, effects = plan.style.mix, plan.effects
    lift = plan.brightness - plan.style.brightness
    high = desk.high + effects.high + 15 * lift
    low = desk.low + effects.low - 5 * lift
    top = min(desk.lowpass, effects.lowpass) * 2 ** (3.2 * lift)
    curve = high_shelf(size, 2800.0, high) * low_shelf(size, 170.0, low)
    if top < 19_000:
        curve *= low_pass(size, max(700.0, top))
    curve *= high_pass(size, max(30.0, effects.highpass))
    curve *= (frequencies(size) < 20_500).astype(np.float32)
    return curve


def _ducking(plan: Plan, kicks: Sequence[Note], frames: int) -> Floats | None:
    """Gain that dips at every bass drum and recovers within a beat."""
    depth = min(0.9, plan.style.mix.sidechain + plan.effects.sidechain)
    if depth < 0.05 or not kicks:
        return None
    beat = min(0.6, plan.grid.beat_steps * plan.grid.step_seconds)
    hops = frames // _HOP + 2
    length = max(4, int(0.85 * beat * SAMPLE_RATE / _HOP))
    shape = np.linspace(0, 1, length) ** 1.6
    gain = np.ones(hops)
    for kick in kicks:
        start = int(kick.start * SAMPLE_RATE / _HOP)
        stop = min(hops, start + length)
        if start < hops:
            gain[start:stop] = np.minimum(gain[start:stop], 1 - depth * (1 - shape[: stop - start]))
    return _stretch(gain, frames)


def _stretch(values: npt.ArrayLike, frames: int) -> Floats:
    """Interpolate one value per hop to one per frame."""
    points = as_floats(values)
    step = (np.arange(_HOP, dtype=np.float32) / _HOP)[None, :]
    full = points[:-1, None] + (points[1:] - points[:-1])[:, None] * step
    return as_floats(full.reshape(-1)[:frames])


def _colour(plan: Plan, out: Floats) -> Floats:
    """What bends the sum: compression, saturation, flutter, crushing, width."""
    desk, effects = plan.style.mix, plan.effects
    width = max(0.0, desk.width + effects.width)
    if abs(width - 1) > 0.01:
        middle, side = (out[0] + out[1]) / 2, (out[0] - out[1]) * np.float32(width / 2)
        out = np.stack([middle + side, middle - side])
    level = float(np.sqrt(np.mean(out**2))) + 1e-9
    out = out * np.float32(0.14 / level)
    squash = min(1.0, max(0.0, desk.squash + effects.squash))
    if squash > 0.02:
        out = out * _compress(out, squash)
    if effects.chorus > 0.05:
        out = _chorus(out, min(1.0, effects.chorus))
    drive = min(1.5, max(0.0, desk.drive + effects.drive))
    if drive > 0.02:
        push = np.float32(1 + 5 * drive * drive + 1.2 * drive)
        out = as_floats(np.tanh(out * push) / push ** np.float32(0.75))
    if effects.flutter > 0.02:
        out = _flutter(out, min(1.0, effects.flutter))
    if effects.crush > 0.05:
        hold = 1 + int(5 * min(1.0, effects.crush))
        steps = np.float32(2 ** (10 - 5 * min(1.0, effects.crush)))
        held = np.repeat(out[:, ::hold], hold, axis=1)[:, : out.shape[1]]
        out = as_floats(np.round(held * steps) / steps)
    return np.asarray(out, dtype=np.float32)


def _compress(out: Floats, amount: float) -> Floats:
    """Gain of a bus compressor: 2:1 to 4:1 above the average, 10 ms in, 120 ms out."""
    hops = out.shape[1] // _HOP
    power = np.square(out[:, : hops * _HOP]).reshape(2, hops, _HOP).mean(axis=(0, 2))
    decibels = 10 * np.log10(power + 1e-9)
    threshold = float(10 * np.log10(power.mean() + 1e-9)) - 2 * amount
    wanted = -np.maximum(0, decibels - threshold) * (0.35 + 0.4 * amount)
    attack = 1 - np.exp(-_HOP / (0.01 * SAMPLE_RATE))
    release = 1 - np.exp(-_HOP / (0.12 * SAMPLE_RATE))
    smooth = np.empty(hops + 2)
    level = 0.0
    for index, goal in enumerate(wanted.tolist()):
        level += (goal - level) * (attack if goal < level else release)
        smooth[index] = level
    smooth[hops:] = level
    return _stretch(10 ** (smooth / 20), out.shape[1])


def _shifted(channel: Floats, delay: Floats) -> Floats:
    """Read a channel ``delay`` frames late, a different delay at every frame."""
    position = np.arange(channel.size, dtype=np.float32) - delay
    np.clip(position, 0, channel.size - 2, out=position)
    index = position.astype(np.int32)
    share = position - index
    low = channel[index]
    return np.asarray(low + (channel[index + 1] - low) * share, dtype=np.float32)


def _wave(frames: int, hertz: float, phase: float) -> Floats:
    time = np.arange(frames // _HOP + 2) * (_HOP / SAMPLE_RATE)
    return _stretch(np.sin(2 * np.pi * hertz * time + phase), frames)


def _chorus(out: Floats, amount: float) -> Floats:
    frames = out.shape[1]
    wet = np.float32(0.55 * amount)
    late = [_shifted(out[c], 560 + 190 * _wave(frames, 0.7 + 0.13 * c, 1.7 * c)) for c in (0, 1)]
    return as_floats(np.stack([out[0] + wet * late[1], out[1] + wet * late[0]]) / (1 + wet / 2))


def _flutter(out: Floats, amount: float) -> Floats:
    """Slow wow and faster flutter of a tape, up to about 12 cents."""
    frames = out.shape[1]
    delay = 260 + amount * (110 * _wave(frames, 0.55, 0.3) + 5 * _wave(frames, 6.3, 1.1))
    return np.stack([_shifted(channel, delay) for channel in out])
