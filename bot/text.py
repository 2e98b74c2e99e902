"""Small text tools: Discord's limits, excerpts, markdown kept harmless."""

from __future__ import annotations

import re
from collections.abc import Iterable

MESSAGE_LIMIT = 2000
"""Characters in a message's content."""
LETTERS = "ABCDEFGHIJ"
_SPECIAL = re.compile(r"([\\*_~`|>#\[\]()<@-])")
_JOINERS = "\u200d\ufe0f\ufe0e"


def letter(slot: int) -> str:
    """Return the letter of a slot, 1 being ``A``."""
    return LETTERS[slot - 1] if 1 <= slot <= len(LETTERS) else str(slot)


def plain(text: str) -> str:
    """Put text on one line without control characters."""
    return " ".join(
        "".join(char if char.isprintable() or char == "\u200d" else " " for char in text).split()
    )


def shorten(text: str, limit: int) -> str:
    """Cut one line of text to ``limit`` characters at a word's end where there is one, with an ellipsis."""
    line = plain(text)
    if len(line) <= limit:
        return line
    cut = line[: limit - 1]
    space = cut.rfind(" ")
    if space >= limit * 2 // 3:
        cut = cut[:space]
    return cut.rstrip(_JOINERS + " ,;:.-") + "…"


def quote(text: str, limit: int) -> str:
    """Return a person's or a searcher's text as harmless one-line markdown of about ``limit`` characters."""
    return _SPECIAL.sub(r"\\\1", shorten(text, limit))


def fit(lines: Iterable[str], limit: int = MESSAGE_LIMIT) -> str:
    """Join lines, leaving away whole lines at the end that would pass ``limit``."""
    text = ""
    for line in lines:
        longer = f"{text}\n{line}" if text else line
        if len(longer) > limit:
            return text + "\n…" if len(text) + 2 <= limit else text[: limit - 1] + "…"
        text = longer
    return text


def count(number: int, one: str, many: str = "") -> str:
    """Return ``"1 vote"`` or ``"2 votes"``."""
    return f"{number} {one if number == 1 else many or one + 's'}"


def bar(share: float, width: int = 10) -> str:
    """Draw a share in [0, 1] as a bar of block characters."""
    filled = int(
        max(0.0, min(1.0, share)) * width + 0.5 + 1e-9
    )  # halves up: equal steps move equally
    return "█" * filled + "░" * (width - filled)


def duration(seconds: float) -> str:
    """Return about how long that is, in words."""
    if seconds < 90:
        return f"{max(1, round(seconds))} s"
    if seconds < 5400:
        return f"{round(seconds / 60)} min"
    return f"{round(seconds / 3600)} h"
