"""A draft: the checked body of a message to be sent or of an edit, not yet part of any channel."""

from __future__ import annotations

from dataclasses import dataclass, field

from playground import components, errors, fields
from playground.forms import Form, Upload
from playground.model import Json, MessageFlag
from playground.snowflakes import parse

CONTENT_LIMIT = 2000
_EMBED_TOTAL = 6000
_MENTION_KINDS = ("everyone", "roles", "users")
_SENDABLE = (
    MessageFlag.SUPPRESS_EMBEDS
    | MessageFlag.EPHEMERAL
    | MessageFlag.SILENT
    | MessageFlag.VOICE_MESSAGE
    | MessageFlag.COMPONENTS_V2
)


@dataclass(frozen=True, slots=True, kw_only=True)
class FileDraft:
    """A new file with what the sender says about it."""

    upload: Upload
    filename: str
    description: str | None = None
    title: str | None = None
    duration_secs: float | None = None
    waveform: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """What a message body asks for. ``None`` means: was not said (an edit leaves that alone).

    Attributes:
        kept: Ids of attachments that an edit keeps; ``None`` keeps all.
    """

    content: str | None = None
    embeds: list[Json] | None = None
    components: list[Json] | None = None
    flags: int = 0
    files: list[FileDraft] = field(default_factory=list)
    kept: set[int] | None = None
    tts: bool = False
    nonce: str | int | None = None
    enforce_nonce: bool = False
    reference: Json | None = None
    allowed_mentions: Json | None = None

    @property
    def is_empty(self) -> bool:
        """Whether there would be nothing to show."""
        return not (self.content or self.embeds or self.components or self.files)


def read_draft(form: Form, *, layout: bool = False, path: str = "") -> Draft:
    """Check a message body.

    Args:
        form: Body and files.
        layout: Whether the message already has the components V2 flag.
        path: Where the body is within the request, for errors.

    Raises:
        ApiError: 50035 naming the field.
    """
    body = form.payload
    flags = fields.whole(body, "flags", 0, path=path) & int(_SENDABLE)
    layout = layout or bool(flags & MessageFlag.COMPONENTS_V2)
    content = fields.text(body, "content", limit=CONTENT_LIMIT, path=path)
    embeds = _embeds(body, path)
    if layout and (content or embeds):
        raise errors.form_error(
            f"{path}.content" if content else f"{path}.embeds",
            "MESSAGE_CANNOT_USE_LEGACY_FIELDS_WITH_COMPONENTS_V2",
            "Content and embeds cannot be used with the components V2 flag.",
        )
    parts = fields.objects(body, "components", limit=40, path=path)
    files, kept = _files(form, path)
    return Draft(
        content=content if content is None else content.strip(),
        embeds=embeds,
        components=None
        if parts is None
        else components.checked(parts, layout=layout, path=f"{path}.components"),
        flags=flags,
        files=files,
        kept=kept,
        tts=fields.flag(body, "tts", path=path),
        nonce=_nonce(body, path),
        enforce_nonce=fields.flag(body, "enforce_nonce", path=path),
        reference=_object(body, "message_reference", path),
        allowed_mentions=_allowed_mentions(body, path),
    )


def _allowed_mentions(body: Json, path: str) -> Json | None:
    allowed = _object(body, "allowed_mentions", path)
    if allowed is None:
        return None
    where = f"{path}.allowed_mentions"
    kinds = allowed.get("parse") or []
    if not isinstance(kinds, list) or any(each not in _MENTION_KINDS for each in kinds):
        raise errors.wrong_choice(f"{where}.parse", _MENTION_KINDS)
    for key in ("users", "roles"):
        named = allowed.get(key) or []
        if not isinstance(named, list):
            raise errors.form_error(
                f"{where}.{key}", "LIST_TYPE_CONVERT", "Only iterables may be used in a ListType"
            )
        if named and key in kinds:
            raise errors.form_error(
                f"{where}.{key}",
                "MESSAGE_ALLOWED_MENTIONS_PARSE_EXCLUSIVE",
                f"parse:[{key}] and {key}: [ids...] are mutually exclusive.",
            )
    return allowed


def _object(body: Json, key: str, path: str) -> Json | None:
    value = body.get(key)
    if value is None:
        return None
    if not isinstance(value, dict):
        raise errors.form_error(
            f"{path}.{key}", "MODEL_TYPE_CONVERT", "Only dictionaries may be used in a ModelType"
        )
    return value


def _nonce(body: Json, path: str) -> str | int | None:
    nonce = body.get("nonce")
    if nonce is None or (isinstance(nonce, int) and not isinstance(nonce, bool)):
        return nonce
    return fields.needed_text(body, "nonce", low=0, high=25, path=path)


def _embeds(body: Json, path: str) -> list[Json] | None:
    embeds = fields.objects(body, "embeds", limit=10, path=path)
    if embeds is None:
        return None
    total = 0
    for index, each in enumerate(embeds):
        where = f"{path}.embeds.{index}"
        each.setdefault("type", "rich")
        for key, limit in (("title", 256), ("description", 4096)):
            total += len(fields.text(each, key, limit=limit, path=where) or "")
        for number, part in enumerate(fields.objects(each, "fields", limit=25, path=where) or []):
            place = f"{where}.fields.{number}"
            total += len(fields.needed_text(part, "name", high=256, path=place))
            total += len(fields.needed_text(part, "value", high=1024, path=place))
    if total > _EMBED_TOTAL:
        raise errors.form_error(
            f"{path}.embeds",
            "MAX_EMBED_SIZE_EXCEEDED",
            f"Embed size exceeds maximum size of {_EMBED_TOTAL}",
        )
    return embeds


def _files(form: Form, path: str) -> tuple[list[FileDraft], set[int] | None]:
    """New files in order, and which old ones are kept.

    An attachment entry whose id is the number of an uploaded file describes that file; any other id is an old one.
    """
    entries = fields.objects(form.payload, "attachments", limit=10, path=path)
    described: dict[int, Json] = {}
    kept: set[int] = set()
    for index, entry in enumerate(entries or []):
        number = parse(entry.get("id"))
        if number is None:
            raise errors.wrong_type(f"{path}.attachments.{index}.id", "snowflake")
        if number in form.files:
            described[number] = entry
        elif number < 10:
            raise errors.form_error(
                f"{path}.attachments.{index}",
                "ATTACHMENT_NOT_FOUND",
                "Uploaded attachment not found.",
            )
        else:
            kept.add(number)
    files = [
        _file(form.files[number], described.get(number, {}), f"{path}.attachments")
        for number in sorted(form.files)
    ]
    return files, None if entries is None else kept


def _file(upload: Upload, entry: Json, where: str) -> FileDraft:
    duration = entry.get("duration_secs")
    if duration is not None and (
        isinstance(duration, bool) or not isinstance(duration, (int, float))
    ):
        raise errors.wrong_type(f"{where}.duration_secs", "float")
    name = fields.text(entry, "filename", limit=1024, path=where) or upload.filename
    return FileDraft(
        upload=upload,
        filename=safe_name(name),
        description=fields.text(entry, "description", limit=1024, path=where),
        title=fields.text(entry, "title", limit=1024, path=where),
        duration_secs=duration,
        waveform=fields.text(entry, "waveform", limit=400, path=where),
    )


def safe_name(name: str) -> str:
    """A file name without folders or characters that have a meaning in a URL, as Discord rewrites names."""
    last = name.replace("\\", "/").rpartition("/")[2].replace(" ", "_")
    kept = "".join(char for char in last if char.isalnum() or char in "._-")
    return kept.lstrip(".")[:200] or "file"
