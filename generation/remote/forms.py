"""Forms with a file, as browsers send them (RFC 7578)."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

_NAME = str.maketrans({"\r": "%0D", "\n": "%0A", '"': "%22"})


def form(fields: Mapping[str, Any], name: str, file: bytes, kind: str) -> tuple[bytes, str]:
    """Return a form and its media type.

    Args:
        fields: What it says; what is no text is said as in JSON.
        name: Of the field that holds the file.
        file: It.
        kind: Its media type, such as ``"audio/flac"``, whose second half is its extension.
    """
    boundary = hashlib.sha256(file).hexdigest()  # which is in no file whose hash it is
    begin = f"--{boundary}\r\nContent-Disposition: form-data; name="
    texts = "".join(
        f'{begin}"{field.translate(_NAME)}"\r\n\r\n{_said(value)}\r\n'
        for field, value in fields.items()
    )
    filename = f"{name}.{kind.rpartition('/')[2]}"
    head = f'{texts}{begin}"{name}"; filename="{filename}"\r\nContent-Type: {kind}\r\n\r\n'
    body = head.encode("utf-8", "replace") + file + f"\r\n--{boundary}--\r\n".encode()
    return body, f"multipart/form-data; boundary={boundary}"


def _said(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
