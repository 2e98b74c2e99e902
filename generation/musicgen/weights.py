"""The weights of a MusicGen decoder, packed so that a step takes few kernels: projections side by side."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from domain.errors import GenerationError
from generation.musicgen.shapes import Shape


@dataclass(frozen=True, slots=True, kw_only=True)
class Cross:
    """Weights of a layer's attention to the prompt."""

    norm: Tensor
    q: Tensor
    kv: Tensor
    out: Tensor


@dataclass(frozen=True, slots=True, kw_only=True)
class Layer:
    """Weights of a layer: matrices (out, in), norms (2, hidden) as weight and bias.

    ``cross`` is ``None`` where the prompt stands in front of the clip.
    """

    norm: Tensor
    qkv: Tensor
    out: Tensor
    cross: Cross | None
    last_norm: Tensor
    up: Tensor
    down: Tensor


@dataclass(frozen=True, slots=True, kw_only=True)
class Weights:
    """Weights of a decoder.

    ``embedding`` is (codebooks x (vocabulary + 1), hidden), ``heads`` (codebooks x vocabulary, hidden).
    """

    embedding: Tensor
    layers: tuple[Layer, ...]
    norm: Tensor
    heads: Tensor


def packed(
    state: Mapping[str, Tensor], shape: Shape, *, device: torch.device | str, dtype: torch.dtype
) -> Weights:
    """Pack a checkpoint's decoder.

    Args:
        state: Tensors by the names of ``MusicgenForCausalLM`` or ``MusicgenMelodyForCausalLM``, without a prefix.
        shape: What they should be.
        device: Where to.
        dtype: float32 or bfloat16.

    Raises:
        GenerationError: A tensor is missing or of another size; names it.
    """
    given = _Checkpoint(state, shape, device, dtype)
    books, words = range(shape.codebooks), shape.vocabulary
    embeddings = [
        given.take(f"model.decoder.embed_tokens.{book}.weight", words + 1, shape.hidden)
        for book in books
    ]
    heads = [given.take(f"lm_heads.{book}.weight", words, shape.hidden) for book in books]
    return Weights(
        embedding=torch.cat(embeddings),
        layers=tuple(
            given.layer(f"model.decoder.layers.{number}") for number in range(shape.layers)
        ),
        norm=given.norm("model.decoder.layer_norm"),
        heads=torch.cat(heads),
    )


@dataclass(frozen=True, slots=True)
class _Checkpoint:
    """A checkpoint's tensors, checked as they are taken."""

    state: Mapping[str, Tensor]
    shape: Shape
    device: torch.device | str
    dtype: torch.dtype

    def take(self, name: str, *size: int) -> Tensor:
        """Return a tensor of a size."""
        found = self.state.get(name)
        if found is None:
            raise GenerationError(
                f"The checkpoint has no {name}; it is cut off or of another model."
            )
        if tuple(found.shape) != size:
            raise GenerationError(
                f"{name} is of the size {tuple(found.shape)} and not {size}; this is another model."
            )
        return found.to(device=self.device, dtype=self.dtype)

    def norm(self, name: str) -> Tensor:
        """Return weight and bias of a norm, (2, hidden)."""
        hidden = self.shape.hidden
        return torch.stack([self.take(f"{name}.{part}", hidden) for part in ("weight", "bias")])

    def square(self, name: str) -> Tensor:
        """Return a projection from the width into itself."""
        return self.take(f"{name}.weight", self.shape.hidden, self.shape.hidden)

    def layer(self, at: str) -> Layer:
        """Return a layer by the name of its place."""
        own, hidden, wide = f"{at}.self_attn", self.shape.hidden, self.shape.feedforward
        return Layer(
            norm=self.norm(f"{at}.self_attn_layer_norm"),
            qkv=torch.cat([self.square(f"{own}.{one}_proj") for one in "qkv"]),
            out=self.square(f"{own}.out_proj"),
            cross=None if self.shape.melody else self._cross(f"{at}.encoder_attn"),
            last_norm=self.norm(f"{at}.final_layer_norm"),
            up=self.take(f"{at}.fc1.weight", wide, hidden),
            down=self.take(f"{at}.fc2.weight", hidden, wide),
        )

    def _cross(self, at: str) -> Cross:
        return Cross(
            norm=self.norm(f"{at}_layer_norm"),
            q=self.square(f"{at}.q_proj"),
            kv=torch.cat([self.square(f"{at}.{one}_proj") for one in "kv"]),
            out=self.square(f"{at}.out_proj"),
        )


def random_weights(
    shape: Shape, *, device: torch.device | str, dtype: torch.dtype, seed: int = 0
) -> Weights:
    """Return weights of the right sizes with nothing learned, for measuring speed."""
    own = torch.Generator(device=device).manual_seed(seed)

    def draw(*size: int) -> Tensor:
        values = torch.randn(size, generator=own, device=device, dtype=torch.float32)
        return (0.02 * values).to(dtype)

    def norm() -> Tensor:
        return torch.stack([torch.ones(hidden), torch.zeros(hidden)]).to(device, dtype)

    hidden, wide = shape.hidden, shape.feedforward
    layers = tuple(
        Layer(
            norm=norm(),
            qkv=draw(3 * hidden, hidden),
            out=draw(hidden, hidden),
            cross=None
            if shape.melody
            else Cross(
                norm=norm(),
                q=draw(hidden, hidden),
                kv=draw(2 * hidden, hidden),
                out=draw(hidden, hidden),
            ),
            last_norm=norm(),
            up=draw(wide, hidden),
            down=draw(hidden, wide),
        )
        for _ in range(shape.layers)
    )
    return Weights(
        embedding=draw(shape.codebooks * (shape.vocabulary + 1), hidden),
        layers=layers,
        norm=norm(),
        heads=draw(shape.codebooks * shape.vocabulary, hidden),
    )
