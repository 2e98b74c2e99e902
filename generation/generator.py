"""The seam that every music generator fills, and the record it hands back."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

from domain.clip import ClipFailure, ClipRequest, GeneratorInfo, SourceUse
from generation.audio import Audio, Floats

Progress = Callable[[int, int], None]
"""Called after each step with how many are done and how many there are. ``Cancelled`` from it ends the batch."""


class Cancelled(Exception):  # noqa: N818 - asked for, no error
    """Nobody waits for this batch any more."""


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Capabilities:
    """What a generator can do.

    Attributes:
        shortest: Seconds of its shortest clip.
        longest: Seconds of its longest clip.
        sample_rate: Frames per second that it makes before it is brought to ``generation.audio.SAMPLE_RATE``.
        commercial: Whether the licence of its weights allows commercial use.
        notes: Whether it plays descriptions and hands back scores.
        embedding: Numbers of a token of the embeddings that it takes in place of words; 0 where it takes none.
        sources: What it can do with a sound that comes with a request.
        drafts: Whether a draft costs less than a clip.
        batch: Clips that it makes at once, at most; more are made one batch after the other.
        repeats: Whether the same version makes the same sound of the same request again, at no further cost.
    """

    shortest: float
    longest: float
    sample_rate: int
    commercial: bool
    notes: bool = False
    embedding: int = 0
    sources: frozenset[SourceUse] = frozenset()
    drafts: bool = False
    batch: int = 1
    repeats: bool = True


class Generator(Protocol):
    """Turns prompts into sound. Synchronous and heavy: call it from a worker, never from an event loop."""

    @property
    def info(self) -> GeneratorInfo:
        """What makes the sound, and under which licence. Known before ``prepare``."""

    @property
    def capabilities(self) -> Capabilities:
        """What it can do."""

    def prepare(self) -> None:
        """Load what the first clip would otherwise wait for. Does nothing the second time.

        Raises:
            GenerationError: It cannot work here; says why and what to do.
        """

    def generate(
        self, requests: Sequence[ClipRequest], *, progress: Progress | None = None
    ) -> list[Composition | ClipFailure]:
        """Make one clip for each request, in order. What a clip becomes does not depend on the others.

        An item that cannot be made becomes a ``ClipFailure``; an exception means that nothing works.

        Raises:
            Cancelled: ``progress`` said so.
            NoRoomError: The batch does not fit into memory; half of it may.
            GenerationError: It cannot work here at all.
        """

    def release(self) -> None:
        """Give memory back. The next clip loads again."""


@runtime_checkable
class Reader(Protocol):
    """A generator that says what its text encoder makes of words, so that others can breed what nobody wrote."""

    def states_of(self, prompt: str) -> Floats:
        """Return (tokens, ``capabilities.embedding``); as a request's embedding they stand for the prompt itself."""


_USES = {
    SourceUse.CONTINUE: "go on from a clip",
    SourceUse.MELODY: "follow a melody",
    SourceUse.VARY: "start from a clip",
    SourceUse.FILL: "make a stretch of a clip anew",
}


def refused(request: ClipRequest, info: GeneratorInfo, able: Capabilities) -> ClipFailure | None:
    """Return why a generator cannot take a request, in a sentence; ``None`` where it can."""
    reason = ""
    if not able.shortest <= request.seconds <= able.longest:
        reason = (
            f"A clip of {info.name} lasts {able.shortest:g} to {able.longest:g} seconds, not "
            f"{request.seconds:g}."
        )
    elif not 0 <= request.seed < 2**31:
        reason = "A seed is a whole number from 0 to 2147483647."
    elif request.source is not None and request.source.use not in able.sources:
        reason = f"{info.name} cannot {_USES[request.source.use]}."
    elif request.embedding and not able.embedding:
        reason = f"{info.name} takes words, no embedding."
    elif request.embedding and len(request.embedding) % (4 * able.embedding):
        reason = (
            f"An embedding for {info.name} has {able.embedding} numbers a token; "
            f"{len(request.embedding)} bytes are not that."
        )
    elif not (able.notes or request.embedding or request.prompt.strip()):
        reason = "The prompt is empty; say what the music should be."
    return ClipFailure(reason=reason) if reason else None
