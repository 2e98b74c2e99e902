"""Turns an EvoMusic configuration into settings, operators and a whole-population prompt of this program."""

from __future__ import annotations

import dataclasses
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from cli.evomusic_keys import MAPPED, SECRET, fate, flattened
from domain.operators import EvolveSettings, Operator
from prompts import operators as shipped_operators
from prompts import templates

SEARCHERS = {"LLM evolve": "evolve", "full LLM": "full"}
NUMERIC = {name: name.lower() for name in ("CMAES", "PGPE", "XNES", "SNES", "CEM", "GA")}
DEFAULTS = EvolveSettings(
    population_size=10,
    tournament_size=2,
    sample=False,
    temperature=1.0,
    novel_prompts=0.0,
    elites=0.0,
)
"""What EvoMusic takes where a file does not say."""
API, MODEL = "https://api.openai.com/v1", "gpt-4o-mini"
"""Its language model where a file does not say."""
SECONDS, CANDIDATES = (4.0, 30.0), (4, 32)
"""Limits of ``runs.seconds`` and ``runs.candidates``."""
_SEARCH = "evolution.search."
_OPERATORS = f"{_SEARCH}LLM_genetic_operators"


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """What becomes of one key.

    Attributes:
        key: Its full name in EvoMusic's file.
        kind: ``"used"``, ``"ignored"``, ``"secret"`` or ``"unknown"``.
        says: Where it goes or why it does not.
    """

    key: str
    kind: str
    says: str


@dataclass(slots=True, kw_only=True)
class Imported:
    """The outcome.

    Attributes:
        settings: Sections for ``config.yaml``.
        evolve: Settings and operators of the searcher "evolve", or ``None`` where the file has no operators.
        full: Template of the searcher "full", or ``""``.
        lines: One for each key of the file, in its order.
        problems: What keeps operators or template from being used, a sentence each.
    """

    settings: dict[str, dict[str, Any]] = field(default_factory=dict)
    evolve: EvolveSettings | None = None
    full: str = ""
    lines: list[Line] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)

    def use(self, key: str, target: str, value: object, note: str = "") -> None:
        """Note that ``key`` becomes the setting ``target``, and set it."""
        section, name = target.split(".")
        self.settings.setdefault(section, {})[name] = value
        self.say(key, "used", f"{target}: {_shown(value)}{note}")

    def say(self, key: str, kind: str, says: str) -> None:
        """Add a line."""
        self.lines.append(Line(key=key, kind=kind, says=says))


def convert(values: Mapping[str, Any], key_variable: str) -> Imported:
    """Map every key of a file.

    Args:
        values: EvoMusic's sections.
        key_variable: Environment variable of the language model's key.
    """
    out = Imported()
    search = _inner(values, "evolution", "search")
    told: set[str] = set()
    for key, value in flattened(values):
        what = fate(key)
        if what == SECRET:
            _secret(out, key, value, key_variable)
        elif what is None:
            out.say(key, "unknown", "EvoMusic has no such key; left out")
        elif key.startswith(_OPERATORS + "["):
            told.add(key.split(".")[2])
        elif what == MAPPED:
            _map(out, key, value)
        else:
            empty = value in (None, [], {})
            out.say(
                key,
                "ignored",
                what or ("an empty section" if empty else "it must be a section of keys"),
            )
    _complete_model(out, _inner(values, "evolution", "LLM"))
    if told or _mode(search) == "LLM evolve":
        _operators(out, search)
    return out


def _inner(values: Any, *keys: str) -> Mapping[str, Any]:
    for key in keys:
        values = values.get(key) if isinstance(values, Mapping) else None
    return values if isinstance(values, Mapping) else {}


def _mode(search: Mapping[str, Any]) -> str:
    return _text(search.get("mode"))


def _text(value: object) -> str:
    """Return a text or number as text, and anything else as ``""``."""
    return str(value).strip() if isinstance(value, str | int | float) else ""


def _shown(value: object) -> str:
    text = str(value).lower() if isinstance(value, bool) else str(value)
    return text if len(text) <= 60 else f"{text[:57]}..."


def _secret(out: Imported, key: str, value: object, variable: str) -> None:
    if key.endswith("api_key"):
        out.say(key, "secret", f"not copied; set the environment variable {variable}")
    else:
        out.say(key, "secret", "not copied and not needed: nothing is sent to W&B")
    if isinstance(value, str) and len(value) > 12:
        out.lines[-1] = dataclasses.replace(
            out.lines[-1], says=f"{out.lines[-1].says}. A key in a file is known: replace it"
        )


# One key at a time ------------------------------------------------------------------------------------


