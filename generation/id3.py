"""A small ID3v2.4 writer: the encoder library would write UTF-8 into fields that players read as Latin-1."""

from __future__ import annotations

from collections.abc import Mapping

_UTF8 = b"\x03"


def tag(fields: Mapping[str, str]) -> bytes:
    """Return an ID3v2.4 tag to put before an MP3 stream.

    Args:
        fields: Text by frame id, such as ``{"TIT2": "A title"}``; ``COMM`` is a comment.
    """
    frames = b"".join(_frame(name, text) for name, text in fields.items() if text)
    return b"ID3\x04\x00\x00" + _synchsafe(len(frames)) + frames


def _frame(name: str, text: str) -> bytes:
    body = _UTF8 + (b"eng\x00" if name == "COMM" else b"") + text.encode("utf-8", "replace")
    return name.encode("ascii") + _synchsafe(len(body)) + b"\x00\x00" + body


def _synchsafe(size: int) -> bytes:
    """Four bytes of seven bits, so that no length looks like the start of an MPEG frame."""
    return bytes((size >> shift) & 0x7F for shift in (21, 14, 7, 0))
