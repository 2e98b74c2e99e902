"""How a generator in a process of its own is spoken to: frames over a pipe.

A frame is eight bytes, then a header, then a body. The eight bytes are the lengths of header and body, each 32 bits,
big-endian. The header is a JSON object with a ``kind``; the body is raw bytes, often none. Standard library only: the
process may be of another environment, with other packages.

============= ======= ==========================================================================================
``kind``      said by with
============= ======= ==========================================================================================
``recipe``    bot     once, first, to a generator of ours: the fields of ``generation.registry.Recipe``
``hello``     worker  once, first. ``protocol`` (``PROTOCOL``), ``info`` and ``capabilities``: the fields of
                      ``domain.clip.GeneratorInfo`` and ``generation.generator.Capabilities``
``sorry``     worker  instead of ``hello``: it cannot work here. ``reason``
``generate``  bot     ``batch`` (a number of its own) and ``requests``: ``prompt``, ``seed``, ``seconds``,
                      ``draft``, ``description``, ``facets``, ``source`` (``use``, ``strength``, ``start``,
                      ``end``) or null, and ``sizes``: bytes of its source and of its embedding, which follow
                      each other in the body
``read``      bot     ``batch`` and ``prompts``: what does the text encoder make of them?
``cancel``    bot     ``batch``: nobody waits for it any more
``stop``      bot     end when the batch at hand is done
``step``      worker  ``batch``, ``done``, ``total``: it is alive and how far it is
``clips``     worker  ``batch``, ``clips``: for each request ``reason``, or ``rate``, ``channels``, ``loudness``,
                      ``description``, ``finished`` (whether it is mastered) and ``size``: bytes of its samples,
                      float32 little-endian (frames, channels), which follow each other in the body. With ``info``
                      and ``capabilities`` as they are now
``states``    worker  ``batch``, ``tokens`` (how many each prompt has) and ``width``: the text encoder's states, float32
                      little-endian (tokens, width), which follow each other in the body
``no_room``   worker  ``batch`` does not fit into memory; nothing of it was made. With both as they are now. Or what was
                      made does not fit into a frame; then with the ``reason``
``failed``    worker  ``batch``: nothing works. ``reason``
``cancelled`` worker  ``batch`` was given up
============= ======= ==========================================================================================
"""

from __future__ import annotations

import json
import struct
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, BinaryIO

PROTOCOL = 1
"""Raise it whenever an older side would misunderstand."""
MOST_HEADER, MOST_BODY = 2**22, 2**30
"""Bytes; more is garbage."""
_LENGTHS = struct.Struct(">II")


class FrameError(Exception):
    """What came over the pipe is no frame."""


@dataclass(frozen=True)
class Frame:
    """One message.

    Attributes:
        kind: What it is.
        header: What it says, without ``kind``; JSON-safe.
        body: Raw bytes that belong to it.
        parts: The body as ``read`` was told to take it apart; then there is no ``body``.
    """

    kind: str
    header: Mapping[str, Any] = field(default_factory=dict)
    body: bytes = b""
    parts: Sequence[bytes] = ()


def too_large(frame: Frame) -> str:
    """Return in a sentence how large a frame is that would not be read, and what the limit is; ``""`` for others."""
    for size, most in ((len(frame.body), MOST_BODY), (len(_header(frame)), MOST_HEADER)):
        if size > most:
            return f"What was made is {size / 1e6:,.1f} MB; at most {most / 1e6:,.1f} MB can be handed over at once."
    return ""


def _header(frame: Frame) -> bytes:
    said = json.dumps({"kind": frame.kind, **frame.header}, ensure_ascii=False)
    return said.encode("utf-8", "replace")  # half a letter, as where text was cut, is in no UTF-8


def packed(frame: Frame) -> bytes:
    """Return a frame as bytes."""
    header = _header(frame)
    return _LENGTHS.pack(len(header), len(frame.body)) + header + frame.body


def whole(_: Frame) -> Sequence[int]:
    """Leave a body as it is."""
    return ()


def read(stream: BinaryIO, sizes: Callable[[Frame], Sequence[int]] = whole) -> Frame | None:
    """Wait for the next frame; ``None`` at the end of the stream.

    Args:
        stream: Where it comes from.
        sizes: Returns, of a frame without its body, the sizes of the parts to read it in. To take parts out of a body
            of hundreds of megabytes would copy them, and nothing else in the process goes on meanwhile. Sizes that are
            not the body's leave it whole.

    Raises:
        FrameError: Something else came, or the stream ended within a frame.
    """
    begin = stream.read(_LENGTHS.size)
    if not begin:
        return None
    header, body = _lengths(begin)
    said = stream.read(header)
    if len(said) < header:
        raise FrameError("The stream ended within a frame.")
    frame = _frame(said, b"")
    wanted = sizes(frame)
    apart = bool(wanted) and sum(wanted) == body
    parts = [stream.read(size) for size in (wanted if apart else [body])]
    if sum(map(len, parts)) < body:
        raise FrameError("The stream ended within a frame.")
    return replace(frame, parts=parts) if apart else replace(frame, body=parts[0])


def write(stream: BinaryIO, frame: Frame) -> None:
    """Send a frame."""
    stream.write(packed(frame))
    stream.flush()


def _lengths(begin: bytes) -> tuple[int, int]:
    if len(begin) < _LENGTHS.size:
        raise FrameError("The stream ended within a frame.")
    header, body = _LENGTHS.unpack(begin)
    if header > MOST_HEADER or body > MOST_BODY:
        raise FrameError(f"A frame of {header} + {body} bytes is too long; this is no frame.")
    return header, body


def _frame(header: bytes, body: bytes) -> Frame:
    try:
        said = json.loads(header)
        kind = said.pop("kind")
    except (ValueError, AttributeError, KeyError, TypeError, RecursionError):
        raise FrameError("A frame's header is no JSON object with a kind.") from None
    if not isinstance(kind, str):
        raise FrameError("A frame's kind is no word.")
    return Frame(kind=kind, header=said, body=body)
