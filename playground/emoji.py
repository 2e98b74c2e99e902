"""Reads the emoji of a reaction route: a Unicode emoji or ``name:id`` of one of the guild's own."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping

from playground.errors import unknown_emoji
from playground.model import Emoji
from playground.snowflakes import parse

_PICTURES = ("So", "Sk", "Sm")
_JOINERS = ("Mn", "Me", "Cf")
_ODD_PICTURES = "‼⁉ℹ〰"  # noqa: RUF001  (these few emoji have the category of punctuation or a letter)
_KEYCAP = "\u20e3"
_KEYCAP_BASES = "0123456789#*"


def read(text: str, own: Mapping[int, Emoji]) -> Emoji:
    """Turn route or form text into an emoji.

    Args:
        text: Decoded, such as ``"🔥"``, ``"banger:123"`` or ``"<:banger:123>"``.
        own: The guild's emoji by id.

    Raises:
        ApiError: 10014 when it is neither.
    """
    text = text.strip("<>").removeprefix("a:").removeprefix(":")
    if ":" in text:
        emoji_id = parse(text.rpartition(":")[2])
        if emoji_id is None or emoji_id not in own:
            raise unknown_emoji()
        return own[emoji_id]
    if not is_unicode_emoji(text):
        raise unknown_emoji()
    return Emoji(name=text)


def is_unicode_emoji(text: str) -> bool:
    """Whether a text is one emoji as far as Unicode categories can tell."""
    if not 0 < len(text) <= 16:
        return False
    if text[0] in _KEYCAP_BASES:
        return text[-1] == _KEYCAP and text[1:-1] in ("", "\ufe0f")
    kinds = [unicodedata.category(char) for char in text]
    pictures = [
        kind in _PICTURES or char in _ODD_PICTURES for kind, char in zip(kinds, text, strict=True)
    ]
    return pictures[0] and all(
        picture or kind in _JOINERS for picture, kind in zip(pictures, kinds, strict=True)
    )
