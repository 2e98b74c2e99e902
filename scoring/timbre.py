"""Colour, dynamics and space: measures of the spectrum and of the loudness over time."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from scoring.spectra import Floats, Spectrogram, running_median

Doubles = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Timbre:
    """What was heard of the sound.

    Attributes:
        brightness: Octaves of the spectral centroid above 100 Hz.
        bass: Log10 of the energy share below 150 Hz.
        warmth: Log10 of the energy share of 150 to 600 Hz.
        air: Log10 of the energy share above 6 kHz.
        noisiness: Log10 of the median spectral flatness between 100 Hz and 12 kHz.
        dynamics: dB between loud and quiet moments of 0.2 s.
        crest: dB between peak and RMS.
        percussive: Share of the energy in vertical (struck) parts of the spectrogram, in [0, 1].
        width: Log10 of the side to mid level, -3 for mono.
        flutter: Share of the loudness movement between 4 and 10 Hz, in [0, 1].
    """

    brightness: float
    bass: float
    warmth: float
    air: float
    noisiness: float
    dynamics: float
    crest: float
    percussive: float
    width: float
    flutter: float


def _share(power: Floats, frequencies: Doubles, low: float, high: float, floor: float) -> float:
    band = power[:, (frequencies >= low) & (frequencies < high)].sum(dtype=np.float64)
    total = float(power.sum(dtype=np.float64)) + 1e-20
    return float(np.log10(band / total + floor))


def loud_frames(power: Floats) -> NDArray[np.bool_]:
    """Return the frames within 40 dB of the loudest one."""
    energy = power.sum(axis=1)
    return np.asarray(energy >= 1e-4 * float(energy.max()))


def _brightness(spectra: Spectrogram, loud: NDArray[np.bool_]) -> float:
    """Return the amplitude-weighted centroid on a log axis, which one cymbal cannot drag as far as it does in Hz."""
    frequencies = spectra.frequencies
    inside = (frequencies > 60) & (frequencies < 16000)
    octaves = np.log2(frequencies[inside] / 100.0)
    # Bins are denser per octave towards the top; dividing by frequency makes octaves equal.
    amplitude = spectra.magnitude[loud][:, inside] / np.sqrt(frequencies[inside])
    centroid = (amplitude * octaves).sum(axis=1) / (amplitude.sum(axis=1) + 1e-12)
    return float(np.median(centroid))


def _flatness(power: Floats, frequencies: Doubles) -> float:
    inside = (frequencies > 100) & (frequencies < min(12000.0, 0.95 * float(frequencies[-1])))
    part = power[:, inside] + 1e-12
    # Every second bin: neighbours share a window's main lobe and say the same.
    part = part[:, ::2]
    flat = np.exp(np.log(part).mean(axis=1)) / part.mean(axis=1)
    return float(np.log10(np.median(flat) + 1e-6))


def _percussive(bands: Floats) -> float:
    """Median filtering separates what is steady from what is struck (Fitzgerald 2010), here on mel bands."""
    level = np.sqrt(bands)
    steady = running_median(level, 17, axis=0)
    struck = running_median(level, 9, axis=1)
    mask = struck**2 / (struck**2 + steady**2 + 1e-20)
    return float((bands * mask).sum() / (bands.sum() + 1e-20))


def _movement(energy: Doubles, frame_rate: float) -> tuple[float, float]:
    """Return dynamics in dB and the share of fast loudness movement."""
    width = max(1, round(0.2 * frame_rate))
    smooth = np.convolve(energy, np.ones(width) / width, "valid") if len(energy) > width else energy
    level = 10 * np.log10(smooth + 1e-6 * smooth.max() + 1e-20)
    dynamics = float(np.percentile(level, 95) - np.percentile(level, 15))
    amplitude = np.sqrt(energy)
    spectrum = np.abs(np.fft.rfft(amplitude - amplitude.mean())) ** 2
    rates = np.fft.rfftfreq(len(amplitude), 1 / frame_rate)
    wide = spectrum[(rates > 0.4) & (rates < 16)].sum()
    fast = spectrum[(rates > 4) & (rates < 10)].sum()
    return dynamics, float(fast / (wide + 1e-12)) if wide > 0 else 0.0


def _width(audio: Floats) -> float:
    if audio.shape[1] < 2:
        return -3.0
    left, right = audio[:, 0], audio[:, 1]
    both = float(left @ left + right @ right)
    cross = 2.0 * float(left @ right)
    mid, side = max(both + cross, 0.0), max(both - cross, 0.0)
    return float(np.clip(0.5 * np.log10((side + 1e-12) / (mid + 1e-12) + 1e-6), -3.0, 1.0))


def listen(audio: Floats, mono: Floats, spectra: Spectrogram, bands: Floats) -> Timbre:
    """Hear the sound.

    Args:
        audio: (frames, channels).
        mono: (frames,), at RMS 1.
        spectra: Windows of about 46 ms.
        bands: Mel power (frames, bands) of the same windows.
    """
    power = spectra.magnitude**2
    loud = loud_frames(power)
    frequencies = spectra.frequencies
    dynamics, flutter = _movement(power.sum(axis=1).astype(np.float64), spectra.frame_rate)
    return Timbre(
        brightness=_brightness(spectra, loud),
        bass=_share(power, frequencies, 20, 150, 1e-3),
        warmth=_share(power, frequencies, 150, 600, 1e-3),
        air=_share(power, frequencies, 6000, 24000, 1e-6),
        noisiness=_flatness(power[loud][::2], frequencies),
        dynamics=dynamics,
        crest=float(20 * np.log10(np.abs(mono).max() + 1e-6)),
        percussive=_percussive(bands[::2]),
        width=_width(audio),
        flutter=flutter,
    )
