"""Read what language models call JSON: trailing commas, single quotes, comments, raw line breaks, cut-off ends."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

DEEPEST = 24
"""Levels of nesting beyond which everything is left out."""
MOST_VALUES = 200
"""Values that are looked for in one text."""

_SPACE = re.compile(r"(?:\s|//[^\n]*|/\*.*?\*/)*", re.DOTALL)
_BARE = re.compile(r"[^\s,:{}\[\]\"“”][^,:{}\[\]\n\"“”]*")
_AFTER = re.compile(r"\s*(?:[,:}\]]|$|//|```|\n)")
_QUOTES = {'"': '"', "'": "'", "“": "”", "”": "”", "\u2018": "\u2019", "`": "`"}
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "b": " ", "f": " "}
_WORDS = {"true": True, "false": False, "null": None, "none": None}
_HEX = re.compile(r"[0-9a-fA-F]{4}")


class Unclosed(str):
    """A string whose closing quote never came: perhaps cut off."""

    __slots__ = ()


class Bare(str):
    """Words without quotes, where a string should be."""

    __slots__ = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A value and where it stands: ``text[start:end]``."""

    value: Any
    start: int
    end: int


def values_in(text: str) -> Iterator[Found]:
    """Yield every object and array that stands in ``text``, outermost ones only, in order. Never raises."""
    position = 0
    for _ in range(MOST_VALUES):
        starts = [at for at in (text.find("{", position), text.find("[", position)) if at >= 0]
        if not starts:
            return
        start = min(starts)
        value, end = _value(text, start, DEEPEST)
        yield Found(value=value, start=start, end=end)
        position = max(end, start + 1)


def whole(text: str) -> Any:
    """Return the value that the whole text is by the standard, or ``None``."""
    try:
        return json.loads(text, strict=False, object_pairs_hook=_pairs)
    except (ValueError, RecursionError):
        return None


def _value(text: str, at: int, depth: int) -> tuple[Any, int]:
    """Read the value that begins at ``at``, which is no space; returns it and where it ends."""
    character = text[at]
    if character in "{[":
        if depth == 0:
            return None, len(text)
        return (_object if character == "{" else _array)(text, at + 1, depth - 1)
    if character in _QUOTES:
        return _string(text, at)
    match = _BARE.match(text, at)
    return (None, at + 1) if match is None else (_bare(match.group().strip()), match.end())


def _bare(word: str) -> Any:
    if word.lower() in _WORDS:
        return _WORDS[word.lower()]
    try:
        return float(word) if re.search(r"[.eE]", word) else int(word)
    except ValueError:
        return Bare(word)


def _array(text: str, at: int, depth: int) -> tuple[list[Any], int]:
    found: list[Any] = []
    while True:
        at = _skip(text, at, ",:}")
        if at >= len(text):
            return found, at
        if text[at] == "]":
            return found, at + 1
        value, at = _value(text, at, depth)
        found.append(value)


def _object(text: str, at: int, depth: int) -> tuple[dict[str, Any], int]:
    found: dict[str, Any] = {}
    while True:
        at = _skip(text, at, ",:]")
        if at >= len(text):
            return found, at
        if text[at] == "}":
            return found, at + 1
        key, at = _value(text, at, depth)
        at = _skip(text, at, "")
        if at < len(text) and text[at] in ":=":
            at = _skip(text, at + 1, ">")
            if at < len(text) and text[at] not in ",}]":
                value, at = _value(text, at, depth)
                found.setdefault(_free(found, key), value)
                continue
        if isinstance(key, str) and len(key.split()) > 1:
            found[_free(found, "")] = key  # a set of strings, which is no JSON at all


def _pairs(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in pairs:
        found[_free(found, key)] = value
    return found


def _free(found: dict[str, Any], key: object) -> str:
    """Return a name for ``key`` that is not taken: models repeat keys, and each value counts."""
    name, number = str(key), 2
    while name in found:
        name, number = f"{key} {number}", number + 1
    return name


def _skip(text: str, at: int, also: str) -> int:
    while True:
        match = _SPACE.match(text, at)
        at = match.end() if match else at
        if at < len(text) and text[at] in also:
            at += 1
            continue
        return at


def _string(text: str, at: int) -> tuple[str, int]:
    """Read a quoted string. A quote ends it only where something can follow, so that ``'don't'`` is one string."""
    closing = _QUOTES[text[at]]
    out: list[str] = []
    at += 1
    while at < len(text):
        character = text[at]
        if character == "\\" and at + 1 < len(text):
            piece, at = _escaped(text, at + 1)
            out.append(piece)
            continue
        if character == closing and _AFTER.match(text, at + 1):
            return "".join(out), at + 1
        if character == "\n" and _begins_anew(text, at + 1):
            return "".join(out), at
        out.append(character)
        at += 1
    return Unclosed("".join(out)), at


def _begins_anew(text: str, at: int) -> bool:
    """Whether the next line opens a value or closes one: then the string before it was never closed."""
    rest = text[at : at + 200].lstrip()
    return rest[:1] in {'"', "]", "}", "{"} and bool(rest)


def _escaped(text: str, at: int) -> tuple[str, int]:
    character = text[at]
    if character == "u" and (match := _HEX.match(text, at + 1)):
        high = int(match.group(), 16)
        follow = _HEX.match(text, at + 7) if text[at + 5 : at + 7] == "\\u" else None
        if 0xD800 <= high < 0xDC00 and follow and 0xDC00 <= int(follow.group(), 16) < 0xE000:
            low = int(follow.group(), 16)
            return chr(0x10000 + ((high - 0xD800) << 10) + (low - 0xDC00)), at + 11
        return ("" if 0xD800 <= high < 0xE000 else chr(high)), at + 5
    return _ESCAPES.get(character, character), at + 1
