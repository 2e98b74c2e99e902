"""Drum machines of our own: short synthesised one-shots on General MIDI percussion keys."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np

from generation.audio import SAMPLE_RATE, Floats, as_floats
from generation.sounding.zones import Zone

KICK, RIM, SNARE, CLAP, CLOSED, OPEN = 36, 37, 38, 39, 42, 46
LOW_TOM, MID_TOM, HIGH_TOM, CRASH, RIDE, COWBELL, SHAKER = 45, 47, 50, 49, 51, 56, 70
_HATS = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """How a drum machine is tuned.

    Attributes:
        kick_hertz: Pitch that the kick settles on.
        kick_sweep: How many times higher it starts.
        kick_ring: Seconds in which the kick falls to a third.
        kick_click: Level of its beater.
        kick_level: Its peak.
        drive: Saturation, from 1 (clean).
        snare_hertz: Pitch of the snare's body.
        snare_ring: Seconds in which the snare's noise falls to a third.
        snare_air: Share of the noise from 0 to 1.
        hat_ring: Seconds in which a closed hat falls to a third.
        hat_low: Hertz under which hats have nothing.
        hat_high: Hertz over which everything is dull.
        crush: Hold each sample this many frames, for old game machines; 1 is off.
    """

    kick_hertz: float = 50
    kick_sweep: float = 5
    kick_ring: float = 0.16
    kick_click: float = 0.25
    kick_level: float = 0.8
    drive: float = 1.5
    snare_hertz: float = 185
    snare_ring: float = 0.09
    snare_air: float = 0.65
    hat_ring: float = 0.025
    hat_low: float = 7000
    hat_high: float = 10_500
    crush: int = 1


MACHINES = {
    "kit_house": Machine(kick_hertz=51, kick_sweep=5, kick_ring=0.15, drive=1.8, hat_low=6500),
    "kit_techno": Machine(
        kick_hertz=46,
        kick_sweep=7,
        kick_ring=0.22,
        kick_click=0.5,
        drive=2.6,
        kick_level=0.5,
        snare_air=0.8,
        hat_low=6000,
    ),
    "kit_808": Machine(
        kick_hertz=44, kick_sweep=3, kick_ring=0.3, kick_click=0.12, snare_ring=0.11, hat_ring=0.018
    ),
    "kit_break": Machine(
        kick_hertz=62,
        kick_sweep=4,
        kick_ring=0.09,
        kick_click=0.5,
        drive=2.5,
        snare_hertz=215,
        snare_ring=0.11,
        snare_air=0.5,
        hat_ring=0.025,
        hat_low=5200,
    ),
    "kit_lofi": Machine(
        kick_hertz=58,
        kick_sweep=3,
        kick_ring=0.11,
        kick_click=0.1,
        snare_hertz=170,
        snare_ring=0.07,
        hat_ring=0.02,
        hat_low=4200,
        hat_high=7500,
        drive=2.2,
    ),
    "kit_retro": Machine(
        kick_hertz=55,
        kick_sweep=4,
        kick_ring=0.13,
        snare_hertz=175,
        snare_ring=0.2,
        snare_air=0.8,
        hat_low=7500,
        drive=2,
    ),
    "kit_chip": Machine(
        kick_hertz=70,
        kick_sweep=8,
        kick_ring=0.06,
        kick_click=0,
        snare_ring=0.06,
        snare_air=0.95,
        hat_ring=0.012,
        hat_low=3000,
        crush=5,
    ),
}
"""Machines by name. Keys that a machine lacks are left to the SoundFont's kit."""


def _time(seconds: float) -> Floats:
    return np.arange(int(seconds * SAMPLE_RATE), dtype=np.float32) / np.float32(SAMPLE_RATE)


def _noise(seconds: float, low: float, high: float, seed: int) -> Floats:
    """Noise between two frequencies, with 12 dB an octave outside, at RMS 0.3."""
    size = int(seconds * SAMPLE_RATE)
    spectrum = np.fft.rfft(np.random.default_rng(seed).standard_normal(size).astype(np.float32))
    hertz = np.arange(spectrum.size, dtype=np.float32) * np.float32(SAMPLE_RATE / size) + 1
    spectrum /= np.sqrt((1 + (low / hertz) ** 4) * (1 + (hertz / high) ** 4))
    wave = np.fft.irfft(spectrum, size).astype(np.float32)
    return wave * np.float32(0.3 / np.sqrt(np.mean(wave**2)))


def _sweep(time: Floats, hertz: float, times: float, speed: float) -> Floats:
    """Sine that starts ``times`` higher and settles on ``hertz`` in ``speed`` seconds."""
    fall = (times - 1) * speed * (1 - np.exp(-time / np.float32(speed)))
    return as_floats(np.sin(2 * np.pi * hertz * (time + fall)))


