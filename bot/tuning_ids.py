"""Custom ids of what moderators tune: an operator, a prompt or a draft, and what to do with it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum

_NAME = re.compile(r"[a-z0-9 -]{0,40}")
_NUMBER = re.compile(r"0|[1-9][0-9]{0,17}")


class Of(StrEnum):
    """What a button is about."""

    SET = "s"
    """All operators of the server."""
    OPERATOR = "o"
    PROMPT = "p"
    DRAFT = "d"


class TuneAction(StrEnum):
    """What a button, select or form does."""

    LIST = "list"
    PICK = "pick"
    ADD = "add"
    EDIT = "edit"
    TRY = "try"
    HISTORY = "hist"
    UNDO = "undo"
    BACK = "back"
    ON = "on"
    OFF = "off"
    UP = "up"
    DOWN = "down"
    REMOVE = "rm"
    RESET = "reset"
    SAVE = "save"
    DISCARD = "drop"


@dataclass(frozen=True, slots=True, kw_only=True)
class Tune:
    """A button, select or form.

    Attributes:
        of: What it is about.
        action: What it does.
        number: The version that is shown, or a draft's number.
        name: The operator or prompt.
    """

    of: Of
    action: TuneAction
    number: int = 0
    name: str = ""

    def __str__(self) -> str:
        return f"tb:tune:{self.of}:{self.action}:{self.number}:{self.name}"


def read_tune(rest: list[str]) -> Tune:
    """Read what follows ``tb:tune:``.

    Raises:
        ValueError: This version makes no such id.
    """
    of, action, number, name = rest
    if not _NUMBER.fullmatch(number) or not _NAME.fullmatch(name):
        raise ValueError(rest)
    return Tune(of=Of(of), action=TuneAction(action), number=int(number), name=name)
