"""What moderators change: operators, their order, whole sets and prompts. Pure; what is saved is kept elsewhere."""

from __future__ import annotations

import difflib
import re
import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields, replace
from typing import Any

from domain.errors import NotFoundError, UsageError
from domain.operators import EvolveSettings, Operator

WIDTH = 88
"""Characters at which texts are broken for comparing them line by line."""
FLOWING = 70
"""A line of at least so many characters was broken for width only, so the next one goes on with it."""
SHORTEST, LONGEST = 2, 40
"""Characters of an operator's name."""
_PAIR = re.compile(r"\s*(\d{1,2})\s*(?:->|→|=>|>|to|in|,|;|/|\s)\s*(\d{1,2})\s*(?:out)?\s*", re.I)
_PERCENT = re.compile(r"\s*(\d{1,3}(?:[.,]\d{1,3})?)\s*(%?)\s*")


@dataclass(frozen=True, slots=True, kw_only=True)
class Fields:
    """A form about an operator, as somebody filled it in; kept as it is so that nothing typed is ever lost.

    Attributes:
        name: Its name.
        template: What the model is asked.
        counts: Parents in and children out, such as ``"2 -> 1"``.
        probability: Such as ``"0.5"`` or ``"50 %"``.
        comment: Why, for the history.
    """

    name: str
    template: str
    counts: str
    probability: str
    comment: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class OneOperator:
    """Add, change or remove an operator.

    Attributes:
        was: How it was when somebody began to change it; ``None`` adds one.
        now: How it shall be; ``None`` removes it.
    """

    was: Operator | None
    now: Operator | None


@dataclass(frozen=True, slots=True, kw_only=True)
class WholeSet:
    """Replace everything; ``None`` is what is shipped."""

    settings: EvolveSettings | None


@dataclass(frozen=True, slots=True, kw_only=True)
class OnePrompt:
    """Replace a prompt's text; ``None`` is what is shipped."""

    name: str
    text: str | None


Change = OneOperator | WholeSet | OnePrompt


def tidied(name: str) -> str:
    """Write a name as it is stored, however somebody typed it."""
    return " ".join(name.lower().split())


def find(settings: EvolveSettings, name: str) -> Operator:
    """Return an operator by its name.

    Raises:
        NotFoundError: There is none; names those there are.
    """
    wanted = tidied(name)
    for operator in settings.operators:
        if operator.name == wanted:
            return operator
    names = ", ".join(operator.name for operator in settings.operators) or "none"
    raise NotFoundError(f"There is no operator of that name here. There are: {names}.")


def changed(settings: EvolveSettings, change: OneOperator) -> EvolveSettings:
    """Return the set with one operator added at the end, changed in its place, or removed."""
    operators = list(settings.operators)
    if change.was is None:
        if change.now is not None:
            operators.append(change.now)
        return replace(settings, operators=tuple(operators))
    name = change.was.name
    place = next((at for at, one in enumerate(operators) if one.name == name), None)
    if place is None:
        raise NotFoundError(f"The operator “{name}” is not there any more.")
    operators[place : place + 1] = [] if change.now is None else [change.now]
    return replace(settings, operators=tuple(operators))


def moved(settings: EvolveSettings, name: str, step: int) -> EvolveSettings:
    """Return the set with an operator one place earlier (``step`` -1) or later (1); at the ends it stays."""
    operators = list(settings.operators)
    at = operators.index(find(settings, name))
    to = max(0, min(len(operators) - 1, at + step))
    operators.insert(to, operators.pop(at))
    return replace(settings, operators=tuple(operators))


# Forms ------------------------------------------------------------------------------------------------


def fields_of(operator: Operator) -> Fields:
    """Fill a form in with what an operator is."""
    return Fields(
        name=operator.name,
        template=operator.template,
        counts=f"{operator.input} -> {operator.output}",
        probability=f"{operator.probability * 100:.6g} %",
    )


def read_fields(form: Fields, *, enabled: bool = True) -> Operator:
    """Read a form.

    Raises:
        UsageError: A field cannot be read; names it and shows how it is written.
    """
    pair = _PAIR.fullmatch(form.counts)
    if pair is None:
        raise UsageError(
            "Parents and children: write how many prompts go in and come out, such as: 2 -> 1"
        )
    return Operator(
        name=tidied(form.name),
        template=form.template.strip(),
        input=int(pair[1]),
        output=int(pair[2]),
        probability=_probability(form.probability),
        enabled=enabled,
    )


