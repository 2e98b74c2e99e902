"""Take the title out of a file that ``encode`` wrote: where people are to judge by ear, it would name the music."""

from __future__ import annotations

import re

from generation.encode import UNTITLED

_HEAD = 8192
"""Bytes at the start of a file within which MP3, FLAC and Opus have their tags; those of ``encode`` are shorter."""
_COMMENT = re.compile(rb"TITLE=", re.IGNORECASE)
_PAGE, _CHECKSUM = 27, slice(22, 26)
_POLYNOMIAL = 0x04C11DB7


def untitled(data: bytes) -> bytes:
    """Return a file with its title overwritten; neither a byte of its sound nor its length changes.

    Args:
        data: MP3, Opus, FLAC or WAV. Of other bytes no title is known, and they come back as they are.
    """
    found = _text(data)
    if found is None:
        return data
    start, stop = found
    out = bytearray(data)
    out[start:stop] = UNTITLED.encode()[: stop - start].ljust(stop - start)
    if data.startswith(b"OggS"):
        _sum_again(out, start)
    return bytes(out)


def _text(data: bytes) -> tuple[int, int] | None:
    """Return where the text of the title begins and ends."""
    if data.startswith(b"ID3"):
        at = data.find(b"TIT2", 0, _HEAD)
        # Name, size, two bytes of flags, one that says how the text is coded.
        return None if at < 0 else (at + 11, at + 10 + _synchsafe(data[at + 4 : at + 8]))
    if data.startswith((b"OggS", b"fLaC")):
        match = _COMMENT.search(data, 0, _HEAD)
        if match is None:
            return None
        size = int.from_bytes(data[match.start() - 4 : match.start()], "little")
        return match.end(), match.start() + size
    return _in_riff(data) if data.startswith(b"RIFF") else None


def _in_riff(data: bytes) -> tuple[int, int] | None:
    """Return where the text of the title is among the chunks of a WAV file."""
    at = 12
    while at + 8 <= len(data):
        name, size = data[at : at + 4], int.from_bytes(data[at + 4 : at + 8], "little")
        if name == b"INAM":
            return at + 8, min(at + 8 + size, len(data))
        inside = name == b"LIST" and data[at + 8 : at + 12] == b"INFO"
        at += 12 if inside else 8 + size + size % 2
    return None


def _synchsafe(size: bytes) -> int:
    return sum(byte << shift for byte, shift in zip(size, (21, 14, 7, 0), strict=True))


def _sum_again(out: bytearray, place: int) -> None:
    """Write the checksum of the Ogg page that holds ``place`` again (RFC 3533, section 6)."""
    start, size = 0, 0
    while place >= start + size:
        start += size
        count = out[start + _PAGE - 1]
        size = _PAGE + count + sum(out[start + _PAGE : start + _PAGE + count])
    page = bytearray(out[start : start + size])
    page[_CHECKSUM] = bytes(4)
    page[_CHECKSUM] = _checksum(page).to_bytes(4, "little")
    out[start : start + size] = page


def _checksum(page: bytes | bytearray) -> int:
    value = 0
    for byte in page:
        value ^= byte << 24
        for _ in range(8):
            value = (value << 1) ^ (_POLYNOMIAL if value & 0x80000000 else 0)
        value &= 0xFFFFFFFF
    return value
