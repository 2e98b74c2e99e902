"""Reads what the page sends, with a sentence for everything that is wrong with it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from aiohttp import web

from playground.errors import ApiError
from playground.forms import Form, read_form
from playground.options import PlaygroundOptions
from playground.people import Place
from playground.refusals import RefusalError, refused
from playground.snowflakes import parse


@dataclass(frozen=True, slots=True)
class PageBody:
    """A request body of the page."""

    form: Form

    def text(self, key: str, *, high: int = 4000) -> str:
        """A text that must be there."""
        value = self.form.payload.get(key)
        if not isinstance(value, str) or not value:
            raise RefusalError(f"{key} is missing from the request.")
        if len(value) > high:
            raise RefusalError(f"{key} is too long: at most {high} letters.")
        return value

    def identity(self, key: str) -> int:
        """An id that must be there."""
        number = parse(self.form.payload.get(key))
        if number is None:
            raise RefusalError(f"{key} must be an id.")
        return number

    def optional_identity(self, key: str) -> int | None:
        """An id, or ``None`` when it was not given."""
        return None if self.form.payload.get(key) is None else self.identity(key)

    def items(self, key: str) -> list[Any]:
        """A list; empty when it was not given."""
        value = self.form.payload.get(key)
        if value is None:
            return []
        if not isinstance(value, list):
            raise RefusalError(f"{key} must be a list.")
        return value

    def number(self, key: str, default: float, *, low: float, high: float) -> float:
        """A number in [low, high]."""
        value = self.form.payload.get(key, default)
        if (
            isinstance(value, bool)
            or not isinstance(value, (int, float))
            or not low <= value <= high
        ):
            raise RefusalError(f"{key} must be a number from {low:g} to {high:g}.")
        return value

    @property
    def place(self) -> Place:
        """Who acts where."""
        nonce = self.form.payload.get("nonce")
        return Place(
            user_id=self.identity("user"),
            channel_id=self.identity("channel"),
            nonce="" if nonce is None else str(nonce)[:100],
        )


async def read_page_body(request: web.Request, options: PlaygroundOptions) -> PageBody:
    """Read a JSON or multipart body of the page.

    Raises:
        RefusalError: It cannot be read.
    """
    if request.can_read_body and not request.content_type.startswith(
        ("application/json", "multipart/")
    ):
        raise RefusalError("Send JSON or a form with payload_json.", 415)
    try:
        return PageBody(await read_form(request, options))
    except ApiError as error:
        raise refused(error) from None
