"""A stretch that was made anew, laid into the sound that it belongs to: models give the rest back only nearly."""

from __future__ import annotations

import numpy as np

from generation.audio import Floats, as_floats

RAMP = 0.03
"""Seconds in which one goes into the other, within the stretch."""
MOST = 4.0
"""Times by which the stretch is made louder or softer at most."""


def spliced(kept: Floats, made: Floats, stretch: tuple[float, float], rate: int) -> Floats:
    """Return ``kept`` with a stretch of ``made`` (both (frames, channels), as long as each other).

    The stretch is brought to the level of what is kept by what the model gave back of it: some models bring their
    sound to a level of their own.

    Args:
        kept: What stays.
        made: What the model made, all of it.
        stretch: Where it begins and ends, in seconds.
        rate: Frames per second.
    """
    first, last = (round(second * rate) for second in stretch)
    share = np.zeros((len(kept), 1), dtype=np.float32)
    share[first:last] = 1.0
    ramp = min(round(RAMP * rate), (last - first) // 2)
    rise = np.linspace(0, 1, ramp, dtype=np.float32)[:, None]
    if first > 0:
        share[first : first + ramp] = rise
    if last < len(kept):
        share[last - ramp : last] = rise[::-1]
    outside = share[:, 0] == 0
    loud, given = (
        float(np.sqrt((one[outside] ** 2).mean())) if outside.any() else 0.0 for one in (kept, made)
    )
    gain = min(MOST, max(1 / MOST, loud / given)) if loud and given else 1.0
    return as_floats(kept * (1 - share) + gain * made * share)
