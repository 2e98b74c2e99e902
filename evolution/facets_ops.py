"""Breeding on facets: making, crossing and mutating them. Everything takes its chance from an RNG."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping, Sequence
from typing import TypeVar

import numpy as np

from domain.facets import MODES, TONICS, Facets
from evolution.selection import draw
from prompts.entries import Effect, Genre, Kind, Term
from prompts.levels import AXES, clamp, quantise
from prompts.tidy import CAPS, tidy
from prompts.vocabulary import Vocabulary

T = TypeVar("T")

LATE_AXES = ("danceability", "acousticness", "instrumentalness", "loudness")
"""Levels that follow from genre and instruments unless a prompt says otherwise, so they are said less often."""
MUTABLE = (
    "genre",
    "instruments",
    "moods",
    "tempo",
    "textures",
    "production",
    "energy",
    "brightness",
    "density",
    "valence",
    *LATE_AXES,
    "mode",
    "tonic",
    "era",
    "metre",
    "uses",
)
"""Fields that a mutation may change. ``without`` changes only by a person's words and by crossing."""

_TERM_KINDS = {
    "moods": Kind.MOOD,
    "textures": Kind.TEXTURE,
    "production": Kind.PRODUCTION,
    "uses": Kind.USE,
    "era": Kind.ERA,
}
_METRES = ((4, 4), (3, 4), (6, 8), (5, 4), (7, 8), (12, 8))


def one(options: Sequence[T], rng: np.random.Generator) -> T:
    """Return one of ``options``."""
    return options[int(rng.integers(len(options)))]


