"""Riffusion: Stable Diffusion that learned pictures of sound; what it draws is heard through ``pictures.py``.

A picture is as wide as the clip needs, in whole strides of the UNet, and the clip is cut from it.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import torch
from torch import Tensor

from domain.clip import ClipFailure, SourceUse
from generation.audio import Floats
from generation.diffusion.family import Job, Limits, Words, most_of, sibling, tokens_of
from generation.diffusion.layout import Layout
from generation.diffusion.pictures import BANDS, COLUMNS, RATE, heard, pictured

LONGEST = 30.0
"""Seconds. It was trained on five; wider pictures cost the square of their width where the UNet attends to itself."""


class Riffusion:
    """``StableDiffusionPipeline`` and its two siblings."""

    number = "float16"
    exact: frozenset[str] = frozenset()

    def limits(self, layout: Layout) -> Limits:
        """See ``Family``."""
        return Limits(
            rate=RATE,
            longest=LONGEST,
            steps=50,
            draft=20,
            guidance=7.0,
            embedding=layout.whole("text_encoder", "hidden_size"),
            sources=frozenset({SourceUse.VARY, SourceUse.FILL}),
        )

    def words(self, pipe: Any, prompt: str) -> Words | ClipFailure:
        """See ``Family``."""
        count = tokens_of(pipe.tokenizer, prompt, most_of(pipe.tokenizer))
        if isinstance(count, ClipFailure):
            return count
        said, nothing = pipe.encode_prompt(prompt, pipe.device, 1, True)
        return Words(values={"prompt_embeds": said, "negative_prompt_embeds": nothing})

    def given(self, pipe: Any, numbers: Tensor, prompt: str) -> Words | ClipFailure:
        """See ``Family``. Where it is short, the end of what CLIP says of nothing follows, as it does after words."""
        _, nothing = pipe.encode_prompt("", pipe.device, 1, True)
        have, most = numbers.shape[1], nothing.shape[1]
        if have > most:
            return ClipFailure(reason=f"The embedding has {have} tokens, and {most} are read.")
        said = torch.cat([numbers.to(nothing.device, nothing.dtype), nothing[:, have:]], dim=1)
        return Words(values={"prompt_embeds": said, "negative_prompt_embeds": nothing})

    def play(self, pipe: Any, job: Job) -> Floats:
        """See ``Family``."""
        width = columns(pipe, job.seconds)
        given: dict[str, Any] = {"height": BANDS, "width": width}
        kind = "StableDiffusionPipeline"
        if job.audio is not None:
            given = {"image": _image(job.audio, width)}
        if job.use is SourceUse.VARY:
            kind, given["strength"] = "StableDiffusionImg2ImgPipeline", least(job)
        elif job.use is SourceUse.FILL:
            kind = "StableDiffusionInpaintPipeline"
            given |= {"mask_image": _mask(job, width), "height": BANDS, "width": width}
        images = sibling(pipe, kind, requires_safety_checker=False)(
            **job.common,
            **given,
            guidance_scale=job.guidance,
            callback_on_step_end=job.on_step,
            output_type="np",
        ).images
        frames = round(job.seconds * RATE)
        return np.stack(
            [
                heard(image.mean(axis=2), frames, np.random.default_rng(chance.initial_seed()))
                for image, chance in zip(images, job.chance, strict=True)
            ]
        )[:, None]


def columns(pipe: Any, seconds: float) -> int:
    """Return the width of the picture of a clip: enough, and whole in every layer of autoencoder and UNet."""
    stride: int = pipe.vae_scale_factor * 2 ** (len(pipe.unet.config.down_block_types) - 1)
    return stride * math.ceil(seconds * COLUMNS / stride)


def least(job: Job) -> float:
    """Return a strength of which at least one step is left."""
    return min(1.0, max(job.strength, 1.5 / job.steps))  # 1 / steps would be rounded down to none


def _image(audio: Tensor, width: int) -> Tensor:
    rows = [pictured(one.mean(dim=0).cpu().numpy(), width) for one in audio]
    return torch.from_numpy(np.stack(rows))[:, None].expand(-1, 3, -1, -1)


def _mask(job: Job, width: int) -> Tensor:
    """Return 1 where a stretch is made anew (rows, 1, bands, columns)."""
    mask = torch.zeros((len(job.chance), 1, BANDS, width))
    first = math.floor(job.start * COLUMNS)
    mask[..., first : max(first + 1, math.ceil(job.end * COLUMNS))] = 1.0
    return mask
