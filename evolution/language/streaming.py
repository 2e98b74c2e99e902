"""Show an answer while it is written, without what the model thinks aloud."""

from __future__ import annotations

import re

from evolution.language.parsing import without_reasoning

_BEGUN = re.compile(r"[<◁\[][^<>◁▷\[\]]{0,24}$")
"""A mark that may still become the beginning or end of a thought."""


class Visible:
    """Takes the pieces as they come and gives what may be shown of them."""

    def __init__(self) -> None:
        self._raw = ""
        self._shown = ""

    @property
    def text(self) -> str:
        """Everything that may be shown so far."""
        return without_reasoning(self._raw)

    @property
    def raw(self) -> str:
        """Everything that came, thoughts included."""
        return self._raw

    def add(self, piece: str, *, last: bool = False) -> str:
        """Take a piece; returns what can be shown now, which may be nothing yet.

        Args:
            piece: What came.
            last: Whether nothing more comes.
        """
        self._raw += piece
        sure = self._raw if last else _BEGUN.sub("", self._raw)
        visible = without_reasoning(sure)
        if not visible.startswith(self._shown):
            # A lone closing mark: what was shown was thought aloud. It cannot be taken back; go on with the answer.
            self._shown = ""
        new = visible[len(self._shown) :]
        self._shown = visible
        return new
