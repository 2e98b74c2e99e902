"""Listening to a file that somebody sent, a window at a time, so that its length never shows in the memory used.

Everything about such a file is doubted: its type, what its header says, and that the sound in it can be decoded to
its end. What is wrong is named; what can be heard of a damaged file is heard.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from domain.errors import UploadError, UploadFault
from scoring.encoder import Floats
from scoring.windows import WINDOW, pieces

LARGEST = 100 * 2**20
"""Bytes of a file; as much as the largest upload to a server on Discord."""
LONGEST, SHORTEST = 30 * 60.0, 1.0
"""Seconds of sound."""
WINDOWS = 6
"""Windows read of a long file: three minutes tell what a track sounds like."""
RATES = (4000, 192_000)
MOST_CHANNELS = 8
AUDIBLE = 1e-3
"""RMS below which a window is silent (-60 dBFS); as in ``scoring.quality``."""
LOUDEST = 1000.0
"""Sample values beyond which a file of floats holds something other than sound."""
BLOCK = 2**13
"""Frames decoded at a time: damage takes the rest of its block along."""

UNKNOWN_LENGTH = 2**62
WANTED = "Send an MP3, WAV, FLAC, Ogg or Opus file"
SOUND = (b"RIFF", b"RF64", b"fLaC", b"OggS", b"ID3", b"FORM", b"caff", b".snd")
"""How files begin that hold sound which can be read."""
OTHER = {
    b"\x1aE\xdf\xa3": "a WebM or Matroska file",
    b"0&\xb2u": "a Windows Media file",
    b"MThd": "a MIDI file, which holds notes and no sound",
    b"\x89PNG": "a picture",
    b"\xff\xd8\xff": "a picture",
    b"GIF8": "a picture",
    b"PK\x03\x04": "an archive",
    b"%PDF": "a document",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """A stretch of a file.

    Attributes:
        samples: float32 (frames, channels), one or two channels, finite.
        sample_rate: In Hz, as in the file.
        start: Where it begins, in seconds.
    """

    samples: Floats
    sample_rate: int
    start: float


def read_windows(
    source: bytes | Path, *, longest: float = LONGEST, most: int = WINDOWS
) -> Iterator[Window]:
    """Yield what can be heard of a file: all of it up to 45 s, else windows of 30 s spread over its length.

    Silent windows are left out. A file that does not say how long it is, or that cannot be searched in, is heard from
    its beginning.

    Args:
        source: The file or its content.
        longest: Seconds.
        most: At most so many windows.

    Raises:
        UploadError: It is no sound, or damaged, too big, too long, too short or silent; says which.
    """
    size = len(source) if isinstance(source, bytes) else _size(source)
    if size > LARGEST:
        raise UploadError(
            UploadFault.TOO_BIG,
            f"The file has {size / 2**20:.0f} MB; the most is {LARGEST / 2**20:.0f} MB.",
        )
    heard, read = False, 0.0
    for window in _read(source, longest, most):
        read += len(window.samples) / window.sample_rate
        level = float(np.sqrt(np.mean(np.square(window.samples, dtype=np.float64))))
        if level >= AUDIBLE:
            heard = True
            yield window
    if heard:
        return
    if read >= SHORTEST:
        raise UploadError(UploadFault.SILENT, "The file is silent: there is nothing to hear in it.")
    raise _corrupt()


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError as error:
        raise UploadError(UploadFault.CORRUPT, f"{path.name} cannot be read.") from error


def _read(source: bytes | Path, longest: float, most: int) -> Iterator[Window]:
    import soundfile  # noqa: PLC0415  # slow, and the bot must start quickly

    try:
        with io.BytesIO(source) if isinstance(source, bytes) else source.open("rb", 0) as raw:
            begins = raw.read(16)
            raw.seek(0)
            # A path or an open file of a name would be read as headerless samples if it ended in ".raw".
            plain = raw if isinstance(raw, io.BytesIO) else raw.fileno()
            try:
                file = soundfile.SoundFile(plain, closefd=False)
            except (soundfile.SoundFileError, TypeError) as error:
                raise _unread(begins) from error
            with file:
                yield from _windows(file, longest, most)
    except OSError as error:
        raise _corrupt() from error


def _windows(file: Any, longest: float, most: int) -> Iterator[Window]:
    rate, frames = int(file.samplerate), int(file.frames)
    if not RATES[0] <= rate <= RATES[1] or not 1 <= file.channels <= MOST_CHANNELS:
        raise UploadError(
            UploadFault.WRONG_TYPE,
            f"The file says that it has {file.channels} channels of {rate:,} Hz; what can be heard has up to "
            f"{MOST_CHANNELS} of {RATES[0]:,} to {RATES[1]:,} Hz.",
        )
    parts = _from_start(rate, most)
    if 0 < frames < UNKNOWN_LENGTH:
        _check_length(frames / rate, longest)
        parts = pieces(frames, rate, most)
    found = False
    for part in parts:
        samples = _part(file, part)
        if len(samples) >= SHORTEST * rate:
            found = True
            yield Window(samples=samples, sample_rate=rate, start=part.start / rate)
    # Damage may make every place but the beginning unreachable.
    if not found and len(samples := _part(file, slice(0, parts[0].stop - parts[0].start))):
        yield Window(samples=samples, sample_rate=rate, start=0.0)


def _check_length(seconds: float, longest: float) -> None:
    if seconds > longest:
        raise UploadError(
            UploadFault.TOO_LONG,
            f"The file lasts {seconds / 60:.0f} minutes; the most is {longest / 60:.0f}. Send a part of it.",
        )
    if seconds < SHORTEST:
        raise UploadError(
            UploadFault.TOO_SHORT,
            f"The file lasts {seconds:.2f} s; at least {SHORTEST:.0f} s is needed to tell how it sounds.",
        )


def _from_start(rate: int, most: int) -> list[slice]:
    length = round(WINDOW * rate)
    return [slice(i * length, (i + 1) * length) for i in range(most)]


def _part(file: Any, part: slice) -> Floats:
    """Return what can be decoded of a part, (frames, 1 or 2), block by block."""
    import soundfile  # noqa: PLC0415

    blocks: list[Floats] = []
    missing = part.stop - part.start
    try:
        file.seek(part.start)
        while missing > 0 and len(block := file.read(min(BLOCK, missing), "float32", True)):
            missing -= len(block)
            blocks.append(block if file.channels <= 2 else block.mean(axis=1, keepdims=True))
    except soundfile.SoundFileError:
        pass  # what came before the damage is still good
    out: Floats = np.concatenate(blocks) if blocks else np.empty((0, 1), np.float32)
    if not np.isfinite(out).all() or np.abs(out).max(initial=0.0) > LOUDEST:
        raise _corrupt()
    return out


def _unread(begins: bytes) -> UploadError:
    for mark, what in OTHER.items():
        if begins.startswith(mark):
            return UploadError(UploadFault.WRONG_TYPE, f"That is {what}. {WANTED}.")
    if begins[4:8] == b"ftyp":
        return UploadError(
            UploadFault.WRONG_TYPE,
            f"That is an MP4 or M4A file, which cannot be read here. {WANTED}.",
        )
    if begins.startswith(SOUND) or (begins[:1] == b"\xff" and begins[1:2] >= b"\xe0"):
        return _corrupt()
    return UploadError(UploadFault.WRONG_TYPE, f"That is no sound file that can be read. {WANTED}.")


def _corrupt() -> UploadError:
    return UploadError(
        UploadFault.CORRUPT, "The file is damaged: no sound can be decoded from it. Save it again."
    )
