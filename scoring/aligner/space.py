"""An aligner's space as columns for tastes: the directions in which its listeners differ, scaled by how much they do.

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

AXES = 24
VERSION = 2
"""Changes whenever the same aligner would give other axes: 1 had whatever signs a machine's library gave."""


class AlignerAxes:
    """A few columns that an aligner hears a clip in, without a name of their own.

    Args:
        aligner: With at least one listener in its table.
        axes: At most so many principal axes of the table, after the mean listener.

    Attributes:
        id: Names the axes; columns of different ones are never compared.
        encoder_id: The encoder whose embeddings they take.
        weights: (k,) scale of each column.
    """

    def __init__(self, aligner: Aligner, axes: int = AXES) -> None:
        table = aligner.users().astype(np.float64)
        mean = table.mean(axis=0)
        _, spread, directions = np.linalg.svd(table - mean, full_matrices=False)
        deviation = spread / np.sqrt(len(table))
        kept = int(min(axes, (deviation > 1e-6).sum()))
        length = float(np.linalg.norm(mean))
        self.weights: Doubles = np.array([length, *deviation[:kept]]) * aligner.info.scale
        self._aligner = aligner
        directions = directions[:kept]
        # An axis may point either way: the same table must give the same signs on every machine, or a taste that was
        # learned on one would be turned round on another.
        signs = np.sign(directions[np.arange(kept), np.abs(directions).argmax(axis=1)])
        directions = np.concatenate([mean[None] / max(length, 1e-9), directions * signs[:, None]])
        self._axes: Doubles = directions * self.weights[:, None]
        self._middle: Doubles = self._axes @ aligner.centre.astype(np.float64)
        self.id = f"{aligner.info.id}-{kept}.{VERSION}"
        self.encoder_id = aligner.info.encoder_id

    @property
    def dimensions(self) -> int:
        """Columns that they give."""
        return len(self.weights)

    def project(self, embeddings: NDArray[Any]) -> Doubles:
        """Return columns (n, k).

        Args:
            embeddings: See ``Aligner.music``. Where one holds NaN, the encoder has not heard the clip, and its columns
                are zeros: nothing is known of it, for or against.

        Raises:
            ScoringError: They are of another encoder.
        """
        given = np.asarray(embeddings, dtype=np.float32)
        known = np.isfinite(given).all(axis=tuple(range(1, given.ndim)))
        out = np.zeros((len(given), self.dimensions))
        out[known] = self._aligner.music(given[known]).astype(np.float64) @ self._axes.T
        out[known] -= self._middle
        return out
