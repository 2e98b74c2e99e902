"""Twelve ways to break a clip, each in three severities, mildest first. It shares no code with the gate."""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import soundfile
from numpy.typing import NDArray
from scipy.signal import resample_poly

Floats = NDArray[np.float32]
Damage = Callable[[Floats, int, np.random.Generator], NDArray[Any]]


def rms(samples: NDArray[Any]) -> float:
    """Return the root mean square of all samples."""
    return float(np.sqrt(np.mean(np.square(samples, dtype=np.float64))))


def _noise(ratio: float) -> Damage:
    """White noise, different on each side, ``ratio`` dB below the music."""

    def apply(x: Floats, _rate: int, rng: np.random.Generator) -> NDArray[Any]:
        return np.asarray(x + rng.standard_normal(x.shape) * rms(x) * 10 ** (-ratio / 20))

    return apply


def _clipping(over: float) -> Damage:
    """Turned up by so many dB into a ceiling at its old peak."""

    def apply(x: Floats, _rate: int, _rng: np.random.Generator) -> NDArray[Any]:
        peak = float(np.abs(x).max())
        return np.asarray(np.clip(x * 10 ** (over / 20), -peak, peak))

    return apply


def _silence(share: float) -> Damage:
    """So much of the clip is silent, in one stretch that begins anywhere."""

    def apply(x: Floats, _rate: int, rng: np.random.Generator) -> NDArray[Any]:
        out = x.copy()
        length = int(share * len(x))
        start = int(rng.integers(len(x) - length + 1))
        out[start : start + length] = 0.0
        return out

    return apply


def _hum(ratio: float) -> Damage:
    """Mains of 50 or 60 Hz with its harmonics, ``ratio`` dB below the music."""

    def apply(x: Floats, rate: int, rng: np.random.Generator) -> NDArray[Any]:
        t, base = np.arange(len(x)) / rate, float(rng.choice([50.0, 60.0]))
        wave = sum(
            np.sin(2 * np.pi * base * k * t + rng.uniform(0, 6)) / k**1.2 for k in range(1, 8)
        )
        wave = np.asarray(wave)
        return np.asarray(x + (wave / rms(wave) * rms(x) * 10 ** (-ratio / 20))[:, None])

    return apply


def _offset(level: float) -> Damage:
    """A constant of so much of full scale, and what no longer fits is cut off."""

    def apply(x: Floats, _rate: int, rng: np.random.Generator) -> NDArray[Any]:
        return np.asarray(np.clip(x + level * rng.choice([-1.0, 1.0]), -1.0, 1.0))

    return apply


def _clicks(per_second: float) -> Damage:
    """Spikes of one to six samples, half to all of the peak high."""

    def apply(x: Floats, rate: int, rng: np.random.Generator) -> NDArray[Any]:
        out, peak = x.copy(), float(np.abs(x).max())
        for at in rng.integers(8, len(x) - 8, round(per_second * len(x) / rate)):
            size = int(rng.integers(1, 7))
            out[at : at + size] += np.float32(peak * rng.uniform(0.5, 1.0) * rng.choice([-1, 1]))
        return np.clip(out, -1.0, 1.0)

    return apply


