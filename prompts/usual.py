"""What a genre's tempo, feel and instruments imply for the four levels that the genre file does not state."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping

from prompts.entries import Genre, Instrument
from prompts.levels import clamp
from prompts.text import word_set

_ELECTRONIC_KINS = frozenset({"synths"})
_ELECTRONIC = frozenset(
    {
        *("synth bass", "sub bass", "acid bass", "wobble bass", "808", "log drum", "mellotron"),
        *("drum machine", "breakbeat drums", "gated drums", "noise drums", "glitch percussion"),
        *("vocoder", "vocal chops"),
    }
)
_ELECTRIC = frozenset(
    {
        *("electric piano", "organ", "clavinet", "electric guitar", "jazz guitar", "muted guitar"),
        *("distorted guitar", "pedal steel", "baritone guitar", "bass"),
        *("electric bass", "fretless bass", "slap bass"),
    }
)
_LOUD = word_set("drums brass") | {"distorted guitar", "double kick", "brass section", "supersaw"}


def acoustic(instrument: Instrument) -> float:
    """Return how acoustic an instrument word is: 0 electronic, .4 electric, 1 acoustic."""
    if instrument.kin in _ELECTRONIC_KINS or instrument.name in _ELECTRONIC:
        return 0.0
    return 0.4 if instrument.name in _ELECTRIC else 1.0


def further_levels(genre: Genre, instruments: Mapping[str, Instrument]) -> Genre:
    """Return ``genre`` with its danceability, acousticness, instrumentalness and loudness filled in.

    Dancing needs a beat, drive, good cheer and a tempo near 118; a genre is as acoustic as its typical instruments,
    sung where a voice is among them, and loud where it is lively or played on loud instruments.
    """
    played = [instruments[name] for name in genre.instruments]
    sounds = [acoustic(one) for one in played]
    beat = any(one.roles[0] == "drums" for one in played)
    near = math.exp(-((math.log2(genre.usual_tempo / 118) / 0.5) ** 2))
    danceability = 0.08 + (0.2 + 0.3 * near) * beat + 0.25 * genre.energy + 0.2 * genre.valence
    loud = any(one.name in _LOUD for one in played)
    voice = any(one.roles[0] == "voice" for one in played)
    return dataclasses.replace(
        genre,
        danceability=round(clamp(danceability), 3),
        acousticness=round(sum(sounds) / len(sounds), 3) if sounds else 0.5,
        instrumentalness=0.2 if voice else 0.8,
        loudness=round(clamp(0.22 + 0.5 * genre.energy + 0.15 * loud), 3),
    )
