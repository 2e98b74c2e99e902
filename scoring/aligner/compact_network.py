"""Our compact network for training. ``scoring.aligner.compact`` computes the same in numpy, without PyTorch."""

from __future__ import annotations

import math
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional

from scoring.aligner.compact import REACH, CompactShape


class CompactNetwork(nn.Module):
    """A table of listeners, and a tower for music of less than a hundredth of AlignerV2's parameters.

    Each head takes its own weighted mean of the layers (softmax, so 13 numbers where AlignerV2 has 99.7 million), of
    embeddings that are standardised with the statistics of the training tracks.
    """

    def __init__(self, shape: CompactShape) -> None:
        super().__init__()
        self.shape = shape
        self.register_buffer("mean", torch.zeros(shape.layers, shape.dimensions))
        self.register_buffer("deviation", torch.ones(shape.layers, shape.dimensions))
        self.register_buffer("centre", torch.zeros(shape.width))
        self.log_scale = nn.Parameter(torch.tensor(math.log(shape.scale)))
        self.gate = nn.Parameter(0.5 * torch.randn(shape.heads, shape.layers))
        each = shape.inner // shape.heads
        bound = shape.dimensions**-0.5
        self.project = nn.Parameter(
            torch.empty(shape.heads, shape.dimensions, each).uniform_(-bound, bound)
        )
        self.project_bias = nn.Parameter(torch.zeros(shape.inner))
        self.norm = nn.LayerNorm(shape.inner)
        self.up = nn.Linear(shape.inner, shape.hidden)
        self.down = nn.Linear(shape.hidden, shape.inner)
        self.out_norm = nn.LayerNorm(shape.inner)
        self.out = nn.Linear(shape.inner, shape.width)
        rows = 0.1 * torch.randn(shape.users, shape.width)
        self.table = nn.Embedding(shape.users, shape.width, _weight=rows)

    def observe(self, mean: Tensor, deviation: Tensor) -> None:
        """Take the statistics (layers, dimensions) of the training tracks."""
        cast("Tensor", self.mean).copy_(mean)
        cast("Tensor", self.deviation).copy_(deviation)

    def middle(self, centre: Tensor) -> None:
        """Take the mean vector (width,) of the training tracks."""
        cast("Tensor", self.centre).copy_(centre)

    def listeners(self, rows: Tensor) -> Tensor:
        """Return vectors (n, width) of rows (n,) of the table, of any length."""
        out: Tensor = self.table(rows)
        return out

    def pieces(self, embeddings: Tensor) -> Tensor:
        """Return vectors (n, width) of embeddings (n, layers, dimensions), of any length."""
        mean, deviation = cast("Tensor", self.mean), cast("Tensor", self.deviation)
        standard = ((embeddings - mean) / deviation).clamp(-REACH, REACH)
        heads = torch.matmul(torch.softmax(self.gate, dim=1), standard)
        parts = torch.matmul(heads.transpose(0, 1), self.project).transpose(0, 1)
        inner = self._drop(parts.flatten(1) + self.project_bias)
        hidden = self._drop(functional.gelu(self.up(self.norm(inner))))
        out: Tensor = self.out(self.out_norm(inner + self.down(hidden)))
        return out

    def _drop(self, numbers: Tensor) -> Tensor:
        return functional.dropout(numbers, self.shape.drop, training=self.training)
