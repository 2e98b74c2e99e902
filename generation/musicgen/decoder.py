"""MusicGen's decoder in as few kernels as it takes: fused projections, keys and values in place.

The arithmetic is that of Copet et al. 2023 as transformers' ``MusicgenForCausalLM`` has it: pre-norm layers of causal
self-attention, cross-attention to the text and a GELU feed-forward, no biases outside the norms, sinusoidal positions,
a linear head for each codebook. A row without a prompt attends to states that are all zero, and with no biases gets
zero from them, so unconditional rows leave cross-attention out. The melody model (``MusicgenMelodyForCausalLM``) has no
cross-attention: melody and prompt stand in front of the clip, as its first steps, and take the first positions.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import gelu, layer_norm, linear, scaled_dot_product_attention

from generation.musicgen.shapes import Shape
from generation.musicgen.weights import Cross, Weights

EPSILON = 1e-5
Attend = Callable[[Tensor, Tensor, Tensor], Tensor]
"""Attention of queries, keys and values (rows, heads, new steps, depth) over all steps so far."""


def positions(steps: int, hidden: int, *, device: torch.device | str, dtype: torch.dtype) -> Tensor:
    """Return (steps, hidden) sinusoids: cosines, then sines, of frequencies from 1 down to 1/10000."""
    half = hidden // 2
    rates = torch.exp(torch.arange(half).float() * -(math.log(10000) / max(half - 1, 1)))
    angles = torch.arange(steps).float()[:, None] * rates[None, :]
    return torch.cat([angles.cos(), angles.sin()], dim=1).to(device=device, dtype=dtype)


@dataclass(frozen=True, slots=True, kw_only=True)
class Memory:
    """Keys and values of one batch.

    Attributes:
        own: (layers, 2, rows, heads, room, hidden / heads), written step by step.
        cross: (layers, 2, told rows, heads, tokens, hidden / heads), from the prompts; no layers where they stand in
            front.
        mask: (told rows, 1, 1, tokens), added to attention: 0, or minus infinity where a prompt has ended.
        front: Steps in front of the clip.
    """

    own: Tensor
    cross: Tensor
    mask: Tensor
    front: int = 0

    @property
    def nbytes(self) -> int:
        """Bytes of all of it."""
        return int(self.own.nbytes + self.cross.nbytes + self.mask.nbytes)


class Decoder:
    """Weights with what is computed from them. ``told`` rows have a prompt and come first; the others have none."""

    def __init__(self, shape: Shape, weights: Weights) -> None:
        self.shape = shape
        self.weights = weights
        self.device = weights.heads.device
        self.dtype = weights.heads.dtype
        self._offsets = (shape.vocabulary + 1) * torch.arange(shape.codebooks, device=self.device)
        self._positions = positions(
            shape.positions, shape.hidden, device=self.device, dtype=self.dtype
        )

    def remember(
        self, states: Tensor, mask: Tensor, *, rows: int, room: int, front: int = 0
    ) -> Memory:
        """Make room for a batch, and compute the keys and values of its prompts once and for all.

        Args:
            states: (told rows, tokens, hidden) from the text encoder, zero where a prompt has ended.
            mask: (told rows, tokens), 1 for a token and 0 after the end.
            rows: Told rows and rows without a prompt together.
            room: Steps, those in front included.
            front: Steps in front of the clips.
        """
        shape, told = self.shape, len(states)
        depth = shape.hidden // shape.heads
        states = states.to(self.device, self.dtype)
        attended = [
            linear(states, layer.cross.kv).view(told, -1, 2, shape.heads, depth)
            for layer in self.weights.layers
            if layer.cross is not None
        ]
        cross = torch.stack(attended).permute(0, 3, 1, 4, 2, 5) if attended else states.new_empty(0)
        own = torch.zeros(
            (shape.layers, 2, rows, shape.heads, room, depth), device=self.device, dtype=self.dtype
        )
        bias = torch.zeros(mask.shape, device=self.device, dtype=self.dtype)
        bias = bias.masked_fill(mask.to(self.device) == 0, -torch.inf)[:, None, None, :]
        return Memory(own=own, cross=cross.contiguous(), mask=bias, front=front)

    def embed(self, tokens: Tensor) -> Tensor:
        """Return (rows, steps, hidden) of tokens (rows, codebooks, steps)."""
        return self.weights.embedding[tokens.transpose(1, 2) + self._offsets].sum(dim=2)

    def read(
        self,
        tokens: Tensor,
        memory: Memory,
        front: Tensor | None = None,
        on_layer: Callable[[], None] | None = None,
    ) -> None:
        """Read the first steps of a batch all at once, before ``following`` goes on step by step.

        Args:
            tokens: (rows, codebooks, steps).
            memory: Of the batch; what is read is kept in it.
            front: (rows, ``memory.front``, hidden) that stand before them, or ``None``.
            on_layer: Called after each layer: all steps at once take a processor as long as many of them.
        """
        state = self.embed(tokens)
        if front is not None:
            state = torch.cat([front.to(state), state], dim=1)
        steps = state.shape[1]
        state = state + self._positions[:steps]
        for number in range(self.shape.layers):
            kept = memory.own[number]

            def attend(q: Tensor, k: Tensor, v: Tensor, kept: Tensor = kept) -> Tensor:
                kept[0, :, :, :steps] = k
                kept[1, :, :, :steps] = v
                return scaled_dot_product_attention(q, k, v, is_causal=True)

            state = self.layer(number, state, memory, attend)
            if on_layer is not None:
                on_layer()

    def following(
        self, tokens: Tensor, at: Tensor, window: int, memory: Memory, seen: Tensor | None = None
    ) -> Tensor:
        """Read the tokens of one step and return what comes next. Nothing in it waits for the device.

        Args:
            tokens: (rows, codebooks).
            at: (1,) number of the step, those in front counted, on the device.
            window: Steps that are looked back on, from the first one; at least ``at + 1``.
            memory: Of the batch; what is read is kept in it.
            seen: (window,) which of them there are; ``None`` where it is all of them.

        Returns:
            (rows, codebooks, vocabulary) float32.
        """
        state = self.embed(tokens[..., None]) + self._positions.index_select(0, at)
        for number in range(self.shape.layers):
            kept = memory.own[number]

            def attend(q: Tensor, k: Tensor, v: Tensor, kept: Tensor = kept) -> Tensor:
                kept[0].index_copy_(2, at, k)
                kept[1].index_copy_(2, at, v)
                return scaled_dot_product_attention(
                    q, kept[0, :, :, :window], kept[1, :, :, :window], attn_mask=seen
                )

            state = self.layer(number, state, memory, attend)
        return self.heads(state[:, 0])

    def layer(self, number: int, state: Tensor, memory: Memory, attend: Attend) -> Tensor:
        """Return the state (rows, steps, hidden) after a layer; ``attend`` keeps its keys and values."""
        shape, layer = self.shape, self.weights.layers[number]
        rows, new = state.shape[:2]
        depth = shape.hidden // shape.heads
        q, k, v = (
            linear(_normed(state, layer.norm), layer.qkv)
            .view(rows, new, 3, shape.heads, depth)
            .permute(2, 0, 3, 1, 4)
        )
        state = state + linear(_joined(attend(q, k, v)), layer.out)
        if layer.cross is not None:
            state = self._told(layer.cross, state, memory.cross[number], memory.mask)
        wide = gelu(linear(_normed(state, layer.last_norm), layer.up))
        return state + linear(wide, layer.down)

    def _told(self, cross: Cross, state: Tensor, prompts: Tensor, mask: Tensor) -> Tensor:
        """Return the state after the attention of the rows that have a prompt to theirs."""
        told, new = prompts.shape[1], state.shape[1]
        q = linear(_normed(state[:told], cross.norm), cross.q)
        q = q.view(told, new, self.shape.heads, -1).transpose(1, 2)
        heard = scaled_dot_product_attention(q, prompts[0], prompts[1], attn_mask=mask)
        said = linear(_joined(heard), cross.out)
        if told == len(state):
            return state + said
        return torch.cat([state[:told] + said, state[told:]])

    def heads(self, state: Tensor) -> Tensor:
        """Return (rows, codebooks, vocabulary) float32 of a last state (rows, hidden)."""
        out = linear(_normed(state, self.weights.norm), self.weights.heads).float()
        return out.view(len(state), self.shape.codebooks, self.shape.vocabulary)


def _normed(state: Tensor, norm: Tensor) -> Tensor:
    return layer_norm(state, state.shape[-1:], norm[0], norm[1], EPSILON)


def _joined(heard: Tensor) -> Tensor:
    rows, heads, new, depth = heard.shape
    return heard.transpose(1, 2).reshape(rows, new, heads * depth)