def _kick(m: Machine) -> Floats:
    time = _time(m.kick_ring * 4 + 0.1)
    body = _sweep(time, m.kick_hertz, m.kick_sweep, 0.02) * np.exp(-time / m.kick_ring)
    click = _noise(time[-1] + 0.01, 1500, 6000, 1)[: time.size] * np.exp(-time / 0.004)
    driven = np.tanh(m.drive * (body + m.kick_click * click))
    return as_floats(driven * np.minimum(1, time / 0.001) * m.kick_level)


def _snare(m: Machine) -> Floats:
    time = _time(m.snare_ring * 5 + 0.08)
    body = _sweep(time, m.snare_hertz, 1.7, 0.012) * np.exp(-time / 0.06)
    air = _noise(0.8, 1400, min(9000, m.hat_high), 2)
    air = np.resize(air, time.size) * np.exp(-time / m.snare_ring) * 2.4
    return as_floats(np.tanh(m.drive * ((1 - m.snare_air) * body + m.snare_air * air)) * 0.5)


def _clap(m: Machine) -> Floats:
    time = _time(m.snare_ring * 4 + 0.12)
    hands = sum(np.where(time >= at, np.exp(-(time - at) / 0.006), 0) for at in (0.0, 0.011, 0.021))
    tail = np.where(time >= 0.03, np.exp(-(time - 0.03) / m.snare_ring), 0)
    air = np.resize(_noise(0.8, 900, min(7000, m.hat_high), 3), time.size)
    return as_floats(np.tanh(2 * air * (hands + tail)) * 0.55)


def _hat(m: Machine, ring: float, seed: int) -> Floats:
    time = _time(ring * 6 + 0.05)
    metal = sum(np.sign(np.sin(2 * np.pi * f * time)) for f in (3110.0, 4170.0, 5330.0, 6710.0))
    air = _noise(time.size / SAMPLE_RATE + 0.001, m.hat_low, m.hat_high, seed)[: time.size]
    spectrum = np.fft.rfft(metal * 0.05)
    hertz = np.arange(spectrum.size) * SAMPLE_RATE / time.size
    spectrum *= (hertz > m.hat_low) / (1 + (hertz / m.hat_high) ** 4)
    metal = np.fft.irfft(spectrum, time.size)
    return as_floats((air + metal) * np.exp(-time / ring) * np.minimum(1, time / 0.0008) * 0.7)


def _tom(m: Machine, hertz: float) -> Floats:
    time = _time(0.6)
    return as_floats(np.tanh(m.drive * _sweep(time, hertz, 1.6, 0.05) * np.exp(-time / 0.17)) * 0.6)


def _short(m: Machine, low: float, high: float, ring: float, seed: int) -> Floats:
    time = _time(ring * 6)
    air = _noise(time.size / SAMPLE_RATE + 0.001, low, min(high, m.hat_high * 1.2), seed)
    return as_floats(air[: time.size] * np.exp(-time / ring) * np.minimum(1, time / 0.004))


def _bell(hertz: tuple[float, float], ring: float) -> Floats:
    time = _time(ring * 5)
    tone = sum(np.tanh(3 * np.sin(2 * np.pi * f * time)) for f in hertz)
    return as_floats(tone * np.exp(-time / ring) * 0.25)


@cache
def zones(name: str) -> tuple[Zone, ...]:
    """Return the zones of one of ``MACHINES``, one per percussion key.

    Raises:
        KeyError: There is no such machine.
    """
    m = MACHINES[name]
    sounds = {
        KICK: (_kick(m), 0.0, 0),
        RIM: (_bell((820, 1720), 0.02), -0.2, 0),
        SNARE: (_snare(m), 0.0, 0),
        CLAP: (_clap(m), 0.05, 0),
        CLOSED: (_hat(m, m.hat_ring, 4), 0.22, _HATS),
        OPEN: (_hat(m, m.hat_ring * 7 + 0.06, 5), 0.22, _HATS),
        LOW_TOM: (_tom(m, 95), -0.4, 0),
        MID_TOM: (_tom(m, 135), 0.0, 0),
        HIGH_TOM: (_tom(m, 190), 0.4, 0),
        CRASH: (_hat(m, 0.55, 6) * 0.6, -0.3, 0),
        RIDE: (_hat(m, 0.16, 7) * 0.6, -0.35, 0),
        COWBELL: (_bell((545, 812), 0.06), 0.35, 0),
        SHAKER: (_short(m, 5500, 13_000, 0.03, 8), -0.4, 0),
    }
    zones = []
    for key, (wave, pan, choke) in sounds.items():
        data = np.asarray(wave, dtype=np.float32)
        if m.crush > 1:
            data = np.repeat(data[:: m.crush], m.crush)
        zones.append(
            Zone(
                data=np.ascontiguousarray(data),
                loop=None,
                root=key,
                cents_per_key=0.0,
                keys=(key, key),
                pan=pan,
                choke=choke,
            )
        )
    return tuple(zones)
