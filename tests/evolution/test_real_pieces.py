"""Operators on what the composer really plays, upbeats and odd metres included: every child is a valid piece."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from domain.description import Description
from domain.facets import FAMILIES, Facets
from evolution.descriptions import (
    Pattern,
    Variation,
    extend,
    mutate,
    splice,
    splice_bars,
    steer,
    vary,
)
from evolution.timing import refitted
from generation.genome.describe import describe
from generation.planning.plan import make_plan
from generation.writing.arrange import arrange


@pytest.fixture(scope="module")
def pieces() -> list[Description]:
    out = []
    for seed, family in enumerate(FAMILIES):
        plan = make_plan(Facets(family=family), seed, (8.0, 12.0, 30.0)[seed % 3])
        out.append(describe(plan, arrange(plan)))
    assert any(piece.pickup for piece in out)
    return out


def test_every_operator_makes_a_valid_piece_of_every_family(pieces):
    rng = np.random.default_rng(0)
    patterns = list(Pattern)
    for number, piece in enumerate(pieces):
        other = pieces[(number * 7 + 3) % len(pieces)]
        children = [
            *(vary(piece, how, rng) for how in Variation for _ in range(4)),
            *(mutate(piece, strength, rng) for strength in (0.1, 0.5, 1.0)),
            splice(piece, other),
            splice_bars(piece, other, patterns[number % len(patterns)]),
            steer(piece, Facets(tempo=93.0, metre=(3, 4), energy=0.9)),
            refitted(piece, 8.0),
            refitted(piece, 30.0),
            extend(piece, rng, seconds=60.0),
        ]
        for child in children:
            assert Description.from_json(child.to_json()) == child


def test_strength_zero_is_the_same_piece(pieces):
    for piece in pieces:
        same = mutate(piece, 0.0, np.random.default_rng(1))
        assert dataclasses.replace(same, seconds=piece.seconds) == piece
