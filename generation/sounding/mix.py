"""The mixing desk at work: parts go through their strips to the bus, the room and the echo; stems in, stereo out.

A strip's room and echo are its own share of linear sends, so parts that are mixed one at a time add up to the bus.
What bends the sum, as glue and saturation do, comes after that. One part is in memory at a time.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from generation.audio import SAMPLE_RATE, Floats, as_floats
from generation.generator import Note
from generation.planning.plan import Plan
from generation.sounding import desk
from generation.sounding.blocks import (
    SIZE,
    STRIDE,
    convolve,
    delayed,
    equalise,
    hop_power,
    hops,
    inside,
    ride,
    saturate,
    spectra,
    wander,
)
from generation.sounding.desk import Strip
from generation.sounding.dynamics import Doubles, compress, ducking, make_up, punch
from generation.sounding.spaces import space
from generation.sounding.spectrum import high_pass, loudness_weight, low_pass

_MONO_BELOW = 130.0
"""Hertz under which both sides are the same."""
_SIDES = 0.7
"""Energy of the sides against the middle at most; both ears then still have a correlation of 0.18."""
_TREMBLING = {"chords", "lead", "counter", "pad"}
_ECHOES = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Stem:
    """One part as sound: role, name of its patch, and samples of shape (1 or 2, frames)."""

    role: str
    patch: str
    samples: Floats


class Bus:
    """Where strips add up: two sides, and what goes to the room and to the echo.

    Args:
        plan: Which room and which echo.
        frames: Length.
    """

    def __init__(self, plan: Plan, frames: int) -> None:
        self._plan = plan
        self.samples: Floats = np.zeros((2, frames), dtype=np.float32)
        self._room = np.zeros(frames, dtype=np.float32) if desk.room(plan)[2] > 0.005 else None
        self._echo = np.zeros(frames, dtype=np.float32) if desk.echo(plan)[0] > 0.02 else None

    def add(self, strip: Strip, samples: Floats, side: float) -> None:
        """Add a part that went through its strip; it may be overwritten."""
        pan = strip.pan * side
        angle = (pan + 1) * np.pi / 4
        left, right = np.sqrt(2) * np.cos(angle), np.sqrt(2) * np.sin(angle)
        if samples.shape[0] == 2 and strip.pan < 0:
            # Chords that are wide already stay where they are.
            left = right = 1.0
        both = (samples[0], samples[-1])
        for start in range(0, self.samples.shape[1], STRIDE):
            at = slice(start, start + STRIDE)
            for out, channel, gain in zip(self.samples, both, (left, right), strict=True):
                out[at] += channel[at] * np.float32(gain)
            middle = (both[0][at] + both[1][at]) * np.float32(0.5)
            if self._room is not None:
                self._room[at] += middle * np.float32(strip.send)
            if self._echo is not None and strip.echo:
                self._echo[at] += middle * np.float32(strip.echo)

    def finish(self) -> Floats:
        """Add echo and room, and return shape (2, frames). Nothing may be added after that."""
        if self._echo is not None:
            self._repeat(self._echo)
            self._echo = None
        if self._room is not None:
            kind, seconds, wet = desk.room(self._plan)
            # A longer room spreads the same energy thinner, so it may be a little louder.
            convolve(self._room, space(kind, seconds), self.samples, 1.5 * wet)
            self._room = None
        return self.samples

    def _repeat(self, sound: Floats) -> None:
        """Repeats that wander from side to side, each darker and thinner than what it repeats."""
        amount, seconds = desk.echo(self._plan)
        gap = int(seconds * SAMPLE_RATE)
        dark = high_pass(SIZE, 220.0) * low_pass(SIZE, 5200.0)
        for index in range(1, _ECHOES + 1):
            shift = index * gap
            if shift >= sound.size:
                break
            equalise(sound, dark)
            level = np.float32(0.75 * amount**index)
            near = index % 2
            late = sound[: sound.size - shift]
            self.samples[near, shift:] += level * late
            self.samples[1 - near, shift:] += np.float32(0.3) * level * late
            if self._room is not None:
                self._room[shift:] += np.float32(0.4) * level * late


def mix(plan: Plan, stems: Iterable[Stem], kicks: Sequence[Note]) -> Floats:
    """Mix stems to stereo.

    Args:
        plan: The style's desk settings, brightness, levels and effects.
        stems: All of one length. They are overwritten; a generator keeps only one of them in memory.
        kicks: Strokes that duck the other parts.

    Returns:
        Shape (2, frames), not yet mastered.
    """
    bus: Bus | None = None
    seen: list[str] = []
    for stem in stems:
        bus = bus or Bus(plan, stem.samples.shape[1])
        route(plan, stem, kicks, bus, side(stem.role, seen))
        seen.append(stem.role)
    if bus is None:
        return np.zeros((2, int(plan.seconds * SAMPLE_RATE)), dtype=np.float32)
    return colour(plan, bus.finish())


def side(role: str, before: Sequence[str]) -> float:
    """Return on which side of its usual place a part sits: countermelodies take turns."""
    return -1.0 if role == "counter" and before.count("counter") % 2 else 1.0


def route(plan: Plan, stem: Stem, kicks: Sequence[Note], bus: Bus, side: float) -> None:
    """Send one part through its strip to the bus."""
    strip = desk.strip(plan, stem.role, stem.patch)
    samples = _played(strip, stem.samples)
    weight = loudness_weight(SIZE)
    energy = sum(equalise(channel, desk.curve(strip), weight) for channel in samples)
    power = hop_power(samples)
    level = _level(plan, stem) - 20 * np.log10(_loudness(samples, power, energy) + 1e-12)
    if power.max(initial=0) < 1e-14:
        return
    gain = _dynamics(plan, stem.role, strip, power)
    beat = plan.grid.beat_steps * plan.grid.step_seconds
    depth = min(0.9, plan.style.mix.sidechain + plan.effects.sidechain) * strip.duck
    duck = ducking(kicks, depth, beat, power.size + 1)
    gain = gain if duck is None else gain * duck
    ride(samples, gain * 10 ** (level / 20))
    if strip.drive > 0.01:
        _warm(samples, strip.drive)
    bus.add(strip, samples, side)


def _played(strip: Strip, samples: Floats) -> Floats:
    """What a player does: vibrato on held notes, a second take of a guitar."""
    frames = samples.shape[1]
    if strip.vibrato:
        # Frames of delay whose rate of change at 5.4 Hz is so many cents.
        deep = strip.vibrato / 1200 * np.log(2) * SAMPLE_RATE / (2 * np.pi * 5.4)
        depth = deep * (0.55 + 0.45 * wander(frames, 0.43, -1.2))
        delay = deep + 3 + depth * wander(frames, 5.4, 0.0)
        for channel in samples:
            channel[:] = delayed(channel, delay)
    if strip.wide and samples.shape[0] == 1:
        drift = 640 + 45 * wander(frames, 0.31, 0.4)
        samples = np.stack([samples[0], delayed(samples[0], drift)])
    return samples


def _level(plan: Plan, stem: Stem) -> float:
    """Decibels at which the part is wanted."""
    wanted = -9.0 if stem.role == "fx" else float(getattr(plan.style.mix, stem.role))
    return wanted - desk.DEEP.get(stem.patch, 0.0) - 20


def _loudness(samples: Floats, power: Floats, energy: float) -> float:
    """Weighted RMS of a part while it plays."""
    rows = power[: power.size // 32 * 32].reshape(-1, 32).mean(axis=1)
    active = float(np.mean(rows > 0.01 * rows.max())) if rows.size and rows.max() > 0 else 1.0
    return float(np.sqrt(energy / (samples.size * max(active, 0.12))))


def _dynamics(plan: Plan, role: str, strip: Strip, power: Floats) -> Doubles:
    """Gain of compressor, transient shaper and tremolo, one value per hop."""
    gain = np.ones(power.size)
    if strip.squeeze > 0.02:
        attack = 0.012 if role == "drums" else 0.006
        gain = compress(power, strip.squeeze, attack=attack, release=120.0)
    if strip.punch > 0.1:
        gain = gain * punch(power, strip.punch)
    gain = gain * make_up(power, gain)
    tremolo = min(1.0, plan.effects.tremolo)
    if tremolo > 0 and role in _TREMBLING:
        hertz = 2 / (plan.grid.step_seconds * plan.grid.beat_steps)
        sway = wander(power.size * 64, hertz, 0.0)[: power.size]
        gain = gain * (1 - 0.4 * tremolo * (1 + sway))
    return np.append(gain, gain[-1:])


def _warm(samples: Floats, amount: float) -> None:
    """Bend a part's peaks a little, at the level that it has: odd overtones for small speakers."""
    scale = 4 * float(np.sqrt(np.mean(hop_power(samples)))) + 1e-9
    push = 1 + 2.5 * amount
    for start in range(0, samples.shape[1], STRIDE):
        block = samples[:, start : start + STRIDE]
        block *= np.float32(push / scale)
        np.tanh(block, out=block)
        block *= np.float32(scale / push**0.7)


