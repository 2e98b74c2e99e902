"""The vocabulary: every word about music that the project knows, and how words act on the sound."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping
from functools import cache

from domain.facets import FAMILIES, Facets
from prompts.entries import Effect, Family, Genre, Instrument, Kind, Phrase, Term
from prompts.levels import AXES, clamp, quantise_tempo
from prompts.loading import FOLDER, Entries, load, read_plain_words
from prompts.spelling import SHORTEST, index_of, mended
from prompts.text import forms, words_of

_TERM_FIELDS = {
    Kind.MOOD: "moods",
    Kind.TEXTURE: "textures",
    Kind.PRODUCTION: "production",
    Kind.USE: "uses",
}
DEFAULT_TEMPO = 104.0
"""Beats per minute of a prompt that says nothing about tempo or genre."""


class Vocabulary:
    """Words by kind, and one index of all phrases. Immutable once made.

    Attributes:
        families: ``Family`` by name.
        genres: ``Genre`` by canonical word; likewise ``instruments`` and, as ``Term``, ``moods``, ``textures``,
            ``production``, ``eras`` and ``uses``.
        levels: For each axis the phrases of the five levels, the preferred one first.
        phrases: Everything the reader recognises, by its words joined with single spaces.
        reach: For a first word the most words that a phrase beginning with it has.
    """

    def __init__(self, entries: Entries) -> None:
        self.families: Mapping[str, Family] = entries.families
        self.genres: Mapping[str, Genre] = entries.genres
        self.instruments: Mapping[str, Instrument] = entries.instruments
        self._terms = entries.terms
        self.levels = entries.levels
        self.phrases: Mapping[str, Phrase] = entries.phrases
        self.reach: Mapping[str, int] = entries.reach
        self._spellings: Mapping[str, tuple[str, ...]] | None = None
        self._words: frozenset[str] = frozenset()

    @property
    def moods(self) -> Mapping[str, Term]:
        """Mood words by canonical word."""
        return self.terms(Kind.MOOD)

    def terms(self, kind: Kind) -> Mapping[str, Term]:
        """Return the terms of ``kind`` by canonical word; none for a kind that is not one of terms."""
        return self._terms.get(kind, {})

    @property
    def textures(self) -> Mapping[str, Term]:
        """Texture words by canonical word."""
        return self.terms(Kind.TEXTURE)

    @property
    def production(self) -> Mapping[str, Term]:
        """Production words by canonical word."""
        return self.terms(Kind.PRODUCTION)

    @property
    def eras(self) -> Mapping[str, Term]:
        """Era words by canonical word."""
        return self.terms(Kind.ERA)

    @property
    def uses(self) -> Mapping[str, Term]:
        """Words for what music is for, by canonical word."""
        return self.terms(Kind.USE)

    def find(self, words: str) -> Phrase | None:
        """Return what ``words`` mean as a whole, in any spelling, or ``None``."""
        parts = words_of(words)
        if not parts:
            return None
        head = " ".join(parts[:-1])
        for last in forms(parts[-1]):
            hit = self.phrases.get(f"{head} {last}" if head else last)
            if hit is not None:
                return hit
        return None

    def mend(self, word: str) -> str | None:
        """Return the long word of the vocabulary that ``word`` is misspelt from by one letter, or ``None``."""
        if self._spellings is None:
            heavy = [key for key, hit in self.phrases.items() if hit.kind is not Kind.FILLER]
            self._words = frozenset(part for key in heavy for part in key.split())
            names = {hit.name for hit in self.phrases.values()}
            run_together = {key.replace(" ", "") for key in heavy if " " in key} - names
            long = (word for word in self._words - run_together if len(word) >= SHORTEST)
            self._spellings = index_of(long)
        if word in plain_words() or any(form in self._words for form in forms(word)):
            return None
        return mended(word, self._spellings)

    def genre(self, word: str) -> Genre | None:
        """Return the genre that ``word`` or one of its spellings names."""
        return self.genres.get(word) or self.genres.get(self._canonical(word, Kind.GENRE))

    def instrument(self, word: str) -> Instrument | None:
        """Return the instrument that ``word`` or one of its spellings names."""
        return self.instruments.get(word) or self.instruments.get(
            self._canonical(word, Kind.INSTRUMENT)
        )

    def term(self, kind: Kind, word: str) -> Term | None:
        """Return the mood, texture, production, era or use that ``word`` names."""
        terms = self._terms.get(kind, {})
        return terms.get(word) or terms.get(self._canonical(word, kind))

    def _canonical(self, word: str, kind: Kind) -> str:
        hit = self.find(word)
        return hit.name if hit is not None and hit.kind is kind else ""

    def genres_of(self, family: str) -> tuple[Genre, ...]:
        """Return the genres of ``family``, the most typical first; none for a family that is not known."""
        found = self.families.get(family)
        return tuple(self.genres[name] for name in found.genres) if found else ()

    def covers(self, general: str, specific: str) -> bool:
        """Say whether leaving out ``general`` means that ``specific`` must not be heard either.

        "Drums" covers every drum, "guitar" every guitar, "piano" the felt piano too.
        """
        if general == specific:
            return True
        wide, narrow = self.instruments.get(general), self.instruments.get(specific)
        if wide is None or narrow is None:
            return False
        if wide.kin == narrow.kin and (wide.layer or wide.name in ("guitar", "synth")):
            return wide.kin != "layers"
        if wide.layer and wide.roles[0] == narrow.roles[0]:
            return wide.kin not in ("strings", "brass", "woodwinds")
        return specific.endswith(f" {general}")

    def audible(self, instruments: Iterable[str], without: Iterable[str]) -> tuple[str, ...]:
        """Return those of ``instruments`` that nothing in ``without`` silences, without repeats."""
        silent = tuple(without)
        return tuple(
            dict.fromkeys(
                name for name in instruments if not any(self.covers(word, name) for word in silent)
            )
        )

    def unsung(self, facets: Facets, usual: float) -> float:
        """Return how instrumental music is by the voices that ``facets`` want or forbid, else ``usual``."""
        if any(self.covers(word, "choir") for word in facets.without):
            return 1.0
        wanted = (self.instruments.get(word) for word in facets.instruments)
        if any(one is not None and one.roles[0] == "voice" for one in wanted):
            return min(usual, 0.2)
        return usual

    def effects(self, facets: Facets) -> list[Effect]:
        """Return the effect of every mood, texture, production, use and era word of ``facets``."""
        out = [
            self.terms(kind)[word].effect
            for kind, field in _TERM_FIELDS.items()
            for word in getattr(facets, field)
            if word in self.terms(kind)
        ]
        era = self.eras.get(facets.era or "")
        if era is not None:
            out.append(era.effect)
        return out

    def settle(self, facets: Facets) -> Facets:
        """Return ``facets`` with everything the composer needs filled in from what it does say.

        What is said stays. Family follows from the genre; levels are the genre's usual ones moved by the words'
        effects (each further word counts for less); tempo is the middle of the genre's range moved likewise; mode and
        instruments are the genre's usual ones, without what must be silent. Tonic and era may stay open.
        """
        genre = self.genres.get(facets.genre or "")
        family = genre.family if genre else facets.family
        if genre is None:
            genre = next(iter(self.genres_of(family or "")), None)
        effects = self.effects(facets)
        values: dict[str, object] = {"family": family if family in FAMILIES else None}
        for axis in AXES:
            if getattr(facets, axis) is None:
                base = getattr(genre, axis) if genre else 0.5
                if axis == "instrumentalness":
                    base = self.unsung(facets, base)
                values[axis] = round(clamp(base + pooled(effects, axis)), 3)
        if facets.tempo is None:
            tempo = genre.usual_tempo if genre else DEFAULT_TEMPO
            values["tempo"] = quantise_tempo(tempo * (1 + pooled(effects, "tempo")))
        if facets.mode is None:
            said = [effect.mode for effect in effects if effect.mode]
            usual = genre.modes[0] if genre else "major"
            values["mode"] = usual_mode(said, usual, genre.modes if genre else ())
        if facets.metre is None:
            values["metre"] = genre.metre if genre else (4, 4)
        wanted = facets.instruments or (genre.instruments if genre else ())
        values["instruments"] = self.audible(wanted, facets.without)
        return dataclasses.replace(facets, **values)  # type: ignore[arg-type]


def pooled(effects: Iterable[Effect], axis: str) -> float:
    """Add up one axis of ``effects``, the strongest in full and each further one at 60 % of the one before."""
    values = sorted((getattr(effect, axis) for effect in effects), key=abs, reverse=True)
    return float(sum(value * 0.6**rank for rank, value in enumerate(values) if value))


def usual_mode(said: list[str], usual: str, modes: tuple[str, ...]) -> str:
    """Choose the mode that most words lean to; a genre's own bright or dark mode stands in for major or minor."""
    lean = said.count("major") - said.count("minor")
    if lean == 0:
        return usual
    bright = ("major", "lydian", "mixolydian", "pentatonic")
    fitting = [mode for mode in modes if (mode in bright) == (lean > 0)]
    return fitting[0] if fitting else ("major" if lean > 0 else "minor")


@cache
def plain_words() -> frozenset[str]:
    """Return words that are no misspelling though they lie one letter beside a word of the vocabulary."""
    return frozenset(read_plain_words(FOLDER))


@cache
def shipped() -> Vocabulary:
    """Return the vocabulary in ``prompts/vocabulary/``, loaded on first use.

    Raises:
        PromptError: A file or an entry of it is wrong; the message names both.
    """
    return Vocabulary(load())
