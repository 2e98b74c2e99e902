"""The built-in encoder: interpretable measures first, then a wider vector, computed in numpy without weights."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from domain.errors import ScoringError
from scoring import rhythm, timbre, tonality
from scoring.encoder import EncoderInfo, Floats, Heard, checked, mono
from scoring.spectra import cosines, mel_filters, spectrogram
from scoring.windows import pieces

NAMED = (
    "tempo",
    "pulse",
    "onset_rate",
    "onset_strength",
    "swing",
    "percussive",
    "brightness",
    "bass",
    "warmth",
    "air",
    "noisiness",
    "dynamics",
    "crest",
    "width",
    "flutter",
    "major",
    "key_strength",
    "harmonic_change",
    "roughness",
    "register",
    "focus",
)
"""The interpretable measures in the order of the vector."""

BANDS, CEPSTRA, OCTAVES = 48, 16, 9
MODULATION = (0.5, 1.0, 2.0, 4.0, 8.0, 16.0)


def _names() -> tuple[str, ...]:
    wide = [f"cepstrum_{i}" for i in range(CEPSTRA)]
    wide += [f"cepstrum_spread_{i}" for i in range(CEPSTRA)]
    wide += [f"cepstrum_flux_{i}" for i in range(CEPSTRA)]
    wide += [f"band_level_{i}" for i in range(OCTAVES)]
    wide += [f"band_spread_{i}" for i in range(OCTAVES)]
    wide += [f"band_attack_{i}" for i in range(OCTAVES)]
    wide += [f"band_kick_{i}" for i in range(OCTAVES)]
    wide += [
        f"modulation_{low:g}_{region}" for region in ("low", "high") for low in MODULATION[:-1]
    ]
    wide += [f"pulse_lag_{i}" for i in range(rhythm.LAG_BINS)]
    wide += [f"degree_{i}" for i in range(12)]
    return NAMED + tuple(wide)


NAMES = _names()


class FeatureEncoder:
    """Own measures of tempo, colour, harmony and space. Loudness and sample rate do not matter."""

    info = EncoderInfo(
        id="features-1", version="1", licence="MIT", dimensions=len(NAMES), layers=1, names=NAMES
    )

    def encode(self, samples: NDArray[Any], sample_rate: int) -> Floats:
        """Embed one clip; see ``scoring.encoder.Encoder``. Silence gives a finite, dull vector.

        A long clip is what its beginning, middle and end are on average.
        """
        audio = checked(samples, sample_rate)
        parts = pieces(len(audio), sample_rate, most=3)
        if len(parts) == 1:
            return self._piece(audio, sample_rate)
        out: Floats = np.mean([self._piece(audio[part], sample_rate) for part in parts], axis=0)
        return out

    def encode_batch(self, clips: Sequence[NDArray[Any]], sample_rate: int) -> list[Heard]:
        """Embed clips one by one; see ``scoring.encoder.Encoder``."""
        out: list[Heard] = []
        for clip in clips:
            try:
                out.append(self.encode(clip, sample_rate))
            except ScoringError as error:
                out.append(error)
        return out

    def _piece(self, audio: Floats, sample_rate: int) -> Floats:
        sound = mono(audio)
        sound = sound - sound.mean()
        rms = float(np.sqrt(np.mean(sound.astype(np.float64) ** 2)))
        sound = (sound / rms if rms > 1e-7 else np.zeros_like(sound)).astype(np.float32)
        measures = _measure(audio, sound, sample_rate)
        out: Floats = np.concatenate(measures).astype(np.float32)[None, :]
        return np.nan_to_num(out, nan=0.0, posinf=0.0, neginf=0.0)


def _measure(audio: Floats, mono: Floats, sample_rate: int) -> list[NDArray[Any]]:
    short = spectrogram(mono, sample_rate, window=2048 / 44100, hop=512 / 44100)
    filters = mel_filters(len(short.frequencies), sample_rate / 2, BANDS, 30.0, 16000.0)
    bands = short.magnitude**2 @ filters
    beat = rhythm.listen(bands, short.frame_rate)
    colour = timbre.listen(audio, mono, short, bands)
    long = spectrogram(mono, sample_rate, window=8192 / 44100, hop=4096 / 44100)
    harmony = tonality.listen(long)
    named = {
        "tempo": np.log2(beat.tempo / 100.0),
        "pulse": beat.pulse,
        "onset_rate": np.log2(1.0 + beat.onset_rate),
        "onset_strength": beat.onset_strength,
        "swing": beat.swing,
        "percussive": colour.percussive,
        "brightness": colour.brightness,
        "bass": colour.bass,
        "warmth": colour.warmth,
        "air": colour.air,
        "noisiness": colour.noisiness,
        "dynamics": colour.dynamics,
        "crest": colour.crest,
        "width": colour.width,
        "flutter": colour.flutter,
        "major": harmony.major,
        "key_strength": harmony.key_strength,
        "harmonic_change": harmony.harmonic_change,
        "roughness": harmony.roughness,
        "register": harmony.register,
        "focus": harmony.focus,
    }
    return [
        np.array([named[name] for name in NAMED]),
        *_spectral_shape(bands),
        *_band_dynamics(bands),
        _modulation(bands, short.frame_rate),
        beat.profile,
        harmony.profile,
    ]


def _spectral_shape(bands: Floats) -> list[NDArray[Any]]:
    """Means, spreads and mean movements of mel cepstra, over frames that are not silent."""
    loud = timbre.loud_frames(bands)
    level = np.log(bands[loud] + 1e-7 * max(float(bands.max()), 1e-20))
    cepstra = level @ cosines(BANDS, CEPSTRA + 1)[:, 1:]
    movement = (
        np.abs(np.diff(cepstra, axis=0)).mean(axis=0) if len(cepstra) > 1 else np.zeros(CEPSTRA)
    )
    return [cepstra.mean(axis=0), cepstra.std(axis=0), movement]


def _grouped(bands: Floats) -> Floats:
    edges = np.linspace(0, BANDS, OCTAVES + 1).round().astype(int)[:-1]
    out: Floats = np.add.reduceat(bands, edges, axis=1)
    return out


def _band_dynamics(bands: Floats) -> list[NDArray[Any]]:
    """Level, spread, attack and skewness of nine wide bands in decades of power."""
    wide = _grouped(bands)
    total = max(float(wide.sum()) / len(wide), 1e-20)
    level = np.log10(wide / total + 1e-5)
    step = np.maximum(0.0, level[2:] - level[:-2]) if len(level) > 2 else np.zeros((1, OCTAVES))
    mean, spread = level.mean(axis=0), level.std(axis=0)
    skew = ((level - mean) ** 3).mean(axis=0) / (spread**3 + 1e-3)
    return [mean, spread, step.mean(axis=0), skew]


def _modulation(bands: Floats, frame_rate: float) -> NDArray[Any]:
    """Share of the level's movement in octaves of 0.5 to 16 Hz, for the lower and the upper half of the spectrum."""
    out = []
    for half in (bands[:, : BANDS // 2], bands[:, BANDS // 2 :]):
        level = np.sqrt(half.sum(axis=1)).astype(np.float64)
        spectrum = np.abs(np.fft.rfft(level - level.mean())) ** 2
        rates = np.fft.rfftfreq(len(level), 1 / frame_rate)
        total = spectrum[(rates >= MODULATION[0]) & (rates < MODULATION[-1])].sum() + 1e-9
        for low, high in pairwise(MODULATION):
            out.append(np.sqrt(spectrum[(rates >= low) & (rates < high)].sum() / total))
    return np.array(out)
