"""Turning the levels, tempo, key and metre of a piece while its tunes stay."""

from __future__ import annotations

import dataclasses

from domain.description import LEVELS, TEMPO, Description
from domain.facets import TONICS, Facets
from evolution.mutating import in_mode, transposed
from evolution.numbers import freed
from evolution.splicing import in_metre
from evolution.timing import refitted

_HEARD = 0.02
"""A level that moves by less makes no number stale."""


def steer(description: Description, wanted: Facets) -> Description:
    """Return the piece with what ``wanted`` says of levels, tempo, tonic, mode and metre.

    Everything else of ``wanted`` is not looked at; ``prompts.features.to_facets`` makes such facets of ten features.
    Players, tunes, form and the length of the clip stay. Numbers of bars that a change makes stale are left to the
    composer; the others are kept.

    Args:
        description: The piece.
        wanted: What is to change; ``None`` leaves as it is. Levels and tempo are limited to their ranges.
    """
    out = description
    values = {name: getattr(wanted, name) for name in LEVELS if getattr(wanted, name) is not None}
    values = {name: min(max(float(value), 0.0), 1.0) for name, value in values.items()}
    changed = [n for n, v in values.items() if abs(v - getattr(out.levels, n)) >= _HEARD]
    if values:
        levels = dataclasses.replace(out.levels, **values)
        out = dataclasses.replace(out, levels=levels, bars=freed(out.bars, changed))
    if wanted.tonic in TONICS:
        out = transposed(out, TONICS.index(wanted.tonic) - TONICS.index(out.tonic))
    if wanted.mode is not None:
        out = in_mode(out, wanted.mode)
    if wanted.tempo is not None and wanted.tempo != out.tempo:
        tempo = min(max(float(wanted.tempo), TEMPO[0]), TEMPO[1])
        out = refitted(dataclasses.replace(out, tempo=tempo))
    if wanted.metre is not None:
        out = in_metre(out, wanted.metre)
    return out
