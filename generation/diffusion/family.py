"""What differs between families of diffusion models; everything else is in ``generator.py``."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import torch
from torch import Tensor

from domain.clip import ClipFailure, SourceUse
from domain.errors import GenerationError
from generation.audio import Floats
from generation.diffusion.layout import AGAIN, Layout

MOST_TOKENS = 10_000
"""Of a prompt that any text encoder here reads; a tokenizer that was not told its limit has 10 to the power of 30."""
RATES = (8000, 192_000)
"""Frames per second of what a model makes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What a checkpoint of a family can do, as its configuration says.

    Attributes:
        rate: Frames per second of what comes out.
        longest: Seconds of the window that it was trained on.
        steps: Of a clip.
        draft: Steps of a draft.
        guidance: How much more the prompt counts than nothing; 1 is off.
        embedding: Numbers of a token that it takes in place of words; 0 where it takes none.
        sources: What it can do with a sound.
        batched: Whether clips can be made together without hearing each other; else each is made by itself.
    """

    rate: int
    longest: float
    steps: int
    draft: int
    guidance: float = 1.0
    embedding: int = 0
    sources: frozenset[SourceUse] = frozenset()
    batched: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """A prompt as a pipeline takes it.

    Attributes:
        values: Arguments of the pipeline, each a tensor whose first dimension is 1, or a text.
    """

    values: Mapping[str, Tensor | str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """Clips to make together.

    Attributes:
        words: Arguments of the pipeline, with a row for each clip.
        chance: Where the noise of each clip comes from.
        seconds: Length.
        steps: At most.
        guidance: As in ``Limits``.
        on_step: To be called after each step, with any arguments.
        use: What to do with ``audio``, or ``None``.
        audio: (rows, 2, frames) at the checkpoint's rate, as long as the clip; or ``None``.
        strength: As in ``domain.clip.Source``.
        start: Likewise.
        end: Likewise.
    """

    words: Mapping[str, Any]
    chance: Sequence[torch.Generator]
    seconds: float
    steps: int
    guidance: float
    on_step: Callable[..., dict[str, Any]]
    use: SourceUse | None = None
    audio: Tensor | None = field(default=None, compare=False)
    strength: float = 1.0
    start: float = 0.0
    end: float = 0.0

    @property
    def common(self) -> dict[str, Any]:
        """Arguments that every pipeline takes."""
        return {
            **self.words,
            "num_inference_steps": self.steps,
            "generator": list(self.chance),
        }


class Family(Protocol):
    """How the pipeline of a family is called."""

    @property
    def number(self) -> str:
        """Number format of its weights on a GPU, such as ``"float16"``."""

    @property
    def exact(self) -> frozenset[str]:
        """Parts that stay in float32 there."""

    def limits(self, layout: Layout) -> Limits:
        """Return what a checkpoint can do.

        Raises:
            GenerationError: Its configuration is damaged.
        """

    def words(self, pipe: Any, prompt: str) -> Words | ClipFailure:
        """Return what a text encoder makes of a prompt, or why it cannot read it."""

    def given(self, pipe: Any, numbers: Tensor, prompt: str) -> Words | ClipFailure:
        """Return an embedding (1, tokens, numbers of a token) as if a text encoder had said it.

        Only called where ``Limits.embedding`` is not 0.
        """

    def play(self, pipe: Any, job: Job) -> Floats:
        """Return sound (rows, channels, frames), at least as long as the clips."""


def sibling(pipe: Any, kind: str, **changes: Any) -> Any:
    """Return another pipeline of diffusers with the same parts, but for ``changes``."""
    import diffusers  # noqa: PLC0415 - slow

    made = getattr(diffusers, kind)(**{**pipe.components, **changes})
    made.set_progress_bar_config(disable=True)
    return made


def most_of(tokenizer: Any, cap: int = 0) -> int:
    """Return how many tokens are read: what the tokenizer says, at most ``cap`` where the model itself has a limit.

    Raises:
        GenerationError: The tokenizer does not say, so it has no sensible limit.
    """
    most = int(tokenizer.model_max_length)
    if cap and most > 0:
        return min(most, cap)
    if not 0 < most <= MOST_TOKENS:
        raise GenerationError(
            f"{Path(tokenizer.name_or_path) / 'tokenizer_config.json'} says no model_max_length, or {most:g}, where a "
            f"number from 1 to {MOST_TOKENS} belongs. {AGAIN}"
        )
    return most


def tokens_of(tokenizer: Any, prompt: str, most: int) -> int | ClipFailure:
    """Return the tokens of a prompt, or why it has too many: what a model does not read is not left out silently."""
    count = len(tokenizer(prompt, verbose=False)["input_ids"])
    if count > most:
        return ClipFailure(
            reason=f"The prompt has {count} tokens, and {most} are read. Shorten it."
        )
    return count


def states_of(pipe: Any, prompt: str, most: int) -> tuple[Tensor, Tensor] | ClipFailure:
    """Return what a pipeline's text encoder makes of a prompt (1, most, width), and which of it counts (1, most)."""
    count = tokens_of(pipe.tokenizer, prompt, most)
    if isinstance(count, ClipFailure):
        return count
    read = pipe.tokenizer(prompt, padding="max_length", max_length=most, return_tensors="pt")
    mask: Tensor = read["attention_mask"].to(pipe.device)
    return pipe.text_encoder(read["input_ids"].to(pipe.device), attention_mask=mask)[0], mask


def padded(numbers: Tensor, tokens: int, like: Tensor) -> tuple[Tensor, Tensor] | ClipFailure:
    """Return an embedding filled up to ``tokens`` with zeros, and a mask of what was there (1, tokens)."""
    have = numbers.shape[1]
    if have > tokens:
        return ClipFailure(reason=f"The embedding has {have} tokens, and {tokens} are read.")
    filled = torch.nn.functional.pad(numbers, (0, 0, 0, tokens - have)).to(like.device, like.dtype)
    mask = torch.zeros((1, tokens), dtype=torch.long, device=like.device)
    mask[:, :have] = 1
    return filled, mask


def decoded_rows(vae: Any, latents: Tensor) -> Floats:
    """Return what an autoencoder makes of latents (rows, channels, frames), row by row to save room."""
    rows = [vae.decode(one[None].to(vae.dtype)).sample for one in latents]
    sound: Floats = torch.cat(rows).float().cpu().numpy()
    return sound
