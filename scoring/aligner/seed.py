"""AlignerV2 behind the seam; needs PyTorch."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional

from scoring.aligner.protocol import (
    AlignerInfo,
    AlignerKind,
    check,
    fingerprint,
    scale_of,
    shaped,
)
from scoring.aligner.seed_network import SeedNetwork
from scoring.encoder import Floats

BATCH = 64


class SeedAligner:
    """A trained AlignerV2.

    Args:
        network: With its weights.
        encoder_id: The encoder whose embeddings it takes; empty where nobody says.

    Raises:
        ScoringError: A weight is not finite.
    """

    def __init__(self, network: SeedNetwork, encoder_id: str) -> None:
        self._network = network.eval().requires_grad_(False)
        weights = {name: one.numpy() for name, one in network.state_dict().items()}
        check(weights)
        shape = network.shape
        self.info = AlignerInfo(
            id=f"{AlignerKind.SEED}-{fingerprint(weights)}",
            kind=AlignerKind.SEED,
            encoder_id=encoder_id,
            layers=shape.layers,
            dimensions=shape.dimensions,
            width=shape.dimensions,
            users=shape.users,
            parameters=sum(one.numel() for one in network.parameters()),
            scale=scale_of(float(network.log_scale.detach())),
        )

    @property
    def centre(self) -> Floats:
        """Zeros: its checkpoints do not keep the music they learned from."""
        return np.zeros(self.info.width, dtype=np.float32)

    @torch.inference_mode()
    def users(self) -> Floats:
        """Return the table (users, width), rows of length 1."""
        rows = torch.arange(self.info.users)
        out: Floats = functional.normalize(self._network.listeners(rows), eps=1e-6).numpy()
        return out

    @torch.inference_mode()
    def music(self, embeddings: NDArray[Any]) -> Floats:
        """Return vectors (n, width) of length 1; see ``Aligner.music``."""
        given = shaped(embeddings, self.info)
        out = np.empty((len(given), self.info.width), dtype=np.float32)
        for at in range(0, len(given), BATCH):
            piece = torch.from_numpy(np.ascontiguousarray(given[at : at + BATCH]))
            out[at : at + BATCH] = functional.normalize(
                self._network.pieces(piece), eps=1e-6
            ).numpy()
        return out
