"""From logits to tokens, on the device and without a global generator.

Every token takes one number in [0, 1) that was drawn beforehand from its row's own generator, and the token is where
the cumulated probability passes it. So what a row says depends on its seed and on nothing else in its batch.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from domain.errors import GenerationError


@dataclass(frozen=True, slots=True, kw_only=True)
class Sampling:
    """How tokens are drawn.

    Attributes:
        guidance: Weight of the prompt against no prompt (classifier-free guidance), at least 1; 1 is none.
        temperature: Above 0; below 1 is more certain. 0 always takes the most probable token.
        top_k: Only the so many most probable tokens; 0 is all.
        top_p: Only the most probable ones that together have this probability, in (0, 1].
    """

    guidance: float = 3.0
    temperature: float = 1.0
    top_k: int = 250
    top_p: float = 1.0

    def __post_init__(self) -> None:
        if not 1.0 <= self.guidance <= 20.0:
            raise GenerationError(f"Guidance lies between 1 and 20; {self.guidance:g} does not.")
        if not 0.0 <= self.temperature <= 10.0:
            raise GenerationError(
                f"A temperature lies between 0 and 10; {self.temperature:g} does not."
            )
        if self.top_k < 0 or not 0.0 < self.top_p <= 1.0:
            raise GenerationError("top_k is 0 or more, and top_p above 0 and at most 1.")

    @property
    def guided(self) -> bool:
        """Whether there is a second, unconditional row for each clip."""
        return self.guidance > 1.0


def noise(seeds: Sequence[int], steps: int, codebooks: int) -> Tensor:
    """Draw what decides all tokens: (steps, rows, codebooks), float32 in [0, 1), each row from its own seed."""
    rows = []
    for seed in seeds:
        own = torch.Generator().manual_seed(seed)
        rows.append(torch.rand((steps, codebooks), generator=own))
    return torch.stack(rows, dim=1)


def guided(logits: Tensor, guidance: float) -> Tensor:
    """Mix the conditional first half of rows with the unconditional second half."""
    told, untold = logits.chunk(2)
    return untold + guidance * (told - untold)


def draw(logits: Tensor, chance: Tensor, how: Sampling) -> Tensor:
    """Draw a token for each row and codebook.

    Args:
        logits: (rows, codebooks, vocabulary), float32.
        chance: (rows, codebooks) in [0, 1).
        how: The settings; guidance has been applied.

    Returns:
        (rows, codebooks) int64.
    """
    if how.temperature == 0.0:
        return logits.argmax(dim=-1)
    size = logits.shape[-1]
    best, tokens = (logits / how.temperature).topk(min(how.top_k or size, size), dim=-1)
    shares = best.softmax(dim=-1)
    reached = shares.cumsum(dim=-1)
    if how.top_p < 1.0:
        # A token stays while those before it have not reached top_p: the first one always does.
        shares = shares * (reached - shares < how.top_p)
        reached = shares.cumsum(dim=-1)
    place = (reached <= chance[..., None] * reached[..., -1:]).sum(dim=-1, keepdim=True)
    place = place.clamp_(max=best.shape[-1] - 1)
    return tokens.gather(-1, place)[..., 0]
