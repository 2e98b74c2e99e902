"""Loads and checks the vocabulary files. An entry that is wrong is named with its file."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from domain.errors import PromptError
from domain.facets import FAMILIES, MODES
from prompts.entries import ROLES, Effect, Family, Genre, Instrument, Kind, Phrase, Term
from prompts.levels import AXES, LEVELS
from prompts.text import words_of
from prompts.usual import further_levels

FOLDER = Path(__file__).parent / "vocabulary"
_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_EFFECT = re.compile(r"([evbdtgail])([+-]\d{1,2})")
_EFFECT_FIELDS = {
    "e": "energy",
    "v": "valence",
    "b": "brightness",
    "d": "density",
    "g": "danceability",
    "a": "acousticness",
    "i": "instrumentalness",
    "l": "loudness",
    "t": "tempo",
}


@dataclass
class Entries:
    """Everything that the files say; see ``Vocabulary`` for the meaning."""

    families: dict[str, Family] = field(default_factory=dict)
    genres: dict[str, Genre] = field(default_factory=dict)
    instruments: dict[str, Instrument] = field(default_factory=dict)
    terms: dict[Kind, dict[str, Term]] = field(default_factory=dict)
    levels: dict[str, tuple[tuple[str, ...], ...]] = field(default_factory=dict)
    phrases: dict[str, Phrase] = field(default_factory=dict)
    reach: dict[str, int] = field(default_factory=dict)
    joined: dict[str, Phrase] = field(default_factory=dict)


def load(folder: Path = FOLDER) -> Entries:
    """Load ``genres``, ``places``, ``instruments``, ``moods``, ``terms`` and ``language`` from ``folder``.

    Raises:
        PromptError: A file is missing or unreadable, or an entry is wrong or means two things.
    """
    entries = Entries()
    _Instruments(folder, "instruments.yaml", entries).fill()
    _Terms(folder, "moods.yaml", entries).fill_moods()
    _Terms(folder, "terms.yaml", entries).fill_terms()
    _Genres(folder, "genres.yaml", entries).fill()
    _Places(folder, "places.yaml", entries).fill()
    _Language(folder, "language.yaml", entries).fill()
    for phrase, hit in entries.joined.items():
        if phrase not in entries.phrases:
            entries.phrases[phrase] = hit
            entries.reach.setdefault(phrase, 1)
    return entries


def read_plain_words(folder: Path = FOLDER) -> list[str]:
    """Return the words of ``plain_words.yaml``.

    Raises:
        PromptError: The file is missing or unreadable.
    """
    return str(_File(folder, "plain_words.yaml", Entries()).content.get("words")).split()


class _File:
    """One file: its content, and errors that name it."""

    def __init__(self, folder: Path, name: str, entries: Entries) -> None:
        self.name = name
        self.entries = entries
        try:
            text = (folder / name).read_text(encoding="utf-8")
            self.content = yaml.load(text, Loader=_LOADER)  # noqa: S506 - a safe loader, chosen above
        except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
            raise PromptError(f"The vocabulary file {name} cannot be read: {error}") from error
        if not isinstance(self.content, dict):
            raise self.wrong("the file", "is not a mapping")

    def wrong(self, entry: object, why: str) -> PromptError:
        return PromptError(f'In the vocabulary file {self.name}, "{entry}" {why}.')

    def mapping(self, entry: object, value: object) -> dict[Any, Any]:
        if not isinstance(value, dict):
            raise self.wrong(entry, "is not a mapping")
        return value

    def add(self, phrase: str, hit: Phrase) -> None:
        """Index ``phrase``; "lo fi" is found as "lofi" too."""
        words = words_of(phrase)
        if not words:
            raise self.wrong(hit.name, f'has the empty spelling "{phrase}"')
        key = " ".join(words)
        known = self.entries.phrases.setdefault(key, hit)
        if known is not hit and (known.kind, known.name) != (hit.kind, hit.name):
            if hit.kind is Kind.FILLER:
                return
            raise self.wrong(
                hit.name, f'shares "{phrase}" with the {known.kind.value} "{known.name}"'
            )
        reach = self.entries.reach
        reach[words[0]] = max(reach.get(words[0], 0), len(words))
        if len(words) > 1 and hit.kind is not Kind.FILLER:
            self.entries.joined.setdefault("".join(words), hit)

    def add_all(self, kind: Kind, name: str, aliases: tuple[str, ...]) -> None:
        hit = Phrase(kind, name)
        self.add(name, hit)
        for alias in aliases:
            self.add(alias, hit)

    def effect(self, entry: object, text: object) -> Effect:
        values: dict[str, Any] = {}
        for word in str(text).split():
            match = _EFFECT.fullmatch(word)
            if match:
                values[_EFFECT_FIELDS[match.group(1)]] = int(match.group(2)) / 100
            elif word in ("major", "minor"):
                values["mode"] = word
            else:
                raise self.wrong(entry, f'has an effect "{word}" that is not like e+20 or minor')
        return Effect(**values)


def listed(value: object) -> tuple[str, ...]:
    """Split "one / two" into its parts; ``None`` is none."""
    if value is None:
        return ()
    return tuple(part.strip() for part in str(value).split(" / ") if part.strip())


def parse_metre(text: str) -> tuple[int, int] | None:
    """Read "3/4"; ``None`` where that is no metre of music."""
    beats, _, unit = text.partition("/")
    if not (beats.isdecimal() and len(beats) < 3 and unit in ("2", "4", "8", "16")):
        return None
    return (int(beats), int(unit)) if 2 <= int(beats) <= 15 else None


class _Instruments(_File):
    def fill(self) -> None:
        for kin, group in self.content.items():
            for raw, data in self.mapping(kin, group).items():
                name = str(raw)
                entry = self.mapping(name, data)
                roles = tuple(str(entry.get("roles", "")).split())
                if not roles or not set(roles) <= set(ROLES):
                    raise self.wrong(name, f"needs roles out of {', '.join(ROLES)}")
                aliases = listed(entry.get("aka"))
                self.entries.instruments[name] = Instrument(
                    name=name,
                    kin=str(kin),
                    roles=roles,
                    layer=entry.get("layer") is True,
                    aliases=aliases,
                )
                self.add_all(Kind.INSTRUMENT, name, aliases)


class _Terms(_File):
    def fill_moods(self) -> None:
        self._fill(Kind.MOOD, self.content)

    def fill_terms(self) -> None:
        for kind in (Kind.TEXTURE, Kind.PRODUCTION, Kind.ERA, Kind.USE):
            self._fill(kind, self.mapping(kind.value, self.content.get(kind.value)))

    def _fill(self, kind: Kind, group: Mapping[Any, Any]) -> None:
        terms = self.entries.terms.setdefault(kind, {})
        for raw, data in group.items():
            name = str(raw)
            entry = self.mapping(name, data)
            aliases = listed(entry.get("aka"))
            effect = self.effect(name, entry.get("feel", ""))
            terms[name] = Term(name=name, kind=kind, effect=effect, aliases=aliases)
            self.add_all(kind, name, aliases)


class _Genres(_File):
    def fill(self) -> None:
        for raw, data in self.content.items():
            family = str(raw)
            if family not in FAMILIES:
                raise self.wrong(family, "is not a family")
            entry = self.mapping(family, data)
            genres = self.mapping(family, entry.get("genres"))
            flavour = str(entry.get("flavour"))
            if flavour not in self.entries.terms[Kind.TEXTURE]:
                raise self.wrong(family, f'has the flavour "{flavour}", which is not a texture')
            for name, genre in genres.items():
                self._genre(family, str(name), {**entry, **self.mapping(name, genre)})
            self.entries.families[family] = Family(
                name=family,
                flavour=flavour,
                instruments=self._instruments(family, entry),
                modes=self._modes(family, entry),
                metre=self.metre(family, entry.get("metre")),
                genres=tuple(str(name) for name in genres),
            )
        missing = set(FAMILIES) - set(self.entries.families)
        if missing:
            raise self.wrong(sorted(missing)[0], "is missing")

    def _genre(self, family: str, name: str, entry: Mapping[str, Any]) -> None:
        feel = self._numbers(name, entry.get("feel"), count=4)
        low, high = self._numbers(name, str(entry.get("tempo")).replace("-", " "), count=2)
        if not 40 <= low <= high <= 220:
            raise self.wrong(name, "needs a tempo like 90-120, from 40 to 220")
        if max(feel) > 100:
            raise self.wrong(name, "needs a feel of four percentages")
        aliases = listed(entry.get("aka"))
        made = Genre(
            name=name,
            family=family,
            tempo=(low, high),
            energy=feel[0] / 100,
            valence=feel[1] / 100,
            brightness=feel[2] / 100,
            density=feel[3] / 100,
            instruments=self._instruments(name, entry),
            modes=self._modes(name, entry),
            metre=self.metre(name, entry.get("metre")),
            aliases=aliases,
        )
        self.entries.genres[name] = further_levels(made, self.entries.instruments)
        self.add_all(Kind.GENRE, name, aliases)

    def _numbers(self, name: str, text: object, *, count: int) -> list[float]:
        words = str(text).split()
        if len(words) != count or not all(word.isdigit() for word in words):
            raise self.wrong(name, f'has "{text}" where {count} whole numbers should be')
        return [float(word) for word in words]

    def _instruments(self, name: str, entry: Mapping[str, Any]) -> tuple[str, ...]:
        found = listed(entry.get("with"))
        for word in found:
            if word not in self.entries.instruments:
                raise self.wrong(name, f'has the instrument "{word}", which is not one')
        return found

    def _modes(self, name: str, entry: Mapping[str, Any]) -> tuple[str, ...]:
        modes = tuple(str(entry.get("modes", "")).split())
        if not modes or not set(modes) <= set(MODES):
            raise self.wrong(name, f"needs modes out of {', '.join(MODES)}")
        return modes

    def metre(self, name: str, text: object) -> tuple[int, int]:
        metre = parse_metre(str(text))
        if metre is None:
            raise self.wrong(name, "needs a metre like 3/4")
        return metre


class _Places(_File):
    def fill(self) -> None:
        for raw, aliases in self.content.items():
            genre = str(raw)
            if genre not in self.entries.genres:
                raise self.wrong(genre, "is not a genre")
            for name in listed(aliases):
                if (
                    " ".join(words_of(name)) not in self.entries.phrases
                ):  # "rio carnival" may be a genre
                    self.add(name, Phrase(Kind.PLACE, genre))


class _Language(_File):
    def fill(self) -> None:
        self._levels()
        for raw, value in self._section("tempos"):
            self._add_spellings(raw, Kind.TEMPO, self._tempo(raw, value))
        for section, kind in (("shifts", Kind.SHIFT), ("amounts", Kind.AMOUNT)):
            for raw, value in self._section(section):
                self._add_spellings(raw, kind, self.effect(raw, value))
        for section, kind in (("degrees", Kind.DEGREE), ("compares", Kind.COMPARE)):
            for raw, value in self._section(section):
                self._add_spellings(raw, kind, self._number(raw, value))
        for section, kind in (("silences", Kind.SILENCE), ("modes", Kind.MODE)):
            for value, raw in self._section(section):
                self._add_spellings(raw, kind, str(value))
        for value, raw in self._section("metres"):
            self._add_spellings(raw, Kind.METRE, parse_metre(str(value)))
        self._words()

    def _words(self) -> None:
        for words in self.content.get("merely", ()):
            for word in listed(words):
                self.add(word, Phrase(Kind.FILLER, word))
        for words in self.content.get("negations", ()):
            self._add_spellings(words, Kind.NEGATION, None)
        for words in self.content.get("fillers", ()):
            for word in str(words).split():
                self.add(word, Phrase(Kind.FILLER, word))

    def _tempo(self, entry: object, value: object) -> tuple[float | None, float | None]:
        """Return beats per minute or a level; the other one is ``None``."""
        kind, _, level = str(value).partition(" ")
        if kind == "level" and level.isdigit():
            return None, int(level) / 100
        return self._number(entry, value), None

    def _section(self, name: str) -> Iterator[tuple[Any, Any]]:
        return iter(self.mapping(name, self.content.get(name)).items())

    def _number(self, entry: object, value: object) -> float:
        if not isinstance(value, int | float):
            raise self.wrong(entry, f'has "{value}" where a number should be')
        return float(value)

    def _add_spellings(self, spellings: object, kind: Kind, value: object) -> None:
        names = listed(spellings)
        for name in names:
            self.add(name, Phrase(kind, names[0], value))

    def _levels(self) -> None:
        for axis in AXES:
            rows = self.mapping("levels", self.content.get("levels")).get(axis)
            if not isinstance(rows, list) or len(rows) != len(LEVELS):
                raise self.wrong(axis, "needs five levels")
            self.entries.levels[axis] = tuple(listed(row) for row in rows)
            for value, row in zip(LEVELS, self.entries.levels[axis], strict=True):
                for name in row:
                    self.add(name, Phrase(Kind.LEVEL, f"{axis}:{value}", (axis, value)))
