"""Operators of the searcher "evolve" as YAML: loaded, checked and written."""

from __future__ import annotations

import dataclasses
import difflib
import itertools
import math
import re
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml

from domain.errors import PromptError
from domain.operators import MOST_ARITY, MOST_OPERATORS, EvolveSettings, Operator
from prompts.templates import OPERATOR, check_text

FILE = Path(__file__).parent / "operators" / "evolve.yaml"
LONGEST_FILE = 65_536
"""Characters of an imported file."""
MOST_CANDIDATES = 1000
STAND_IN = "offline:"
"""Begins ``Proposal.operator`` where the offline breeder made a candidate of a language searcher."""
EVOLVE = "evolve:"
"""Begins ``Proposal.operator`` where operators made a candidate; their names follow, joined by ``JOINT``."""
JOINT = "+"
ASIDE = "/"
"""What follows in ``Proposal.operator`` tells how parents were chosen."""
_LARGEST = 1e300
"""Beyond this lie infinity and whole numbers that no float holds, which ``isfinite`` stumbles over."""
_NAME = re.compile(r"[a-z0-9][a-z0-9 -]{0,39}")


@lru_cache(maxsize=1)
def shipped() -> EvolveSettings:
    """Return the settings and operators that come with the program.

    Raises:
        PromptError: The file is missing or wrong.
    """
    try:
        text = FILE.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise PromptError(f"{FILE} cannot be read: {error}.") from None
    return from_yaml(text, where=str(FILE))


def applied(operator: str) -> tuple[str, ...]:
    """Return the names of the operators that a proposal's ``operator`` tells of; empty where none made it."""
    if not operator.startswith(EVOLVE):
        return ()
    names = operator.removeprefix(EVOLVE).partition(ASIDE)[0]
    return tuple(name for name in names.split(JOINT) if name)


def check(operators: Sequence[Operator]) -> list[str]:
    """Return what is wrong with operators in their order, a sentence each; nothing when they can be used.

    Disabled ones must be right by themselves and take no part in the chain.
    """
    problems = []
    if len(operators) > MOST_OPERATORS:
        problems.append(
            f"There are {len(operators)} operators; at most {MOST_OPERATORS} are possible."
        )
    seen: set[str] = set()
    for operator in operators:
        problems += [f'Operator "{operator.name[:40]}": {one}' for one in _alone(operator)]
        if operator.name in seen:
            problems.append(f'Two operators have the name "{operator.name}". Rename one.')
        seen.add(operator.name)
    return [*problems, *_chain(operators)]


def check_settings(settings: EvolveSettings) -> list[str]:
    """Return what is wrong with settings and their operators, a sentence each."""
    problems = []
    for name, low, high in (
        ("population_size", 0, MOST_CANDIDATES),
        ("tournament_size", 1, MOST_CANDIDATES),
    ):
        if not low <= getattr(settings, name) <= high:
            problems.append(f"{name} must be from {low} to {high}.")
    problems += [
        f"{name} is a share and must be from 0 to 1."
        for name in ("novel_prompts", "elites")
        if not 0.0 <= getattr(settings, name) <= 1.0
    ]
    if not (math.isfinite(settings.temperature) and settings.temperature > 0):
        problems.append("temperature must be above 0.")
    problems += check(settings.operators)
    first = next((one for one in settings.operators if one.enabled), None)
    if first is not None and settings.tournament_size < first.input:
        problems.append(
            f'tournament_size is {settings.tournament_size}, but the first operator "{first.name}" reads '
            f"{first.input} prompts; make it at least {first.input}."
        )
    return problems


def _alone(operator: Operator) -> list[str]:
    problems = []
    if not _NAME.fullmatch(operator.name):
        problems.append(
            "a name has 1 to 40 lower-case letters, digits, spaces and hyphens, a letter or digit first."
        )
    problems += [
        f"{field} must be from 1 to {MOST_ARITY}."
        for field in ("input", "output")
        if not 1 <= getattr(operator, field) <= MOST_ARITY
    ]
    if not 0.0 <= operator.probability <= 1.0:
        problems.append("probability must be from 0 to 1.")
    elif operator.output > operator.input and operator.probability < 1.0:
        problems.append(
            f"it makes {operator.output} prompts of {operator.input}, so there is nothing to go on with when it is "
            "left out; make its probability 1 or its output smaller."
        )
    return problems + check_text(operator.template, OPERATOR)


