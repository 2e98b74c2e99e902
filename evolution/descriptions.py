"""Operations on descriptions: crossing, mutating, varying, steering, lengthening, bridging, and numbers for searches.

Every function is pure: pieces in, a valid piece out, chance from the generator that is passed in. Players and sounds
are names here; only ``generation`` knows how they sound.
"""

from __future__ import annotations

from evolution.lengthening import extend, transition
from evolution.mutating import FIELDS, Variation, mutate, vary
from evolution.splicing import Pattern, splice, splice_bars, takes_turns
from evolution.steering import steer
from evolution.telling import facets_of, follow
from evolution.vectors import from_vector, vector

__all__ = [
    "FIELDS",
    "Pattern",
    "Variation",
    "extend",
    "facets_of",
    "follow",
    "from_vector",
    "mutate",
    "splice",
    "splice_bars",
    "steer",
    "takes_turns",
    "transition",
    "vary",
    "vector",
]
