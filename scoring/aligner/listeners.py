"""Listeners out of an aligner's table: each row of it likes clips, as often as its own base rate says.

They stand in for people in experiments. A row gives the direction of a taste; how generous its listener is cannot be
learned from what was listened to, so it is set: the constant in ``sigmoid(steepness * cosine + constant)`` is found
such that the listener likes a given share of a bank of clips.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from domain.errors import ScoringError
from scoring.aligner.protocol import Aligner
from scoring.beliefs import Doubles
from scoring.encoder import Floats

LONGEST = 60.0
"""Log odds beyond which a constant is not looked for."""


class Listener(Protocol):
    """Somebody who likes clips or not."""

    def likes(self, embedding: NDArray[Any]) -> float:
        """Return the probability, from 0 to 1, that a clip is liked.

        Args:
            embedding: (layers, dimensions), or all its numbers in one row.

        Raises:
            ScoringError: It is of another encoder or not finite.
        """
        ...


class TableListener:
    """A row of an aligner's table; see ``table_listeners`` for how to get some.

    Args:
        aligner: Whose row it is.
        row: From 0.
        constant: Log odds that are added for every clip: how generous the listener is.
        steepness: Log odds for a cosine of 1; the aligner's own scale when ``None``.

    Raises:
        ScoringError: There is no such row.
    """

    def __init__(
        self, aligner: Aligner, row: int, *, constant: float = 0.0, steepness: float | None = None
    ) -> None:
        if not 0 <= row < aligner.info.users:
            message = (
                f"Aligner {aligner.info.id} has {aligner.info.users} listeners, none in row {row}."
            )
            raise ScoringError(message)
        self.row = row
        self.constant = constant
        self.steepness = aligner.info.scale if steepness is None else steepness
        self._aligner = aligner
        self._vector: Floats = aligner.users()[row]

    @property
    def vector(self) -> Floats:
        """(width,) of length 1: what the listener loves most."""
        return self._vector

    def likes(self, embedding: NDArray[Any]) -> float:
        """Return the probability that a clip is liked; see ``Listener``."""
        return float(self.probabilities(np.asarray(embedding)[None])[0])

    def probabilities(self, embeddings: NDArray[Any]) -> Doubles:
        """Return the probabilities (n,) that clips are liked; see ``Aligner.music`` for their shape."""
        return self.heard(self._aligner.music(embeddings))

    def heard(self, music: Floats) -> Doubles:
        """Return the probabilities (n,) that clips are liked.

        Args:
            music: (n, width) from ``Aligner.music``, worked out once for many listeners.
        """
        cosine = np.asarray(music @ self._vector, dtype=np.float64)
        out: Doubles = expit(self.steepness * cosine + self.constant)
        return out


def table_listeners(
    aligner: Aligner,
    rows: Sequence[int],
    bank: NDArray[Any],
    *,
    base_rate: float = 0.3,
    steepness: float | None = None,
) -> list[TableListener]:
    """Return listeners who each like a given share of a bank of clips.

    Args:
        aligner: With a table of listeners.
        rows: Which of them.
        bank: Embeddings of the clips that the share is of, at least one; see ``Aligner.music`` for their shape.
        base_rate: Mean probability of liking a clip of the bank, above 0 and below 1.
        steepness: See ``TableListener``.

    Raises:
        ScoringError: There is no such row, the bank is empty or of another encoder, or the rate cannot be.
    """
    if not 0.0 < base_rate < 1.0:
        message = (
            f"Listeners can like a share between 0 and 1 of the clips, not {base_rate:g} of them."
        )
        raise ScoringError(message)
    if not len(bank):
        message = "Without clips in the bank nobody knows what listeners like a share of."
        raise ScoringError(message)
    music = aligner.music(bank)
    strangers = [TableListener(aligner, row, steepness=steepness) for row in rows]
    return [
        TableListener(
            aligner,
            one.row,
            constant=_constant(one.steepness * (music @ one.vector), base_rate),
            steepness=one.steepness,
        )
        for one in strangers
    ]


def _constant(log_odds: NDArray[Any], rate: float) -> float:
    """Return what must be added so that the mean probability is ``rate``."""
    given = np.asarray(log_odds, dtype=np.float64)
    low, high = -LONGEST - float(given.max()), LONGEST - float(given.min())
    for _ in range(60):
        middle = (low + high) / 2
        if float(expit(given + middle).mean()) < rate:
            low = middle
        else:
            high = middle
    return (low + high) / 2
