"""Our compact aligner, in numpy: the bot can use a trained one without PyTorch."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import erf, softmax

from domain.errors import ScoringError
from scoring.aligner.protocol import (
    AlignerInfo,
    AlignerKind,
    check,
    fingerprint,
    scale_of,
    shaped,
    unit,
)
from scoring.encoder import Floats

REACH = 5.0
"""Standard deviations beyond which a number of an embedding counts no more."""
BUFFERS = frozenset({"mean", "deviation", "centre"})
BATCH = 256


@dataclass(frozen=True, slots=True, kw_only=True)
class CompactShape:
    """Size of the network.

    Attributes:
        users: Rows of the table.
        layers: Layers of an embedding.
        dimensions: Numbers in a layer.
        width: Numbers in a vector of the shared space.
        heads: Weighted means of the layers.
        inner: Numbers that the heads make together; a multiple of ``heads``.
        hidden: Width of the hidden layer.
        drop: Share of numbers dropped in training.
        scale: What cosines are multiplied by at first.
    """

    users: int
    layers: int = 13
    dimensions: int = 768
    width: int = 128
    heads: int = 4
    inner: int = 256
    hidden: int = 512
    drop: float = 0.2
    scale: float = 5.0

    def weights(self) -> dict[str, tuple[int, ...]]:
        """Return the shape of every tensor of the network by its name."""
        inner, hidden, width = self.inner, self.hidden, self.width
        return {
            "mean": (self.layers, self.dimensions),
            "deviation": (self.layers, self.dimensions),
            "centre": (width,),
            "log_scale": (),
            "gate": (self.heads, self.layers),
            "project": (self.heads, self.dimensions, inner // self.heads),
            "project_bias": (inner,),
            "norm.weight": (inner,),
            "norm.bias": (inner,),
            "up.weight": (hidden, inner),
            "up.bias": (hidden,),
            "down.weight": (inner, hidden),
            "down.bias": (inner,),
            "out_norm.weight": (inner,),
            "out_norm.bias": (inner,),
            "out.weight": (width, inner),
            "out.bias": (width,),
            "table.weight": (self.users, width),
        }


class CompactAligner:
    """A trained compact network.

    Args:
        weights: Of every name of ``CompactShape.weights``.
        shape: Its size.
        encoder_id: The encoder whose embeddings it was trained on.

    Raises:
        ScoringError: A weight is missing, of a wrong shape or not finite.
    """

    def __init__(
        self, weights: Mapping[str, NDArray[Any]], shape: CompactShape, encoder_id: str
    ) -> None:
        expected = shape.weights()
        for name, size in expected.items():
            if name not in weights or weights[name].shape != size:
                found = weights[name].shape if name in weights else "nothing"
                message = f"The weights of the aligner do not fit its size: {name} must be {size}, found {found}."
                raise ScoringError(message)
        check({name: weights[name] for name in expected})
        self._w: dict[str, Floats] = {
            name: np.asarray(weights[name], dtype=np.float32) for name in expected
        }
        self._gate: Floats = softmax(self._w["gate"], axis=1)
        self._users = unit(self._w["table.weight"])
        self.info = AlignerInfo(
            id=f"{AlignerKind.COMPACT}-{fingerprint(self._w)}",
            kind=AlignerKind.COMPACT,
            encoder_id=encoder_id,
            layers=shape.layers,
            dimensions=shape.dimensions,
            width=shape.width,
            users=shape.users,
            parameters=sum(math.prod(s) for name, s in expected.items() if name not in BUFFERS),
            scale=scale_of(float(self._w["log_scale"])),
        )

    @property
    def centre(self) -> Floats:
        """(width,): the mean vector of the training tracks."""
        return self._w["centre"]

    def users(self) -> Floats:
        """Return the table (users, width), rows of length 1."""
        return self._users

    def music(self, embeddings: NDArray[Any]) -> Floats:
        """Return vectors (n, width) of length 1; see ``Aligner.music``."""
        given = shaped(embeddings, self.info)
        out = np.empty((len(given), self.info.width), dtype=np.float32)
        for at in range(0, len(given), BATCH):
            out[at : at + BATCH] = unit(self._pieces(given[at : at + BATCH]))
        return out

    def _pieces(self, given: Floats) -> Floats:
        w = self._w
        standard = np.clip((given - w["mean"]) / w["deviation"], -REACH, REACH)
        heads = self._gate @ standard
        parts = (heads.transpose(1, 0, 2) @ w["project"]).transpose(1, 0, 2)
        inner = parts.reshape(len(given), -1) + w["project_bias"]
        hidden = _gelu(self._norm("norm", inner) @ w["up.weight"].T + w["up.bias"])
        inner = inner + hidden @ w["down.weight"].T + w["down.bias"]
        out: Floats = self._norm("out_norm", inner) @ w["out.weight"].T + w["out.bias"]
        return out

    def _norm(self, name: str, rows: Floats) -> Floats:
        off = rows - rows.mean(axis=1, keepdims=True)
        off /= np.sqrt(np.mean(off**2, axis=1, keepdims=True) + 1e-5)
        out: Floats = off * self._w[f"{name}.weight"] + self._w[f"{name}.bias"]
        return out


def _gelu(numbers: Floats) -> Floats:
    out: Floats = numbers * (0.5 * (1.0 + erf(numbers / math.sqrt(2.0)))).astype(np.float32)
    return out
