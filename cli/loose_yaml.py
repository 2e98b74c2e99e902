"""Reads YAML that is not quite YAML, by the names that are expected in it.

Where the file is sound it is read as it stands. Where it is not (a quoted text that begins on the line after its key,
columns that do not match, indentation that was lost, prose between the keys), lines are read one by one and each key is
put where the tree of known names says, going out from the section that was open.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import yaml

_KEY = re.compile(r"^(?P<dash>(?:-\s+)*)(?P<key>[A-Za-z_]\w*)\s*:(?:\s+(?P<value>.*)|)$")
_QUOTES = "\"'"
ANYTHING = "*"


@dataclass(slots=True, kw_only=True)
class Loose:
    """What was read.

    Attributes:
        values: Sections and values.
        trouble: Why it could not be read as it stands; ``""`` where it could.
        skipped: Lines that were left out, with their numbers from 1.
        mended: Keys of which the text was put together again, with line numbers.
    """

    values: dict[str, Any]
    trouble: str = ""
    skipped: list[tuple[int, str]] = field(default_factory=list)
    mended: list[tuple[int, str]] = field(default_factory=list)


def read(text: str, tree: Mapping[str, Any]) -> Loose:
    """Read a file.

    Args:
        text: Its content.
        tree: Known names: a mapping is a section, a list of one mapping is a list of sections, all else is a value.

    Returns:
        What is in it; without values where nothing known is.
    """
    try:
        values = yaml.safe_load(text)
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        return _ByNames(tree).read(text, _reason(error))
    if isinstance(values, dict) and not _lost(values, tree):
        return Loose(values=values)
    return _ByNames(tree).read(text, "it has lost its indentation, or is not YAML alone")


def _reason(error: Exception) -> str:
    mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    problem = getattr(error, "problem", None) or "it is nested too deep or has an impossible value"
    return f"{problem} at line {mark.line + 1}" if mark else str(problem)


def _lost(values: Mapping[Any, Any], tree: Mapping[str, Any]) -> bool:
    """Return whether a section is empty while keys that belong into it stand beside it."""
    empty = [tree[key] for key in values if key in tree and values[key] is None]
    inner = {name for node in empty if isinstance(node, Mapping) for name in node}
    return any(key in inner and key not in tree for key in values)


@dataclass(slots=True)
class _Open:
    """A section that lines are being put into."""

    node: Any
    values: Any
    key: str = ""


class _ByNames:
    """Reads line by line."""

    def __init__(self, tree: Mapping[str, Any]) -> None:
        self._tree = tree
        self._out: dict[str, Any] = {}
        self._stack = [_Open(tree, self._out)]

    def read(self, text: str, trouble: str) -> Loose:
        loose = Loose(values=self._out, trouble=trouble)
        lines = text.expandtabs(2).splitlines()
        at = 0
        while at < len(lines):
            line = lines[at].strip()
            match = _KEY.match(line)
            if match is None:
                if line and not line.startswith("#") and line != "---":
                    loose.skipped.append((at + 1, line))
                at += 1
                continue
            value, after = _value(lines, at, match)
            if not self._put(match["key"], value, begins=bool(match["dash"])):
                loose.skipped.append((at + 1, line))
            elif after > at + 1:
                loose.mended.append((at + 1, match["key"]))
            at = after
        return loose

    def _put(self, key: str, value: str | None, *, begins: bool) -> bool:
        """Put a value into the section it belongs to; returns whether there is one."""
        while len(self._stack) > 1 and not self._takes(key, begins=begins):
            self._stack.pop()
        place = self._stack[-1]
        if isinstance(place.node, list):
            place.values.append({})
            place = _Open(place.node[0], place.values[-1])
            self._stack.append(place)
        elif begins and len(self._stack) > 1 and isinstance(self._stack[-2].node, list):
            self._stack.pop()
            return self._put(key, value, begins=True)
        return self._into(place, key, value)

    def _into(self, place: _Open, key: str, value: str | None) -> bool:
        node = place.node.get(key, place.node.get(ANYTHING))
        if node is None and not self._placeable(value):
            return False
        if isinstance(node, Mapping | list) and value is None:
            inner = place.values.get(key)
            kept = (
                inner if isinstance(inner, (dict, list)) else ([] if isinstance(node, list) else {})
            )
            place.values[key] = kept
            self._stack.append(_Open(node, kept, key))
            return True
        place.values[key] = _parsed(value)
        return True

    def _takes(self, key: str, *, begins: bool) -> bool:
        place = self._stack[-1]
        if isinstance(place.node, list):
            return key in place.node[0] and (begins or not place.values)
        if begins and key in place.node:
            return len(self._stack) > 1 and isinstance(self._stack[-2].node, list)
        if key in place.node:
            return not begins
        outer = any(isinstance(one.node, Mapping) and key in one.node for one in self._stack[:-1])
        return ANYTHING in place.node and not outer

    def _placeable(self, value: str | None) -> bool:
        """Return whether an unknown key at the top looks like a setting rather than like prose."""
        return value is not None and len(value.split()) <= 3


def _value(lines: list[str], at: int, match: re.Match[str]) -> tuple[str | None, int]:
    """Return the text of a key's value (``None``: it has none) and the number of the line after it."""
    value = (match["value"] or "").strip()
    after = at + 1
    if value[:1] in ("|", ">"):
        return _block(lines, at, value)
    if not value or value.startswith("#"):
        while after < len(lines) and not lines[after].strip():
            after += 1
        if after == len(lines) or lines[after].strip()[:1] not in (*_QUOTES,):
            return None, at + 1
        value = lines[after].strip()
        after += 1
    if value[:1] in (*_QUOTES,):
        return _quoted(lines, value, after)
    return value, after


def _quoted(lines: list[str], value: str, after: int) -> tuple[str, int]:
    """Join a quoted text over the lines that it goes on for, if its end is found."""
    quote, first = value[0], after
    joined = [value]
    while not _closes("\n".join(joined), quote):
        if after == len(lines):
            return value[1:], first
        joined.append(lines[after].strip())
        after += 1
    return "\n".join(joined), after


def _closes(text: str, quote: str) -> bool:
    return len(text) > 1 and re.search(rf"(?<!\\){quote}\s*(?:#.*)?$", text[1:]) is not None


def _block(lines: list[str], at: int, sign: str) -> tuple[str, int]:
    """Return a block text, quoted, with the lines that are further in than its key."""
    own = len(lines[at]) - len(lines[at].lstrip(" -"))
    after = at + 1
    inner = []
    while after < len(lines) and (
        not lines[after].strip() or len(lines[after]) - len(lines[after].lstrip()) > own
    ):
        inner.append(lines[after].strip())
        after += 1
    glue = "\n" if sign.startswith("|") else " "
    text = glue.join(inner).strip()
    return yaml.safe_dump(text, default_style='"', width=10**6).strip(), after


def _parsed(value: str | None) -> Any:
    if value is None:
        return None
    try:
        return yaml.safe_load(_one_line(value))
    except (yaml.YAMLError, ValueError, RecursionError):
        return value.strip("\"'")


def _one_line(value: str) -> str:
    """Return a quoted text of several lines as one that YAML reads with its line breaks."""
    if "\n" not in value or value[0] not in _QUOTES:
        return value
    inner = value.rsplit(value[0], 1)[0][1:]
    return yaml.safe_dump(inner, default_style='"', width=10**6)