def _probability(text: str) -> float:
    match = _PERCENT.fullmatch(text or "100 %")
    if match is None:
        raise UsageError("Probability: write a share such as 50 % or 0.5.")
    value = float(match[1].replace(",", "."))
    if match[2]:
        value /= 100
    if value > 1:
        meant = f"{match[1]} %" if value <= 100 and not match[2] else "100 %"
        raise UsageError(
            f"Probability: {text.strip()} is more than always. Write {meant}, or a share up to 1."
        )
    return value


# Storage ----------------------------------------------------------------------------------------------


def settings_to_json(settings: EvolveSettings) -> dict[str, Any]:
    """Return a set as JSON-safe values."""
    return asdict(settings) | {"operators": [asdict(one) for one in settings.operators]}


def settings_from_json(data: Mapping[str, Any]) -> EvolveSettings:
    """Rebuild a set; what an older or newer version has beyond this one's fields is left away."""
    known = {one.name for one in fields(EvolveSettings)} - {"operators"}
    of_operator = {one.name for one in fields(Operator)}
    operators = tuple(
        Operator(**{key: value for key, value in one.items() if key in of_operator})
        for one in data.get("operators", ())
    )
    values = {key: value for key, value in data.items() if key in known}
    return EvolveSettings(**values, operators=operators)


# Words ------------------------------------------------------------------------------------------------


def operator_lines(operator: Operator) -> list[str]:
    """Say what an operator is, for comparing."""
    state = "" if operator.enabled else ", disabled"
    head = (
        f"{operator.name}: {operator.input} -> {operator.output}, "
        f"{operator.probability * 100:.6g} %{state}"
    )
    return [head, *text_lines(operator.template)]


def set_lines(settings: EvolveSettings) -> list[str]:
    """Say what a set is, for comparing."""
    lines = [
        f"{name}: {value}"
        for name, value in asdict(settings).items()
        if name not in {"operators", "novel_prompts", "elites"}
    ]
    lines += [
        f"{name}: {getattr(settings, name) * 100:.6g} %" for name in ("novel_prompts", "elites")
    ]
    for number, operator in enumerate(settings.operators, start=1):
        first, *rest = operator_lines(operator)
        lines += [f"{number}. {first}", *rest]
    return lines


def text_lines(text: str) -> list[str]:
    """Break a text into lines that can be compared: paragraphs as one, however they were broken before."""
    paragraphs: list[str] = []
    flowing = False
    for line in text.splitlines() or [""]:
        if flowing and line.strip() and not line.lstrip().startswith("{"):
            paragraphs[-1] += f" {line.strip()}"
        else:
            paragraphs.append(line)
        flowing = len(line) >= FLOWING
    return [part for one in paragraphs for part in (textwrap.wrap(one, WIDTH) or [""])]


def diff(before: Sequence[str], after: Sequence[str], *, most: int = 24) -> str:
    """Return what differs, a line of each side after the other, at most ``most`` lines; ``""`` for nothing."""
    lines = [
        line
        for line in difflib.unified_diff(list(before), list(after), lineterm="", n=1)
        if not line.startswith(("---", "+++"))
    ]
    lines = ["…" if line.startswith("@@") else line for line in lines]
    if lines and lines[0] == "…":
        lines = lines[1:]
    if len(lines) > most:
        rest = sum(line.startswith(("+", "-")) for line in lines[most:])
        lines = [*lines[:most], f"… and {rest} more lines"]
    return "\n".join(lines)


def what_changed(was: Operator | None, now: Operator | None) -> str:
    """Say in a few words what was done to an operator."""
    if was is None or now is None:
        return f"added {now.name}" if now else f"removed {was.name}" if was else ""
    parts = [
        one.name for one in fields(Operator) if getattr(was, one.name) != getattr(now, one.name)
    ]
    if parts == ["enabled"]:
        return f"{'enabled' if now.enabled else 'disabled'} {now.name}"
    if was.name != now.name:
        return f"renamed {was.name} to {now.name}" + (
            f" and changed its {_listed(parts)}" if parts != ["name"] else ""
        )
    return f"changed {now.name}: {_listed(parts)}"


def what_differs(before: EvolveSettings, after: EvolveSettings) -> str:
    """Say in a few words how two sets differ."""
    old = {one.name: one for one in before.operators}
    new = {one.name: one for one in after.operators}
    said = [what_changed(old.get(name), one) for name, one in new.items() if old.get(name) != one]
    said += [f"removed {name}" for name in old if name not in new]
    said += [
        f"set {one.name.replace('_', ' ')} to {getattr(after, one.name)}"
        for one in fields(EvolveSettings)
        if one.name != "operators" and getattr(before, one.name) != getattr(after, one.name)
    ]
    if not said and [*old] != [*new]:
        said = ["changed the order"]
    return "; ".join(said)


def _listed(names: Sequence[str]) -> str:
    return ", ".join(name for name in names if name != "name")
