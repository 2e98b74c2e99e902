"""The seam that every music generator fills, and the record it hands back."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from domain.clip import ClipFailure, ClipRequest, GeneratorInfo
from generation.audio import Audio

Progress = Callable[[int, int], None]
"""Called after each item with how many are done and how many there are."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """One note of one part.

    Attributes:
        start: Seconds from the beginning of the clip, at least 0.
        seconds: How long the key is held, above 0.
        pitch: MIDI key in [0, 127]; in a drum part the General MIDI percussion key.
        velocity: In [1, 127].
    """

    start: float
    seconds: float
    pitch: int
    velocity: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """Everything one player plays.

    Attributes:
        role: ``"drums"``, ``"bass"``, ``"chords"``, ``"pad"``, ``"lead"`` or ``"counter"``.
        patch: Name in ``patches.yaml``.
        program: General MIDI program in [0, 127] that stands for the patch in a MIDI file.
        percussion: Whether pitches are General MIDI percussion keys.
        notes: In order of their start.
        name: Of the player, unique within the score; ``""`` when nobody named it.
    """

    role: str
    patch: str
    program: int
    percussion: bool
    notes: tuple[Note, ...]
    name: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """A composition before it sounds.

    Attributes:
        title: Short name.
        quarter_bpm: Quarter notes per minute.
        metre: Beats in a bar and the note value of a beat.
        downbeat: Seconds at which bar 0 begins; negative when the clip enters within it.
        seconds: Length of the clip.
        parts: The players.
        tonic: Pitch class of the key.
        mode: One of ``domain.facets.MODES``, or ``""`` when there is no key.
        sections: Name of each bar's section.
    """

    title: str
    quarter_bpm: float
    metre: tuple[int, int]
    downbeat: float
    seconds: float
    parts: tuple[Part, ...]
    tonic: int = 0
    mode: str = ""
    sections: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Composition:
    """A finished clip as a generator hands it back. Picklable.

    Attributes:
        audio: Mastered: -16 LUFS integrated, true peak at most -1 dBTP.
        loudness: Integrated loudness in LUFS.
        description: JSON-safe account of what was composed.
        notes: The score, for MIDI; ``None`` when the generator makes sound directly.
    """

    audio: Audio
    loudness: float
    description: Mapping[str, Any]
    notes: Score | None


class Generator(Protocol):
    """Turns prompts into sound. Synchronous and heavy: call it from a worker, never from an event loop."""

    @property
    def info(self) -> GeneratorInfo:
        """What makes the sound, and under which licence."""

    def generate(
        self, requests: Sequence[ClipRequest], *, progress: Progress | None = None
    ) -> list[Composition | ClipFailure]:
        """Make one clip for each request, in order.

        An item that cannot be made becomes a ``ClipFailure``; an exception means that nothing works.
        """
