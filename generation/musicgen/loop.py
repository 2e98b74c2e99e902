"""A batch from prompts to codes: every row its own seed, all rows together, one step after the other."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import linear

from domain.errors import GenerationError
from generation.musicgen.decoder import Decoder
from generation.musicgen.delay import gathered, spread, valid
from generation.musicgen.place import Places, Plan
from generation.musicgen.sampling import Sampling, draw, guided, noise

OnStep = Callable[[int, int], bool]
"""Called after each step with how many are done and how many there are; ``False`` stops the batch."""
BUCKETS = (1, 2, 4, 8, 16, 32, 64)
"""Sizes of a batch. A smaller one is filled up, so that a clip is the same whatever shares its batch."""


class Stopped(Exception):  # noqa: N818 - asked for, no error
    """``on_step`` said no."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Prompts:
    """What the text encoder made of a batch's prompts.

    Attributes:
        states: (rows, tokens, hidden) in the decoder's width, zero where a prompt has ended.
        mask: (rows, tokens), 1 for a token and 0 after the end.
        front: (rows, steps, hidden) that stand in front of the clips, for models that take melody and words there.
        blank: (steps, hidden) that stand there without a melody and words.
    """

    states: Tensor
    mask: Tensor
    front: Tensor | None = None
    blank: Tensor | None = None


def bucket_of(count: int, least: int = 1) -> int:
    """Return the size of the batch that ``count`` clips go into.

    Raises:
        GenerationError: They are too many for one.
    """
    for size in BUCKETS:
        if size >= max(count, least):
            return size
    raise GenerationError(f"A batch has at most {BUCKETS[-1]} clips, not {count}.")


@torch.inference_mode()
def least_rows(decoder: Decoder) -> int:
    """Return from how many rows on a row's numbers do not depend on how many others there are, bit for bit.

    Kernels for a few rows add up in another order than those for many. Measured with the decoder's own weights, since
    it differs between processors; the largest bucket where it never holds.
    """
    weights = decoder.weights.layers[0].qkv
    own = torch.Generator().manual_seed(0)
    rows = torch.randn((2 * BUCKETS[-1], decoder.shape.hidden), generator=own)
    rows = rows.to(decoder.device, decoder.dtype)
    whole = linear(rows, weights)
    least = BUCKETS[-1]
    for size in reversed(BUCKETS):
        if not torch.equal(linear(rows[:size], weights), whole[:size]):
            break
        least = size
    return least


