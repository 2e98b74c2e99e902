"""Models by name: those of ``catalogue.yaml``, and any encoder of the hub as ``owner/name``."""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from domain.errors import UsageError

FILE = Path(__file__).with_name("catalogue.yaml")
HUB_NAME = re.compile(r"[A-Za-z0-9][\w.-]{0,95}/[A-Za-z0-9][\w.-]{0,95}")
PIPELINE = "diffusers"
"""Loader of pipelines."""
UNKNOWN = "not known"
FREE = re.compile(
    r"(apache|mit|bsd|isc|cc0|unlicense|cc-by(-sa)?-\d|openrail|creativeml|bigscience)", re.I
)


class Role(StrEnum):
    """What a model is for."""

    ENCODER = "encoder"
    GENERATOR = "generator"


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A model that can be fetched.

    Attributes:
        name: How it is called here.
        role: What it is for.
        loader: What loads it: ``"mert"``, ``"clap"``, ``"hub"``, or a generator's.
        repo: Its name on the hub.
        revision: Branch, tag or commit there.
        megabytes: About what a download takes; 0 where it is not known.
        licence: Of the weights.
        commercial: Whether the licence allows commercial use.
        gated: Whether its authors want their terms accepted on the hub first.
        memory: What it needs to run, in words.
        purpose: What it is good for, in words.
        usable: Whether this version can use it.
    """

    name: str
    role: Role
    loader: str
    repo: str
    revision: str = "main"
    megabytes: int = 0
    licence: str = UNKNOWN
    commercial: bool = False
    gated: bool = False
    memory: str = ""
    purpose: str = ""
    usable: bool = True


@cache
def catalogue() -> Mapping[str, Entry]:
    """Return the models known by name, in the order of the file."""
    given: dict[str, dict[str, Any]] = yaml.safe_load(FILE.read_text(encoding="utf-8"))
    return {
        name: Entry(name=name, **{**values, "role": Role(values["role"])})
        for name, values in given.items()
    }


def entry(name: str) -> Entry:
    """Return a model by its name here, or by its owner and name on the hub.

    Raises:
        UsageError: There is no such model; names the nearest.
    """
    known = catalogue()
    if name in known:
        return known[name]
    by_repo = {one.repo.lower(): one for one in known.values()}
    if name.lower() in by_repo:
        return by_repo[name.lower()]
    if HUB_NAME.fullmatch(name):
        return Entry(
            name=name,
            role=Role.ENCODER,
            loader="hub",
            repo=name,
            purpose="an encoder of the hub",
        )
    near = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
    hint = f"Did you mean {near[0]}?" if near else "See python bot.py models list."
    raise UsageError(f"There is no model {name!r}. {hint} An encoder of the hub is OWNER/NAME.")


def is_free(licence: str) -> bool:
    """Whether a licence is known to allow commercial use; one that is not known does not."""
    return bool(FREE.match(licence)) and not re.search(r"-nc\b|noncommercial", licence, re.I)
