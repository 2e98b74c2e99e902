"""Sounds that come with a request."""

from __future__ import annotations

import io

import numpy as np

from domain.clip import ClipFailure, Source, SourceUse
from domain.errors import GenerationError
from generation.audio import Audio, Floats, as_floats
from generation.resampling import resampled

FASTEST = 192_000
"""Frames per second of a file that is decoded."""
LONGEST = 600.0
"""Seconds that are read; the rest is left out."""
BEYOND = 1.0
"""Seconds after the end of a clip that are read too, for the filter that brings them to another rate."""


def decoded(file: bytes, longest: float = LONGEST) -> Audio | ClipFailure:
    """Return a file's sound, in one or two channels; what is wrong with it is a value.

    Args:
        file: WAV, FLAC, MP3 or Ogg.
        longest: Seconds that are read.
    """
    import soundfile  # noqa: PLC0415 - only where there is such a file

    try:
        with soundfile.SoundFile(io.BytesIO(file)) as opened:
            if opened.channels > 2 or opened.samplerate > FASTEST:
                return ClipFailure(
                    reason=f"The sound to start from has {opened.channels} channels at {opened.samplerate} Hz; "
                    f"send one or two channels at {FASTEST} Hz at most."
                )
            samples = opened.read(int(longest * opened.samplerate), "float32", always_2d=True)
            return Audio(samples=as_floats(samples), sample_rate=int(opened.samplerate))
    except (soundfile.LibsndfileError, GenerationError) as error:
        return ClipFailure(reason=f"The sound to start from cannot be read: {error}")


def prepared(source: Source, rate: int, seconds: float) -> Floats | ClipFailure:
    """Return a sound to vary or to fill (frames, 2) at ``rate``, as long as a clip of ``seconds``.

    It is its beginning, with silence after its end. What is wrong with it, or with what is to be done, is a value.
    """
    if source.use is SourceUse.VARY and not 0 <= source.strength <= 1:
        return ClipFailure(reason=f"A strength is between 0 and 1, not {source.strength:g}.")
    if source.use is SourceUse.FILL and not 0 <= source.start < source.end <= seconds:
        return ClipFailure(
            reason=f"There is no stretch from {source.start:g} to {source.end:g} s in a clip of {seconds:g} s."
        )
    heard = decoded(source.audio, seconds + BEYOND)
    if isinstance(heard, ClipFailure):
        return heard
    there = resampled(heard.samples, heard.sample_rate, rate)
    return in_stereo(_fitted(there, round(seconds * rate)))


def in_stereo(samples: Floats) -> Floats:
    """Return sound (frames, 1 or 2) in two channels."""
    return as_floats(np.broadcast_to(samples, (len(samples), 2)))


def spliced(first: bytes, second: bytes, seconds: float) -> bytes | ClipFailure:
    """Return the first half of one file and the second half of another as one FLAC file: a crossover in time.

    Nothing is done about the seam, which a generator is to make anew.

    Args:
        first: Begins; its rate and channels are those of the result.
        second: Ends.
        seconds: Length of the result. A file that is shorter is followed by silence.
    """
    import soundfile  # noqa: PLC0415 - only where there are such files

    begin, end = decoded(first), decoded(second)
    if isinstance(begin, ClipFailure):
        return begin
    if isinstance(end, ClipFailure):
        return end
    rate, frames = begin.sample_rate, round(seconds * begin.sample_rate)
    other = resampled(end.samples, end.sample_rate, rate)
    other = (
        np.broadcast_to(other.mean(axis=1, keepdims=True), (len(other), begin.channels))
        if (other.shape[1] != begin.channels)
        else other
    )
    half = frames // 2
    out = np.concatenate([_fitted(begin.samples, frames)[:half], _fitted(other, frames)[half:]])
    file = io.BytesIO()
    soundfile.write(file, np.clip(out, -1.0, 1.0), rate, format="FLAC")
    return file.getvalue()


def _fitted(samples: Floats, frames: int) -> Floats:
    """Return (frames, channels), cut or followed by silence."""
    return as_floats(np.pad(samples[:frames], ((0, max(0, frames - len(samples))), (0, 0))))
