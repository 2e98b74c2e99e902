"""Small repairs, each noted: numbers brought into range, words to the nearest known one."""

from __future__ import annotations

import difflib
import json
import math
import re
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from domain.chords import QUALITIES, ChordAt
from domain.errors import DescriptionError
from domain.facets import TONICS

MISSING = object()
"""Stands for a value that is not there."""
_SHOWN = 60
_NUMBER = re.compile(r"-?\d+(?:\.\d+)?")
_CHORD = re.compile(r"\s*([A-Ga-g])([#b♯♭]?)\s*:?\s*([^@/]*)(?:/[^@]*)?(?:@\s*(\d+(?:\.\d+)?))?\s*")
_QUALITIES = {
    "maj": "", "major": "", "min": "m", "minor": "m", "-": "m", "min7": "m7", "-7": "m7", "minor7": "m7",
    "dom7": "7", "dominant7": "7", "maj9": "maj9", "min9": "m9", "ma7": "maj7", "major7": "maj7", "Δ": "maj7",
    "Δ7": "maj7", "°": "dim", "o": "dim", "°7": "dim7", "o7": "dim7", "ø": "m7b5", "ø7": "m7b5", "m7-5": "m7b5",
    "half-dim": "m7b5", "hdim7": "m7b5", "+": "aug", "sus": "sus4", "7sus4": "sus4", "9sus4": "sus4",
    "mmaj7": "m(maj7)",
    "minmaj7": "m(maj7)", "maj6": "6", "min6": "m6", "69": "6", "6/9": "6", "11": "9", "13": "9", "7b9": "7",
    "7#9": "7", "m11": "m9", "maj13": "maj9", "maj7#11": "maj7", "none": "5", "no3": "5", "2": "sus2", "4": "sus4",
    "add2": "add9", "madd2": "madd9", "n": "5",
}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Repair:
    """A change that made a description playable.

    Attributes:
        where: The place, such as ``"bars[3].chords"``.
        was: What stood there, shortened; ``"missing"`` where nothing did.
        now: What stands there now.
        why: A sentence.
    """

    where: str
    was: str
    now: str
    why: str

    def __str__(self) -> str:
        """Return such as ``"tempo: 900 -> 240 (between 30 and 240)"``."""
        return f"{self.where}: {self.was} -> {self.now} ({self.why})"


class Mender:
    """Mends values and keeps a list of what it did."""

    def __init__(self) -> None:
        self.repairs: list[Repair] = []

    def note(self, where: str, was: Any, now: Any, why: str) -> None:
        """Add to the list."""
        self.repairs.append(Repair(where=where, was=shown(was), now=shown(now), why=why))

    def number(self, where: str, value: Any, span: tuple[float, float], otherwise: float) -> float:
        """Return a number within a span; what is none becomes ``otherwise``."""
        found = as_number(value)
        if found is None:
            self.note(where, value, otherwise, "a number belongs here")
            return otherwise
        kept = min(span[1], max(span[0], found))
        if kept != found or not isinstance(value, int | float):
            self.note(where, value, kept, f"a number from {span[0]:g} to {span[1]:g}")
        return kept

    def whole(self, where: str, value: Any, span: tuple[int, int], otherwise: int) -> int:
        """Return a whole number within a span."""
        found = self.number(where, value, span, otherwise)
        if found != int(found):
            self.note(where, value, round(found), "a whole number belongs here")
        return round(found)

    def choice(self, where: str, value: Any, allowed: Sequence[str], otherwise: str) -> str:
        """Return one of the allowed words: the same, the nearest, or ``otherwise``."""
        if isinstance(value, str) and value in allowed:
            return value
        near = nearest_word(value, allowed) if isinstance(value, str) else None
        chosen = near if near is not None else otherwise
        self.note(where, value, chosen, "the nearest that there is" if near else "this is usual")
        return chosen

    def items(self, where: str, value: Any, most: int) -> list[Any]:
        """Return a list of so many items at most; a single thing becomes a list of one."""
        if value is MISSING or value is None:
            return []
        if isinstance(value, list | tuple):
            found = list(value)
        else:
            found = [value]
            self.note(where, value, "a list of it", "a list belongs here")
        if len(found) > most:
            self.note(where, f"{len(found)} items", f"{most} items", "there may be no more")
        return found[:most]

    def words(self, where: str, value: Any, most: int) -> tuple[str, ...]:
        """Return different short strings."""
        out: dict[str, None] = {}
        for item in self.items(where, value, most):
            text = item.strip()[:_SHOWN] if isinstance(item, str) else ""
            if text:
                out[text] = None
            else:
                self.note(where, item, "left out", "a word belongs here")
        return tuple(out)

    def mapping(self, where: str, value: Any) -> Mapping[str, Any]:
        """Return an object; anything else becomes an empty one."""
        if isinstance(value, Mapping):
            return {str(key): item for key, item in value.items()}
        if value is not MISSING:
            self.note(where, value, "{}", "an object with names and values belongs here")
        return {}

    def tune(self, where: str, value: Any, otherwise: str) -> tuple[int, int]:
        """Return two whole numbers; anything else becomes two that follow from ``otherwise``."""
        if isinstance(value, list | tuple) and len(value) == 2:
            found = [as_number(item) for item in value]
            if all(n is not None and n == int(n) and 0 <= n < 2**32 for n in found):
                return int(found[0] or 0), int(found[1] or 0)
        made = (zlib.crc32(otherwise.encode()), zlib.crc32(otherwise[::-1].encode()))
        self.note(where, value, list(made), "two whole numbers from 0 to 4294967295")
        return made

    def chord(self, where: str, value: Any) -> ChordAt | None:
        """Return a chord as many people would write it, or ``None`` when it cannot be one."""
        if isinstance(value, Mapping):
            beat = as_number(value.get("beat", 0)) or 0
            text = f"{value.get('root', '')}{value.get('quality', '')}@{max(0.0, beat):g}"
        else:
            text = value if isinstance(value, str) else ""
        try:
            return ChordAt.parse(text[:_SHOWN])
        except DescriptionError:
            made = read_chord(text[:_SHOWN])
        self.note(
            where,
            value,
            str(made) if made is not None else "left out",
            "a chord such as Am7 belongs here",
        )
        return made


