"""Writes facets as a prompt that a person could have written, and that reads back as the same facets."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Sequence

import numpy as np

from domain.facets import Facets
from prompts.levels import AXES, level_index
from prompts.reader import read
from prompts.tidy import tidy
from prompts.vocabulary import Vocabulary, shipped

MAX_WORDS = 40
"""Longer prompts make text-to-audio models forget half of what they say."""

_TRIES = 3
_SPOKEN = 3  # phrases of a level that are written; the others are only read
_MODE_NAMES = {"blues": "blues scale"}
_DROPPED_FIRST = ("uses", "production", "textures", "moods", "without", "instruments")
_DROPPED_THEN = (
    *("era", "metre", "tonic", "loudness", "instrumentalness", "density", "acousticness"),
    *("danceability", "valence", "brightness", "energy", "mode"),
)
_WITH = ("with {}", "featuring {}", "led by {}", "built around {}", "carried by {}", "on {}")
_WITHOUT = ("without {}", "no {}", "without any {}", "free of {}")
_TEMPO = ("at {:.0f} bpm", "{:.0f} bpm", "around {:.0f} bpm", "tempo {:.0f} bpm")
_METRE = ("in {}/{}", "{}/{} time", "in {}/{} time")
_USE = ("for {}", "made for {}", "music for {}", "good for {}")
_ASIDE = ("{}", "a {} sound", "{} in texture", "sounding {}")
_PRODUCTION = ("{}", "{}", "{} in the mix")
_NOUNS = ("{}", "{}", "{} track", "{} piece")
_ARTICLE = re.compile(r"\b(a) ((?:[ai8]|e(?!u)|o(?!ne\b)|u[prg]))")
_FEELS = ("that feels {}", "with a {} mood", "in a {} mood", "sounding {}")


def write(facets: Facets, rng: np.random.Generator, vocabulary: Vocabulary | None = None) -> str:
    """Write ``facets`` as English of at most ``MAX_WORDS`` words.

    ``read(write(facets, rng))`` gives back every facet that ``written(facets)`` sets. Words that the vocabulary does
    not have are left out, and so is the least important where forty words cannot hold everything.

    Args:
        facets: What to say.
        rng: Chooses sentence patterns, order and synonyms of levels.
        vocabulary: The shipped one unless given.

    Returns:
        One line without markup.
    """
    vocabulary = vocabulary or shipped()
    said = written(facets, vocabulary)
    for _ in range(_TRIES):
        text = _Sentence(said, rng, vocabulary).natural()
        if len(text.split()) <= MAX_WORDS and says(read(text, vocabulary), said):
            return text
    return _Sentence(said, rng, vocabulary).terse()


def written(facets: Facets, vocabulary: Vocabulary | None = None) -> Facets:
    """Return what ``write`` says of ``facets``: tidied, and cut until the shortest form has ``MAX_WORDS`` words."""
    vocabulary = vocabulary or shipped()
    said = tidy(facets, vocabulary)
    while _length(said, vocabulary) > MAX_WORDS:
        said = _drop_one(said)
    return said


def says(heard: Facets, said: Facets) -> bool:
    """Say whether ``heard`` has every facet that ``said`` sets, nothing unknown and no other instruments or genre."""
    for field in dataclasses.fields(Facets):
        wanted, found = getattr(said, field.name), getattr(heard, field.name)
        if field.name in ("genre", "family") and wanted is None:
            continue
        if field.name != "metre" and isinstance(wanted, tuple):
            wanted, found = set(wanted), set(found)
        if wanted != found:
            return False
    return True


def _length(said: Facets, vocabulary: Vocabulary) -> int:
    longest = _Sentence(said, np.random.default_rng(0), vocabulary, longest=True)
    return len(longest.terse().split())


def _drop_one(said: Facets) -> Facets:
    """Leave out the least important thing; lists keep their first word until everything else is gone."""
    for keep in (1, 0):
        for field in _DROPPED_FIRST:
            words = getattr(said, field)
            if len(words) > keep:
                return dataclasses.replace(said, **{field: words[:-1]})
        if keep:
            for field in _DROPPED_THEN:
                if getattr(said, field) is not None:
                    return dataclasses.replace(said, **{field: None})  # type: ignore[arg-type]
    return dataclasses.replace(said, metre=None, tempo=None)


class _Sentence:
    """One wording. Every part is drawn from the RNG, so that a second wording differs."""

    def __init__(
        self,
        said: Facets,
        rng: np.random.Generator,
        vocabulary: Vocabulary,
        *,
        longest: bool = False,
    ) -> None:
        self.said = said
        self.rng = rng
        self.vocabulary = vocabulary
        self.longest = longest

    def natural(self) -> str:
        """Say it in a sentence or two."""
        said = self.said
        moods, textures = list(said.moods), list(said.textures)
        in_front = moods[: int(self.rng.integers(0, len(moods) + 1))]
        behind = moods[len(in_front) :]
        if textures and self.rng.random() < 0.5:
            in_front.append(textures.pop(0))
        lead = " ".join(
            part for part in (", ".join(in_front), said.era or "", self._noun()) if part
        )
        if lead.endswith(("track", "piece")) and self.rng.random() < 0.6:
            lead = f"a {lead}"
        if behind:
            lead = f"{lead} {self._one(_FEELS).format(_listed(behind, 'and'))}"
        lead = _ARTICLE.sub(r"\1n \2", lead)
        clauses = self._clauses(textures)
        if len(clauses) > 2 and self.rng.random() < 0.35:
            cut = int(self.rng.integers(1, len(clauses)))
            first, second = clauses[:cut], clauses[cut:]
            return f"{_sentence([lead, *first])}. {_sentence(second)}"
        return _sentence([lead, *clauses])

    def terse(self) -> str:
        """Say it as a list in which no two words can be taken together."""
        said = self.said
        parts = [self._genre(), *said.moods, *said.textures, said.era or "", *said.instruments]
        parts += [self._tempo(), self._key(), self._metre(), *self._levels()]
        parts += [*said.production, *(f"for {use}" for use in said.uses)]
        parts += [f"no {word}" for word in said.without]
        return _sentence([part for part in parts if part] or ["a piece of music"])

    def _clauses(self, textures: Sequence[str]) -> list[str]:
        said = self.said
        clauses = []
        if said.instruments:
            clauses.append(self._one(_WITH).format(_listed(said.instruments, "and")))
        measures = [self._tempo(), self._key(), self._metre()]
        clauses.append(" ".join(part for part in measures if part))
        levels = self._levels()
        if levels:
            clauses.append(_listed(levels, "and") if len(levels) < 3 else ", ".join(levels))
        if textures:
            aside = self._one(_ASIDE).format(_listed(textures, "and"))
            clauses.append(_ARTICLE.sub(r"\1n \2", aside))
        if said.production:
            clauses.append(self._one(_PRODUCTION).format(_listed(said.production, "and")))
        clauses = [clause for clause in clauses if clause]
        self.rng.shuffle(clauses)
        if said.uses:
            clauses.append(self._one(_USE).format(_listed(said.uses, "and")))
        if said.without:
            clauses.append(self._one(_WITHOUT).format(_listed(said.without, "or")))
        return clauses

    def _genre(self) -> str:
        if self.said.genre is None and self.said.family is not None:
            return self.vocabulary.genres_of(self.said.family)[0].name
        return self.said.genre or ""

    def _noun(self) -> str:
        genre = self._genre()
        if not genre:
            return "music"
        return self._one(_NOUNS).format(genre)

    def _tempo(self) -> str:
        return "" if self.said.tempo is None else self._one(_TEMPO).format(self.said.tempo)

    def _metre(self) -> str:
        return "" if self.said.metre is None else self._one(_METRE).format(*self.said.metre)

    def _key(self) -> str:
        mode = self.said.mode and _MODE_NAMES.get(self.said.mode, self.said.mode.replace("_", " "))
        if self.said.tonic is None:
            if mode is None:
                return ""
            if mode in ("major", "minor"):
                return f"{mode} {self._one(('key', 'mode'))}"
            return mode if mode == "blues scale" else f"{mode} mode"
        return f"in {self.said.tonic} {mode}" if mode else f"in the key of {self.said.tonic}"

    def _levels(self) -> list[str]:
        out = []
        for axis in AXES:
            value = getattr(self.said, axis)
            if value is not None:
                out.append(self._one(self.vocabulary.levels[axis][level_index(value)][:_SPOKEN]))
        return out

    def _one(self, options: Sequence[str]) -> str:
        if self.longest:
            return max(options, key=lambda option: len(option.split()))
        return options[int(self.rng.integers(len(options)))]


def _listed(words: Sequence[str], conjunction: str) -> str:
    if len(words) < 2:
        return "".join(words)
    return f"{', '.join(words[:-1])} {conjunction} {words[-1]}"


def _sentence(parts: Sequence[str]) -> str:
    text = ", ".join(parts)
    return text[:1].upper() + text[1:]
