"""Keeps words and descriptions telling the same: what changes in one is said, or done, in the other."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

from domain.description import LEVELS, MAX_VOICES, Description, VoiceDescription
from domain.errors import DescriptionError
from domain.facets import Facets
from evolution.ensembles import heard, player, word_of
from evolution.numbers import freed, without_idle
from evolution.splicing import GROOVE
from evolution.steering import steer
from prompts.levels import clamp, quantise, quantise_tempo
from prompts.tidy import CAPS, tidy
from prompts.vocabulary import Vocabulary

_MEASURES = ("tempo", "tonic", "mode", "metre")
_COLOURS = ("textures", "production", "uses", "era")
_CLEAR = 0.1
"""A level that moved by this much is worth saying."""


def facets_of(
    description: Description,
    facets: Facets,
    vocabulary: Vocabulary,
    before: Description | None = None,
) -> Facets:
    """Return ``facets`` made true of ``description``.

    What they say of tempo, key, mode, metre, levels and instruments is put right; what they leave open stays open,
    unless ``before`` shows that it was changed.

    Args:
        description: The piece that the words shall tell of.
        facets: Words of the piece that it comes from.
        vocabulary: Knows instruments by their words.
        before: The piece that ``facets`` told of; what differs from it is said.
    """
    values: dict[str, object] = {}
    for name in _MEASURES:
        now = getattr(description, name)
        said = getattr(facets, name) is not None
        if said or (before is not None and getattr(before, name) != now):
            values[name] = quantise_tempo(now) if name == "tempo" else now
    for name in LEVELS:
        now = getattr(description.levels, name)
        moved = before is not None and abs(getattr(before.levels, name) - now) >= _CLEAR
        if getattr(facets, name) is not None or moved:
            values[name] = quantise(now)
    genre = vocabulary.genres.get(facets.genre or "")
    if description.family != (genre.family if genre else facets.family):
        values["genre"], values["family"] = None, description.family
    values["instruments"] = _instruments(description, facets, vocabulary, before)
    return tidy(dataclasses.replace(facets, **values), vocabulary)  # type: ignore[arg-type]


def _instruments(
    description: Description, facets: Facets, vocabulary: Vocabulary, before: Description | None
) -> tuple[str, ...]:
    """Drop words for players that are gone, and put the words for new ones in front."""
    old = () if before is None else before.voices
    known = {voice.instrument for voice in old}
    fresh = [] if before is None else [v for v in description.voices if v.instrument not in known]
    new = [word for voice in fresh if (word := word_of(voice.instrument, vocabulary)) is not None]
    sounds = {voice.instrument for voice in description.voices}
    gone = [voice for voice in old if voice.instrument not in sounds]
    kept = []
    for word in facets.instruments:
        true = any(heard(word, voice, vocabulary) for voice in description.voices)
        if true or not any(heard(word, voice, vocabulary) for voice in gone):
            kept.append(word)
    return tuple(dict.fromkeys([*new, *kept]))[: CAPS["instruments"]]


def follow(
    description: Description, before: Facets, after: Facets, vocabulary: Vocabulary
) -> Description | None:
    """Return the piece as words want it that changed its facets from ``before`` to ``after``.

    Tempo, key, metre and levels are steered, also where a mood moves them; layers that must not be heard leave, an
    instrument that was asked for takes the place of who plays its role; words for the sound are exchanged. Tunes stay.

    Returns:
        The piece, or ``None`` when the words ask for another genre or for something that this piece cannot become:
        then it has to be composed afresh.
    """
    if (after.genre, after.family) != (before.genre, before.family):
        return None
    try:
        out = _recast(description, before, after, vocabulary)
        if out is None:
            return None
        out = dataclasses.replace(out, words=_words(out, before, after))
        return steer(out, _wanted(out, before, after, vocabulary))
    except DescriptionError:
        return None


def _wanted(
    description: Description, before: Facets, after: Facets, vocabulary: Vocabulary
) -> Facets:
    """Return what to steer: what was said anew, and what words that came or went do to the rest."""
    then, now = vocabulary.settle(before), vocabulary.settle(after)
    values: dict[str, object] = {}
    for name in _MEASURES:
        if getattr(after, name) is not None and getattr(after, name) != getattr(before, name):
            values[name] = getattr(after, name)
    if "tempo" not in values and then.tempo and now.tempo and then.tempo != now.tempo:
        values["tempo"] = round(description.tempo * now.tempo / then.tempo, 2)
    if "mode" not in values and then.mode != now.mode:
        values["mode"] = now.mode
    for name in LEVELS:
        said = getattr(after, name)
        old, new = getattr(then, name), getattr(now, name)
        if said is not None and said != getattr(before, name):
            values[name] = said
        elif said is None and old is not None and new is not None and abs(new - old) >= 0.01:
            values[name] = clamp(getattr(description.levels, name) + new - old)
    return Facets(**values)  # type: ignore[arg-type]


def _recast(
    description: Description, before: Facets, after: Facets, vocabulary: Vocabulary
) -> Description | None:
    out = description
    for word in after.without:
        if word not in before.without:
            changed = _silenced(out, word, vocabulary)
            if changed is None:
                return None
            out = changed
    if set(before.without) - set(after.without):
        return None  # somebody comes back whom this piece does not know
    for word in after.instruments:
        if word in before.instruments:
            continue
        if any(
            heard(word, voice, vocabulary) and _exact(word, voice, vocabulary)
            for voice in out.voices
        ):
            continue
        seated = _seated(out, word, after.instruments, vocabulary)
        if seated is None:
            return None
        out = seated
    return out


def _exact(word: str, voice: VoiceDescription, vocabulary: Vocabulary) -> bool:
    """Say whether ``word`` asks for a layer that ``voice`` plays, or for its very sound."""
    said = vocabulary.instruments.get(word)
    if said is not None and said.layer:
        return heard(word, voice, vocabulary)
    return word_of(voice.instrument, vocabulary) == word


def _silenced(description: Description, word: str, vocabulary: Vocabulary) -> Description | None:
    """Let everybody rest whom ``word`` means; ``None`` when it means nobody here or everybody."""
    said = vocabulary.instruments.get(word)
    gone = {
        voice.name
        for voice in description.voices
        if said is not None
        and (
            (said.layer and said.roles[0] == voice.role)
            or vocabulary.covers(word, word_of(voice.instrument, vocabulary) or "")
        )
    }
    rest = [voice for voice in description.voices if voice.name not in gone]
    if not gone or not rest:
        return None
    bars = []
    for bar in description.bars:
        left = tuple(name for name in bar.voices if name not in gone) or (rest[0].name,)
        changed = dataclasses.replace(bar, voices=left)
        bars.append(changed if left == bar.voices else freed((changed,), ("players",))[0])
    return without_idle(dataclasses.replace(description, bars=tuple(bars)))


def _seated(
    description: Description, word: str, said: Sequence[str], vocabulary: Vocabulary
) -> Description | None:
    """Give an instrument to a player of its role whom no word names, or to a new player beside the lead."""
    found = player(word, vocabulary)
    if found is None:
        return None
    sound, roles = found
    for role in roles:
        for place, voice in enumerate(description.voices):
            named = any(heard(one, voice, vocabulary) for one in said if one != word)
            if voice.role == role and (role in GROOVE or not named):
                voices = list(description.voices)
                voices[place] = dataclasses.replace(voice, instrument=sound)
                pitched = () if role == "drums" else ("instruments",)
                bars = freed(description.bars, pitched, {voice.name})
                return dataclasses.replace(description, voices=tuple(voices), bars=bars)
    return _joined_by(description, sound) if "lead" in roles else None


def _joined_by(description: Description, sound: str) -> Description | None:
    """Add a counter to the lead, with a tune that follows from the lead's."""
    leads = [voice for voice in description.voices if voice.role == "lead"]
    if not leads or len(description.voices) >= MAX_VOICES:
        return None
    names = {voice.name for voice in description.voices}
    name = next(n for i in range(1, MAX_VOICES + 2) if (n := f"counter {i}") not in names)
    tune = (leads[0].tune[0], (leads[0].tune[1] + 1) % 2**32)
    voice = dataclasses.replace(leads[0], name=name, role="counter", instrument=sound, tune=tune)
    bars = [
        dataclasses.replace(bar, voices=(*bar.voices, name)) if leads[0].name in bar.voices else bar
        for bar in description.bars
    ]
    return dataclasses.replace(
        description,
        voices=(*description.voices, voice),
        bars=freed(bars, ("players",), {name}),
    )


def _words(description: Description, before: Facets, after: Facets) -> tuple[str, ...]:
    old = {word for name in _COLOURS for word in _said(before, name)}
    new = [word for name in _COLOURS for word in _said(after, name)]
    kept = [word for word in description.words if word not in old or word in new]
    return tuple(dict.fromkeys([*kept, *new]))


def _said(facets: Facets, name: str) -> tuple[str, ...]:
    value = getattr(facets, name)
    return value if isinstance(value, tuple) else (value,) if value else ()
