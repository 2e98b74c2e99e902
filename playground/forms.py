"""Reads request bodies: JSON, or multipart with ``payload_json`` and ``files[n]``, within Discord's limits."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import Any

from aiohttp import BodyPartReader, web

from playground import errors
from playground.model import Json
from playground.options import PlaygroundOptions

MAX_FILES = 10
_FILE_FIELD = re.compile(r"files?(?:\[(\d{1,2})\])?")
_DRAIN_BYTES = 128 * 1024 * 1024
"""How much of a request that is too large is read on, so that the client sees the answer instead of a reset."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Upload:
    """One file of a form."""

    filename: str
    data: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """A request body: its JSON object and its files by the number in their field name."""

    payload: Json
    files: dict[int, Upload] = field(default_factory=dict)


def parse_json(text: str | bytes) -> Any:
    """Parse JSON, or error 50109."""
    try:
        return _whole_text(json.loads(text, parse_constant=_no_constant))
    except (ValueError, RecursionError):
        raise errors.ApiError(400, 50109, "The request body contains invalid JSON.") from None


def _whole_text(value: Any) -> Any:
    """Replace halves of characters, which JSON can escape but no text encoding can write."""
    written = json.dumps(value, ensure_ascii=False)
    try:
        written.encode()
    except UnicodeEncodeError:
        return json.loads(written.encode("utf-8", "replace"))
    return value


def _no_constant(name: str) -> None:
    """Python reads NaN and Infinity, JSON has no such thing."""
    raise ValueError(name)


def as_object(value: Any, path: str = "") -> Json:
    """Insist on a JSON object."""
    if not isinstance(value, dict):
        raise errors.form_error(
            path, "MODEL_TYPE_CONVERT", "Only dictionaries may be used in a ModelType"
        )
    return value


async def read_body(request: web.Request, options: PlaygroundOptions) -> bytes:
    """The whole body, or error 40005 once it is over the limit."""
    chunks: list[bytes] = []
    size = 0
    async for chunk in request.content.iter_chunked(64 * 1024):
        size += len(chunk)
        if size > options.request_bytes:
            await _drain(request)
            raise errors.too_large()
        chunks.append(chunk)
    return b"".join(chunks)


async def read_form(request: web.Request, options: PlaygroundOptions) -> Form:
    """Read a JSON or multipart body.

    Raises:
        ApiError: 50109, 50035 or 40005.
    """
    if request.content_type.startswith("multipart/"):
        return await _read_multipart(request, options)
    body = await read_body(request, options)
    return Form(payload=as_object(parse_json(body)) if body.strip() else {})


async def read_list(request: web.Request, options: PlaygroundOptions) -> list[Any]:
    """Read a JSON array."""
    value = parse_json(await read_body(request, options))
    if not isinstance(value, list):
        raise errors.form_error("", "LIST_TYPE_CONVERT", "Only iterables may be used in a ListType")
    return value


async def _read_multipart(request: web.Request, options: PlaygroundOptions) -> Form:
    payload: Json = {}
    files: dict[int, Upload] = {}
    left = options.request_bytes
    try:
        reader = await request.multipart()
        while (part := await reader.next()) is not None:
            if not isinstance(part, BodyPartReader):
                raise errors.form_error("", "BASE_TYPE_CONVERT", "Nested forms are not understood.")
            number = _file_number(part, len(files))
            data = await _read_part(
                part, min(left, options.file_bytes if number is not None else left)
            )
            left -= len(data)
            if number is not None:
                files[number] = Upload(filename=part.filename or "file", data=data)
            elif part.name == "payload_json":
                payload = as_object(parse_json(data))
            elif part.name:
                payload[part.name] = data.decode("utf-8", "replace")
    except errors.ApiError as error:
        if error.status == 413:
            await _drain(request)
        raise
    except (ValueError, AssertionError, web.HTTPException):
        raise errors.ApiError(400, 50035, "Invalid Form Body", errors={}) from None
    if len(files) > MAX_FILES:
        raise errors.ApiError(
            400, 30015, f"Maximum number of attachments in a message reached ({MAX_FILES})"
        )
    return Form(payload=payload, files=files)


def _file_number(part: BodyPartReader, taken: int) -> int | None:
    """Which file a form field is, or ``None`` when it is no file."""
    match = _FILE_FIELD.fullmatch(part.name or "")
    if match is None:
        return None
    return int(match.group(1)) if match.group(1) else taken


async def _read_part(part: BodyPartReader, limit: int) -> bytes:
    chunks: list[bytes] = []
    size = 0
    while chunk := await part.read_chunk(64 * 1024):
        size += len(chunk)
        if size > limit:
            raise errors.too_large()
        chunks.append(chunk)
    return b"".join(chunks)


async def _drain(request: web.Request) -> None:
    size = 0
    async for chunk in request.content.iter_chunked(256 * 1024):
        size += len(chunk)
        if size > _DRAIN_BYTES:
            return
