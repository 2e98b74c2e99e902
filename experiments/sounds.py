"""A clip as the listeners of an experiment have it: what they hear in it, and what the built-in encoder measures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from playground.hearing import Heard
from playground.tastes import Bank

Doubles = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Sound:
    """A clip.

    Attributes:
        heard: The properties that hidden tastes are over.
        embedding: (dim,) of the built-in encoder, which users of an aligner's table go by.
    """

    heard: Heard
    embedding: NDArray[Any]


def joined(heard: Sequence[Heard], embeddings: Sequence[NDArray[Any]]) -> list[Sound]:
    """Return clips from what was heard and measured of each."""
    return [
        Sound(heard=one, embedding=embedding)
        for one, embedding in zip(heard, embeddings, strict=True)
    ]


def standard(sounds: Sequence[Sound], bank: Bank) -> Doubles:
    """Return heard properties (n, p) in standard deviations from the middle of all music."""
    return bank.standard(np.array([sound.heard.vector() for sound in sounds]))
