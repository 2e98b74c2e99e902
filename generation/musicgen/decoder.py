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
Attend = Callable[[Tensor, Tensor], Tensor]
"""Attention of queries (rows, heads, new steps, depth), with keys and values (2, ...), over all steps so far."""


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

    def memory(self, told: int, tokens: int, *, rows: int, room: int, front: int = 0) -> Memory:
        """Make room for a batch.

        Args:
            told: Rows with a prompt.
            tokens: Of each prompt.
            rows: Told rows and rows without a prompt together.
            room: Steps, those in front included.
            front: Steps in front of the clips.
        """
        shape, depth = self.shape, self.shape.hidden // self.shape.heads
        layers = sum(layer.cross is not None for layer in self.weights.layers)
        own = (shape.layers, 2, rows, shape.heads, room, depth)
        cross = (layers, 2, told, shape.heads, tokens, depth)
        mask = (told, 1, 1, tokens)
        return Memory(
            own=torch.empty(own, device=self.device, dtype=self.dtype),
            cross=torch.empty(cross, device=self.device, dtype=self.dtype),
            mask=torch.empty(mask, device=self.device, dtype=self.dtype),
            front=front,
        )

    def remember(self, states: Tensor, mask: Tensor, memory: Memory) -> None:
        """Forget what was read, and compute the keys and values of prompts once and for all.

        Args:
            states: (told rows, tokens, hidden) from the text encoder, zero where a prompt has ended.
            mask: (told rows, tokens), 1 for a token and 0 after the end.
            memory: Where they are kept.
        """
        states = states.to(self.device, self.dtype)
        told, tokens = states.shape[:2]
        memory.own.zero_()  # what is masked must still be a number
        attended = [layer.cross for layer in self.weights.layers if layer.cross is not None]
        for number, cross in enumerate(attended):
            both = linear(states, cross.kv).view(told, tokens, 2, self.shape.heads, -1)
            memory.cross[number].copy_(both.permute(2, 0, 3, 1, 4))
        over = mask.to(self.device)[:, None, None, :] == 0
        memory.mask.zero_().masked_fill_(over, -torch.inf)

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

            def attend(q: Tensor, kv: Tensor, kept: Tensor = kept) -> Tensor:
                kept[:, :, :, :steps] = kv
                return scaled_dot_product_attention(q, kv[0], kv[1], is_causal=True)

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
            seen: (1, 1, 1, window), added to attention: 0 for a step that there is, minus infinity for others;
                ``None`` where there are all.

        Returns:
            (rows, codebooks, vocabulary) float32.
        """
        state = self.embed(tokens[..., None]) + self._positions.index_select(0, at)
        for number in range(self.shape.layers):
            kept = memory.own[number]

            def attend(q: Tensor, kv: Tensor, kept: Tensor = kept) -> Tensor:
                kept.index_copy_(3, at, kv)
                return scaled_dot_product_attention(
                    q, kept[0, :, :, :window], kept[1, :, :, :window], attn_mask=seen
                )

            state = self.layer(number, state, memory, attend)
        return self.heads(state[:, 0])

    def layer(self, number: int, state: Tensor, memory: Memory, attend: Attend) -> Tensor:
        """Take the state (rows, steps, hidden) through a layer, in place; ``attend`` keeps its keys and values."""
        shape, layer = self.shape, self.weights.layers[number]
        rows, new = state.shape[:2]
        depth = shape.hidden // shape.heads
        qkv = (
            linear(_normed(state, layer.norm), layer.qkv)
            .view(rows, new, 3, shape.heads, depth)
            .permute(2, 0, 3, 1, 4)
        )
        add_product(state, _joined(attend(qkv[0], qkv[1:])), layer.out)
        if layer.cross is not None:
            prompts = memory.cross[number]
            self._hear(layer.cross, state[: prompts.shape[1]], prompts, memory.mask)
        wide = gelu(linear(_normed(state, layer.last_norm), layer.up))
        add_product(state, wide, layer.down)
        return state

    def _hear(self, cross: Cross, state: Tensor, prompts: Tensor, mask: Tensor) -> None:
        """Let the rows that have a prompt attend to it, in place."""
        told, new = state.shape[:2]
        q = linear(_normed(state, cross.norm), cross.q)
        q = q.view(told, new, self.shape.heads, -1).transpose(1, 2)
        heard = scaled_dot_product_attention(q, prompts[0], prompts[1], attn_mask=mask)
        add_product(state, _joined(heard), cross.out)

    def heads(self, state: Tensor) -> Tensor:
        """Return (rows, codebooks, vocabulary) float32 of a last state (rows, hidden)."""
        out = linear(_normed(state, self.weights.norm), self.weights.heads).float()
        return out.view(len(state), self.shape.codebooks, self.shape.vocabulary)


def add_product(
    state: Tensor, given: Tensor, weight: Tensor, *, at_once: bool | None = None
) -> None:
    """Add ``linear(given, weight)`` to a state (rows, steps, hidden) in place.

    On a GPU as part of the product, which is a kernel less of the dozen that a layer takes; a CPU would add up in
    another order for every number of rows.

    Args:
        state: Changed.
        given: (rows, steps, width).
        weight: (hidden, width).
        at_once: Whether it is part of the product; as it is best for the device unless given.
    """
    if state.is_cuda if at_once is None else at_once:
        flat = state.view(-1, state.shape[-1])
        flat.addmm_(given.reshape(-1, given.shape[-1]), weight.t())
    else:
        state += linear(given, weight)


def _normed(state: Tensor, norm: Tensor) -> Tensor:
    return layer_norm(state, state.shape[-1:], norm[0], norm[1], EPSILON)


def _joined(heard: Tensor) -> Tensor:
    rows, heads, new, depth = heard.shape
    return heard.transpose(1, 2).reshape(rows, new, heads * depth)
