"""The networks: an LSTM for each kind of number, one for instruments and chords, and a Transformer for all at once.

The emotion-to-music project (Hachana et al. 2024) has these two routes. Ours differ where its were broken: inputs are
scaled, padding never counts, attention looks along time and only backwards, and what the specialised models say is put
together bar by bar.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from generation.emotion.inputs import SIZE


class SequenceModel(nn.Module):
    """Predicts the next symbol of a short sequence from the features and the symbols before it.

    Args:
        symbols: How many symbols there are; the number ``symbols`` itself stands for the beginning.
        width: Size of the hidden state.
        layers: LSTM layers.
    """

    def __init__(self, symbols: int, width: int = 96, layers: int = 2) -> None:
        super().__init__()
        self.start = symbols
        self.embedding = nn.Embedding(symbols + 1, width)
        self.features = nn.Sequential(nn.Linear(SIZE, width), nn.Tanh())
        self.lstm = nn.LSTM(2 * width, width, layers, batch_first=True)
        self.out = nn.Linear(width, symbols)

    def forward(self, features: Tensor, before: Tensor) -> Tensor:
        """Return logits.

        Args:
            features: (batch, SIZE).
            before: (batch, time) of symbols, the first of which is ``start``.

        Returns:
            (batch, time, symbols): what comes after each of them.
        """
        said = self.features(features)[:, None, :].expand(-1, before.shape[1], -1)
        hidden, _ = self.lstm(torch.cat([self.embedding(before), said], dim=2))
        logits: Tensor = self.out(hidden)
        return logits


class Block(nn.Module):
    """Causal self-attention and a feed-forward layer, normalised before each (Xiong et al. 2020)."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.before = nn.LayerNorm(width)
        self.after = nn.LayerNorm(width)
        self.mix = nn.Linear(width, 3 * width)
        self.join = nn.Linear(width, width)
        self.think = nn.Sequential(
            nn.Linear(width, 4 * width), nn.GELU(), nn.Linear(4 * width, width)
        )

    def forward(self, x: Tensor) -> Tensor:
        """Return (batch, time, width) for the same."""
        batch, time, width = x.shape
        parts = self.mix(self.before(x)).view(batch, time, 3, self.heads, width // self.heads)
        query, key, value = parts.permute(2, 0, 3, 1, 4)
        seen = functional.scaled_dot_product_attention(query, key, value, is_causal=True)
        x = x + self.join(seen.transpose(1, 2).reshape(batch, time, width))
        moved: Tensor = x + self.think(self.after(x))
        return moved


class Transformer(nn.Module):
    """A decoder over whole descriptions that begins with the features.

    Args:
        symbols: Size of the vocabulary; the number ``symbols`` itself stands for the beginning.
        width: Size of a token.
        heads: Attention heads; divides ``width``.
        layers: Blocks.
        longest: Most tokens that it can read.
    """

    def __init__(
        self, symbols: int, width: int = 128, heads: int = 4, layers: int = 4, longest: int = 1024
    ) -> None:
        super().__init__()
        self.start = symbols
        self.longest = longest
        self.embedding = nn.Embedding(symbols + 1, width)
        self.places = nn.Embedding(longest + 1, width)
        self.features = nn.Linear(SIZE, width)
        self.blocks = nn.ModuleList([Block(width, heads) for _ in range(layers)])
        self.norm = nn.LayerNorm(width)
        self.out = nn.Linear(width, symbols)

    def forward(self, features: Tensor, before: Tensor) -> Tensor:
        """Return logits of what comes after each symbol; shapes as in ``SequenceModel.forward``."""
        x = self.embedding(before) + self.places(
            torch.arange(before.shape[1], device=before.device)
        )
        x = x + self.features(features)[:, None, :]
        for block in self.blocks:
            x = block(x)
        logits: Tensor = self.out(self.norm(x))
        return logits
