"""Sections: which parts a piece has and how many bars each lasts, for any number of bars."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from domain.description import SECTIONS
from domain.errors import GenerationError

_FILE = Path(__file__).parent / "forms.yaml"
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

SHORT = 9
"""Up to so many bars everything is there from the first bar on, and one tune lasts to the end."""
_HALF = {"build", "break"}
"""Sections of half the usual length."""
_USUAL = ("song",)

Sections = tuple[tuple[str, int], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Pattern:
    """A form before it has a length; see ``forms.yaml``."""

    body: tuple[str, ...]
    close: str
    head: str = ""
    tail: str = ""
    unit: int = 0
    line: str = ""
    loop: bool = False


@dataclass(frozen=True, slots=True)
class _Table:
    forms: Mapping[str, Pattern]
    families: Mapping[str, tuple[str, ...]]


@cache
def _table() -> _Table:
    return parse(_FILE.read_text(encoding="utf-8"))


def parse(text: str) -> _Table:
    """Read forms and the families that use them.

    Raises:
        GenerationError: An unknown key, section or form; names it.
    """
    data: dict[str, Any] = yaml.load(text, Loader=_LOADER)  # noqa: S506  # the safe one
    known = {f.name for f in dataclasses.fields(Pattern)}
    forms = {}
    for name, values in data["forms"].items():
        wrong = sorted(set(values) - known)
        if wrong:
            raise GenerationError(f"forms.yaml, {name}: unknown key {wrong[0]!r}")
        used = [*values["body"], values["close"], values.get("head"), values.get("tail")]
        strange = [one for one in used if one and one not in SECTIONS]
        if strange:
            raise GenerationError(f"forms.yaml, {name}: unknown section {strange[0]!r}")
        forms[name] = Pattern(**{**values, "body": tuple(values["body"])})
    families = {family: tuple(names) for family, names in data["families"].items()}
    for family, names in families.items():
        for name in names:
            if name not in forms:
                raise GenerationError(f"forms.yaml, {family}: unknown form {name!r}")
    return _Table(forms, families)


def pattern_for(family: str, luck: float, own: tuple[str, ...] = ()) -> Pattern:
    """Return one of a family's forms.

    Args:
        family: Its name.
        luck: In [0, 1), which of them.
        own: The style's own list of forms, instead of the usual ones.

    Raises:
        GenerationError: The style names a form that does not exist.
    """
    table = _table()
    names = own or table.families.get(family, _USUAL)
    name = names[min(len(names) - 1, int(luck * len(names)))]
    if name not in table.forms:
        raise GenerationError(f"{family}.yaml, forms: there is no form {name!r}")
    return table.forms[name]


def divide(bars: int, pattern: Pattern, luck: float) -> Sections:
    """Divide bars into sections.

    Args:
        bars: At least 0, without the final chord.
        pattern: What a long piece is made of.
        luck: In [0, 1): how a short piece goes.
    """
    if bars <= SHORT:
        return _short(bars, luck)
    unit = pattern.unit or (4 if bars <= 48 else 8)
    if bars < unit:
        unit = 4
    head = 0 if not pattern.head or bars < 20 else 2 if bars < 36 else 4 if bars < 100 else 8
    tail = 0 if not pattern.tail or bars < 28 else 2 if bars < 60 else 4
    out: list[tuple[str, int]] = [(pattern.head, head)] if head else []
    left, index = bars - head - tail, 0
    while left > 0:
        name = pattern.body[index % len(pattern.body)]
        length = min(left, max(2, unit // 2) if name in _HALF else unit)
        if left - length < max(2, unit // 2):
            length = left
        out.append((name, length))
        left -= length
        index += 1
    if out[-1][0] in {*_HALF, "verse", "bridge", "A", "solo"} and pattern.close:
        out[-1] = (pattern.close, out[-1][1])
    if tail:
        out.append((pattern.tail, tail))
    return _merged(out)


def _short(bars: int, luck: float) -> Sections:
    """One phrase, or two of which the second answers the first or departs from it."""
    if bars <= 0:
        return ()
    if bars <= 4:
        return (("A", bars),)
    first = 2 if bars == 5 else 4
    return (("A", first), ("A2" if luck < 0.6 else "B", bars - first))


def _merged(sections: list[tuple[str, int]]) -> Sections:
    out: list[tuple[str, int]] = []
    for name, length in sections:
        if out and out[-1][0] == name:
            out[-1] = (name, out[-1][1] + length)
        else:
            out.append((name, length))
    return tuple(out)
