"""A small aligner without weights from anywhere, for tests of what stands on the seam."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from scoring.aligner.protocol import AlignerInfo, AlignerKind, shaped, unit
from scoring.encoder import Floats


class PlainAligner:
    """Hears the last layer through a fixed matrix.

    Args:
        users: (n, width) tastes, of any length.
        layers: Of an embedding.
        dimensions: Of a layer.
        scale: See ``AlignerInfo``.
    """

    def __init__(
        self, users: NDArray[Any], *, layers: int = 2, dimensions: int = 6, scale: float = 5.0
    ) -> None:
        self._users = unit(users)
        width = self._users.shape[1]
        rng = np.random.default_rng(7)
        self._matrix = rng.normal(size=(dimensions, width)).astype(np.float32)
        self.info = AlignerInfo(
            id="plain-1",
            kind=AlignerKind.COMPACT,
            encoder_id="encoder-of-the-test",
            layers=layers,
            dimensions=dimensions,
            width=width,
            users=len(self._users),
            parameters=self._matrix.size,
            scale=scale,
        )

    @property
    def centre(self) -> Floats:
        """Zeros."""
        return np.zeros(self.info.width, dtype=np.float32)

    def users(self) -> Floats:
        """See ``Aligner``."""
        return self._users

    def music(self, embeddings: NDArray[Any]) -> Floats:
        """See ``Aligner``."""
        return unit(shaped(embeddings, self.info)[:, -1] @ self._matrix)
