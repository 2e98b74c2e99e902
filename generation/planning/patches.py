"""Instruments by name: which sound plays them, how far they reach, and which words in a prompt mean them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from domain.errors import GenerationError

_FILE = Path(__file__).parent / "patches.yaml"
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

_KEYS = {
    "sticks": 31, "kick_low": 35, "kick": 36, "rim": 37, "snare": 38, "clap": 39, "snare_tight": 40, "brush": 38,
    "hat": 42, "pedal": 44, "open": 46, "tom_deep": 41, "tom_floor": 43, "tom_low": 45, "tom_mid": 47,
    "tom_high": 50, "crash": 49, "ride": 51, "china": 52, "bell": 53, "tambourine": 54, "splash": 55,
    "cowbell": 56, "cymbal": 57, "vibraslap": 58, "bongo_high": 60, "bongo_low": 61, "conga_mute": 62,
    "conga_high": 63, "conga_low": 64, "timbale_high": 65, "timbale_low": 66, "agogo_high": 67,
    "agogo_low": 68, "cabasa": 69, "shaker": 70, "whistle_short": 71, "whistle_long": 72, "guiro": 73,
    "guiro_long": 74, "clave": 75, "block_high": 76, "block_low": 77, "cuica_mute": 78, "cuica_open": 79,
    "triangle_mute": 80, "triangle": 81, "jingle": 83, "bell_tree": 84, "castanets": 85, "surdo_mute": 86,
    "surdo": 87, "timpani": 41,
}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Patch:
    """A sound to play.

    Attributes:
        name: Key in ``patches.yaml``.
        program: General MIDI program; for a drum kit the program of the percussion bank.
        synth: Name of our own synthesis instead of the SoundFont, or ``""``.
        kind: ``"keys"``, ``"plucked"``, ``"sustained"``, ``"mallet"``, ``"bass"``, ``"pad"``, ``"arp"``, ``"effects"``
            (single noises) or ``"drums"``.
        low: Lowest MIDI key that sounds natural.
        high: Highest.
        words: What prompts call it, besides its name.
    """

    name: str
    program: int
    synth: str = ""
    kind: str = "keys"
    low: int = 36
    high: int = 96
    words: tuple[str, ...] = ()

    @property
    def percussion(self) -> bool:
        """Whether it is a drum kit."""
        return self.kind == "drums"


@dataclass(frozen=True, slots=True)
class _Table:
    patches: Mapping[str, Patch]
    words: Mapping[str, str]
    percussion: Mapping[str, tuple[str, ...]]
    groups: Mapping[str, tuple[str, ...]]
    layers: Mapping[str, tuple[str, ...]]
    ensembles: Mapping[str, Mapping[str, str]]


@cache
def _table() -> _Table:
    data: dict[str, Any] = yaml.load(_FILE.read_text(encoding="utf-8"), Loader=_LOADER)  # noqa: S506
    patches: dict[str, Patch] = {}
    words: dict[str, str] = {}
    for kind, entries in data["patches"].items():
        for name, entry in entries.items():
            try:
                made = Patch(
                    name=name, kind=kind, **{**entry, "words": tuple(entry.get("words", ()))}
                )
            except TypeError as error:
                raise GenerationError(f"patches.yaml, {name}: {error}") from error
            patches[name] = made
            for word in (name.replace("_", " "), *made.words):
                words.setdefault(word, name)
    lists = {
        key: {str(word): tuple(names) for word, names in data[key].items()}
        for key in ("percussion", "groups", "layers")
    }
    return _Table(patches, words, **lists, ensembles=data["ensembles"])


def patch(name: str) -> Patch:
    """Return a patch.

    Raises:
        KeyError: There is none of that name.
    """
    return _table().patches[name]


def patch_names() -> tuple[str, ...]:
    """Return the names of all patches, in the order of the file."""
    return tuple(_table().patches)


def piece_names() -> tuple[str, ...]:
    """Return the names of all drum pieces."""
    return tuple(_KEYS)


def percussion_key(piece: str) -> int | None:
    """Return the General MIDI key of a drum piece as style files name it, or ``None``."""
    return _KEYS.get(piece)


def spoken(word: str) -> str:
    """Bring an instrument word to the form in which it is looked up: lower case, spaces, singular."""
    plain = " ".join(word.lower().replace("-", " ").replace("_", " ").split())
    table = _table()
    if any(plain in known for known in (table.words, table.percussion, table.groups)):
        return plain
    return plain[:-1] if plain.endswith("s") and not plain.endswith("ss") else plain


def find_patch(word: str) -> Patch | None:
    """Return what plays an instrument word, or ``None``.

    A longer name that is not known is tried by its last words: "warm upright bass" ends in "upright bass".
    """
    table = _table()
    parts = spoken(word).split()
    for start in range(len(parts)):
        name = table.words.get(" ".join(parts[start:]))
        if name is not None:
            return table.patches[name]
    return None


def find_percussion(word: str) -> tuple[str, ...]:
    """Return the drum pieces that a word such as "congas" or "tambourine" means, or nothing."""
    return _table().percussion.get(spoken(word), ())


def find_layers(word: str) -> tuple[str, ...]:
    """Return the roles that a layer word such as "melody" or "drums" means, or nothing."""
    plain = " ".join(word.lower().split())
    layers = _table().layers
    return layers.get(plain) or layers.get(plain.removesuffix("s"), ())


def find_ensemble(genre: str | None, typical: tuple[str, ...]) -> Mapping[str, str]:
    """Return who plays what in a genre that is an ensemble, or nothing.

    Args:
        genre: Canonical genre word.
        typical: The genre's instruments. A single one plays everything, as in a piano sonata.
    """
    known = _table().ensembles.get(genre or "")
    if known is not None:
        return known
    alone = find_patch(typical[0]) if len(typical) == 1 else None
    if alone is None or alone.kind in {"drums", "bass"}:
        return {}
    return dict.fromkeys(("bass", "chords", "lead"), alone.name)


def silenced(word: str) -> frozenset[str]:
    """Return the names of all patches that "no ``word``" takes away."""
    names = set(_group(word))
    found = find_patch(word)
    if found is not None and not find_layers(word):
        names.add(found.name)
    return frozenset(names)


def family_of(word: str) -> tuple[str, ...]:
    """Return the patches that a general word such as "guitar" or "synth" may mean, or nothing."""
    return _group(word)


def _group(word: str) -> tuple[str, ...]:
    groups = _table().groups
    plain = " ".join(word.lower().replace("-", " ").split())
    return groups.get(plain) or groups.get(plain.removesuffix("s")) or groups.get(spoken(word), ())
