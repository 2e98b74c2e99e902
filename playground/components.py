"""Checks message and modal components as Discord does, numbers them, and finds one by its custom id."""

from __future__ import annotations

from collections.abc import Iterator

from playground import errors, fields
from playground.model import Json

ROW, BUTTON, STRING_SELECT, TEXT_INPUT = 1, 2, 3, 4
LABEL, FILE_UPLOAD = 18, 19
SELECTS = (3, 5, 6, 7, 8)
MODAL_INPUTS = (*SELECTS, TEXT_INPUT, FILE_UPLOAD, 21, 22, 23)
_LINK_STYLE, _PREMIUM_STYLE = 5, 6
_LAYOUT = (9, 10, 11, 12, 13, 14, 17)
_MAX_TOTAL = 40
_MAX_DEPTH = 4


def children(component: Json) -> Iterator[tuple[str, Json]]:
    """The components right below one, each with its key path."""
    nested = component.get("components")
    if isinstance(nested, list):
        for index, each in enumerate(nested):
            if isinstance(each, dict):
                yield f"components.{index}", each
    for key in ("component", "accessory"):
        each = component.get(key)
        if isinstance(each, dict):
            yield key, each


def walk(components: list[Json]) -> Iterator[Json]:
    """Every component, parents first."""
    for each in components:
        yield each
        yield from walk([child for _, child in children(each)])


def find(components: list[Json], custom_id: str) -> Json | None:
    """The component with a custom id."""
    return next((each for each in walk(components) if each.get("custom_id") == custom_id), None)


def checked(components: list[Json], *, layout: bool, path: str = "components") -> list[Json]:
    """Check the components of a message and number them.

    Args:
        components: As sent.
        layout: Whether the message has the components V2 flag.
        path: Where they are, for errors.
    """
    limit = _MAX_TOTAL if layout else 5
    if len(components) > limit:
        raise errors.bad_length(path, 1, limit)
    seen: set[str] = set()
    for index, each in enumerate(components):
        where = f"{path}.{index}"
        kind = each.get("type")
        if kind != ROW and not (layout and kind in _LAYOUT):
            raise errors.wrong_choice(f"{where}.type", (ROW, *_LAYOUT) if layout else (ROW,))
        _check(each, where, seen, depth=0)
    if sum(1 for _ in walk(components)) > _MAX_TOTAL:
        raise errors.bad_length(path, 1, _MAX_TOTAL)
    return _numbered(components)


def checked_modal(data: Json) -> Json:
    """Check a modal and number its components."""
    body = {
        "custom_id": fields.needed_text(data, "custom_id", high=100, path="data"),
        "title": fields.needed_text(data, "title", high=45, path="data"),
    }
    parts = fields.objects(data, "components", limit=5, path="data") or []
    if not parts:
        raise errors.bad_length("data.components", 1, 5)
    seen: set[str] = set()
    for index, each in enumerate(parts):
        where = f"data.components.{index}"
        if each.get("type") not in (ROW, 10, LABEL):
            raise errors.wrong_choice(f"{where}.type", (ROW, 10, LABEL))
        if each["type"] == LABEL:
            fields.needed_text(each, "label", high=45, path=where)
        for key, child in children(each):
            if child.get("type") not in MODAL_INPUTS:
                raise errors.wrong_choice(f"{where}.{key}.type", MODAL_INPUTS)
            _check_custom_id(child, f"{where}.{key}", seen)
    return {**body, "components": _numbered(parts)}


def _numbered(components: list[Json]) -> list[Json]:
    taken = {
        each["id"] for each in walk(components) if isinstance(each.get("id"), int) and each["id"]
    }
    number = 0
    for each in walk(components):
        if not isinstance(each.get("id"), int) or not each["id"]:
            number += 1
            while number in taken:
                number += 1
            each["id"] = number
    return components


def _check(component: Json, where: str, seen: set[str], *, depth: int) -> None:
    if depth > _MAX_DEPTH:
        raise errors.form_error(
            where, "COMPONENT_LAYOUT_INVALID", "Components are nested too deeply."
        )
    kind = component.get("type")
    if kind == ROW:
        _check_row(component, where)
    elif kind == BUTTON:
        _check_button(component, where, seen)
    elif kind in SELECTS:
        _check_select(component, where, seen)
    elif kind not in _LAYOUT:
        raise errors.wrong_choice(f"{where}.type", (ROW, BUTTON, *SELECTS, *_LAYOUT))
    for key, child in children(component):
        _check(child, f"{where}.{key}", seen, depth=depth + 1)


def _check_row(row: Json, where: str) -> None:
    parts = fields.objects(row, "components", limit=5, path=where) or []
    if not parts:
        raise errors.bad_length(f"{where}.components", 1, 5)
    kinds = [each.get("type") for each in parts]
    for index, kind in enumerate(kinds):
        if kind != BUTTON and kind not in SELECTS:
            raise errors.wrong_choice(f"{where}.components.{index}.type", (BUTTON, *SELECTS))
    if len(kinds) > 1 and any(kind in SELECTS for kind in kinds):
        raise errors.form_error(
            f"{where}.components",
            "COMPONENT_LAYOUT_WIDTH_EXCEEDED",
            "The row is wider than 5 components.",
        )


def _check_custom_id(component: Json, where: str, seen: set[str]) -> None:
    custom_id = fields.needed_text(component, "custom_id", high=100, path=where)
    if custom_id in seen:
        raise errors.form_error(
            f"{where}.custom_id",
            "COMPONENT_CUSTOM_ID_DUPLICATED",
            "Component custom id cannot be duplicated",
        )
    seen.add(custom_id)


def _check_button(button: Json, where: str, seen: set[str]) -> None:
    style = button.get("style")
    if isinstance(style, bool) or style not in range(1, 7):
        raise errors.wrong_choice(f"{where}.style", tuple(range(1, 7)))
    fields.text(button, "label", limit=80, path=where)
    if style == _PREMIUM_STYLE:
        return
    if not button.get("label") and not isinstance(button.get("emoji"), dict):
        raise errors.form_error(
            where, "BUTTON_COMPONENT_INVALID_STYLE", "A button needs a label or an emoji."
        )
    if style == _LINK_STYLE:
        fields.needed_text(button, "url", high=512, path=where)
        return
    _check_custom_id(button, where, seen)


def _check_select(select: Json, where: str, seen: set[str]) -> None:
    _check_custom_id(select, where, seen)
    fields.text(select, "placeholder", limit=150, path=where)
    if select["type"] != STRING_SELECT:
        return
    choices = fields.objects(select, "options", limit=25, path=where) or []
    if not choices:
        raise errors.bad_length(f"{where}.options", 1, 25)
    values: set[str] = set()
    for index, each in enumerate(choices):
        place = f"{where}.options.{index}"
        fields.needed_text(each, "label", high=100, path=place)
        value = fields.needed_text(each, "value", high=100, path=place)
        if value in values:
            raise errors.form_error(
                f"{place}.value",
                "SELECT_COMPONENT_OPTION_VALUE_DUPLICATED",
                "Values must be unique.",
            )
        values.add(value)
