"""The grammar of descriptions as JSON Schema, for language models and for programs that call the HTTP API."""

from __future__ import annotations

from typing import Any

from domain.chords import QUALITIES
from domain.description import (
    FORMAT,
    LEVELS,
    MAX_BARS,
    MAX_SECONDS,
    MAX_SOURCE,
    MAX_VOICES,
    NOTE_VALUES,
    ROLES,
    SECTIONS,
    TEMPO,
)
from domain.facets import FAMILIES, MODES, TONICS
from generation.planning.patches import patch_names, piece_names

_CHORD = (
    "^[A-G][#b]?("
    + "|".join(q.replace("(", r"\(").replace(")", r"\)") for q in QUALITIES)
    + r")(@\d+(\.\d+)?)?$"
)


def schema() -> dict[str, Any]:
    """Return the schema (draft 2020-12) of what ``Description.to_json`` writes.

    What it cannot state, such as that bars name voices that exist, ``generation.genome.grammar.check`` tells.
    """
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Description of a piece of music",
        "type": "object",
        "additionalProperties": False,
        "required": [
            *(
                "format",
                "family",
                "tempo",
                "tonic",
                "mode",
                "metre",
                "swing",
                "swing_unit",
                "pickup",
            ),
            *("seconds", "levels", "words", "tune", "voices", "bars"),
        ],
        "properties": {
            "format": {"const": FORMAT},
            "family": _one(FAMILIES, "Whose mix and room it has."),
            "tempo": _number(
                *TEMPO, "Beats per minute; dotted quarters in 6/8, 9/8 and 12/8, halves in x/2."
            ),
            "tonic": _one(TONICS, "Key note."),
            "mode": _one(MODES, "Scale."),
            "metre": {
                "type": "string",
                "pattern": f"^[1-9][0-9]?/({'|'.join(map(str, NOTE_VALUES))})$",
                "description": "Such as 4/4; at most three whole notes.",
            },
            "swing": _number(0, 0.5, "0 straight, 0.33 triplets."),
            "swing_unit": {"enum": [8, 16], "description": "What is swung: eighths or sixteenths."},
            "pickup": _whole(
                0, 48, "Beats before the first whole bar; then the first section is upbeat."
            ),
            "seconds": _number(1, MAX_SECONDS, "Length of the clip."),
            "levels": {
                "type": "object",
                "additionalProperties": False,
                "properties": {name: _number(0, 1, "") for name in LEVELS},
            },
            "words": {"type": "array", "maxItems": 40, "items": {"type": "string"}},
            "tune": _tune(),
            "voices": {"type": "array", "minItems": 1, "maxItems": MAX_VOICES, "items": _voice()},
            "bars": {"type": "array", "minItems": 1, "maxItems": MAX_BARS, "items": _bar()},
        },
    }


def _voice() -> dict[str, Any]:
    pieces = {"type": "array", "items": {"enum": list(piece_names())}}
    return {
        "type": "object",
        "additionalProperties": False,
        "required": ["name", "role", "instrument", "style", "tune"],
        "properties": {
            "name": {"type": "string", "minLength": 1, "maxLength": 40},
            "role": _one(ROLES, "What it does."),
            "instrument": _one(
                patch_names(), "What it sounds like; kit_ for drums and only for them."
            ),
            "style": _one(FAMILIES, "Whose patterns it plays."),
            "tune": _tune(),
            "asked": {"type": "boolean"},
            "pieces": pieces,
            "without": pieces,
            "groove": {"type": "boolean"},
        },
    }


def _bar() -> dict[str, Any]:
    return {
        "type": "object",
        "additionalProperties": False,
        "required": ["section", "chords", "voices"],
        "properties": {
            "section": _one(SECTIONS, "The last bar, and no other, is the end."),
            "source": _whole(0, MAX_SOURCE, "Bar of the tune that is played here."),
            "chords": {
                "type": "array",
                "items": {"type": "string", "pattern": _CHORD},
                "description": "The first begins the bar, as Am7; a later one as D7@2, on the third beat.",
            },
            "voices": {"type": "array", "items": {"type": "string"}, "description": "Names."},
            "density": _number(0, 48, "Notes for each quarter, drums included."),
            "pitch": _number(0, 127, "Mean MIDI key of the pitched notes."),
            "velocity": _number(1, 127, "Mean velocity."),
            "duration": _number(0.01, 64, "Mean length of the pitched notes in quarters."),
        },
    }


def _tune() -> dict[str, Any]:
    return {
        "type": "array",
        "minItems": 2,
        "maxItems": 2,
        "items": {"type": "integer", "minimum": 0, "maximum": 2**32 - 1},
        "description": "Any two whole numbers; the same ones give the same music.",
    }


def _one(names: tuple[str, ...], text: str) -> dict[str, Any]:
    return {"enum": list(names), "description": text}


def _number(low: float, high: float, text: str) -> dict[str, Any]:
    return {"type": "number", "minimum": low, "maximum": high, "description": text}


def _whole(low: int, high: int, text: str) -> dict[str, Any]:
    return {"type": "integer", "minimum": low, "maximum": high, "description": text}
