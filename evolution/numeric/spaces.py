"""Chooses what a run searches, from what it has heard so far."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from evolution.archive import Individual
from evolution.herd import Herd
from evolution.numeric.anchors import FEWEST, AnchorGenome
from evolution.numeric.bank import BankGenome, directions
from evolution.numeric.embeddings import EmbeddingGenome
from evolution.numeric.genome import Genome
from evolution.numeric.nearest import nearest_in
from evolution.numeric.pieces import PieceGenome
from evolution.numeric.places import Place
from evolution.numeric.states import StateTable
from evolution.operators import Draft
from prompts.reader import read
from prompts.tidy import tidy

PIECES, ANCHORS, BANK, TOKENS = "pieces", "anchors", "bank", "tokens"
_BEST = 3
"""Fitnesses of a line of pieces that count."""
_UNHEARD = 0.4
"""What stands for those of them that have not been heard."""
_EXPECTED = 0.2
"""Weight of what the words of a root are expected to be worth; it decides between equal ones."""


def choose(
    wanted: str,
    herd: Herd,
    places: Mapping[int, Place],
    root: Individual | None,
    table: StateTable | None = None,
) -> tuple[str, Genome] | None:
    """Return the name and the genome to search, or ``None`` while too little was heard.

    Args:
        wanted: ``PIECES``, ``ANCHORS``, ``BANK`` or ``TOKENS``. Where no piece is known, as with generators that play
            no notes, anchors stand in.
        herd: What was told.
        places: Of told candidates that a search by numbers proposed.
        root: The root so far, which may be too old for the archive.
        table: What ``TOKENS`` searches.
    """
    vocabulary = herd.breeder.vocabulary
    nearest = nearest_in(vocabulary)
    if wanted == TOKENS and table is not None:
        vibe = tidy(read(herd.vibe, vocabulary), vocabulary)
        return TOKENS, EmbeddingGenome(table, herd.features, nearest, vibe)
    if wanted == PIECES:
        found = _pieces(herd, places, root)
        if found is not None:
            return PIECES, found
    if wanted == BANK:
        if len(herd.members) < FEWEST:
            return None
        return BANK, BankGenome(directions(vocabulary), herd.features, nearest)
    heard = [
        member
        for member in herd.members
        if member.id not in places or places[member.id].space != ANCHORS
    ]
    mixed = AnchorGenome.of(heard, herd.features, nearest)
    return None if mixed is None else (ANCHORS, mixed)


def _pieces(herd: Herd, places: Mapping[int, Place], root: Individual | None) -> PieceGenome | None:
    """Return the genome around the piece whose line, itself and its children, is liked best today."""
    roots = {member.id: member for member in herd.pieces.favourites}
    if root is not None:
        roots.setdefault(root.id, root)
    lines: dict[int, list[float]] = {}
    for member in herd.members:
        place = places.get(member.id)
        bred = place is not None and place.space == PIECES
        line = place.where.get("root") if place is not None and bred else member.id
        if isinstance(line, int) and line in roots:
            lines.setdefault(line, []).append(member.fitness)
    expected = dict(zip(lines, _predicted(herd, [roots[one] for one in lines]), strict=True))
    worth = {one: _worth(found) + _EXPECTED * expected[one] for one, found in lines.items()}
    for one in sorted(worth, key=lambda line: -worth[line]):
        piece = herd.pieces.of(roots[one])
        if piece is not None:
            return PieceGenome(roots[one], piece, herd.breeder.vocabulary)
    return None


def _worth(fitness: Sequence[float]) -> float:
    """Return the mean of a line's best fitnesses; one lucky piece alone is worth less than several good ones."""
    best = sorted(fitness, reverse=True)[:_BEST]
    return float(np.mean([*best, *[_UNHEARD] * (_BEST - len(best))]))


def _predicted(herd: Herd, members: Sequence[Individual]) -> list[float]:
    drafts = [Draft(facets=member.facets, operator="") for member in members]
    return [value or 0.0 for value in herd.screen.predict(drafts)]
