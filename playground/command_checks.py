"""Checks an application command as Discord does when a bot registers it."""

from __future__ import annotations

from playground import errors, fields
from playground.model import Json

CHAT_INPUT, USER_MENU, MESSAGE_MENU = 1, 2, 3
SUBCOMMAND, GROUP = 1, 2
STRING, INTEGER, NUMBER = 3, 4, 10
AUTOCOMPLETING = (STRING, INTEGER, NUMBER)
_TOTAL_LIMIT = 8000
_MAX_OPTIONS = 25


def check(command: Json, path: str = "") -> None:
    """Raise 50035 for the first thing that is wrong."""
    kind = command.get("type", CHAT_INPUT)
    if kind not in (CHAT_INPUT, USER_MENU, MESSAGE_MENU):
        raise errors.wrong_choice(f"{path}.type", (1, 2, 3))
    if kind == CHAT_INPUT:
        _check_name(command, path)
        fields.needed_text(command, "description", high=100, path=path)
        _check_options(command, path, depth=0)
        if _weight(command) > _TOTAL_LIMIT:
            raise errors.form_error(
                path,
                "APPLICATION_COMMAND_TOO_LARGE",
                f"Command exceeds maximum size ({_TOTAL_LIMIT})",
            )
        return
    fields.needed_text(command, "name", high=32, path=path)
    if command.get("description") or command.get("options"):
        raise errors.form_error(
            f"{path}.description",
            "APPLICATION_COMMAND_INVALID_DESCRIPTION",
            "Context menu commands cannot have a description or options.",
        )


def _check_name(part: Json, path: str) -> None:
    name = fields.needed_text(part, "name", high=32, path=path)
    if name != name.lower() or not all(
        char.isalnum() or char in "-_'" or ord(char) > 0x300 for char in name
    ):
        raise errors.form_error(
            f"{path}.name", "APPLICATION_COMMAND_INVALID_NAME", "Command name is invalid"
        )


def _check_options(part: Json, path: str, *, depth: int) -> None:
    given = fields.objects(part, "options", limit=_MAX_OPTIONS, path=path) or []
    names: set[str] = set()
    optional_seen = False
    for index, option in enumerate(given):
        where = f"{path}.options.{index}"
        _check_name(option, where)
        fields.needed_text(option, "description", high=100, path=where)
        if option["name"] in names:
            raise errors.form_error(
                where, "APPLICATION_COMMAND_OPTIONS_NAME_INVALID", "Option names must be unique"
            )
        names.add(option["name"])
        kind = option.get("type")
        if isinstance(kind, bool) or kind not in range(1, 12):
            raise errors.wrong_choice(f"{where}.type", tuple(range(1, 12)))
        if kind in (SUBCOMMAND, GROUP):
            if depth > (0 if kind == GROUP else 1):
                raise errors.form_error(
                    where, "APPLICATION_COMMAND_OPTIONS_TYPE_INVALID", "Nested too deeply"
                )
            _check_options(option, where, depth=depth + 1)
            continue
        _check_value_option(option, where)
        if option.get("required") and optional_seen:
            raise errors.form_error(
                where,
                "APPLICATION_COMMAND_OPTIONS_REQUIRED_INVALID",
                "Required options must be placed before non-required options",
            )
        optional_seen = optional_seen or not option.get("required")


def _check_value_option(option: Json, where: str) -> None:
    choices = fields.objects(option, "choices", limit=_MAX_OPTIONS, path=where) or []
    for index, choice in enumerate(choices):
        place = f"{where}.choices.{index}"
        fields.needed_text(choice, "name", high=100, path=place)
        value = choice.get("value")
        wanted = str if option["type"] == STRING else (int, float)
        if isinstance(value, bool) or not isinstance(value, wanted):
            raise errors.wrong_type(f"{place}.value", "the type of the option")
    if option.get("autocomplete") and (choices or option["type"] not in AUTOCOMPLETING):
        raise errors.form_error(
            where,
            "APPLICATION_COMMAND_OPTIONS_AUTOCOMPLETE_INVALID",
            "Autocomplete is for text and numbers without choices.",
        )


def _weight(part: Json) -> int:
    """Characters of all names, descriptions and values together."""
    own = sum(len(str(part.get(key) or "")) for key in ("name", "description"))
    own += sum(len(each["name"]) + len(str(each["value"])) for each in part.get("choices") or [])
    return own + sum(_weight(each) for each in part.get("options") or [])