def _map(out: Imported, key: str, value: object) -> None:
    name = key.removeprefix(_SEARCH) if key.startswith(_SEARCH) else key
    if name in _ONE:
        _ONE[name](out, key, value)
    else:
        wrong = _wrong(name, value)
        if wrong:
            out.say(
                key, "ignored", f"{wrong}; the default {_shown(getattr(DEFAULTS, name))} is taken"
            )
        else:
            out.say(key, "used", f"operators.yaml {name}: {_shown(value)}")


def _wrong(name: str, value: object) -> str:
    """Return why a value of ``EvolveSettings`` cannot be taken, or ``""``."""
    if name == "sample":
        return "" if isinstance(value, bool) else "it must be true or false"
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        return "it must be a number"
    if name == "tournament_size" and not isinstance(value, int):
        return "it must be a whole number"
    return ""


def _music_model(out: Imported, key: str, _: object) -> None:
    out.use(
        key, "generation.generator", "composer", " (the built-in composer plays; see docs/host.md)"
    )


def _duration(out: Imported, key: str, value: object) -> None:
    if isinstance(value, bool) or not isinstance(value, int | float) or not value > 0:
        out.say(key, "ignored", "it must be a number of seconds above 0")
        return
    seconds = min(max(float(value), SECONDS[0]), SECONDS[1])
    out.use(
        key, "runs.seconds", seconds, _moved(value, seconds, "people need some seconds to judge")
    )


def _moved(before: float, after: float, why: str) -> str:
    return "" if before == after else f" (the nearest to {before:g} that is possible: {why})"


def _search_mode(out: Imported, key: str, value: object) -> None:
    mode = _text(value)
    if mode in SEARCHERS:
        out.use(key, "runs.searcher", SEARCHERS[mode])
    elif mode in NUMERIC:
        why = (
            f" ({mode} over the numbers of pieces, or over mixtures of prompts; see docs/search.md)"
        )
        out.use(key, "runs.searcher", NUMERIC[mode], why)
    else:
        known = ", ".join((*SEARCHERS, *NUMERIC))
        out.say(key, "ignored", f"there is no such mode; EvoMusic has {known}")


def _population(out: Imported, key: str, value: object) -> None:
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        out.say(key, "ignored", "it must be a whole number above 0")
        return
    count = min(max(value, CANDIDATES[0]), CANDIDATES[1])
    note = _moved(value, count, "every candidate of a round is rendered")
    out.use(
        key,
        "runs.candidates",
        count,
        f"{note}; operators.yaml population_size: 0 (follows the run)",
    )


def _model(out: Imported, key: str, value: object) -> None:
    if isinstance(value, str) and value.strip():
        out.use(key, "language.model", value.strip())
    else:
        out.say(key, "ignored", "it must be a text")


def _model_temperature(out: Imported, key: str, value: object) -> None:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 2:
        out.say(key, "ignored", "it must be a number from 0 to 2")
    else:
        out.use(key, "language.temperature", float(value))


def _address(out: Imported, key: str, value: object) -> None:
    base, dropped = base_url(_text(value))
    if not base:
        out.say(key, "ignored", "it must be an address that begins with http:// or https://")
        return
    out.use(
        key,
        "language.base_url",
        base,
        " (user, password and query were left out)" if dropped else "",
    )


def base_url(address: str) -> tuple[str, bool]:
    """Return the address that clients put ``/chat/completions`` behind, and whether secrets may have been cut off it.

    Args:
        address: Of EvoMusic's ``api_uri``; ``""`` comes back for one that is no web address.
    """
    try:
        parts = urlsplit(address.strip())
        host, port = parts.hostname, parts.port
    except ValueError:
        return "", False
    if parts.scheme not in ("http", "https") or not host:
        return "", False
    shown = f"[{host}]" if ":" in host else host
    path = re.sub(r"/+(?:chat/)?completions/*$", "", parts.path).rstrip("/")
    base = f"{parts.scheme}://{shown}{f':{port}' if port else ''}{path}"
    return base, bool(parts.username or parts.password or parts.query or parts.fragment)


def _complete_model(out: Imported, section: Mapping[str, Any]) -> None:
    """Take EvoMusic's own model and address where a file with a language model does not say."""
    known = out.settings.get("language", {})
    if not section or not (known or "api_key" in section):
        return
    for key, name, value in (("api_uri", "base_url", API), ("model", "model", MODEL)):
        if name not in known and key not in section:
            out.use(f"evolution.LLM.{key}", f"language.{name}", value, " (EvoMusic's default)")
    known = out.settings.get("language", {})
    if ("base_url" in known) != ("model" in known):
        out.problems.append(
            "evolution.LLM: address or model cannot be used, so no language model is set."
        )
        del out.settings["language"]


