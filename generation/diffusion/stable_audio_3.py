"""Stable Audio 3: minutes of stereo in eight steps; varies sounds and makes stretches of them anew.

Its published checkpoints are converted for diffusers first, see docs/diffusion.md.
"""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor

from domain.clip import ClipFailure, SourceUse
from generation.audio import Floats
from generation.diffusion.family import (
    RATES,
    Job,
    Limits,
    Words,
    decoded_rows,
    most_of,
    padded,
    sibling,
    states_of,
)
from generation.diffusion.layout import Layout

TOKENS = 256
"""That the text encoder reads, at most."""
LEAST = 0.02
"""Noise of the smallest change; the pipeline takes none of 0."""


class StableAudio3:
    """``StableAudio3Pipeline`` and its two siblings."""

    number = "float16"
    exact = frozenset({"vae"})  # its attention is a small difference of large numbers

    def limits(self, layout: Layout) -> Limits:
        """See ``Family``. Distilled checkpoints re-noise at every step; the others need guidance and many steps."""
        distilled = layout.config("scheduler").get("stochastic_sampling") is True
        return Limits(
            rate=layout.whole("vae", "sampling_rate", *RATES),
            longest=min(380.0, layout.number("duration_embedder", "max_val", 1, 1e6)),
            steps=8 if distilled else 100,
            draft=4 if distilled else 30,
            guidance=1.0 if distilled else 7.0,
            embedding=layout.whole("transformer", "cond_token_dim"),
            sources=frozenset({SourceUse.VARY, SourceUse.FILL}),
        )

    def words(self, pipe: Any, prompt: str) -> Words | ClipFailure:
        """See ``Family``."""
        found = states_of(pipe, prompt, _most(pipe))
        if isinstance(found, ClipFailure):
            return found
        return Words(values={"prompt_embeds": found[0], "encoder_attention_mask": found[1]})

    def given(self, pipe: Any, numbers: Tensor, prompt: str) -> Words | ClipFailure:
        """See ``Family``."""
        filled = padded(numbers, _most(pipe), next(pipe.text_encoder.parameters()))
        if isinstance(filled, ClipFailure):
            return filled
        return Words(values={"prompt_embeds": filled[0], "encoder_attention_mask": filled[1]})

    def play(self, pipe: Any, job: Job) -> Floats:
        """See ``Family``."""
        kind = "StableAudio3Pipeline"
        more: dict[str, Any] = {"guidance_scale": job.guidance}
        if job.use is SourceUse.VARY:
            kind = "StableAudio3AudioToAudioPipeline"
            more = {"audio": job.audio, "init_noise_level": max(LEAST, job.strength)}
        elif job.use is SourceUse.FILL:
            kind, more = "StableAudio3InpaintPipeline", _stretch(pipe, job)
        latents = sibling(pipe, kind)(
            **job.common,
            **more,
            duration=job.seconds,
            callback_on_step_end=job.on_step,
            output_type="latent",
        ).audios
        return decoded_rows(pipe.vae, latents)


def _most(pipe: Any) -> int:
    return most_of(pipe.tokenizer, TOKENS)


def _stretch(pipe: Any, job: Job) -> dict[str, Any]:
    """Return the sound and which of its latents are kept: 0 where the stretch touches them."""
    second = pipe.vae.config.sampling_rate / pipe.vae.downsampling_ratio
    kept = torch.ones((len(job.chance), 1, math.ceil(job.seconds * second)), device=pipe.device)
    first = math.floor(job.start * second)
    kept[:, :, first : max(first + 1, math.ceil(job.end * second))] = 0.0
    return {"audio": job.audio, "mask": kept}