def _chain(operators: Sequence[Operator]) -> list[str]:
    used = [operator for operator in operators if operator.enabled]
    if operators and not used:
        return ["Every operator is disabled. Enable one."]
    return [
        f'"{after.name}" reads {after.input} prompts, but "{before.name}" before it makes {before.output}. '
        f"Make the two numbers equal, or change the order."
        for before, after in itertools.pairwise(used)
        if before.output != after.input
    ]


# YAML ------------------------------------------------------------------------------------------------


class _Dumper(yaml.SafeDumper):
    """Writes texts of several lines as blocks."""


def _block(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    style = "|" if "\n" in text else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_Dumper.add_representer(str, _block)


def to_yaml(settings: EvolveSettings) -> str:
    """Return settings and operators as YAML that ``from_yaml`` reads back."""
    values: dict[str, Any] = {
        field.name: getattr(settings, field.name)
        for field in dataclasses.fields(EvolveSettings)
        if field.name != "operators"
    }
    values["operators"] = [
        {
            "name": operator.name,
            "enabled": operator.enabled,
            "input": operator.input,
            "output": operator.output,
            "probability": operator.probability,
            "template": operator.template,
        }
        for operator in settings.operators
    ]
    return yaml.dump(values, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=110)


def from_yaml(text: str, *, where: str = "The file") -> EvolveSettings:
    """Read settings and operators.

    Args:
        text: YAML; keys are those of ``EvolveSettings`` and ``Operator``, each with its default.
        where: Begins the sentence of an error.

    Raises:
        PromptError: It is not readable, has an unknown key or a wrong value, or does not pass ``check_settings``;
            names the place.
    """
    if len(text) > LONGEST_FILE:
        raise PromptError(f"{where} is longer than {LONGEST_FILE} characters.")
    try:
        values = yaml.safe_load(text)
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        mark = getattr(error, "problem_mark", None)
        place = f" at line {mark.line + 1}" if mark else ""
        raise PromptError(
            f"{where} is not readable YAML{place}. Export the operators to see its form."
        ) from None
    if not isinstance(values, dict):
        raise PromptError(
            f'{where} must hold keys such as "operators". Export the operators to see its form.'
        )
    rows = values.pop("operators", None)
    if not isinstance(rows, list):
        raise PromptError(f"{where}: operators must be a list.")
    try:
        settings = EvolveSettings(
            operators=tuple(
                _record(Operator, row, f"operators[{n}]", ("name", "template", "input", "output"))
                for n, row in enumerate(rows)
            ),
            **_values(EvolveSettings, values, "", ()),
        )
    except _WrongError as error:
        raise PromptError(f"{where}: {error}") from None
    problems = check_settings(settings)
    if problems:
        raise PromptError(f"{where}: {problems[0]}")
    return settings


class _WrongError(ValueError):
    """A key or value is wrong; becomes a ``PromptError``."""


def _record(kind: type[Operator], row: object, place: str, needed: Sequence[str]) -> Operator:
    if not isinstance(row, Mapping):
        raise _WrongError(f"{place} must hold name, input, output and template.")
    return kind(**_values(kind, row, f"{place}.", needed))


def _whole(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _number(value: object) -> bool:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return abs(value) <= _LARGEST


_KINDS: Mapping[str, tuple[Callable[[object], bool], Callable[[Any], Any], str]] = {
    "str": (lambda value: isinstance(value, str), str.strip, "a text"),
    "int": (_whole, int, "a whole number"),
    "float": (_number, float, "a number"),
    "bool": (lambda value: isinstance(value, bool), bool, "true or false"),
}


def _values(
    kind: type[Operator | EvolveSettings],
    row: Mapping[Any, Any],
    place: str,
    needed: Sequence[str],
) -> dict[str, Any]:
    types = {field.name: str(field.type) for field in dataclasses.fields(kind)}
    types.pop("operators", None)
    out = {}
    for key, value in row.items():
        if key not in types:
            near = difflib.get_close_matches(str(key), types, n=1)
            hint = f" Did you mean {near[0]}?" if near else f" There are: {', '.join(types)}."
            raise _WrongError(f"{place}{str(key)[:40]} is not known.{hint}")
        fits, made, words = _KINDS[types[key]]
        if not fits(value):
            raise _WrongError(f"{place}{key} must be {words}.")
        out[key] = made(value)
    missing = [name for name in needed if name not in out]
    if missing:
        raise _WrongError(f"{place}{missing[0]} is missing.")
    return out
