"""Whether a clip does what its prompt says: by a model of text and audio where one is there, else property by property.

Property by property, what the prompt states (``domain.facets``) is compared with what was composed, where the generator
tells, and with what is measured. Both are evidence: a generator may promise what nobody hears. What a prompt leaves
open is not asked for, and a prompt that states nothing which can be checked has no adherence at all (NaN).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from domain.facets import Facets
from prompts.features import mode_of
from scoring.space import Form, TasteSpace

SEGMENT = 10.0
"""Seconds that are compared with the prompt at a time."""
UNRELATED, MATCHING = 0.0, 0.5
"""Cosines of text and audio that count as 0 and as 1: of unlike pairs, and of about the best that CLAP models give."""
OCTAVE = 0.6
"""What is left of a tempo of twice or half the beats asked for: ears differ about it."""
TEMPO_WIDTH = 0.08
"""Octaves off the tempo asked for at which the match has fallen to 0.6."""
NEAR_MODE = 0.5
"""What a mode is worth that shares its third with the one asked for, such as dorian for minor."""
SURE_KIND = 0.5
"""Share of a kind of music in the sound from which it counts as that kind."""
_DESCRIBED_LEVELS = ("energy", "density", "brightness", "valence")
_MEASURED_LEVELS = {"brightness": "brightness", "density": "onset_rate"}
_LARGEST = 1e300
"""Beyond this lie infinity and whole numbers that no float holds, which ``isfinite`` stumbles over."""
_OFF = 0.5
"""Difference of levels in [0, 1] at which nothing is left of the match."""


def segments(frames: int, sample_rate: int) -> list[slice]:
    """Return pieces of about ``SEGMENT`` seconds that cover a clip; one up to half as long again is one piece."""
    count = max(1, round(frames / (SEGMENT * sample_rate)))
    edges = np.linspace(0, frames, count + 1).round().astype(int).tolist()
    return [slice(start, stop) for start, stop in pairwise(edges)]


def by_text(said: NDArray[Any], heard: NDArray[Any]) -> float:
    """Return adherence in [0, 1] as an encoder of sound and words hears it; NaN where it gives no number.

    Args:
        said: (dim,), the prompt, of length 1.
        heard: (dim,), the clip: the mean over its windows of vectors of length 1, so that the product is the mean
            of their cosines.
    """
    cosine = float(np.asarray(said, np.float64) @ np.asarray(heard, np.float64))
    share = (cosine - UNRELATED) / (MATCHING - UNRELATED)
    return min(1.0, max(0.0, share)) if math.isfinite(share) else math.nan


def by_properties(
    asked: Facets,
    described: Mapping[str, Any],
    embeddings: NDArray[Any],
    space: TasteSpace,
) -> float:
    """Return adherence in [0, 1] property by property; NaN when the prompt states nothing that can be checked.

    Args:
        asked: The prompt, read.
        described: What the generator says it composed (``RenderedClip.description``); may be empty.
        embeddings: (segments, dimensions) of the clip, of the space's encoder.
        space: Says what the numbers of an embedding mean.
    """
    facts = _described(asked, described)
    heard = [_measured(asked, row, space) for row in np.atleast_2d(embeddings)]
    names = set(facts).union(*heard) if heard else set(facts)
    matches = []
    for name in sorted(
        names
    ):  # sums of floats depend on their order, and a set's differs between processes
        evidence = [one[name] for one in heard if name in one]
        both = [facts[name]] if name in facts else []
        both += [float(np.mean(evidence))] if evidence else []
        matches.append(float(np.mean(both)))
    return float(np.mean(matches)) if matches else math.nan


def _described(asked: Facets, described: Mapping[str, Any]) -> dict[str, float]:
    """Return how far what was composed is what was asked, by property."""
    out: dict[str, float] = {}
    tempo = _number(described.get("tempo"))
    if asked.tempo is not None and tempo is not None and tempo > 0:
        out["tempo"] = tempo_match(asked.tempo, tempo)
    for name in ("family", "tonic", "mode"):
        wanted, got = getattr(asked, name), described.get(name)
        if wanted is not None and isinstance(got, str):
            near = name == "mode" and mode_of(wanted) == mode_of(got)
            out[name] = 1.0 if wanted == got else NEAR_MODE * near
    metre = described.get("metre")
    if asked.metre is not None and isinstance(metre, list | tuple):
        out["metre"] = float(tuple(metre) == asked.metre)
    for name in _DESCRIBED_LEVELS:
        wanted, level = getattr(asked, name), _number(described.get(name))
        if wanted is not None and level is not None:
            out[name] = max(0.0, 1.0 - abs(wanted - level) / _OFF)
    out |= _players(asked, described)
    return out


def _players(asked: Facets, described: Mapping[str, Any]) -> dict[str, float]:
    """Return the share of the instruments asked for that play, and of those not wanted that do not."""
    playing, ignored = described.get("instruments"), described.get("ignored", ())
    if not isinstance(playing, Mapping) or not isinstance(ignored, Sequence):
        return {}
    out = {}
    if asked.instruments:
        out["instruments"] = 1.0 - _share(asked.instruments, {str(one) for one in ignored})
    if asked.without:
        out["without"] = 1.0 - _share(asked.without, {str(role) for role in playing})
    return out


def _share(words: Sequence[str], among: set[str]) -> float:
    return sum(word in among for word in words) / len(words)


def _measured(asked: Facets, embedding: NDArray[Any], space: TasteSpace) -> dict[str, float]:
    """Return how far what is measured is what was asked, by property."""
    columns = {column.name: column for column in space.columns if column.form is Form.LINEAR}
    out: dict[str, float] = {}
    if asked.tempo is not None and "tempo" in columns:
        beats = 100.0 * 2.0 ** float(embedding[columns["tempo"].source])
        out["tempo"] = tempo_match(asked.tempo, beats)
    if asked.mode is not None and "major" in columns:
        column = columns["major"]
        lean = _level((float(embedding[column.source]) - column.centre) / column.scale)
        out["mode"] = lean if mode_of(asked.mode) else 1.0 - lean
    for name, measure in _MEASURED_LEVELS.items():
        wanted = getattr(asked, name)
        if wanted is not None and measure in columns:
            column = columns[measure]
            level = _level((float(embedding[column.source]) - column.centre) / column.scale)
            out[name] = max(0.0, 1.0 - abs(wanted - level) / _OFF)
    if asked.family is not None:
        shares = space.kinds(embedding[None, :])
        if asked.family in shares:
            out["family"] = min(1.0, float(shares[asked.family][0]) / SURE_KIND)
    return out


def tempo_match(asked: float, heard: float) -> float:
    """Return in [0, 1] how well a tempo fits the one asked for; an octave off it is still half right."""
    off = math.log2(heard / asked)
    whole = round(off)
    near = math.exp(-0.5 * ((off - whole) / TEMPO_WIDTH) ** 2)
    return near if whole == 0 else OCTAVE * near if abs(whole) == 1 else 0.0


def _level(deviations: float) -> float:
    """Return where in [0, 1] a measure lies among all music."""
    return 0.5 * (1.0 + math.erf(deviations / math.sqrt(2.0)))


def _number(value: Any) -> float | None:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return float(value) if is_number and abs(value) <= _LARGEST else None
