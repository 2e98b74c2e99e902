"""A clip is rendered audio with everything that made it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from domain.ids import CandidateId, ClipId, RunId

BUILT_IN = "composer"
"""Name of the generator that needs no weights and plays descriptions."""
STANDS_IN_FOR = "MusicGen"
"""What it stands in for."""

DRAFT = "draft"
"""Set in the description of a clip that is only a draft of what was asked for."""
MADE_FROM = "made_from"
"""In the description of a clip that was made from another sound: what was done with that, a ``SourceUse``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GeneratorInfo:
    """What makes sound, said aloud.

    Attributes:
        name: Registry name, such as ``"composer"``.
        version: Changes whenever the same request would give other sound.
        licence: Licence of the weights or of the sound library in use.
        stand_in_for: The real model that this built-in default stands in for, or ``""``.
        details: More for ``/about``, such as the renderer and SoundFont in use.
    """

    name: str
    version: str
    licence: str
    stand_in_for: str = ""
    details: Mapping[str, str] = field(default_factory=dict)


class SourceUse(StrEnum):
    """What a generator is to do with a sound that comes with a request."""

    CONTINUE = "continue"
    """Begin with it, or with its end where there is no room for all of it, and go on."""
    MELODY = "melody"
    """Follow its melody, with other players."""
    VARY = "vary"
    """Start from it and change it."""
    FILL = "fill"
    """Keep it, and make a stretch of it anew."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """A sound to make a clip from. Picklable.

    Attributes:
        audio: A file: WAV, FLAC, MP3 or Ogg.
        use: What to do with it.
        strength: For ``VARY``, how much of it goes, in [0, 1]: 0 keeps it, 1 makes another clip.
        start: For ``FILL``, where the new stretch begins, in seconds.
        end: For ``FILL``, where it ends; for ``CONTINUE``, how much of the sound is heard: what a clip of ours ends
            with fades out. 0 is all of it.
    """

    audio: bytes
    use: SourceUse
    strength: float = 0.5
    start: float = 0.0
    end: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class ClipRequest:
    """One clip to render. Picklable: it crosses to the device worker.

    Attributes:
        prompt: What the music should be.
        seed: In [0, 2**31). Same request, same generator version, same sound.
        seconds: Length in [1, 600].
        description: A ``domain.description.Description`` as JSON to play instead of reading the prompt, or ``None``.
            Generators that cannot play one take the prompt, which says the same in words.
        facets: ``domain.facets.Facets`` as JSON to compose from instead of reading the prompt, where words would be
            too coarse; or ``None``. A description goes before it.
        source: A sound to make it from, for generators that can; or ``None``.
        embedding: float32, flattened (tokens, numbers of a token): what a text encoder would say of words that nobody
            wrote, for generators that take it in place of the prompt; or ``b""``.
        draft: Whether a quick, small version will do, to judge the music by; it has the same prompt and seed.
        generator: What is to make it, of those that the settings name; ``""`` is the default one.
    """

    prompt: str
    seed: int
    seconds: float
    description: Mapping[str, Any] | None = None
    facets: Mapping[str, Any] | None = None
    source: Source | None = None
    embedding: bytes = b""
    draft: bool = False
    generator: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ClipFailure:
    """A clip that could not be made. The rest of the batch goes on."""

    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RenderedClip:
    """A finished clip on its way from the device worker to storage. Picklable.

    Attributes:
        request: What was asked for.
        generator: What made it.
        audio: The encoded file.
        media_type: Such as ``"audio/mpeg"``.
        extension: Such as ``"mp3"``, without a dot.
        seconds: Length of the audio.
        loudness: Integrated loudness in LUFS.
        waveform: Up to 256 peaks in [0, 1] for drawing.
        encoder_id: Encoder and version that made ``embedding``.
        embedding: float32, flattened.
        quality: In [0, 1]; 1 is clean.
        defects: Strength in [0, 1] of each defect found, by name.
        description: What was composed (tempo, key, chords ...), for lineage and ``Why``; JSON-safe.
        adherence: In [0, 1], whether it does what its prompt says; ``None`` where nothing could be checked.
        further: What learned encoders make of it, by encoder id: float32, flattened.
    """

    request: ClipRequest
    generator: GeneratorInfo
    audio: bytes
    media_type: str
    extension: str
    seconds: float
    loudness: float
    waveform: tuple[float, ...]
    encoder_id: str
    embedding: bytes
    quality: float
    defects: Mapping[str, float]
    description: Mapping[str, Any]
    adherence: float | None = None
    further: Mapping[str, bytes] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class HeardTrack:
    """A track that somebody sent, heard whole. Picklable. Nothing of its sound is in it.

    Attributes:
        encoder_id: Encoder and version that made ``embedding``.
        embedding: float32, flattened: one place for the whole track.
        seconds: Length of the track.
    """

    encoder_id: str
    embedding: bytes
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class ArchivedClip:
    """What breeding needs to know of a stored clip; a run has hundreds of them. Fields as in ``Clip``."""

    id: ClipId
    candidate_id: CandidateId
    generation: int
    family: str
    quality: float
    posted_slot: int | None
    broken: bool
    original_id: ClipId | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Clip:
    """A stored clip. Its audio lies in the audio store under ``sha256``.

    ``posted_slot`` is 1 to 4 once the clip was chosen for a round, else ``None``; ``role`` says why it was chosen.
    ``original_id`` and ``original_generation`` are set for an old clip that was posted again in a later round.
    """

    id: ClipId
    run_id: RunId
    generation: int
    candidate_id: CandidateId
    prompt: str
    family: str
    seed: int
    seconds: float
    sha256: str
    extension: str
    media_type: str
    loudness: float
    waveform: tuple[float, ...]
    encoder_id: str
    quality: float
    generator: str
    generator_version: str
    licence: str
    description: Mapping[str, Any]
    posted_slot: int | None = None
    role: str | None = None
    kept_by: int | None = None
    broken: bool = False
    original_id: ClipId | None = None
    original_generation: int | None = None
