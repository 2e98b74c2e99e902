"""The delay pattern: a frame's codebooks are written one step after the other (Copet et al. 2023, section 2.2)."""

from __future__ import annotations

import torch
from torch import Tensor

from generation.musicgen.shapes import Shape


def valid(shape: Shape, frames: int, device: torch.device | str = "cpu") -> Tensor:
    """Return (steps, codebooks): whether a codebook says something at a step, rather than padding."""
    delays = torch.tensor(shape.delays, device=device)
    step = torch.arange(shape.steps(frames), device=device)[:, None]
    return (step >= delays) & (step < delays + frames)


def spread(codes: Tensor, shape: Shape) -> Tensor:
    """Return frames as steps.

    Args:
        codes: (rows, codebooks, frames).
        shape: Of the decoder.

    Returns:
        (rows, codebooks, steps), padding where nothing is said.
    """
    rows, books, frames = codes.shape
    out = codes.new_full((rows, books, shape.steps(frames)), shape.padding)
    for book, delay in enumerate(shape.delays):
        out[:, book, delay : delay + frames] = codes[:, book]
    return out


def gathered(steps: Tensor, shape: Shape, frames: int) -> Tensor:
    """Return steps as frames: (rows, codebooks, frames) of (rows, codebooks, steps)."""
    return torch.stack(
        [steps[:, book, delay : delay + frames] for book, delay in enumerate(shape.delays)], dim=1
    )
