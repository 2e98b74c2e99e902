"""Ten features as the numbers that a network reads."""

from __future__ import annotations

import math

from domain.features import RANGES, Features

SIZE = 17
"""Length of the vector."""


def vector(features: Features) -> tuple[float, ...]:
    """Return features as ``SIZE`` numbers of about the same spread.

    Unscaled, tempo (about 120) and loudness (about -8) drown features between 0 and 1. Key is a circle, once by
    semitones and once by fifths, so that B lies beside C and G beside C; the metre is one of six.
    """
    low, high = RANGES["loudness"]
    loudness = 2 * (features.loudness - low) / (high - low) - 1
    tempo = math.log2(features.tempo / 100)
    levels = [
        2 * value - 1
        for value in (
            features.energy,
            features.valence,
            features.danceability,
            features.acousticness,
            features.instrumentalness,
        )
    ]
    semitone = 2 * math.pi * features.key / 12
    fifth = 7 * semitone
    circle = [math.sin(semitone), math.cos(semitone), math.sin(fifth), math.cos(fifth)]
    beats = [float(features.time_signature == count) for count in (3, 4, 5, 6, 7)]
    return (*levels, loudness, tempo, 2.0 * features.mode - 1, *circle, *beats)
