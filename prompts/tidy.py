"""Brings facets from anywhere into the shape that can be bred and written: known words, real numbers, nothing twice."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from domain.facets import MODES, TONICS, Facets
from prompts.entries import Kind
from prompts.levels import AXES, clamp, quantise, quantise_tempo
from prompts.loading import parse_metre
from prompts.vocabulary import Vocabulary

CAPS = {"moods": 3, "instruments": 5, "without": 4, "textures": 3, "production": 3, "uses": 2}
"""The most words of a kind that a bred prompt carries."""


_LARGEST = 1e300
"""Beyond this lie infinity and whole numbers that no float holds, which ``isfinite`` stumbles over."""


def tidy(facets: Facets | Mapping[str, Any], vocabulary: Vocabulary) -> Facets:
    """Return what of ``facets`` the vocabulary knows, with levels and tempo as they can be written.

    Args:
        facets: Facets, or ``Facets.to_json()`` of any version, or any mapping at all.
        vocabulary: The words that stay.

    Returns:
        Facets with canonical words, at most ``CAPS`` of a kind, quantised levels, whole beats per minute, the family
        of the genre, and no instrument that ``without`` silences. ``unknown`` is empty.
    """
    data = facets.to_json() if isinstance(facets, Facets) else facets
    values: dict[str, Any] = {}
    genre = vocabulary.genres.get(_word(data.get("genre")))
    if genre is not None:
        values["genre"], values["family"] = genre.name, genre.family
    elif _word(data.get("family")) in vocabulary.families:
        values["family"] = data["family"]
    for field, kind in (
        ("moods", Kind.MOOD),
        ("textures", Kind.TEXTURE),
        ("production", Kind.PRODUCTION),
        ("uses", Kind.USE),
    ):
        known = vocabulary.terms(kind).__contains__
        values[field] = _words(data.get(field), known, CAPS[field])
    playable = vocabulary.instruments.__contains__
    values["without"] = _words(data.get("without"), playable, CAPS["without"])
    wanted = _words(data.get("instruments"), playable, 40)
    values["instruments"] = vocabulary.audible(wanted, values["without"])[: CAPS["instruments"]]
    if _word(data.get("era")) in vocabulary.eras:
        values["era"] = data["era"]
    values.update(_numbers(data))
    return Facets(**values)


def _numbers(data: Mapping[str, Any]) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for axis in AXES:
        level = _real(data.get(axis))
        if level is not None:
            values[axis] = quantise(clamp(level))
    tempo = _real(data.get("tempo"))
    if tempo is not None:
        values["tempo"] = quantise_tempo(tempo)
    if data.get("tonic") in TONICS:
        values["tonic"] = data["tonic"]
    if data.get("mode") in MODES:
        values["mode"] = data["mode"]
    metre = data.get("metre")
    if isinstance(metre, list | tuple) and len(metre) == 2:
        found = parse_metre(f"{metre[0]}/{metre[1]}")
        if found is not None:
            values["metre"] = found
    return values


def _word(value: object) -> str:
    return value if isinstance(value, str) else ""


def _words(value: object, known: Callable[[str], bool], most: int) -> tuple[str, ...]:
    if not isinstance(value, list | tuple):
        return ()
    found = dict.fromkeys(word for word in value if isinstance(word, str) and known(word))
    return tuple(found)[:most]


def _real(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) <= _LARGEST:
        return None
    return float(value)
