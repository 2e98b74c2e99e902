"""What came from a server as sound: checked, decoded no further than needed, as long as was asked."""

from __future__ import annotations

import io
from collections.abc import Callable

from domain.clip import ClipFailure, ClipRequest
from domain.errors import GenerationError
from generation.audio import LOUDEST, Audio, Floats, as_floats
from generation.remote.asking import complaint

ENOUGH = 0.8
"""Share of the asked length that a clip has at least; a shorter one is no clip of that length."""

FASTEST = 192_000
"""Frames per second of a file that is decoded."""


def heard(
    file: bytes, request: ClipRequest, host: str, safe: Callable[[str], str]
) -> Audio | ClipFailure:
    """Return the sound of a file, cropped to the length that was asked for.

    A clip that is a little too short stays so. One that lacks more than a fifth of its length is a failure: it would
    be judged against clips that had the time to go somewhere.

    Args:
        file: WAV, FLAC, MP3 or Ogg, if all is well.
        request: What was asked for.
        host: Of the server, for sentences.
        safe: Makes a server's words fit to be shown, see ``Asker.safe``.
    """
    import soundfile  # noqa: PLC0415 - only where a file came

    if not file:
        return ClipFailure(reason=f"{host} sent an empty file.")
    try:
        with soundfile.SoundFile(io.BytesIO(file)) as opened:
            rate, channels = int(opened.samplerate), int(opened.channels)
            if channels > 2 or rate > FASTEST:
                return ClipFailure(
                    reason=f"{host} sent sound of {channels} channels at {rate} Hz, which nobody asked for."
                )
            samples = opened.read(round(request.seconds * rate), "float32", always_2d=True)
    except (soundfile.SoundFileError, RuntimeError, ValueError):
        return ClipFailure(reason=_no_sound(file, host, safe))
    seconds = len(samples) / rate
    if seconds < ENOUGH * request.seconds:
        return ClipFailure(
            reason=f"{host} made {seconds:.1f} s of sound instead of {request.seconds:g} s; "
            "ask for shorter clips or for another model."
        )
    return _checked(as_floats(samples), rate, host)


def _checked(samples: Floats, rate: int, host: str) -> Audio | ClipFailure:
    try:
        audio = Audio(samples=samples, sample_rate=rate)
    except GenerationError as error:
        return ClipFailure(reason=f"{host} sent sound that cannot be used. {error}")
    loudest = float(abs(samples).max())
    if loudest > LOUDEST:
        return ClipFailure(
            reason=f"{host} sent sound that cannot be used: a sample is {loudest:.0e}, and full scale is 1."
        )
    return audio


def _no_sound(file: bytes, host: str, safe: Callable[[str], str]) -> str:
    head = file[:200].lstrip().lower()
    if head.startswith((b"<!doctype", b"<html")):
        return f"{host} sent a web page instead of sound; check the url."
    if head.startswith(b"{"):
        return f"{host} sent words instead of sound.{safe(complaint(file))}"
    return f"{host} sent {len(file)} bytes that are no WAV, FLAC, MP3 or Ogg file."
