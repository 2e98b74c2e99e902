"""Audio files in memory: MP3, Opus, FLAC and WAV through soundfile, with the label that a machine made them."""

from __future__ import annotations

import io
from dataclasses import dataclass

import numpy as np

from domain.errors import GenerationError
from generation import id3
from generation.audio import Audio, Floats
from generation.resampling import resampled

LABEL = "AI-made by Tunebreeder"
"""Written into every file that can carry it."""
UNTITLED = "Untitled clip"

_BLOCK = 65_536
"""Frames per write: Vorbis encoders overflow the stack when handed a minute at once."""
_OPUS_RATE = 48_000
_LONGEST_TAG = 500
_ID3 = {"title": "TIT2", "artist": "TPE1", "software": "TSSE", "comment": "COMM"}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Format:
    """How libsndfile is asked for a file.

    ``compression`` is libsndfile's level from 0 (largest) to 1 (smallest). For variable-bitrate MP3 0.3 is about
    170 kbit/s, a fifth quicker and closer to the original than a constant 160; for Opus 0.7 is about 130 kbit/s.
    """

    container: str
    coding: str
    media_type: str
    compression: float | None = None
    bitrate: str | None = None


FORMATS = {
    "mp3": _Format(
        container="MP3",
        coding="MPEG_LAYER_III",
        media_type="audio/mpeg",
        compression=0.3,
        bitrate="VARIABLE",
    ),
    "ogg": _Format(container="OGG", coding="OPUS", media_type="audio/ogg", compression=0.7),
    "opus": _Format(container="OGG", coding="OPUS", media_type="audio/ogg", compression=0.7),
    "flac": _Format(container="FLAC", coding="PCM_16", media_type="audio/flac"),
    "wav": _Format(container="WAV", coding="PCM_16", media_type="audio/wav"),
}
"""What ``encode`` can write, by file extension."""


def media_type(extension: str) -> str:
    """Return the media type of a file extension, such as ``"audio/mpeg"``.

    Raises:
        GenerationError: The extension is not one of ``FORMATS``.
    """
    return _format(extension).media_type


def encode(audio: Audio, *, extension: str = "mp3", title: str = "", comment: str = "") -> bytes:
    """Encode to a file in memory.

    Args:
        audio: What to encode. Opus resamples it to 48 kHz.
        extension: One of ``FORMATS``.
        title: Title tag.
        comment: Comment tag; the label that a machine made the file is put before it.

    Raises:
        GenerationError: The extension is unknown, or the encoder fails.
    """
    import soundfile  # noqa: PLC0415  # slow, and the bot must start quickly

    wanted = _format(extension)
    samples, rate = audio.samples, audio.sample_rate
    if wanted.coding == "OPUS" and rate != _OPUS_RATE:
        samples, rate = _resample(samples, rate, _OPUS_RATE), _OPUS_RATE
    buffer = io.BytesIO()
    words = _words(title, comment)
    try:
        with soundfile.SoundFile(
            buffer,
            mode="w",
            samplerate=rate,
            channels=audio.channels,
            format=wanted.container,
            subtype=wanted.coding,
            compression_level=wanted.compression,
            bitrate_mode=wanted.bitrate,
        ) as file:
            if wanted.container != "MP3":
                for key, value in words.items():
                    setattr(file, key, value)
            for start in range(0, len(samples), _BLOCK):
                file.write(samples[start : start + _BLOCK])
    except (soundfile.SoundFileError, OSError) as error:
        raise GenerationError(f"The clip could not be written as {extension}: {error}") from error
    if wanted.container == "MP3":
        frames = {_ID3[key]: value for key, value in words.items()}
        return id3.tag(frames) + buffer.getvalue()
    return buffer.getvalue()


def _words(title: str, comment: str) -> dict[str, str]:
    """Tags by libsndfile's names. Control characters would end a field early in some players."""
    said = f"{LABEL}. {comment}" if comment else LABEL
    words = {
        "title": title or UNTITLED,
        "artist": "Tunebreeder",
        "software": "Tunebreeder",
        "comment": said,
    }
    return {
        key: "".join(c if c.isprintable() else " " for c in text)[:_LONGEST_TAG]
        for key, text in words.items()
    }


def decode(data: bytes) -> Audio:
    """Decode a file that libsndfile knows: MP3, Ogg, FLAC, WAV and more, not M4A.

    Channels past the second are left out.

    Raises:
        GenerationError: It is no such file, or holds no sound.
    """
    import soundfile  # noqa: PLC0415

    try:
        samples, rate = soundfile.read(io.BytesIO(data), dtype="float32", always_2d=True)
    except (soundfile.SoundFileError, OSError) as error:
        raise GenerationError("This is not an audio file that can be read.") from error
    return Audio(samples=np.ascontiguousarray(samples[:, :2]), sample_rate=int(rate))


def read_tags(data: bytes) -> dict[str, str]:
    """Return the text tags of an encoded file, such as ``{"title": ..., "comment": ...}``.

    Raises:
        GenerationError: It is not an audio file.
    """
    import soundfile  # noqa: PLC0415

    try:
        with soundfile.SoundFile(io.BytesIO(data)) as file:
            return {key: value for key, value in file.copy_metadata().items() if value}
    except (soundfile.SoundFileError, OSError) as error:
        raise GenerationError("This is not an audio file that can be read.") from error


def waveform(audio: Audio, points: int = 256) -> tuple[float, ...]:
    """Return peaks for drawing.

    Args:
        audio: What to draw.
        points: How many, at least 1; fewer come back when there are fewer frames.

    Returns:
        Values in [0, 1], the loudest being 1 unless all is silent.
    """
    level = np.abs(audio.samples).max(axis=1)
    count = max(1, min(points, level.size))
    edges = np.linspace(0, level.size, count + 1).astype(int)[:-1]
    peaks = np.maximum.reduceat(level, edges)
    top = float(peaks.max())
    scaled = peaks / top if top > 0 else peaks
    return tuple(round(float(p), 4) for p in scaled)


def _format(extension: str) -> _Format:
    wanted = FORMATS.get(extension.lower().lstrip("."))
    if wanted is None:
        raise GenerationError(
            f"Clips cannot be written as {extension!r}. Choose one of {', '.join(FORMATS)}."
        )
    return wanted


def _resample(samples: Floats, rate: int, target: int) -> Floats:
    return np.clip(resampled(samples, rate, target), -1, 1)