def _full(out: Imported, key: str, value: object) -> None:
    if not isinstance(value, str) or not value.strip():
        out.say(key, "ignored", "it is empty; the shipped prompt is better than none")
        return
    text, notes = once(value.strip(), "num_generate", "that many")
    text, more = once(text, "ranking", "the list above")
    problems = templates.check("full", text)
    if problems:
        out.say(key, "ignored", f"it cannot be used: {problems[0]}")
        out.problems += [f"{key}: {problem}" for problem in problems]
        return
    out.full = text
    out.say(key, "used", f"full.md, for /prompts edit{''.join(notes + more)}")


def once(text: str, name: str, instead: str) -> tuple[str, list[str]]:
    """Return a template with a placeholder's second and later mentions in words, and what was done."""
    mark = f"{{{name}}}"
    first, found, rest = text.partition(mark)
    if mark not in rest:
        return text, []
    plain = re.sub(rf"{re.escape(mark)}( prompts)?", instead, rest)
    return first + found + plain, [
        f' ({mark} stays in its first place, later ones say "{instead}")'
    ]


_ONE = {
    "music_model": _music_model,
    "evolution.duration": _duration,
    "evolution.LLM.model": _model,
    "evolution.LLM.temperature": _model_temperature,
    "evolution.LLM.api_uri": _address,
    "mode": _search_mode,
    "population_size": _population,
    "full_LLM_prompt": _full,
}


# Operators --------------------------------------------------------------------------------------------


def _operators(out: Imported, search: Mapping[str, Any]) -> None:
    rows = search.get("LLM_genetic_operators")
    taken: list[Operator] = []
    before = len(out.problems)
    for number, row in enumerate(rows if isinstance(rows, list) else ()):
        key = f"{_OPERATORS}[{number}]"
        operator, says = _operator(row, {one.name for one in taken}, number)
        if operator is None:
            out.say(key, "ignored", says)
            out.problems.append(f"{key}: {says}")
        else:
            taken.append(operator)
            out.say(key, "used", f'operators.yaml "{operator.name}"{says}')
    if not taken and len(out.problems) == before:
        taken = list(shipped_operators.shipped().operators)
        out.say(_OPERATORS, "ignored", "there are none; the shipped operators are taken")
    numbers = {
        name: search[name]
        for name in ("tournament_size", "sample", "temperature", "novel_prompts", "elites")
        if name in search and not _wrong(name, search[name])
    }
    settings = dataclasses.replace(DEFAULTS, population_size=0, operators=tuple(taken), **numbers)
    problems = shipped_operators.check_settings(settings)
    out.problems += problems
    if len(out.problems) == before and taken:
        out.evolve = settings


def _operator(row: object, names: set[str], number: int) -> tuple[Operator | None, str]:
    """Return an operator, and what was changed in it or why there is none."""
    if not isinstance(row, Mapping):
        return None, "it must hold name, prompt, input, output and probability"
    missing = [key for key in ("name", "prompt", "input", "output") if row.get(key) in (None, "")]
    if missing:
        return None, f"{missing[0]} is missing"
    texts = {key: _text(row[key]) for key in ("name", "prompt")}
    if not all(texts.values()):
        return None, "name and prompt must be texts"
    for key in ("input", "output"):
        if isinstance(row[key], bool) or not isinstance(row[key], int):
            return None, f"{key} must be a whole number"
    chance = row.get("probability", 1.0)
    if isinstance(chance, bool) or not isinstance(chance, int | float):
        return None, "probability must be a number from 0 to 1"
    notes = []
    name = _name(texts["name"], names, number)
    if name != texts["name"]:
        notes.append(f'renamed from "{_shown(texts["name"])}"')
    template = texts["prompt"]
    if "{prompts}" not in template:
        template = f"{template}\n{{prompts}}"
        notes.append("{prompts} added at its end")
    template, more = once(template, "prompts", "the prompts above")
    operator = Operator(
        name=name,
        template=template,
        input=int(row["input"]),
        output=int(row["output"]),
        probability=float(chance),
    )
    says = f" ({'; '.join(notes)})" if notes else ""
    return operator, says + "".join(more)


def _name(text: str, taken: set[str], number: int) -> str:
    plain = re.sub(r"[^a-z0-9 -]+", " ", text.lower().replace("_", " "))
    plain = " ".join(plain.split()).lstrip("-")[:36].strip() or f"operator {number + 1}"
    name, again = plain, 2
    while name in taken:
        name, again = f"{plain} {again}", again + 1
    return name