class Breeder:
    """The operators, over one vocabulary. Every result is tidy."""

    def __init__(self, vocabulary: Vocabulary) -> None:
        self.vocabulary = vocabulary
        self.families = tuple(vocabulary.families) or ("",)
        self._mood_names = tuple(vocabulary.moods)
        effects = [mood.effect for mood in vocabulary.moods.values()]
        self._mood_pulls = np.array(
            [[getattr(effect, axis) for axis in AXES] for effect in effects]
        )

    # Making.

    def invent(self, family: str, rng: np.random.Generator) -> Facets:
        """Make something of ``family`` that is typical of one of its genres, with a few words of its own."""
        genres = self.vocabulary.genres_of(family)
        if not genres:
            return Facets()
        weights = np.arange(1, len(genres) + 1, dtype=float) ** -0.5
        genre = genres[draw(weights, rng)]
        return self.dress(Facets(genre=genre.name, family=family), rng)

    def dress(self, facets: Facets, rng: np.random.Generator) -> Facets:
        """Fill in some of what ``facets`` leaves open, in the manner of its genre. What is said stays."""
        genre = self.vocabulary.genres.get(facets.genre or "")
        values: dict[str, object] = {}
        if not facets.moods:
            values["moods"] = self._fitting_moods(genre, int(rng.integers(1, 3)), rng)
        if not facets.instruments:
            values["instruments"] = self._ensemble(genre, facets.without, rng)
        for field, chance in (("textures", 0.4), ("production", 0.3), ("uses", 0.1)):
            if not getattr(facets, field) and rng.random() < chance:
                values[field] = self._some_term(field, rng)
        if facets.era is None and rng.random() < 0.12:
            values["era"] = next(iter(self._some_term("era", rng)), None)
        values.update(self._measures(facets, genre, rng))
        return tidy(dataclasses.replace(facets, **values), self.vocabulary)  # type: ignore[arg-type]

    def _measures(
        self, facets: Facets, genre: Genre | None, rng: np.random.Generator
    ) -> dict[str, object]:
        values: dict[str, object] = {}
        if facets.tempo is None and genre is not None and rng.random() < 0.7:
            values["tempo"] = rng.uniform(*genre.tempo)
        if facets.mode is None and rng.random() < 0.3:
            modes = genre.modes if genre and rng.random() < 0.75 else MODES
            values["mode"] = one(modes, rng)
            if facets.tonic is None and rng.random() < 0.6:
                values["tonic"] = one(TONICS, rng)
        for axis in AXES:
            chance = 0.05 if axis in LATE_AXES else 0.15
            if getattr(facets, axis) is None and rng.random() < chance:
                usual = getattr(genre, axis) if genre else 0.5
                values[axis] = clamp(usual + rng.normal(0, 0.2))
        return values

    def _fitting_moods(
        self, genre: Genre | None, count: int, rng: np.random.Generator
    ) -> tuple[str, ...]:
        """Choose moods that pull where the genre already is, mostly."""
        if not self._mood_names:
            return ()
        lean = [2 * (getattr(genre, axis) if genre else 0.5) - 1 for axis in AXES]
        weights = np.exp(5 * self._mood_pulls @ np.array(lean))
        picked = [self._mood_names[draw(weights, rng)] for _ in range(count)]
        return self.agreeing(picked)

    def _ensemble(
        self, genre: Genre | None, without: Iterable[str], rng: np.random.Generator
    ) -> tuple[str, ...]:
        names = list(self.vocabulary.instruments)
        chosen: list[str] = []
        if genre is not None:
            usual = list(self.vocabulary.audible(genre.instruments, without))
            count = min(len(usual), int(rng.integers(1, 4)))
            chosen += [usual[index] for index in sorted(rng.permutation(len(usual))[:count])]
        if names and (genre is None or rng.random() < 0.3):
            chosen.append(one(names, rng))
        return tuple(chosen)

    def _some_term(self, field: str, rng: np.random.Generator) -> tuple[str, ...]:
        terms = list(self.vocabulary.terms(_TERM_KINDS[field]))
        return (one(terms, rng),) if terms else ()

    def agreeing(self, moods: Iterable[str]) -> tuple[str, ...]:
        """Return ``moods`` in order without those that pull against an earlier one."""
        kept: dict[str, Effect] = {}
        for name in moods:
            mood = self.vocabulary.moods.get(name)
            if mood is not None and not any(
                _opposed(mood.effect, other) for other in kept.values()
            ):
                kept[name] = mood.effect
        return tuple(kept)

    # Crossing.

    def cross(self, mother: Facets, father: Facets, rng: np.random.Generator) -> Facets:
        """Make a child all of whose facets come from ``mother`` or ``father``.

        The genre brings its family and, mostly, its tempo and metre along; lists are drawn from both parents' words.
        """
        donor, other = (mother, father) if rng.random() < 0.5 else (father, mother)
        values: dict[str, object] = {}
        for field in dataclasses.fields(Facets):
            name = field.name
            if name in CAPS:
                values[name] = _shared_words(getattr(donor, name), getattr(other, name), rng)
            elif name in ("genre", "family"):
                values[name] = getattr(donor, name)
            else:
                keep = 0.75 if name in ("tempo", "metre") else 0.5
                values[name] = getattr(donor if rng.random() < keep else other, name)
        values["moods"] = self.agreeing(values["moods"])  # type: ignore[arg-type]
        values["unknown"] = ()
        return tidy(Facets(**values), self.vocabulary)  # type: ignore[arg-type]

    # Mutating.

    def mutate(
        self, facets: Facets, field: str, strength: float, rng: np.random.Generator
    ) -> Facets:
        """Change one field of ``facets``.

        Args:
            facets: The parent.
            field: One of ``MUTABLE``.
            strength: In [0, 1]; from .6 a genre leaves its family and a mood its neighbourhood.
            rng: Chooses.
        """
        if field == "genre":
            return self.regenre(facets, rng, leave=strength >= 0.6)
        value: object
        if field == "instruments":
            value = self._instruments(facets, rng)
        elif field == "era":
            value = None if facets.era else next(iter(self._some_term("era", rng)), None)
        elif field in _TERM_KINDS:
            value = self._words(facets, field, strength, rng)
        else:
            value = self._number(facets, field, strength, rng)
        return tidy(dataclasses.replace(facets, **{field: value}), self.vocabulary)  # type: ignore[arg-type]

    def regenre(self, facets: Facets, rng: np.random.Generator, *, leave: bool) -> Facets:
        """Move ``facets`` to a genre that feels near: a sibling, or with ``leave`` one of another family."""
        here = self.vocabulary.genres.get(facets.genre or "")
        options = [
            genre
            for genre in self.vocabulary.genres.values()
            if genre is not here and (genre.family != facets.family) == leave
        ]
        if not options:
            return facets
        if here is not None:
            options = sorted(options, key=lambda genre: _apart(genre, here))[: 40 if leave else 8]
        genre = one(options, rng)
        tempo = facets.tempo
        if tempo is not None:
            tempo = float(clamp(tempo, genre.tempo[0] * 0.95, genre.tempo[1] * 1.05))
        moved = dataclasses.replace(
            facets, genre=genre.name, family=genre.family, tempo=tempo, metre=None
        )
        return tidy(moved, self.vocabulary)

    def _instruments(self, facets: Facets, rng: np.random.Generator) -> tuple[str, ...]:
        """Swap one instrument for another of its role, or add or drop one."""
        have = list(facets.instruments)
        names = list(self.vocabulary.instruments)
        if not names:
            return facets.instruments
        action = rng.random()
        if have and action < 0.5:
            place = int(rng.integers(len(have)))
            old = self.vocabulary.instruments[have[place]]
            like = [
                name
                for name, instrument in self.vocabulary.instruments.items()
                if instrument.roles[0] == old.roles[0] or instrument.kin == old.kin
            ]
            have[place] = one(like, rng)
        elif len(have) > 1 and action < 0.65:
            del have[int(rng.integers(len(have)))]
        else:
            genre = self.vocabulary.genres.get(facets.genre or "")
            usual = genre.instruments if genre and rng.random() < 0.5 else tuple(names)
            if len(have) >= CAPS["instruments"]:
                have.pop(0)
            have.append(one(usual or tuple(names), rng))
        return tuple(have)

    def _words(
        self, facets: Facets, field: str, strength: float, rng: np.random.Generator
    ) -> tuple[str, ...]:
        have = list(getattr(facets, field))
        terms = self.vocabulary.terms(_TERM_KINDS[field])
        if not terms:
            return tuple(have)
        if have and rng.random() < 0.25:
            del have[int(rng.integers(len(have)))]
            return tuple(have)
        if have and rng.random() < 0.6:
            place = int(rng.integers(len(have)))
            have[place] = _neighbour(terms, have[place], strength, rng)
        else:
            have = [*have[-(CAPS[field] - 1) :], one(list(terms), rng)]
        # The newest word comes first, so that it is an older one that gives way to it.
        return self.agreeing(reversed(have)) if field == "moods" else tuple(have)

    def _number(
        self, facets: Facets, field: str, strength: float, rng: np.random.Generator
    ) -> object:
        settled = self.vocabulary.settle(facets)
        if field == "tempo":
            return (settled.tempo or 104.0) * float(np.exp(rng.normal(0, 0.04 + 0.2 * strength)))
        if field in AXES:
            step = 0.2 if strength < 0.6 else 0.4
            level = getattr(settled, field)
            here = quantise(0.5 if level is None else level)
            up = rng.random() < 0.5 if 0.1 < here < 0.9 else here <= 0.1
            return clamp(here + (step if up else -step))
        if field == "metre":
            return one([metre for metre in _METRES if metre != settled.metre], rng)
        options = MODES if field == "mode" else TONICS
        return one([option for option in options if option != getattr(facets, field)], rng)


