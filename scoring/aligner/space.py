"""An aligner's space as a taste space: the directions in which its listeners differ, scaled by how much they do.

A listener of the table has the log odds ``scale * user . music``. With the mean listener and the principal axes of the
others around it, that is a sum over a few columns whose weights vary by about 1 from listener to listener, which is
what the prior of ``scoring.taste`` expects of a stranger. So tastes start from what a whole listening log knows.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from scoring.aligner.protocol import Aligner
from scoring.beliefs import Doubles
from scoring.space import Column, Form
from scoring.words import OVERALL

AXES = 24


class AlignerSpace:
    """Projects embeddings to phi through an aligner; stands in for ``scoring.space.TasteSpace``.

    Args:
        aligner: With at least one listener in its table.
        axes: At most so many principal axes of the table, after the mean listener.

    Attributes:
        id: Names the space; tastes of different spaces are never mixed.
        encoder_id: The encoder whose embeddings it takes.
        columns: What each column but the last is; an axis has no name of its own.
        labels: A (less, more) word pair for each column of phi, the intercept last.
    """

    def __init__(self, aligner: Aligner, axes: int = AXES) -> None:
        table = aligner.users().astype(np.float64)
        mean = table.mean(axis=0)
        _, spread, directions = np.linalg.svd(table - mean, full_matrices=False)
        deviation = spread / np.sqrt(max(1, len(table)))
        kept = int(min(axes, (deviation > 1e-6).sum()))
        weights = np.concatenate([[np.linalg.norm(mean)], deviation[:kept]]) * aligner.info.scale
        first = mean / max(float(np.linalg.norm(mean)), 1e-9)
        self._aligner = aligner
        self._axes: Doubles = np.concatenate([first[None], directions[:kept]]) * weights[:, None]
        self._middle: Doubles = self._axes @ aligner.centre.astype(np.float64)
        self.id = f"{aligner.info.id}-{kept}"
        self.encoder_id = aligner.info.encoder_id
        self.columns: tuple[Column, ...] = tuple(
            Column(
                name=f"component_{i}",
                form=Form.COMPONENT,
                words=OVERALL,
                source=i,
                weight=float(weight),
            )
            for i, weight in enumerate(weights)
        )
        self.labels: tuple[tuple[str, str], ...] = (
            *((column.words.low, column.words.high) for column in self.columns),
            ("stricter", "more generous"),
        )

    @property
    def dimensions(self) -> int:
        """Columns of phi without the intercept."""
        return len(self.columns)

    def project(self, embeddings: NDArray[Any]) -> Doubles:
        """Return phi (n, k + 1), the last column 1.

        Args:
            embeddings: See ``Aligner.music``.

        Raises:
            ScoringError: They are of another encoder or not finite.
        """
        music = self._aligner.music(embeddings).astype(np.float64)
        phi: Doubles = np.concatenate(
            [music @ self._axes.T - self._middle, np.ones((len(music), 1))], axis=1
        )
        return phi
