"""Checked access to the fields of a JSON object, each with Discord's error for what is wrong with it."""

from __future__ import annotations

from typing import Any

from playground import errors
from playground.model import Json
from playground.snowflakes import parse


def text(body: Json, key: str, *, limit: int, path: str = "") -> str | None:
    """A text of at most ``limit`` characters, ``None`` when absent or null."""
    value = body.get(key)
    where = f"{path}.{key}"
    if value is None:
        return None
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        value = str(value)
    if not isinstance(value, str):
        raise errors.wrong_type(where, "string")
    if len(value) > limit:
        raise errors.too_long(where, limit)
    return value


def needed_text(body: Json, key: str, *, low: int = 1, high: int, path: str = "") -> str:
    """A text that must be there with a length in ``[low, high]``."""
    value = body.get(key)
    where = f"{path}.{key}"
    if value is None:
        raise errors.required(where)
    if not isinstance(value, str):
        raise errors.wrong_type(where, "string")
    if not low <= len(value) <= high:
        raise errors.bad_length(where, low, high)
    return value


def whole(body: Json, key: str, default: int, *, path: str = "") -> int:
    """An integer, also when sent as text; ``default`` when absent or null."""
    value = body.get(key)
    if value is None:
        return default
    number = parse(value)
    if number is None:
        raise errors.wrong_type(f"{path}.{key}", "int")
    return number


def flag(body: Json, key: str, *, default: bool = False, path: str = "") -> bool:
    """A truth value; ``default`` when absent or null."""
    value = body.get(key)
    if value is None:
        return default
    if not isinstance(value, bool):
        raise errors.wrong_type(f"{path}.{key}", "bool")
    return value


def identity(body: Json, key: str, *, path: str = "") -> int:
    """An id that must be there."""
    if body.get(key) is None:
        raise errors.required(f"{path}.{key}")
    number = parse(body[key])
    if number is None:
        raise errors.form_error(f"{path}.{key}", "NUMBER_TYPE_COERCE", "Value is not snowflake.")
    return number


def objects(body: Json, key: str, *, limit: int, path: str = "") -> list[Json] | None:
    """A list of at most ``limit`` objects, ``None`` when absent or null."""
    value = body.get(key)
    where = f"{path}.{key}"
    if value is None:
        return None
    if not isinstance(value, list):
        raise errors.form_error(
            where, "LIST_TYPE_CONVERT", "Only iterables may be used in a ListType"
        )
    if len(value) > limit:
        raise errors.form_error(
            where, "BASE_TYPE_MAX_LENGTH", f"Must be {limit} or fewer in length."
        )
    for index, each in enumerate(value):
        if not isinstance(each, dict):
            raise errors.form_error(
                f"{where}.{index}",
                "MODEL_TYPE_CONVERT",
                "Only dictionaries may be used in a ModelType",
            )
    return value


def ids(value: Any) -> set[int]:
    """The ids in a list; anything else in it is left out."""
    if not isinstance(value, list):
        return set()
    return {number for each in value if (number := parse(each)) is not None}
