"""A piece as separate parts: each as it leaves its strip of the desk, with its own room and echo, in one ZIP.

The parts add up to the mix as it enters the bus. What the desk does to the sum after that (glue, tone, saturation,
tape, noises of a place) and mastering is left to whoever mixes them again; the README in the ZIP says so.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator

import numpy as np

from domain.errors import GenerationError
from domain.facets import TONICS
from generation.audio import SAMPLE_RATE, Audio, Floats
from generation.encode import LABEL, encode
from generation.generator import Score
from generation.midi import score_to_midi
from generation.planning.plan import Plan
from generation.sounding.mix import Bus, route, side
from generation.sounding.renderers import Renderer, kick_notes
from generation.sounding.sound import rendered

EXTENSIONS = ("flac", "wav")
"""Lossless kinds of file that stems are written as."""

_PEAK = 0.89
"""Level of the loudest sample of the parts and of their sum."""
_STAMP = (2000, 1, 1, 0, 0, 0)
"""A date for every file: the same piece is the same ZIP."""

_README = """{label}

{title}: {tempo:.2f} quarter notes a minute, {beats}/{value}, {key}. The first whole bar begins at {downbeat:.3f} s.

Each file is one part after its equaliser, compressor and panning, with its own reverb and echo. All have one length
and one gain, so laid on top of each other at 0 dB they are the mix before the bus: glue, tone, saturation and
mastering are not in them. score.mid has the notes.
"""


def stems(plan: Plan, score: Score, renderer: Renderer) -> Iterator[tuple[str, Floats]]:
    """Yield each part's name and sound, shape (2, frames), at the desk's level.

    Args:
        plan: What the sound should be.
        score: What is played.
        renderer: Who plays.
    """
    kicks = kick_notes(score.parts)
    seen: list[str] = []
    for number, stem in enumerate(rendered(plan, score, renderer), start=1):
        bus = Bus(plan, stem.samples.shape[1])
        route(plan, stem, kicks, bus, side(stem.role, seen))
        seen.append(stem.role)
        yield f"{number:02d}-{stem.role}-{stem.patch}", bus.finish()


def stems_zip(plan: Plan, score: Score, renderer: Renderer, *, extension: str = "flac") -> bytes:
    """Return a ZIP of every part, the score as MIDI, and a README.

    Parts are rendered twice, to find their common gain first, so that one at a time is in memory.

    Args:
        plan: What the sound should be.
        score: What is played.
        renderer: Who plays.
        extension: One of ``EXTENSIONS``.

    Raises:
        GenerationError: The extension is not one of those.
    """
    if extension not in EXTENSIONS:
        raise GenerationError(
            f"Stems cannot be written as {extension!r}. Choose one of {', '.join(EXTENSIONS)}."
        )
    total: Floats = np.zeros((2, 1), dtype=np.float32)
    loudest = 1e-6
    for _, samples in stems(plan, score, renderer):
        loudest = max(loudest, float(np.abs(samples).max()))
        total = samples if total.shape[1] == 1 else np.add(total, samples, out=total)
    gain = np.float32(_PEAK / max(loudest, float(np.abs(total).max())))
    del total
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, samples in stems(plan, score, renderer):
            audio = Audio(samples=np.ascontiguousarray(samples.T) * gain, sample_rate=SAMPLE_RATE)
            _put(archive, f"{name}.{extension}", encode(audio, extension=extension, title=name))
        _put(archive, "score.mid", score_to_midi(score))
        _put(archive, "README.txt", _readme(score).encode())
    return buffer.getvalue()


def _put(archive: zipfile.ZipFile, name: str, data: bytes) -> None:
    packed = zipfile.ZIP_STORED if name.endswith(".flac") else zipfile.ZIP_DEFLATED
    archive.writestr(zipfile.ZipInfo(name, date_time=_STAMP), data, compress_type=packed)


def _readme(score: Score) -> str:
    key = f"{TONICS[score.tonic]} {score.mode.replace('_', ' ')}" if score.mode else "no key"
    return _README.format(
        label=LABEL,
        title=score.title,
        tempo=score.quarter_bpm,
        beats=score.metre[0],
        value=score.metre[1],
        key=key,
        downbeat=score.downbeat,
    )
