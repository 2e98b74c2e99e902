"""A description: a piece of music as a genome that can be read, edited, crossed, stored and played.

It follows FIGARO's idea (von Rütte et al. 2023): for each bar its metre, note density, mean velocity, mean pitch,
mean duration, instruments and chords. Beyond that it holds what FIGARO cannot say: tempo, key, swing, form, who
plays which role in which style, and the seed of every player's tune, so that the same description is the same piece.

Only what could be a piece can be built: every constructor checks its values and names the place that is wrong.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from domain.checks import one_of, texts, whole, within
from domain.chords import QUALITIES, ChordAt
from domain.errors import DescriptionError
from domain.facets import FAMILIES, MODES, TONICS

__all__ = [
    "FORMAT",
    "LEVELS",
    "MAX_BARS",
    "MAX_SECONDS",
    "MAX_SOURCE",
    "MAX_VOICES",
    "NOTE_VALUES",
    "QUALITIES",
    "ROLES",
    "SECTIONS",
    "TEMPO",
    "Tune",
    "BarDescription",
    "ChordAt",
    "Description",
    "Levels",
    "VoiceDescription",
]

FORMAT = 1
"""Version of the JSON form."""
ROLES = ("drums", "bass", "chords", "pad", "lead", "counter")
"""In the order in which they are written and mixed."""
SECTIONS = (
    *("upbeat", "intro", "A", "A2", "B", "C", "verse", "chorus", "bridge"),
    *("build", "drop", "break", "solo", "outro", "end"),
)
TEMPO = (30.0, 240.0)
"""Slowest and fastest beat, per minute."""
MAX_BARS = 2048
MAX_VOICES = 16
MAX_SOURCE = 1_000_000
MAX_SECONDS = 600.0
NOTE_VALUES = (2, 4, 8, 16)
"""Lower numbers of a metre."""

Tune = tuple[int, int]
"""Two whole numbers from which every choice of a player is drawn; the same tune is the same music."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Levels:
    """How the music is, each in [0, 1].

    Attributes:
        energy: Calm to driving.
        valence: Sad to happy.
        danceability: Free to made for dancing.
        acousticness: Electronic to acoustic.
        instrumentalness: Sung to without any voice.
        loudness: Played softly with a wide range, to played loudly and dense. The file's level does not change.
        density: Sparse to busy.
        brightness: Dark to bright.
    """

    energy: float = 0.5
    valence: float = 0.5
    danceability: float = 0.5
    acousticness: float = 0.5
    instrumentalness: float = 0.5
    loudness: float = 0.5
    density: float = 0.5
    brightness: float = 0.5

    def __post_init__(self) -> None:
        for name in LEVELS:
            within(getattr(self, name), 0.0, 1.0, f"levels.{name}")


LEVELS = tuple(field.name for field in dataclasses.fields(Levels))


@dataclass(frozen=True, slots=True, kw_only=True)
class VoiceDescription:
    """A player.

    Attributes:
        name: Unique within the piece, such as ``"lead"`` or ``"counter 2"``.
        role: One of ``ROLES``.
        instrument: Name of a patch of the composer, such as ``"flute"`` or ``"kit_jazz"``.
        style: The family whose patterns it plays, one of ``FAMILIES``.
        tune: Seeds its motif, pattern and looseness.
        asked: Whether it was asked for by name, and so plays on where its style would have it rest.
        pieces: For drums: percussion pieces besides the groove.
        without: For drums: pieces that must not be heard.
        groove: For drums: whether the kit plays its groove, not only ``pieces``.
    """

    name: str
    role: str
    instrument: str
    style: str
    tune: Tune
    asked: bool = True
    pieces: tuple[str, ...] = ()
    without: tuple[str, ...] = ()
    groove: bool = True

    def __post_init__(self) -> None:
        where = f"voices.{self.name}"
        texts((self.name,), "voices")
        if len(self.name) > 40:
            raise DescriptionError("voices", "a voice has a name of 1 to 40 characters")
        one_of(self.role, ROLES, f"{where}.role")
        one_of(self.style, FAMILIES, f"{where}.style")
        _check_tune(self.tune, f"{where}.tune")
        texts((self.instrument,), f"{where}.instrument")
        texts(self.pieces, f"{where}.pieces")
        texts(self.without, f"{where}.without")
        if self.role != "drums" and (self.pieces or self.without or not self.groove):
            raise DescriptionError(where, "only drums have pieces and a groove")


