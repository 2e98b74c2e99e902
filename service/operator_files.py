"""Reads a file of operators that somebody sent in, so that no file can keep the bot busy."""

from __future__ import annotations

from typing import Any

import yaml

from domain.errors import PromptError, UsageError
from domain.operators import EvolveSettings
from prompts.operators import from_yaml

LARGEST_FILE = 65_536
"""Bytes of a file."""
DEEPEST = 12
"""Levels of nesting; a file of operators has three."""
NOT_TEXT = "That file is not text in UTF-8. Export the operators to see its form."
REFERENCES = "That file uses references (& and *), which I do not follow. Write the values out where they are used."
TOO_DEEP = "That file is nested too deeply. Export the operators to see its form."
_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def read_file(data: bytes) -> EvolveSettings:
    """Read operators and settings from a YAML file. It takes up to half a second, so call it off the event loop.

    Raises:
        UsageError: It is too large or no such file; says where.
    """
    if len(data) > LARGEST_FILE:
        raise UsageError(
            f"That file has {len(data) // 1024} KiB; operators take at most {LARGEST_FILE // 1024} KiB."
        )
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise UsageError(NOT_TEXT) from None
    _check_shape(text)
    try:
        return from_yaml(text, where="That file")
    except PromptError as error:
        raise UsageError(str(error)) from error


def _check_shape(text: str) -> None:
    """Refuse what grows when it is loaded: a few references in each other make millions of values."""
    depth = 0
    try:
        for event in yaml.parse(text, Loader=_LOADER):
            if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
                raise UsageError(REFERENCES)
            if isinstance(event, yaml.CollectionStartEvent):
                depth += 1
            elif isinstance(event, yaml.CollectionEndEvent):
                depth -= 1
            if depth > DEEPEST:
                raise UsageError(TOO_DEEP)
    except (yaml.YAMLError, ValueError) as error:
        if "nesting depth" in str(error):  # newer parsers have a limit of their own
            raise UsageError(TOO_DEEP) from None
        return  # the loader says where it is wrong
