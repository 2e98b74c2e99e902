"""What the vocabulary is made of: genres, instruments, and terms with their effect on the sound."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    """What a phrase is about."""

    GENRE = "genre"
    INSTRUMENT = "instrument"
    MOOD = "mood"
    TEXTURE = "texture"
    PRODUCTION = "production"
    ERA = "era"
    PLACE = "place"
    USE = "use"
    LEVEL = "level"
    TEMPO = "tempo"
    KEY = "key"
    MODE = "mode"
    METRE = "metre"
    SILENCE = "silence"
    SHIFT = "shift"
    AMOUNT = "amount"
    DEGREE = "degree"
    COMPARE = "compare"
    NEGATION = "negation"
    FILLER = "filler"
    STOP = "stop"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class Effect:
    """What a word does to the sound, relative to what it would be without the word.

    Attributes:
        energy: Added to energy, in [-1, 1]; likewise the other seven levels.
        tempo: Added to the tempo as a fraction of it, so ``-0.1`` is ten percent slower.
        mode: ``"major"``, ``"minor"`` or ``None``.
    """

    energy: float = 0.0
    valence: float = 0.0
    brightness: float = 0.0
    density: float = 0.0
    danceability: float = 0.0
    acousticness: float = 0.0
    instrumentalness: float = 0.0
    loudness: float = 0.0
    tempo: float = 0.0
    mode: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Family:
    """What the genres of a family share unless they say otherwise.

    Attributes:
        name: One of ``domain.facets.FAMILIES``.
        flavour: Texture word that stands for the family when it is only a second genre.
        genres: Canonical genres, the most typical first.
    """

    name: str
    flavour: str
    instruments: tuple[str, ...]
    modes: tuple[str, ...]
    metre: tuple[int, int]
    genres: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Genre:
    """A genre word.

    Attributes:
        name: Canonical word.
        family: One of ``domain.facets.FAMILIES``.
        tempo: Usual slowest and fastest beats per minute.
        energy: Usual level in [0, 1]; likewise ``valence``, ``brightness`` and ``density``.
        danceability: Usual level as it follows from tempo, feel and instruments, see ``prompts.usual``; likewise
            ``acousticness``, ``instrumentalness`` and ``loudness``.
        instruments: Typical instruments, canonical.
        modes: Usual modes of ``domain.facets.MODES``, the most usual first.
        metre: Usual metre.
        aliases: Other spellings.
    """

    name: str
    family: str
    tempo: tuple[float, float]
    energy: float
    valence: float
    brightness: float
    density: float
    instruments: tuple[str, ...]
    modes: tuple[str, ...]
    metre: tuple[int, int]
    aliases: tuple[str, ...] = ()
    danceability: float = 0.5
    acousticness: float = 0.5
    instrumentalness: float = 0.5
    loudness: float = 0.5

    @property
    def usual_tempo(self) -> float:
        """The middle of the tempo range, in beats per minute."""
        return (self.tempo[0] + self.tempo[1]) / 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Instrument:
    """An instrument, or a word for a whole layer of the music.

    Attributes:
        name: Canonical word.
        kin: Group such as ``"guitars"`` or ``"percussion"``.
        roles: Of drums, bass, chords, lead, pad, texture and voice; best one first.
        layer: Whether the word means a whole layer, so that "no drums" silences every drum.
        aliases: Other spellings.
    """

    name: str
    kin: str
    roles: tuple[str, ...]
    layer: bool = False
    aliases: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Term:
    """A mood, texture, production, era or use word with its effect."""

    name: str
    kind: Kind
    effect: Effect
    aliases: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Phrase:
    """A phrase of the index. ``value`` is what its kind says it is.

    A level is (axis, value), a tempo (bpm or None, level or None), a silence an instrument word, a shift or amount an
    ``Effect``, a degree a factor, a comparison +1 or -1, a mode its name, a metre (beats, unit).
    """

    kind: Kind
    name: str
    value: object = None


ROLES = ("drums", "bass", "chords", "lead", "pad", "texture", "voice")