@dataclass(frozen=True, slots=True, kw_only=True)
class BarDescription:
    """One bar. A number that is ``None`` is left to the composer.

    Attributes:
        section: One of ``SECTIONS``.
        source: Number of the bar in the tune it was written for; a bar that is moved keeps its music by it.
        chords: In order; the first begins on beat 0. Empty only where nothing but drums sounds.
        voices: Names of the players that sound.
        density: Notes for each quarter note, drums included, in [0, 48].
        pitch: Mean MIDI key of the pitched notes, in [0, 127].
        velocity: Mean velocity of the notes, in [1, 127].
        duration: Mean length of the pitched notes in quarter notes, in (0, 64].
    """

    section: str
    source: int = 0
    chords: tuple[ChordAt, ...] = ()
    voices: tuple[str, ...] = ()
    density: float | None = None
    pitch: float | None = None
    velocity: float | None = None
    duration: float | None = None

    def __post_init__(self) -> None:
        one_of(self.section, SECTIONS, "bar.section")
        whole(self.source, 0, MAX_SOURCE, "bar.source")
        beats = [chord.beat for chord in self.chords]
        if beats and (beats[0] != 0 or beats != sorted(set(beats))):
            raise DescriptionError(
                "bar.chords", "the first chord begins on beat 0 and each later one after it"
            )
        texts(self.voices, "bar.voices")
        if len(set(self.voices)) != len(self.voices):
            raise DescriptionError("bar.voices", "a voice is named twice")
        for name, low, high in (
            ("density", 0.0, 48.0),
            ("pitch", 0.0, 127.0),
            ("velocity", 1.0, 127.0),
            ("duration", 0.01, 64.0),
        ):
            value = getattr(self, name)
            if value is not None:
                within(value, low, high, f"bar.{name}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Description:
    """A whole piece.

    Attributes:
        family: Whose mix and room it has, one of ``FAMILIES``.
        tempo: Beats per minute in ``TEMPO``; see ``generation.planning.grid`` for which note value a metre's beat is.
        tonic: One of ``TONICS``.
        mode: One of ``MODES``.
        metre: Beats in a bar (at most three whole notes) and one of ``NOTE_VALUES``.
        swing: Delay of every second unit: 0 straight, 0.33 triplets, up to 0.5.
        swing_unit: 8 or 16, what is swung.
        pickup: Beats (of those that the tempo counts) that sound before the first whole bar; bar 0 is then that
            incomplete bar, its section ``"upbeat"``.
        seconds: Length of the clip, up to ``MAX_SECONDS``.
        levels: How it is overall.
        words: Words for texture, production and era, which colour the sound.
        tune: Seeds what belongs to no single player.
        voices: The players.
        bars: In order. The last one, and no other, is of the section ``"end"`` and holds the final chord.
    """

    family: str
    tempo: float
    tonic: str
    mode: str
    metre: tuple[int, int] = (4, 4)
    swing: float = 0.0
    swing_unit: int = 16
    pickup: int = 0
    seconds: float
    levels: Levels = Levels()  # frozen
    words: tuple[str, ...] = ()
    tune: Tune = (0, 0)
    voices: tuple[VoiceDescription, ...]
    bars: tuple[BarDescription, ...]

    def __post_init__(self) -> None:
        one_of(self.family, FAMILIES, "family")
        within(self.tempo, *TEMPO, "tempo")
        one_of(self.tonic, TONICS, "tonic")
        one_of(self.mode, MODES, "mode")
        _check_metre(self.metre)
        within(self.swing, 0.0, 0.5, "swing")
        one_of(self.swing_unit, (8, 16), "swing_unit")
        whole(self.pickup, 0, self.metre[0], "pickup")
        within(self.seconds, 1.0, MAX_SECONDS, "seconds")
        texts(self.words, "words")
        _check_tune(self.tune, "tune")
        self._check_players()
        self._check_bars()

    def _check_players(self) -> None:
        if not 1 <= len(self.voices) <= MAX_VOICES:
            raise DescriptionError("voices", f"a piece has 1 to {MAX_VOICES} voices")
        names = [voice.name for voice in self.voices]
        if len(set(names)) != len(names):
            raise DescriptionError("voices", "two voices have the same name")

    def _check_bars(self) -> None:
        if not 1 <= len(self.bars) <= MAX_BARS:
            raise DescriptionError(
                "bars", f"a piece has 1 to {MAX_BARS} bars, not {len(self.bars)}"
            )
        roles = {voice.name: voice.role for voice in self.voices}
        for number, bar in enumerate(self.bars):
            where = f"bars[{number}]"
            for name in bar.voices:
                if name not in roles:
                    raise DescriptionError(f"{where}.voices", f"there is no voice {name!r}")
            pitched = [name for name in bar.voices if roles[name] != "drums"]
            if pitched and not bar.chords:
                raise DescriptionError(f"{where}.chords", f"{pitched[0]!r} needs a chord to play")
            self._check_section(number, bar.section)
            if bar.chords and bar.chords[-1].beat >= self.metre[0]:
                raise DescriptionError(
                    f"{where}.chords",
                    f"a bar of {self.metre[0]}/{self.metre[1]} ends before that beat",
                )

    def _check_section(self, number: int, section: str) -> None:
        where = f"bars[{number}].section"
        if (section == "end") != (number == len(self.bars) - 1):
            raise DescriptionError(where, 'the last bar, and no other, is the "end"')
        if (section == "upbeat") != (number == 0 and self.pickup > 0):
            raise DescriptionError(
                where, 'only the first bar is an "upbeat", and only when pickup is above 0'
            )

    def voice(self, name: str) -> VoiceDescription:
        """Return a player by name.

        Raises:
            DescriptionError: Nobody has that name.
        """
        for voice in self.voices:
            if voice.name == name:
                return voice
        raise DescriptionError("voices", f"there is no voice {name!r}")

    @property
    def form(self) -> tuple[tuple[str, int], ...]:
        """Sections in order, each with its number of bars."""
        out: list[tuple[str, int]] = []
        for bar in self.bars:
            if out and out[-1][0] == bar.section:
                out[-1] = (bar.section, out[-1][1] + 1)
            else:
                out.append((bar.section, 1))
        return tuple(out)

    def to_json(self) -> dict[str, Any]:
        """Return it ready for ``json.dumps``, short enough for a language model to read and write."""
        return {
            "format": FORMAT,
            "family": self.family,
            "tempo": self.tempo,
            "tonic": self.tonic,
            "mode": self.mode,
            "metre": f"{self.metre[0]}/{self.metre[1]}",
            "swing": self.swing,
            "swing_unit": self.swing_unit,
            "pickup": self.pickup,
            "seconds": self.seconds,
            "levels": dataclasses.asdict(self.levels),
            "words": list(self.words),
            "tune": list(self.tune),
            "voices": [_voice_json(voice) for voice in self.voices],
            "bars": [_bar_json(bar) for bar in self.bars],
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Description:
        """Rebuild from ``to_json``; strict. See ``generation.genome.grammar.repair`` for what people and models write.

        Raises:
            DescriptionError: Something is missing, of the wrong kind or impossible; says what and where.
        """
        try:
            if data["format"] != FORMAT:
                raise DescriptionError("format", f"this program reads format {FORMAT}")
            beats, _, value = str(data["metre"]).partition("/")
            return cls(
                family=data["family"],
                tempo=float(data["tempo"]),
                tonic=data["tonic"],
                mode=data["mode"],
                metre=(int(beats), int(value)),
                swing=float(data["swing"]),
                swing_unit=int(data["swing_unit"]),
                pickup=int(data["pickup"]),
                seconds=float(data["seconds"]),
                levels=Levels(**data["levels"]),
                words=tuple(data["words"]),
                tune=_tune(data["tune"]),
                voices=tuple(_voice_from(one) for one in data["voices"]),
                bars=tuple(_bar_from(one) for one in data["bars"]),
            )
        except KeyError as error:
            raise DescriptionError(str(error.args[0]), "this is missing") from error
        except (TypeError, ValueError, AttributeError, OverflowError) as error:
            raise DescriptionError(
                "description", f"a value is of the wrong kind ({error})"
            ) from error


def _voice_json(voice: VoiceDescription) -> dict[str, Any]:
    out: dict[str, Any] = {
        "name": voice.name,
        "role": voice.role,
        "instrument": voice.instrument,
        "style": voice.style,
        "tune": list(voice.tune),
    }
    if not voice.asked:
        out["asked"] = False
    if voice.pieces:
        out["pieces"] = list(voice.pieces)
    if voice.without:
        out["without"] = list(voice.without)
    if not voice.groove:
        out["groove"] = False
    return out


def _voice_from(data: Mapping[str, Any]) -> VoiceDescription:
    return VoiceDescription(
        name=data["name"],
        role=data["role"],
        instrument=data["instrument"],
        style=data["style"],
        tune=_tune(data["tune"]),
        asked=bool(data.get("asked", True)),
        pieces=tuple(data.get("pieces", ())),
        without=tuple(data.get("without", ())),
        groove=bool(data.get("groove", True)),
    )


def _bar_json(bar: BarDescription) -> dict[str, Any]:
    out: dict[str, Any] = {
        "section": bar.section,
        "source": bar.source,
        "chords": [str(chord) for chord in bar.chords],
        "voices": list(bar.voices),
    }
    for name in ("density", "pitch", "velocity", "duration"):
        value = getattr(bar, name)
        if value is not None:
            out[name] = value
    return out


def _bar_from(data: Mapping[str, Any]) -> BarDescription:
    return BarDescription(
        section=data["section"],
        source=int(data.get("source", 0)),
        chords=tuple(ChordAt.parse(one) for one in data["chords"]),
        voices=tuple(data["voices"]),
        density=_number(data.get("density")),
        pitch=_number(data.get("pitch")),
        velocity=_number(data.get("velocity")),
        duration=_number(data.get("duration")),
    )


def _number(value: Any) -> float | None:
    return None if value is None else float(value)


def _tune(value: Sequence[Any]) -> Tune:
    first, second = value
    return (int(first), int(second))


def _check_metre(metre: tuple[int, int]) -> None:
    beats, value = metre
    one_of(value, NOTE_VALUES, "metre")
    if not 1 <= beats <= 3 * value:
        raise DescriptionError(
            "metre",
            f"a bar has 1 to three whole notes, so at most {3 * value}/{value}, not {beats}/{value}",
        )


def _check_tune(tune: Tune, where: str) -> None:
    if len(tune) != 2 or not all(0 <= number < 2**32 for number in tune):
        raise DescriptionError(where, "a tune is two whole numbers from 0 to 4294967295")