def colour(plan: Plan, out: Floats) -> Floats:
    """What bends the sum, in place: width, mono bass, glue, equaliser, saturation, chorus, flutter, crushing."""
    effects = plan.effects
    power = hop_power(out)
    level = float(np.sqrt(np.mean(power))) + 1e-9
    squash = desk.squash(plan)
    gain = np.ones(hops(out.shape[1]))
    if squash > 0.02:
        gain = compress(power, squash, attack=0.01, release=90.0)
    ride(out, gain * (make_up(power, gain) * 0.14 / level))
    _tone(plan, out)
    if effects.chorus > 0.05:
        out = _chorus(out, min(1.0, effects.chorus))
    if effects.flutter > 0.02:
        out = _flutter(out, min(1.0, effects.flutter))
    if effects.crush > 0.05:
        hold = 1 + int(5 * min(1.0, effects.crush))
        steps = np.float32(2 ** (10 - 5 * min(1.0, effects.crush)))
        held = np.repeat(out[:, ::hold], hold, axis=1)[:, : out.shape[1]]
        out = as_floats(np.round(held * steps) / steps)
    return out


def _tone(plan: Plan, out: Floats) -> None:
    """Equaliser, width and saturation in one pass over middle and side."""
    tone = desk.tone(plan)
    width = min(max(0.0, plan.style.mix.width + plan.effects.width), _widest(out))
    narrow = tone * high_pass(SIZE, _MONO_BELOW) * np.float32(0.5 * width)
    amount = desk.drive(plan)
    push = 1 + 5 * amount * amount + 1.2 * amount
    after = np.float32(push**-0.75)

    def bend(wave: Floats) -> Floats:
        wave *= np.float32(push)
        np.tanh(wave, out=wave)
        wave *= after
        return wave

    for (place, left), (_, right) in zip(spectra(out[0]), spectra(out[1]), strict=True):
        middle = (left + right) * (tone * np.float32(0.5))
        edge = (left - right) * narrow
        for channel, both in zip(out, (middle + edge, middle - edge), strict=True):
            channel[place] = saturate(both, place, bend) if amount > 0.02 else inside(both, place)


def _widest(out: Floats) -> float:
    """Return the width at which the sides are as loud as they may be: wider than that, one speaker loses music."""
    both = float(np.vdot(out[0], out[0]) + np.vdot(out[1], out[1]))
    common = 2 * float(np.vdot(out[0], out[1]))
    middle, edge = max(1e-12, both + common), max(1e-12, both - common)
    return max(0.3, float(np.sqrt(_SIDES * middle / edge)))


def _chorus(out: Floats, amount: float) -> Floats:
    frames = out.shape[1]
    wet = np.float32(0.55 * amount)
    late = [delayed(out[c], 560 + 190 * wander(frames, 0.7 + 0.13 * c, 1.7 * c)) for c in (0, 1)]
    out[0] += wet * late[1]
    out[1] += wet * late[0]
    out /= 1 + wet / 2
    return out


def _flutter(out: Floats, amount: float) -> Floats:
    """Slow wow and faster flutter of a tape, up to about 12 cents."""
    frames = out.shape[1]
    delay = 260 + amount * (110 * wander(frames, 0.55, 0.3) + 5 * wander(frames, 6.3, 1.1))
    return np.stack([delayed(channel, delay) for channel in out])