def _through(x: Floats, rate: int, to: int) -> Floats:
    """Return it at another rate, the same file length up to rounding when sent back."""
    divisor = int(np.gcd(rate, to))
    out: Floats = resample_poly(x, to // divisor, rate // divisor, axis=0).astype(np.float32)
    return out


def _mp3(rate_inside: int) -> Damage:
    """Through MP3 in mono at 8 kbit/s, the least that the rate has."""

    def apply(x: Floats, rate: int, _rng: np.random.Generator) -> NDArray[Any]:
        options = {"compression_level": 0.99, "bitrate_mode": "CONSTANT"}
        return _coded(x, rate, rate_inside, ("MP3", "MPEG_LAYER_III"), options)

    return apply


def _opus(x: Floats, rate: int, _rng: np.random.Generator) -> NDArray[Any]:
    """Through Opus in mono at 6 kbit/s, where it is a codec for speech."""
    return _coded(x, rate, 48000, ("OGG", "OPUS"), {"compression_level": 1.0})


def _coded(
    x: Floats, rate: int, rate_inside: int, form: tuple[str, str], options: Mapping[str, Any]
) -> NDArray[Any]:
    low = np.clip(_through(x.mean(axis=1, keepdims=True), rate, rate_inside), -1.0, 1.0)
    file = io.BytesIO()
    with soundfile.SoundFile(file, "w", rate_inside, 1, form[1], format=form[0], **options) as out:
        out.write(low)
    file.seek(0)
    heard: Floats = soundfile.read(file, dtype="float32", always_2d=True)[0]
    return np.repeat(_through(heard, rate_inside, rate)[: len(x)], x.shape[1], axis=1)


def _bits(x: Floats, rate: int, _rng: np.random.Generator) -> NDArray[Any]:
    """In 16 steps at 8 kHz."""
    return _through((np.round(_through(x, rate, 8000) * 8) / 8).astype(np.float32), 8000, rate)[
        : len(x)
    ]


def _dropouts(share: float) -> Damage:
    """So much of the time is cut out in gaps of 15 to 60 ms."""

    def apply(x: Floats, rate: int, rng: np.random.Generator) -> NDArray[Any]:
        out, missing = x.copy(), share * len(x)
        while missing > 0:
            size = int(rng.uniform(0.015, 0.06) * rate)
            at = int(rng.integers(len(x) - size))
            out[at : at + size] = 0.0
            missing -= size
        return out

    return apply


def _frozen(share: float) -> Damage:
    """From somewhere on, for so much of the clip, the same 60 ms come again and again, joined softly."""

    def apply(x: Floats, rate: int, rng: np.random.Generator) -> NDArray[Any]:
        out, size, edge = x.copy(), int(0.06 * rate), int(0.01 * rate)
        length = int(share * len(x))
        places = (
            rng.integers(edge, len(x) - length - size, 12)
            if share < 1
            else rng.integers(edge, len(x) - size, 12)
        )
        start = max(map(int, places), key=lambda at: rms(x[at : at + size]))
        frame = x[start : start + size].copy()
        ramp = np.linspace(0, 1, edge, dtype=np.float32)[:, None]
        frame[-edge:] = frame[-edge:] * (1 - ramp) + x[start - edge : start] * ramp
        repeated = np.tile(frame, (-(-length // size), 1))[:length]
        begin = start if share < 1 else 0
        out[begin : begin + length] = repeated
        return out

    return apply


def _tone(x: Floats, rate: int, rng: np.random.Generator) -> NDArray[Any]:
    """A steady tone in the place of the music."""
    t = np.arange(len(x)) / rate
    wave = np.sin(2 * np.pi * float(rng.uniform(150, 2000)) * t)
    return np.repeat((wave * rms(x) * np.sqrt(2))[:, None], x.shape[1], axis=1)


def _inverted(share: float) -> Damage:
    """The right side turns into the left one upside down."""

    def apply(x: Floats, _rate: int, _rng: np.random.Generator) -> NDArray[Any]:
        out = np.repeat(x, 2, axis=1) if x.shape[1] == 1 else x.copy()
        out[:, 1] *= np.float32(1 - 2 * share)
        return out

    return apply


def _level(gain: float) -> Damage:
    """Turned up or down, by so many dB; what is beyond full scale stays there, as it does in an array of floats."""

    def apply(x: Floats, _rate: int, _rng: np.random.Generator) -> NDArray[Any]:
        return x * 10 ** (gain / 20)

    return apply


def _cut(*, start: bool, end: bool) -> Damage:
    """Begins or ends in the middle of a loud moment, without any fade."""

    def apply(x: Floats, rate: int, rng: np.random.Generator) -> NDArray[Any]:
        size = int(0.02 * rate)
        edge = int(0.3 * len(x))
        level = np.sqrt(
            np.mean(x[: len(x) // size * size].reshape(-1, size * x.shape[1]) ** 2, axis=1)
        )

        def loud(first: int, last: int) -> int:
            inside = np.arange(first // size, last // size)
            good = inside[level[inside] >= np.median(level[inside])]
            return int(rng.choice(good)) * size + size // 2

        begin = loud(size, edge) if start else 0
        stop = loud(len(x) - edge, len(x) - size) if end else len(x)
        return x[begin:stop]

    return apply


DEFECTS: Mapping[str, Mapping[str, Damage]] = {
    "noise": {"20 dB": _noise(20), "10 dB": _noise(10), "0 dB": _noise(0)},
    "clipping": {"6 dB": _clipping(6), "12 dB": _clipping(12), "20 dB": _clipping(20)},
    "silence": {"50 %": _silence(0.5), "70 %": _silence(0.7), "90 %": _silence(0.9)},
    "hum": {"-20 dB": _hum(20), "-10 dB": _hum(10), "0 dB": _hum(0)},
    "offset": {"0.05": _offset(0.05), "0.1": _offset(0.1), "0.3": _offset(0.3)},
    "clicks": {"2/s": _clicks(2), "6/s": _clicks(6), "20/s": _clicks(20)},
    "codec": {
        "MP3, 8 kbit/s at 16 kHz": _mp3(16000),
        "Opus, 6 kbit/s": _opus,
        "4 bits at 8 kHz": _bits,
    },
    "dropouts": {"3 %": _dropouts(0.03), "10 %": _dropouts(0.1), "25 %": _dropouts(0.25)},
    "stuck": {"40 % frozen": _frozen(0.4), "80 % frozen": _frozen(0.8), "a tone": _tone},
    "inverted": {"75 %": _inverted(0.75), "90 %": _inverted(0.9), "100 %": _inverted(1.0)},
    "level": {"-25 dB": _level(-25), "-40 dB": _level(-40), "+12 dB": _level(12)},
    "cut": {
        "end": _cut(start=False, end=True),
        "start": _cut(start=True, end=False),
        "both": _cut(start=True, end=True),
    },
}
"""Severities by name for each kind of defect."""
