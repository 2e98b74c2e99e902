"""JSON columns: compact, ASCII, and never NaN, which SQLite's own JSON functions refuse."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from domain.errors import StorageError


def dump(value: Any) -> str:
    """Write ``value`` for a JSON column.

    Raises:
        StorageError: It holds something that JSON has no word for, such as NaN or an array.
    """
    try:
        return json.dumps(value, allow_nan=False, separators=(",", ":"))
    except (TypeError, ValueError) as error:
        raise StorageError(f"A value cannot be stored as JSON: {error}.") from error


def load(text: str) -> Any:
    """Read what ``dump`` wrote."""
    return json.loads(text)


def id_list(ids: Iterable[int]) -> str:
    """Write ids for ``IN (SELECT value FROM json_each(?))``, which knows no limit on their number."""
    return dump([int(item) for item in ids])
