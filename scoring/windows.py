"""Long clips in pieces, so that neither memory nor a feature grows with their length."""

from __future__ import annotations

WINDOW = 30.0
"""Seconds of a piece."""
WHOLE = 45.0
"""Seconds up to which a clip is one piece."""


def pieces(
    frames: int,
    sample_rate: int,
    most: int | None = None,
    *,
    window: float = WINDOW,
    whole: float = WHOLE,
) -> list[slice]:
    """Return pieces of equal length that cover a clip from its first frame to its last.

    Args:
        frames: Length of the clip.
        sample_rate: In Hz.
        most: At most so many pieces, spread evenly with gaps between them; ``None`` covers everything.
        window: Seconds of a piece.
        whole: Seconds up to which a clip is one piece; at least ``window``.
    """
    seconds = frames / sample_rate
    if seconds <= whole:
        return [slice(0, frames)]
    length = round(window * sample_rate)
    count = -(-frames // length)
    if most is not None:
        count = min(count, most)
    last = frames - length
    if count == 1:
        return [slice(last // 2, last // 2 + length)]
    return [
        slice(start, start + length)
        for start in (round(i * last / (count - 1)) for i in range(count))
    ]
