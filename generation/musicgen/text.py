"""Prompts to what the decoder attends to: T5's states in the decoder's width, remembered by prompt."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from domain.errors import GenerationError
from generation.musicgen.loop import Prompts

REMEMBERED = 512
"""Prompts."""
LENGTHS = (64, 128, 256)
"""Tokens that a prompt is filled up to, so that it is the same whatever else is in its batch."""
Said = str | Tensor
"""A prompt in words, or the states (tokens, ``TextEncoder.width``) that stand for words that nobody wrote."""


class TooLongError(GenerationError):
    """A prompt has more tokens than are read."""


class TextEncoder:
    """T5 and the map into the decoder's width.

    Every prompt is read by itself: in a batch its numbers would depend on the length of the others.

    Args:
        encoder: ``transformers.T5EncoderModel`` in evaluation mode.
        project: Linear map into the decoder's width, or ``None`` where it is T5's.
        tokenizer: Of the checkpoint.
    """

    def __init__(self, encoder: Any, project: Any | None, tokenizer: Any) -> None:
        self._encoder = encoder
        self._project = project
        self._tokenizer = tokenizer
        self._known: OrderedDict[str, Tensor] = OrderedDict()
        self.width = int(encoder.config.d_model)

    @torch.inference_mode()
    def states(self, prompt: str) -> Tensor:
        """Return T5's states (tokens, width) of a prompt, in float32.

        Raises:
            TooLongError: It has more tokens than are read; says how many.
        """
        known = self._known.get(prompt)
        if known is None:
            ids = self._tokenizer(prompt, return_tensors="pt")["input_ids"]
            self._check("prompt", ids.shape[1])
            known = self._encoder(input_ids=ids.to(self._encoder.device)).last_hidden_state[0]
            self._known[prompt] = known
            while len(self._known) > REMEMBERED:
                self._known.popitem(last=False)
        self._known.move_to_end(prompt)
        return known

    def length(self, said: Said) -> int:
        """Return the tokens that a prompt is filled up to, one of ``LENGTHS``.

        Raises:
            TooLongError: As ``states``.
        """
        tokens = len(self._states(said))
        return next(size for size in LENGTHS if size >= tokens)

    @torch.inference_mode()
    def prompts(self, said: Sequence[Said], length: int) -> Prompts:
        """Return prompts in the decoder's width, each filled up to ``length`` tokens."""
        found = [self._projected(self._states(one)) for one in said]
        states = found[0].new_zeros((len(found), length, found[0].shape[1]))
        mask = torch.zeros((len(found), length), dtype=torch.long, device=states.device)
        for row, one in enumerate(found):
            states[row, : len(one)] = one
            mask[row, : len(one)] = 1
        return Prompts(states=states, mask=mask)

    def _states(self, said: Said) -> Tensor:
        if isinstance(said, str):
            return self.states(said)
        self._check("embedding", len(said))
        return said.to(self._encoder.device)

    def _projected(self, states: Tensor) -> Tensor:
        out: Tensor = states if self._project is None else self._project(states)
        return out

    @staticmethod
    def _check(what: str, tokens: int) -> None:
        if tokens > LENGTHS[-1]:
            raise TooLongError(
                f"The {what} has {tokens} tokens, and {LENGTHS[-1]} are read. Shorten it."
            )
