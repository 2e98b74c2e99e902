"""Codes to sound and back: EnCodec, for both channels of a stereo model one after the other."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor

from generation.audio import Audio, Floats
from generation.musicgen.shapes import Shape
from generation.resampling import resampled


class Codec:
    """EnCodec as MusicGen has it.

    Args:
        model: ``transformers.EncodecModel`` in evaluation mode.
        shape: Of the decoder whose codes it reads.
    """

    def __init__(self, model: Any, shape: Shape) -> None:
        self._model = model
        self._channels = shape.channels
        self.sample_rate = int(model.config.sampling_rate)

    @torch.inference_mode()
    def sound(self, codes: Tensor) -> list[Floats]:
        """Return (samples, channels) of each row of codes (rows, codebooks, frames).

        On a CPU rows are decoded one by one: together they would be no faster, and not the same to the last bit.
        """
        parts = (
            [codes[row : row + 1] for row in range(len(codes))]
            if codes.device.type == "cpu"
            else [codes]
        )
        out: list[Floats] = []
        for part in parts:
            sides = [
                self._model.decode(part[None, :, side :: self._channels], [None]).audio_values
                for side in range(self._channels)
            ]
            both = torch.cat(sides, dim=1).float().cpu().numpy()
            out += [np.ascontiguousarray(row.T) for row in both]
        return out

    @torch.inference_mode()
    def codes(self, audio: Audio) -> Tensor:
        """Return (1, codebooks, frames) of sound of any rate and one or two channels."""
        samples = resampled(audio.samples, audio.sample_rate, self.sample_rate)
        if self._channels == 1:
            samples = samples.mean(axis=1, keepdims=True)
        elif samples.shape[1] == 1:
            samples = np.repeat(samples, 2, axis=1)
        found = []
        for side in range(self._channels):
            values = torch.from_numpy(np.ascontiguousarray(samples[:, side]))[None, None]
            values = values.to(self._model.device, self._model.dtype)
            found.append(self._model.encode(values).audio_codes[0])
        return torch.stack(found, dim=2).flatten(1, 2)
