"""What is known of a server before it is asked: a recipe's options, checked."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any
from urllib.parse import SplitResult, quote, urlsplit

from domain.errors import GenerationError
from generation.registry import Recipe

OPTIONS = (
    "style",
    "model",
    "key_variable",
    "timeout",
    "retries",
    "parallel",
    "largest_mb",
    "longest",
    "length_field",
    "fields",
    "price_per_clip",
    "price_per_minute",
    "currency",
)
"""Options of a recipe beside ``url``."""


class Style(StrEnum):
    """How a server is spoken to."""

    OPENAI = "openai"
    """One request in JSON, answered with a sound file."""
    ACESTEP = "acestep"
    """A task that is given, asked for, and fetched."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """Where the model is, how it is asked, and what it costs.

    Attributes:
        url: Of the endpoint (``OPENAI``) or of the server (``ACESTEP``); no query and no password in it.
        style: How it is spoken to.
        model: What to ask for; ``""`` for the server's own.
        key: The secret, or ``""`` for servers that want none. Never shown.
        key_variable: The environment variable it came from, for sentences.
        timeout: Seconds a clip may take, waits and all.
        retries: Tries after the first one.
        parallel: Clips that are asked for at a time.
        largest: Bytes of an answer that are read; more is refused.
        longest: Seconds of the longest clip.
        length_field: Where the length goes in the request; dots lead into objects. ``""``: it is not said.
        fields: Further fields of every request.
        price_per_clip: In ``currency``, for each clip.
        price_per_minute: In ``currency``, for each minute of sound; beside ``price_per_clip``.
        currency: Such as ``"USD"``.
    """

    url: SplitResult
    style: Style
    model: str = ""
    key: str = field(default="", repr=False)
    key_variable: str = ""
    timeout: float = 300.0
    retries: int = 3
    parallel: int = 2
    largest: int = 256 << 20
    longest: float = 600.0
    length_field: str = "audio_length"
    fields: Mapping[str, Any] = field(default_factory=dict)
    price_per_clip: float = 0.0
    price_per_minute: float = 0.0
    currency: str = "USD"

    @property
    def host(self) -> str:
        """Host and port."""
        return self.url.netloc


def server_of(recipe: Recipe, environ: Mapping[str, str]) -> Server:
    """Return what a recipe says of its server. Options that are left out have the defaults of ``Server``.

    Args:
        recipe: With the option ``url``, and any of ``OPTIONS``; ``fields`` is a JSON object.
        environ: Holds the key.

    Raises:
        GenerationError: An option is wrong, or the key is not there; says which.
    """
    given = dict(recipe.options)
    style = _style(given.get("style", Style.OPENAI))
    defaults = Server(url=urlsplit(""), style=style)
    variable = given.get("key_variable", "")
    return Server(
        url=_url(given.get("url", ""), style),
        style=style,
        model=given.get("model", ""),
        key=_key(variable, environ),
        key_variable=variable,
        timeout=_number(given, "timeout", defaults.timeout, least=1),
        retries=int(_number(given, "retries", defaults.retries)),
        parallel=int(_number(given, "parallel", defaults.parallel, least=1)),
        largest=int(_number(given, "largest_mb", defaults.largest >> 20, least=1)) << 20,
        longest=_number(given, "longest", defaults.longest, least=1),
        length_field=given.get("length_field", defaults.length_field),
        fields=_fields(given.get("fields", "")),
        price_per_clip=_number(given, "price_per_clip", 0.0),
        price_per_minute=_number(given, "price_per_minute", 0.0),
        currency=given.get("currency", defaults.currency),
    )


def _style(given: str) -> Style:
    try:
        return Style(given)
    except ValueError:
        raise GenerationError(
            f"A remote generator's style is one of {', '.join(Style)}, not {given!r}."
        ) from None


def _url(given: str, style: Style) -> SplitResult:
    try:
        url = urlsplit(given.strip().rstrip("/"))
        host = url.hostname or " "
        blank = any(letter.isspace() or not letter.isprintable() for letter in host)
        wrong = url.scheme not in {"http", "https"} or blank or url.port == 0
    except ValueError:
        wrong = True
    if wrong:
        raise GenerationError(
            "A remote generator's url is an address such as http://localhost:8091/v1/audio/speech, "
            f"not {given.rpartition('@')[2]!r}."
        )
    if url.username is not None or url.query or url.fragment:
        raise GenerationError(
            f"The url of the remote generator at {url.netloc.rpartition('@')[2]} holds a password or a query. "
            "Leave them out; a key comes from the environment variable that key_variable names."
        )
    bare = url.path in {"", "/v1"}
    path = "/v1/audio/speech" if style is Style.OPENAI and bare else url.path
    return url._replace(path=ascii_only(path))


def ascii_only(part: str) -> str:
    """Return a path or a query with what HTTP does not carry as it is in percents; what is already stays."""
    return quote(part, safe="%/:=&?~+!$,;'@()*[]")


def _key(variable: str, environ: Mapping[str, str]) -> str:
    if not variable:
        return ""
    key = environ.get(variable, "").strip()
    if not key:
        raise GenerationError(
            f"The remote generator's key is to be in the environment variable {variable}, which is empty."
        )
    if not (key.isascii() and key.isprintable()) or " " in key:
        raise GenerationError(f"What is in the environment variable {variable} is no key.")
    return key


def _number(given: Mapping[str, str], name: str, default: float, *, least: float = 0.0) -> float:
    text = given.get(name, "")
    if not text:
        return default
    try:
        value = float(text)
    except ValueError:
        value = float("nan")
    if not least <= value < 1e9:
        raise GenerationError(
            f"The remote generator's {name} is a number from {least:g} on, not {text!r}."
        )
    return value


def _fields(text: str) -> dict[str, Any]:
    try:
        found = json.loads(text or "{}")
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise GenerationError(
            'The remote generator\'s fields are a JSON object, such as {"voice": "none"}.'
        )
    return found
