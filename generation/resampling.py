"""From one sample rate to another."""

from __future__ import annotations

import math

from generation.audio import Floats, as_floats


def resampled(samples: Floats, rate: int, target: int) -> Floats:
    """Return samples (frames, channels) of ``rate`` Hz at ``target`` Hz, through a polyphase low-pass filter."""
    if rate == target:
        return samples
    from scipy.signal import resample_poly  # noqa: PLC0415  # slow to import, and seldom needed

    common = math.gcd(rate, target)
    return as_floats(resample_poly(samples, target // common, rate // common, axis=0))
