"""Files that come with a request, as sound."""

from __future__ import annotations

import io

from domain.clip import ClipFailure
from domain.errors import GenerationError
from generation.audio import Audio, as_floats

LONGEST = 600.0
"""Seconds that are read; the rest is left out."""


def decoded(file: bytes) -> Audio | ClipFailure:
    """Return a file's sound, in one or two channels; what is wrong with it is a value.

    Args:
        file: WAV, FLAC, MP3 or Ogg.
    """
    import soundfile  # noqa: PLC0415 - only where there is such a file

    try:
        with soundfile.SoundFile(io.BytesIO(file)) as opened:
            samples = opened.read(int(LONGEST * opened.samplerate), "float32", always_2d=True)
            return Audio(samples=as_floats(samples[:, :2]), sample_rate=int(opened.samplerate))
    except (soundfile.LibsndfileError, GenerationError) as error:
        return ClipFailure(reason=f"The sound to start from cannot be read: {error}")
