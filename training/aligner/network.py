"""The networks that can be trained: how one is made and measured, and its weights as numpy."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from numpy.typing import NDArray
from torch import nn

from scoring.aligner.compact import CompactShape
from scoring.aligner.compact_network import CompactNetwork
from scoring.aligner.protocol import AlignerKind
from scoring.aligner.seed_network import SeedNetwork, SeedShape

Network = CompactNetwork | SeedNetwork
"""Both have ``listeners``, a tower for rows of the table, ``pieces``, one for embeddings, and ``log_scale``."""


def build(kind: AlignerKind, *, users: int, layers: int, dimensions: int) -> Network:
    """Return an untrained network; its weights come from PyTorch's own generator."""
    if kind is AlignerKind.SEED:
        return SeedNetwork(SeedShape(users=users, layers=layers, dimensions=dimensions))
    heads = 4 if layers > 1 else 1
    return CompactNetwork(
        CompactShape(users=users, layers=layers, dimensions=dimensions, heads=heads)
    )


def size_of(network: nn.Module) -> int:
    """Return the number of learned numbers."""
    return sum(one.numel() for one in network.parameters())


def shape_of(network: Network) -> Mapping[str, Any]:
    """Return the size as it is written into a folder."""
    return asdict(network.shape)


def weights_of(network: nn.Module) -> dict[str, NDArray[Any]]:
    """Return every tensor as numpy."""
    return {name: one.detach().cpu().clone().numpy() for name, one in network.state_dict().items()}
