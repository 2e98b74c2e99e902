"""Changes a parent by a person's words: what is said wins, "no" removes, "darker" is relative to the parent."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

from domain.facets import Facets
from prompts.entries import Effect, Kind
from prompts.levels import AXES, LEVELS, clamp, level_index
from prompts.reading import Reading, tempo_at
from prompts.tidy import CAPS, tidy
from prompts.vocabulary import Vocabulary

_STRONG = 0.15
"""A said mood frees the parent's level on an axis that it moves by at least this much."""
_KINDS = {"moods": Kind.MOOD, "textures": Kind.TEXTURE, "production": Kind.PRODUCTION}


def remix(parent: Facets, reading: Reading, vocabulary: Vocabulary) -> Facets:
    """Return ``parent`` changed by what ``reading`` asks for.

    Args:
        parent: What the words are about.
        reading: The words, from ``prompts.reader.interpret``. Unknown words change nothing.
        vocabulary: Gives the levels that "darker" starts from.
    """
    said = reading.facets
    values: dict[str, object] = {}
    for field in dataclasses.fields(Facets):
        value = getattr(said, field.name)
        if field.name in CAPS:
            values[field.name] = _merged(field.name, parent, said, reading)
        elif value is not None and field.name != "unknown":
            values[field.name] = value
        elif (field.name, getattr(parent, field.name)) in reading.removed:
            values[field.name] = None
    if said.genre is not None and said.genre != parent.genre:
        values.update(_new_genre(parent, said, vocabulary))
    elif values.get("genre", "") is None and "family" not in values:
        values["family"] = parent.family
    mixed = dataclasses.replace(parent, **values)  # type: ignore[arg-type]
    mixed = _freed(mixed, said, vocabulary)
    return tidy(_shifted(mixed, parent, reading, vocabulary), vocabulary)


def _merged(field: str, parent: Facets, said: Facets, reading: Reading) -> tuple[str, ...]:
    """Return the said words and, after them, those of the parent that nothing said takes away."""
    words = dict.fromkeys(getattr(said, field))
    heard = set(said.instruments)
    for word in getattr(parent, field):
        if (field, word) not in reading.removed and not (field == "without" and word in heard):
            words[word] = None
    return tuple(words)


def _new_genre(parent: Facets, said: Facets, vocabulary: Vocabulary) -> dict[str, object]:
    """Bring a parent's tempo into the range of the new genre; its metre was the old genre's."""
    values: dict[str, object] = {}
    genre = vocabulary.genres.get(said.genre or "")
    if genre is not None and said.tempo is None and parent.tempo is not None:
        values["tempo"] = clamp(parent.tempo, *genre.tempo)
    if said.metre is None:
        values["metre"] = None
    return values


def _freed(mixed: Facets, said: Facets, vocabulary: Vocabulary) -> Facets:
    """Drop inherited levels and moods that would hide or contradict what was said."""
    effects = vocabulary.effects(said)
    freed = {
        axis: None
        for axis in AXES
        if getattr(said, axis) is None
        and any(abs(getattr(effect, axis)) >= _STRONG for effect in effects)
    }
    moods = []
    for word in mixed.moods:
        mood = vocabulary.moods.get(word)
        if word in said.moods or (mood and not _against(mood.effect, said, effects)):
            moods.append(word)
    return dataclasses.replace(mixed, moods=tuple(moods), **freed)  # type: ignore[arg-type]


def _against(effect: Effect, said: Facets, said_effects: Sequence[Effect]) -> bool:
    """Say whether an inherited mood pulls strongly against a level or a word that was said."""
    for axis in AXES:
        pull, level = getattr(effect, axis), getattr(said, axis)
        if abs(pull) < _STRONG:
            continue
        if level is not None and abs(level - 0.5) > 0.1 and (level - 0.5) * pull < 0:
            return True
        others = (getattr(other, axis) for other in said_effects)
        if any(abs(other) >= _STRONG and other * pull < 0 for other in others):
            return True
    return False


def _shifted(mixed: Facets, parent: Facets, reading: Reading, vocabulary: Vocabulary) -> Facets:
    """Apply "darker", "faster" and "slow" to what the parent sounds like."""
    before = vocabulary.settle(parent)
    values: dict[str, object] = {}
    for axis in AXES:
        shift = reading.shifts.get(axis, 0.0)
        if abs(shift) >= 0.1 and getattr(reading.facets, axis) is None:
            level = getattr(before, axis)
            values[axis] = _moved(0.5 if level is None else level, shift)
    if reading.facets.tempo is None:
        genre = vocabulary.genres.get(mixed.genre or "")
        if reading.tempo_level is not None:
            values["tempo"] = tempo_at(reading.tempo_level, genre)
        elif "tempo" in reading.shifts:
            values["tempo"] = (before.tempo or 104.0) * (1 + reading.shifts["tempo"])
    return dataclasses.replace(mixed, **values) if values else mixed  # type: ignore[arg-type]


def _moved(level: float, shift: float) -> float:
    """Return the level after ``shift``, at least one of the five levels away while there is one."""
    target = level_index(clamp(level + shift))
    here = level_index(level)
    if target == here:
        target = min(max(here + (1 if shift > 0 else -1), 0), len(LEVELS) - 1)
    return LEVELS[target]
