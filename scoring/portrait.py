"""What a track sounds like as facets, so that breeders that only know words begin near it."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from domain.facets import Facets
from prompts.levels import clamp, quantise, quantise_tempo
from prompts.reader import read
from prompts.tidy import tidy
from prompts.vocabulary import Vocabulary, shipped
from scoring.space import Column, Form, TasteSpace

SURE_KIND = 0.4
"""Share of a kind from which the track is called by it."""
CLEAR = 0.4
"""Standard deviations from the middle from which a measure is worth a word."""
_LEVELS = {"brightness": "brightness", "density": "onset_rate"}


def portrait(
    embedding: NDArray[Any], space: TasteSpace, vocabulary: Vocabulary | None = None
) -> Facets:
    """Return what can be said of a track: its kind, tempo, mode, brightness and density, each where it is clear.

    Args:
        embedding: (dimensions,) of the space's encoder.
        space: Says what the numbers mean; one without named measures gives empty facets.
        vocabulary: The shipped one unless given.
    """
    vocabulary = vocabulary or shipped()
    row = np.asarray(embedding, dtype=np.float64)
    columns = {column.name: column for column in space.columns if column.form is Form.LINEAR}
    said = _kind(row, space, vocabulary).to_json()
    if "tempo" in columns:
        said["tempo"] = quantise_tempo(100.0 * 2.0 ** float(row[columns["tempo"].source]))
    if "major" in columns and abs(lean := _deviation(row, columns["major"])) >= CLEAR:
        said["mode"] = "major" if lean > 0 else "minor"
    for facet, measure in _LEVELS.items():
        if measure in columns and abs(off := _deviation(row, columns[measure])) >= CLEAR:
            said[facet] = quantise(clamp(0.5 * (1.0 + math.erf(off / math.sqrt(2.0)))))
    return tidy(said, vocabulary)


def _kind(row: NDArray[np.float64], space: TasteSpace, vocabulary: Vocabulary) -> Facets:
    shares = {name: float(share[0]) for name, share in space.kinds(row[None, :]).items()}
    best = max(shares, key=shares.__getitem__, default="")
    if not best or shares[best] < SURE_KIND:
        return Facets()
    read_back = read(best.replace("_", " "), vocabulary)
    return Facets(genre=read_back.genre, family=read_back.family)


def _deviation(row: NDArray[np.float64], column: Column) -> float:
    """Return where a measure lies, in standard deviations from the middle of all music."""
    return (float(row[column.source]) - column.centre) / column.scale
