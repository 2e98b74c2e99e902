"""Turns what a person filled into a modal into the components that a bot gets."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from playground.components import FILE_UPLOAD, LABEL, ROW, SELECTS, TEXT_INPUT, children
from playground.model import Json
from playground.option_values import Resolved, TakeFile
from playground.refusals import RefusalError
from playground.snowflakes import parse

_STRING_SELECT, _RADIO, _CHECKS, _CHECK = 3, 21, 22, 23
_TEXT_LIMIT = 4000


class ModalReader:
    """Reads the values of one modal."""

    def __init__(self, resolved: Resolved, take_file: TakeFile) -> None:
        self._resolved = resolved
        self._take_file = take_file

    def read(self, modal: Json, values: Mapping[str, Any]) -> list[Json]:
        """The ``components`` of the interaction data.

        Raises:
            RefusalError: Something is missing or out of range.
        """
        return [self._part(each, values) for each in modal["components"]]

    def _part(self, part: Json, values: Mapping[str, Any]) -> Json:
        body: Json = {"type": part["type"], "id": part["id"]}
        inside = [self._input(child, part.get("label"), values) for _, child in children(part)]
        if part["type"] == ROW:
            body["components"] = inside
        elif part["type"] == LABEL and inside:
            body["component"] = inside[0]
        return body

    def _input(self, part: Json, label: str | None, values: Mapping[str, Any]) -> Json:
        kind, custom_id = part["type"], part["custom_id"]
        name = part.get("label") or label or custom_id
        raw = values.get(custom_id)
        body: Json = {"type": kind, "id": part["id"], "custom_id": custom_id}
        if kind == TEXT_INPUT:
            body["value"] = _text(part, name, raw)
        elif kind == _CHECK:
            body["value"] = bool(raw)
        elif kind == _RADIO:
            body["value"] = self._one(part, name, raw)
        else:
            body["values"] = self._several(part, name, raw)
        return body

    def _one(self, part: Json, name: str, raw: Any) -> str | None:
        if raw in (None, "", []):
            if part.get("required", True):
                raise RefusalError(f"{name} is needed.")
            return None
        return _offered(part, name, [str(raw)])[0]

    def _several(self, part: Json, name: str, raw: Any) -> list[str]:
        given = [] if raw in (None, "") else raw if isinstance(raw, list) else [raw]
        required = part.get("required", True)
        low = part.get("min_values", 1 if required else 0)
        default_high = len(part.get("options") or []) if part["type"] == _CHECKS else 1
        high = part.get("max_values", default_high)
        if (not given and required and low > 0) or (given and not low <= len(given) <= high):
            raise RefusalError(
                f"{name}: choose {low}." if low == high else f"{name}: choose {low} to {high}."
            )
        if part["type"] == FILE_UPLOAD:
            return [self._file(each) for each in given]
        if part["type"] in (_STRING_SELECT, _CHECKS):
            return _offered(part, name, [str(each) for each in given])
        return [chosen_thing(self._resolved, part["type"], name, each) for each in given]

    def _file(self, raw: Any) -> str:
        stored = self._take_file(raw)
        self._resolved.attachment(stored)
        return str(stored.id)


def chosen_thing(resolved: Resolved, kind: int, name: str, raw: Any) -> str:
    """The id behind one value of a user, role, mentionable or channel select."""
    number = parse(raw) or 0
    ways = {
        5: (resolved.user,),
        6: (resolved.role,),
        7: (resolved.user, resolved.role),
        8: (resolved.channel,),
    }
    if kind not in SELECTS or not any(way(number) for way in ways.get(kind, ())):
        raise RefusalError(f"{name}: this choice does not exist here.")
    return str(number)


def _offered(part: Json, name: str, values: list[str]) -> list[str]:
    known = {each.get("value") for each in part.get("options") or []}
    if any(each not in known for each in values):
        raise RefusalError(f"{name}: this choice is not offered.")
    return values


def _text(part: Json, name: str, raw: Any) -> str:
    value = "" if raw is None else str(raw)
    low, high = part.get("min_length") or 0, part.get("max_length") or _TEXT_LIMIT
    if not value.strip() and part.get("required", True):
        raise RefusalError(f"{name} is needed.")
    if value and not low <= len(value) <= high:
        raise RefusalError(f"{name} needs {low} to {high} letters.")
    return value
