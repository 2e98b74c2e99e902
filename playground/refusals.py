"""Why the page's wish was not granted, as a sentence for the person."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from playground.errors import ApiError

_SENTENCES = {
    10003: "This channel does not exist any more.",
    10008: "This message does not exist any more.",
    10013: "There is nobody with this id.",
    10014: "This is not an emoji that can be used here.",
    30010: "A message takes at most 20 different reactions.",
    30015: "A message takes at most 10 files.",
    40005: "This is too large. A file may have 10 MiB and everything together 25 MiB.",
    50001: "You cannot see this channel.",
    50006: "There is nothing to send. Write something or attach a file.",
    50013: "You are not allowed to do this here.",
    50083: "This thread is archived. A moderator can open it again.",
    50109: "The request is not valid JSON.",
    160004: "This message already has a thread.",
    160005: "This thread is locked. Only moderators can write in it.",
}


class RefusalError(Exception):
    """A sentence for the person, with an HTTP status."""

    def __init__(self, sentence: str, status: int = 400) -> None:
        super().__init__(sentence)
        self.sentence = sentence
        self.status = status


def refused(error: ApiError) -> RefusalError:
    """Turn one of Discord's errors into a sentence."""
    sentence = _SENTENCES.get(error.code)
    if sentence is None and error.errors:
        path, message = _first(error.errors)
        sentence = f"{path.replace('_', ' ').strip() or 'The request'}: {message}"
    return RefusalError(sentence or error.message, error.status)


def _first(errors: Mapping[str, Any], path: str = "") -> tuple[str, str]:
    """The first wrong field and what is wrong with it."""
    for key, value in errors.items():
        if key == "_errors" and value:
            return path, str(value[0]["message"])
        if isinstance(value, Mapping):
            return _first(value, f"{path}.{key}" if path else key)
    return path, "This value cannot be used."