class Batch:
    """Everything that a batch in the making consists of. Set up on the device once, then only changed in place."""

    @torch.inference_mode()
    def __init__(  # noqa: PLR0913 - each of them is something else
        self,
        decoder: Decoder,
        prompts: Prompts,
        *,
        seeds: Sequence[int],
        frames: int,
        how: Sampling,
        begin: Tensor | None = None,
        on_layer: Callable[[], None] | None = None,
        places: Places | None = None,
    ) -> None:
        """Set up a batch.

        Args:
            decoder: Writes it.
            prompts: One for each row.
            seeds: One for each row.
            frames: Of each clip, those of ``begin`` included.
            how: To sample.
            begin: (rows, codebooks, frames) to go on from, fewer than ``frames``.
            on_layer: Called after each layer that has read what comes before the first step to be written.
            places: May keep the place of a batch that is done, to be taken over.

        Raises:
            GenerationError: It is longer than the model was trained for, or there is nothing to write.
        """
        shape, device = decoder.shape, decoder.device
        self.decoder, self.how, self.frames = decoder, how, frames
        self.steps = shape.steps(frames)
        self.front = 0 if prompts.front is None else prompts.front.shape[1]
        if self.front + self.steps >= shape.positions or frames < 1:
            most = shape.positions - shape.steps(1) - self.front
            raise GenerationError(f"A window has 1 to {most} frames, not {frames}.")
        if begin is not None and not 0 < begin.shape[2] < frames:
            raise GenerationError("There is nothing to write after what is to be gone on from.")
        told, tokens = prompts.states.shape[:2]
        plan = Plan(
            decoder=decoder,
            how=how,
            told=told,
            tokens=tokens,
            room=shape.room(frames, self.front),
            front=self.front,
        )
        self.place = (places or Places()).take(plan)
        self.memory, self.at = self.place.memory, self.place.at
        decoder.remember(prompts.states, prompts.mask, self.memory)
        self.codes = self.place.codes.fill_(shape.padding)
        self.forced = self.place.forced.fill_(-1)
        silent = ~valid(shape, frames, device).T
        self.forced[:, :, : self.steps].masked_fill_(silent, shape.padding)
        self.first = 0
        if begin is not None:
            self._go_on(begin.to(device))
        self._read(self._before(prompts), on_layer)
        self.chance = self.place.chance
        self.chance[: self.steps].copy_(noise(seeds, self.steps, shape.codebooks))
        self.at.fill_(self.first)

    def _go_on(self, begin: Tensor) -> None:
        """Take given frames as said; the first step to be written is the first that they do not fill completely."""
        shape = self.decoder.shape
        said = spread(begin, shape)
        known = valid(shape, begin.shape[2], said.device).T
        inside = self.forced[:, :, : said.shape[2]]
        self.forced[:, :, : said.shape[2]] = torch.where(known, said, inside)
        self.first = max(0, begin.shape[2] - max(shape.delays))
        self.codes[:, :, : self.first] = self.forced[:, :, : self.first]

    def _before(self, prompts: Prompts) -> Tensor | None:
        """Return (rows, steps, hidden) of what stands in front, without words and melody for the second half."""
        if prompts.front is None or prompts.blank is None:
            return None
        blank = prompts.blank.expand(len(prompts.front), -1, -1)
        return torch.cat([prompts.front, blank]) if self.how.guided else prompts.front

    def _read(self, front: Tensor | None, on_layer: Callable[[], None] | None) -> None:
        """Read what comes before the first step to be written, if anything does."""
        if front is None and not self.first:
            return
        before = torch.full_like(self.codes[:, :, :1], self.decoder.shape.padding)
        read = torch.cat([before, self.codes], dim=2)[:, :, : self.first]
        self.decoder.read(self._both(read), self.memory, front, on_layer)

    def _both(self, tokens: Tensor) -> Tensor:
        return tokens.repeat(2, *[1] * (tokens.dim() - 1)) if self.how.guided else tokens

    def masked_step(self, window: int) -> None:
        """Write a step that looks back on a whole window, the same for every step in it; see ``step``."""
        seen = torch.zeros((window,), dtype=self.decoder.dtype, device=self.decoder.device)
        seen.masked_fill_(self.place.counted[:window] > self.at + self.front, -torch.inf)
        self.step(window, seen[None, None, None])

    def step(self, window: int, seen: Tensor | None = None) -> None:
        """Write the tokens of the step ``self.at`` and go on to the next one; see ``Decoder.following``.

        ``window`` and ``seen`` count the steps in front as well.
        """
        padding = self.decoder.shape.padding
        before = self.codes.index_select(2, (self.at - 1).clamp(min=0))[..., 0]
        tokens = torch.where(self.at == 0, padding, before)
        place = self.at + self.front
        logits = self.decoder.following(self._both(tokens), place, window, self.memory, seen)
        if self.how.guided:
            logits = guided(logits, self.how.guidance)
        drawn = draw(logits, self.chance.index_select(0, self.at)[0], self.how)
        forced = self.forced.index_select(2, self.at)[..., 0]
        said = torch.where(forced >= 0, forced, drawn)
        self.codes.index_copy_(2, self.at, said[..., None])
        self.at += 1

    def result(self) -> Tensor:
        """Return (rows, codebooks, frames)."""
        return gathered(self.codes, self.decoder.shape, self.frames)


@torch.inference_mode()
def write(batch: Batch, on_step: OnStep | None = None) -> Tensor:
    """Write a batch to its end.

    On a CUDA device every step is one graph, captured once for each window in a place; elsewhere a step looks back on
    just what there is.

    Returns:
        Codes (rows, codebooks, frames).

    Raises:
        Stopped: ``on_step`` said so.
    """
    device = batch.decoder.device
    with torch.cuda.device(device) if device.type == "cuda" else nullcontext():
        advance = _on_gpu(batch) if device.type == "cuda" else _step_by_step(batch)
        for number in range(batch.first, batch.steps):
            advance(number)
            if on_step is not None and not on_step(number + 1, batch.steps):
                raise Stopped
    return batch.result()


def _step_by_step(batch: Batch) -> Callable[[int], None]:
    def advance(number: int) -> None:
        batch.step(batch.front + number + 1)

    return advance


def _on_gpu(batch: Batch) -> Callable[[int], None]:
    """Return what runs steps as graphs, on streams of the current device, which must be the batch's."""
    from generation.musicgen.graphs import Pace, run  # noqa: PLC0415 - only there is a graph

    pace = Pace()

    def advance(number: int) -> None:
        run(batch, number)
        pace.step()

    return advance
