"""What stands in front of a clip of the melody model: a melody, then the prompt.

As transformers' ``MusicgenMelodyForConditionalGeneration`` has it. A melody that is shorter than what the model was
trained on comes again until that is filled; a clip without one has the pitch class C throughout, as have the rows
without a prompt. After its end a prompt has zeros, which are read like words: so it is always filled up to one length,
whatever else is in its batch, as in training where a batch was filled up to its longest prompt.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from generation.musicgen.chroma import CLASSES, HOP, RATE
from generation.musicgen.loop import Prompts
from generation.musicgen.shapes import FRAME_RATE


class Front:
    """Puts melodies in front of prompts.

    Args:
        project: Linear map of a melody into the decoder's width.
        moments: Of a melody.
    """

    def __init__(self, project: Any, moments: int) -> None:
        self._project = project
        self._moments = moments

    @torch.inference_mode()
    def before(self, prompts: Prompts, melodies: Sequence[Tensor | None], first: int) -> Prompts:
        """Return the prompts with what stands in front of the clips.

        Args:
            prompts: One for each row.
            melodies: (moments, ``CLASSES``) for each row, or ``None``.
            first: Frame of the clip that the window begins with: a long clip goes on in its melody.
        """
        states = prompts.states
        blank = self._read(None, first).to(states.device)
        tunes = [
            blank if one is None else self._read(one, first).to(states.device) for one in melodies
        ]
        return Prompts(
            states=states,
            mask=prompts.mask,
            front=torch.cat([torch.stack(tunes), states], dim=1),
            blank=torch.cat([blank, torch.zeros_like(states[0])]),
        )

    def _read(self, melody: Tensor | None, first: int) -> Tensor:
        if melody is None:
            melody = torch.eye(CLASSES)[:1]
        begin = round(first / FRAME_RATE * RATE / HOP)
        places = (begin + torch.arange(self._moments)) % len(melody)
        chosen = melody[places].to(self._project.weight.device, self._project.weight.dtype)
        out: Tensor = self._project(chosen)
        return out