def as_number(value: Any) -> float | None:
    """Return a finite number, also the first one in a text, or ``None``."""
    if isinstance(value, bool) or value is None:
        return None
    if isinstance(value, str):
        match = _NUMBER.search(value[:_SHOWN])
        value = float(match[0]) if match else None
    if not isinstance(value, int | float) or abs(value) > 1e15 or not math.isfinite(value):
        return None
    return float(value)


def nearest_word(text: str, allowed: Sequence[str]) -> str | None:
    """Return the allowed word that a text means, or ``None`` when it is near to none."""
    plain = "_".join(text[:_SHOWN].lower().replace("-", " ").replace("_", " ").split())
    by_plain = {word.lower(): word for word in allowed}
    if plain in by_plain:
        return by_plain[plain]
    for word in (plain, *reversed(plain.split("_"))):
        near = difflib.get_close_matches(word, list(by_plain), n=1, cutoff=0.7)
        if near:
            return by_plain[near[0]]
    return None


def read_chord(text: str) -> ChordAt | None:
    """Read a chord in other spellings: ``"Bb:min7"``, ``"a minor"``, ``"C/E"``, ``"F#-7"``."""
    match = _CHORD.fullmatch(text)
    if match is None:
        return None
    sign = {"♯": "#", "♭": "b"}.get(match[2], match[2])
    written = match[3].strip().replace(" ", "")
    quality = _QUALITIES.get(written, _QUALITIES.get(written.lower(), written))
    if quality not in QUALITIES:
        near = difflib.get_close_matches(quality, QUALITIES, n=1, cutoff=0.3)
        quality = near[0] if near else ("m" if quality.startswith("m") else "")
    beat = float(match[4] or 0.0)
    try:
        return ChordAt.parse(f"{match[1].upper()}{sign}{quality}@{min(beat, 64.0):g}")
    except DescriptionError:
        return None


def read_tonic(value: Any) -> str | None:
    """Return a tonic by name in any spelling, or by number of its pitch class."""
    if isinstance(value, str) and value.strip():
        chord = read_chord(value.strip().split()[0])
        return chord.root if chord is not None else None
    number = as_number(value)
    return TONICS[int(number) % 12] if number is not None else None


def shown(value: Any) -> str:
    """Return a value as JSON, shortened."""
    if value is MISSING:
        return "missing"
    try:
        text = (
            json.dumps(value, ensure_ascii=False, default=str)
            if not isinstance(value, str)
            else value
        )
    except (TypeError, ValueError, RecursionError):
        text = type(value).__name__
    return text if len(text) <= _SHOWN else text[: _SHOWN - 1] + "…"
