"""What the bodies of ``generate`` and ``clips`` hold, taken apart and put together; see ``generation.frames``.

Standard library only, for Python 3.9 and newer: both ends of the pipe use it.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from generation.frames import Frame, FrameError


@dataclass(frozen=True)
class Order:
    """One clip that is wanted.

    Attributes:
        said: What ``generate`` says of it, without ``sizes``; JSON-safe.
        source: A sound file to make it from, or ``b""``.
        embedding: float32 that stand for words, or ``b""``.
    """

    said: Mapping[str, Any]
    source: bytes = b""
    embedding: bytes = b""


@dataclass(frozen=True)
class Sound:
    """One clip that was made.

    Attributes:
        samples: float32 little-endian, (frames, channels); full scale is 1.
        rate: Frames per second.
        channels: 1 or 2.
        description: What lineage and ``Why`` are to know; JSON-safe.
        finished: Whether it is mastered, so that ``loudness`` is known.
        loudness: Integrated loudness in LUFS.
    """

    samples: bytes
    rate: int
    channels: int = 1
    description: Mapping[str, Any] = field(default_factory=dict)
    finished: bool = False
    loudness: float = 0.0


@dataclass(frozen=True)
class Refusal:
    """A clip that could not be made, and why, in a sentence. The rest of the batch goes on."""

    reason: str


@dataclass(frozen=True)
class States:
    """What a text encoder makes of one prompt.

    Attributes:
        values: float32 little-endian, (tokens, width).
        width: Numbers of a token.
    """

    values: bytes
    width: int


def ordered(batch: int, orders: Sequence[Order]) -> Frame:
    """Return the frame that asks for a batch."""
    requests = [
        {**order.said, "sizes": [len(order.source), len(order.embedding)]} for order in orders
    ]
    body = b"".join(part for order in orders for part in (order.source, order.embedding))
    return Frame("generate", {"batch": batch, "requests": requests}, body)


def orders(frame: Frame) -> list[Order]:
    """Return what a ``generate`` asks for.

    Raises:
        FrameError: Its header and its body do not belong together.
    """
    asked = _listed(frame, "requests")
    sizes = [one.get("sizes", (0, 0)) for one in asked]
    if not all(isinstance(pair, (list, tuple)) and len(pair) == 2 for pair in sizes):
        raise FrameError("A request has two sizes: of its source and of its embedding.")
    parts = _cut(frame.body, [size for pair in sizes for size in pair])
    return [
        Order(
            said={name: value for name, value in one.items() if name != "sizes"},
            source=next(parts),
            embedding=next(parts),
        )
        for one in asked
    ]


def made(batch: int, clips: Sequence[Sound | Refusal]) -> Frame:
    """Return the frame that brings a batch."""
    said: list[dict[str, Any]] = [
        {"reason": clip.reason}
        if isinstance(clip, Refusal)
        else {
            "rate": clip.rate,
            "channels": clip.channels,
            "loudness": clip.loudness,
            "description": clip.description,
            "finished": clip.finished,
            "size": len(clip.samples),
        }
        for clip in clips
    ]
    body = b"".join(clip.samples for clip in clips if isinstance(clip, Sound))
    return Frame("clips", {"batch": batch, "clips": said}, body)


def read_out(batch: int, found: Sequence[States]) -> Frame:
    """Return the frame that brings what prompts are read as."""
    width = found[0].width if found else 1
    return Frame(
        "states",
        {
            "batch": batch,
            "width": width,
            "tokens": [len(one.values) // (4 * width) for one in found],
        },
        b"".join(one.values for one in found),
    )


def states(frame: Frame) -> list[States]:
    """Return what a ``states`` brings.

    Raises:
        FrameError: Its header and its body do not belong together.
    """
    width, tokens = frame.header.get("width"), frame.header.get("tokens")
    if not isinstance(width, int) or width < 1 or not isinstance(tokens, list):
        raise FrameError("States have a width, and tokens for each prompt.")
    sizes = [4 * width * count if isinstance(count, int) else -1 for count in tokens]
    return [States(values=part, width=width) for part in _cut(frame.body, sizes)]


def clip_sizes(frame: Frame) -> list[int]:
    """Return the sizes of the clips in the body of a ``clips``; none where it does not say, or of another frame."""
    told = frame.header.get("clips") if frame.kind == "clips" else None
    said = (
        [one.get("size") for one in told if isinstance(one, dict)] if isinstance(told, list) else []
    )
    sizes = [size for size in said if size is not None]
    return sizes if all(isinstance(size, int) and size >= 0 for size in sizes) else []


def clips(frame: Frame) -> list[Sound | Refusal]:
    """Return what a ``clips`` brings.

    Raises:
        FrameError: Its header and its body do not belong together.
    """
    told = _listed(frame, "clips")
    sizes = [one.get("size", -1) for one in told if "reason" not in one]
    parts = iter(frame.parts) if len(frame.parts) == len(sizes) > 0 else _cut(frame.body, sizes)
    return [
        Refusal(str(one["reason"])) if "reason" in one else _sound(one, next(parts)) for one in told
    ]


def _sound(said: Mapping[str, Any], samples: bytes) -> Sound:
    try:
        sound = Sound(
            samples=samples,
            rate=int(said["rate"]),
            channels=int(said["channels"]),
            description=dict(said["description"]),
            finished=bool(said["finished"]),
            loudness=float(said["loudness"]),
        )
    except (KeyError, TypeError, ValueError, OverflowError):
        raise FrameError("A clip lacks its rate, its channels or what it is.") from None
    if not math.isfinite(sound.loudness):
        raise FrameError("A clip's loudness is no number.")
    if sound.channels not in (1, 2) or len(samples) % (4 * sound.channels):
        raise FrameError(f"{len(samples)} bytes are no sound of {sound.channels} channels.")
    return sound


def _listed(frame: Frame, name: str) -> list[Mapping[str, Any]]:
    found = frame.header.get(name)
    if not isinstance(found, list) or not all(isinstance(one, dict) for one in found):
        raise FrameError(f"A frame {frame.kind!r} has no list of {name}.")
    return found


def _cut(body: bytes, sizes: Sequence[Any]) -> Iterator[bytes]:
    """Return the parts of a body, in order."""
    if not all(isinstance(size, int) and size >= 0 for size in sizes) or sum(sizes) != len(body):
        raise FrameError(f"A body of {len(body)} bytes is not what its header says.")
    begins = [sum(sizes[:place]) for place in range(len(sizes))]
    return iter([body[begin : begin + size] for begin, size in zip(begins, sizes)])  # noqa: B905 - Python 3.9
