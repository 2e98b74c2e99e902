"""Facets: what a prompt says about music, as fields that can be crossed, mutated, compared and composed from."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

FAMILIES = (
    "lofi",
    "hiphop",
    "trap",
    "house",
    "techno",
    "drum_and_bass",
    "synthwave",
    "ambient",
    "pop",
    "rock",
    "punk",
    "metal",
    "blues",
    "jazz",
    "bossa",
    "latin",
    "reggae",
    "funk",
    "disco",
    "soul",
    "country",
    "folk",
    "classical",
    "orchestral",
    "chiptune",
    "drone",
    "afrobeat",
    "swing",
    "samba",
    "ska",
    "tango",
    "waltz",
    "baroque",
    "romantic",
    "quartet",
    "gamelan",
    "raga",
    "maqam",
    "polyrhythm",
)
"""Genre families that the composer has a style for. Hundreds of genre words map onto them."""

MODES = (
    "major",
    "minor",
    "dorian",
    "phrygian",
    "lydian",
    "mixolydian",
    "pentatonic",
    "blues",
    "harmonic_minor",
    "locrian",
    "phrygian_dominant",
    "double_harmonic",
    "melodic_minor",
    "whole_tone",
    "pelog",
)
TONICS = ("C", "C#", "D", "Eb", "E", "F", "F#", "G", "Ab", "A", "Bb", "B")


@dataclass(frozen=True, slots=True, kw_only=True)
class Facets:
    """A prompt, read. ``None`` and ``()`` mean that the prompt does not say.

    Attributes:
        genre: Canonical genre word of the vocabulary, such as ``"deep house"``.
        family: One of ``FAMILIES``; follows from the genre when there is one.
        moods: Canonical mood words.
        instruments: Canonical instrument words that must be heard.
        without: Instruments or layers that must not be heard ("no drums").
        era: Canonical era word, such as ``"1980s"``.
        textures: Canonical texture words, such as ``"warm"`` or ``"grainy"``.
        production: Canonical production words, such as ``"vinyl crackle"`` or ``"wide reverb"``.
        uses: What the music is for, such as ``"studying"``.
        tempo: Beats per minute in [40, 220].
        tonic: One of ``TONICS``.
        mode: One of ``MODES``.
        metre: Beats in a bar and the note value of a beat, such as ``(4, 4)``.
        energy: Calm 0 to driving 1.
        density: Sparse 0 to busy 1.
        brightness: Dark 0 to bright 1.
        valence: Sad 0 to happy 1.
        danceability: Free 0 to made for dancing 1.
        acousticness: Electronic 0 to acoustic 1.
        instrumentalness: Sung 0 to without any voice 1.
        loudness: Softly 0 to loudly 1 played and mixed; the file's level stays.
        unknown: Words of the prompt that the vocabulary does not have. They change nothing.
    """

    genre: str | None = None
    family: str | None = None
    moods: tuple[str, ...] = ()
    instruments: tuple[str, ...] = ()
    without: tuple[str, ...] = ()
    era: str | None = None
    textures: tuple[str, ...] = ()
    production: tuple[str, ...] = ()
    uses: tuple[str, ...] = ()
    tempo: float | None = None
    tonic: str | None = None
    mode: str | None = None
    metre: tuple[int, int] | None = None
    energy: float | None = None
    density: float | None = None
    brightness: float | None = None
    valence: float | None = None
    danceability: float | None = None
    acousticness: float | None = None
    instrumentalness: float | None = None
    loudness: float | None = None
    unknown: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Return what is set, ready for ``json.dumps``; tuples become lists."""
        out: dict[str, Any] = {}
        for field in dataclasses.fields(self):
            value = getattr(self, field.name)
            if value is None or value == ():
                continue
            out[field.name] = list(value) if isinstance(value, tuple) else value
        return out

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Facets:
        """Rebuild from ``to_json``. Keys of a later version are ignored."""
        names = {field.name for field in dataclasses.fields(cls)}
        values: dict[str, Any] = {
            key: tuple(value) if isinstance(value, list) else value
            for key, value in data.items()
            if key in names
        }
        return cls(**values)
