"""Checks that the records of a description share: each raises a sentence with the place that is wrong."""

from __future__ import annotations

import math
from collections.abc import Sequence

from domain.errors import DescriptionError

_LENGTH = 60
_SHOWN = 40
"""Choices that a message lists at most."""


def one_of(value: object, allowed: Sequence[object], where: str) -> None:
    """Refuse what is not among the choices.

    Raises:
        DescriptionError: It is not; lists them.
    """
    if value not in allowed:
        names = ", ".join(str(one) or '""' for one in allowed[:_SHOWN])
        raise DescriptionError(where, f"{value!r} is not one of {names}")


def within(value: float, low: float, high: float, where: str) -> None:
    """Refuse what is not a finite number in ``[low, high]``.

    Raises:
        DescriptionError: It is not; names the range.
    """
    numeric = isinstance(value, int | float) and not isinstance(value, bool)
    if not numeric or not math.isfinite(value) or not low <= value <= high:
        raise DescriptionError(where, f"{value!r} does not lie between {low:g} and {high:g}")


def whole(value: int, low: int, high: int, where: str) -> None:
    """Refuse what is not a whole number in ``[low, high]``.

    Raises:
        DescriptionError: It is not; names the range.
    """
    within(value, low, high, where)
    if not isinstance(value, int):
        raise DescriptionError(where, f"{value!r} is not a whole number")


def texts(values: Sequence[str], where: str, *, most: int = 60) -> None:
    """Refuse what are not at most ``most`` short texts.

    Raises:
        DescriptionError: One is empty, longer than 60 characters or no text, or there are too many.
    """
    if len(values) > most:
        raise DescriptionError(where, f"there may be {most}, not {len(values)}")
    for value in values:
        if not isinstance(value, str) or not 1 <= len(value) <= _LENGTH:
            raise DescriptionError(
                where, f"{str(value)[:40]!r} is not a text of 1 to 60 characters"
            )
