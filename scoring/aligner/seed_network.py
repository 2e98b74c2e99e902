"""AlignerV2, the network of the EvoMusic research system, name for name: it reads that system's weights.

Built from a description of the network (the names and shapes of its weights, its formulas and its count of 108,080,385
parameters), not from its code. Listeners go through two residual layers; music goes through a gate that weighs every
number of every layer with ``tanh`` of a dense map of all of them, 99.7 million parameters for 13 layers of 768; both
end in the same shared head. Its own training also switched off 80 % of the output's numbers at random in each step;
that belongs to its loss, not to the network, and is left out here.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional


@dataclass(frozen=True, slots=True, kw_only=True)
class SeedShape:
    """Size of the network; the defaults are the original's.

    Attributes:
        users: Rows of the table.
        layers: Layers of an embedding.
        dimensions: Numbers in a layer, and in the shared space.
        user_size: Numbers of a row of the table.
        hidden: Width of the hidden layers.
        drop: Share of the shared head's hidden numbers dropped in training.
        scale: What cosines are multiplied by at first.
    """

    users: int = 967
    layers: int = 13
    dimensions: int = 768
    user_size: int = 256
    hidden: int = 2048
    drop: float = 0.2
    scale: float = 5.0


class SeedNetwork(nn.Module):
    """The two towers; the names of its parts are those of the checkpoint."""

    def __init__(self, shape: SeedShape) -> None:
        super().__init__()
        self.shape = shape
        flat, wide, hidden = (
            shape.layers * shape.dimensions,
            shape.dimensions,
            shape.hidden,
        )
        self.temp = nn.Parameter(torch.tensor(math.log(shape.scale)))
        self.gate = nn.Linear(flat, flat)
        self.gate_transform = nn.Linear(wide, wide)
        self.gate_norm = nn.LayerNorm(wide)
        self.gate_out_norm = nn.LayerNorm(wide)
        self.users = nn.Embedding(
            shape.users, shape.user_size, _weight=torch.randn(shape.users, shape.user_size)
        )
        self.linear1 = nn.Linear(shape.user_size, hidden)
        self.fc1 = nn.Linear(shape.user_size, hidden)
        self.linear2 = nn.Linear(hidden, wide)
        self.fc2 = nn.Linear(hidden, wide)
        self.ln_usr = nn.LayerNorm(wide)
        self.linear3 = nn.Linear(shape.user_size, wide)
        self.f5 = nn.Linear(wide, hidden)
        self.f6 = nn.Linear(hidden, wide)
        self.ln2 = nn.LayerNorm(wide)

    @property
    def log_scale(self) -> Tensor:
        """Logarithm of what cosines are multiplied by."""
        return self.temp

    def listeners(self, rows: Tensor) -> Tensor:
        """Return vectors (n, dimensions) of rows (n,) of the table, of any length."""
        row = self.users(rows)
        hidden = functional.gelu(self.fc1(row)) + self.linear1(row)
        out = functional.gelu(self.fc2(hidden)) + self.linear2(hidden) + self.linear3(row)
        return self._head(self.ln_usr(out))

    def pieces(self, embeddings: Tensor) -> Tensor:
        """Return vectors (n, dimensions) of embeddings (n, layers, dimensions), of any length."""
        gate = torch.tanh(self.gate(embeddings.flatten(1))).view_as(embeddings)
        values = self.gate_norm(embeddings + functional.gelu(self.gate_transform(embeddings)))
        return self._head(self.gate_out_norm((gate * values).sum(dim=1)))

    def _head(self, vectors: Tensor) -> Tensor:
        hidden = functional.gelu(self.f5(vectors))
        hidden = functional.dropout(hidden, self.shape.drop, training=self.training)
        out: Tensor = self.ln2(self.f6(hidden) + vectors)
        return out
