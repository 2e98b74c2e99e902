"""Long clips in pieces, so that neither memory nor a feature grows with their length."""

from __future__ import annotations

WINDOW = 30.0
"""Seconds of a piece."""
WHOLE = 45.0
"""Seconds up to which a clip is one piece."""


def pieces(frames: int, sample_rate: int, most: int | None = None) -> list[slice]:
    """Return pieces of equal length that cover a clip from its first frame to its last.

    Args:
        frames: Length of the clip.
        sample_rate: In Hz.
        most: At most so many pieces, spread evenly with gaps between them; ``None`` covers everything.
    """
    seconds = frames / sample_rate
    if seconds <= WHOLE:
        return [slice(0, frames)]
    length = round(WINDOW * sample_rate)
    count = -(-frames // length)
    if most is not None:
        count = min(count, most)
    last = frames - length
    return [
        slice(start, start + length)
        for start in (round(i * last / (count - 1)) for i in range(count))
    ]