def _opposed(one_effect: Effect, other: Effect) -> bool:
    """Say whether two moods cannot both be meant: they pull an axis strongly in two directions."""
    return any(
        getattr(one_effect, axis) * getattr(other, axis) < 0
        and min(abs(getattr(one_effect, axis)), abs(getattr(other, axis))) >= 0.16
        for axis in AXES
    )


def _shared_words(
    first: Sequence[str], second: Sequence[str], rng: np.random.Generator
) -> tuple[str, ...]:
    union = list(dict.fromkeys([*first, *second]))
    low, high = sorted((len(first), len(second)))
    count = int(rng.integers(low, high + 1))
    chosen = set(rng.permutation(len(union))[:count].tolist())
    return tuple(word for index, word in enumerate(union) if index in chosen)


def _apart(genre: Genre, other: Genre) -> float:
    feel = sum(abs(getattr(genre, axis) - getattr(other, axis)) for axis in AXES)
    return float(feel + 2 * abs(np.log2(genre.usual_tempo / other.usual_tempo)))


def _neighbour(
    terms: Mapping[str, Term], word: str, strength: float, rng: np.random.Generator
) -> str:
    """Return a term that acts on the sound as ``word`` does, or with much strength any."""
    here = terms.get(word)
    options = [term for term in terms.values() if term is not here]
    if not options:
        return word
    if here is not None and strength < 0.6:
        effect = here.effect
        options.sort(
            key=lambda term: sum(
                abs(getattr(term.effect, axis) - getattr(effect, axis)) for axis in AXES
            )
        )
        options = options[:10]
    return one(options, rng).name
