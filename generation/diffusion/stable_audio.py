"""Stable Audio Open: up to 47 s in stereo. The whole window is made whatever the length of the clip.

A sound to start from is brought to noise of ``level`` and denoised from there, as the authors' own tools do it.
"""

from __future__ import annotations

import math
import warnings
from typing import Any

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

AROUND = 16
"""Latents that are decoded beyond the end of a clip, so that it does not hear its end."""


class StableAudio:
    """``StableAudioPipeline``."""

    number = "float16"
    exact: frozenset[str] = frozenset()

    def limits(self, layout: Layout) -> Limits:
        """See ``Family``. Only with a scheduler that names its noisiest level can a sound be varied by degrees."""
        rate = layout.whole("vae", "sampling_rate", *RATES)
        hop = math.prod(layout.wholes("vae", "downsampling_ratios"))
        window = layout.whole("transformer", "sample_size") * hop
        graded = "sigma_max" in layout.config("scheduler")
        return Limits(
            rate=rate,
            longest=math.floor(10 * window / rate) / 10,
            steps=100,
            draft=30,
            guidance=7.0,
            embedding=layout.whole("text_encoder", "d_model"),
            sources=frozenset({SourceUse.VARY} if graded else ()),
        )

    def words(self, pipe: Any, prompt: str) -> Words | ClipFailure:
        """See ``Family``."""
        found = states_of(pipe, prompt, most_of(pipe.tokenizer))
        if isinstance(found, ClipFailure):
            return found
        return Words(values={"prompt_embeds": found[0], "attention_mask": found[1]})

    def given(self, pipe: Any, numbers: Tensor, prompt: str) -> Words | ClipFailure:
        """See ``Family``."""
        like = next(pipe.text_encoder.parameters())
        filled = padded(numbers, most_of(pipe.tokenizer), like)
        if isinstance(filled, ClipFailure):
            return filled
        return Words(values={"prompt_embeds": filled[0], "attention_mask": filled[1]})

    def play(self, pipe: Any, job: Job) -> Floats:
        """See ``Family``."""
        more: dict[str, Any] = {}
        if job.audio is not None:
            config = pipe.scheduler.config
            changed = type(pipe.scheduler).from_config(
                config, sigma_max=level(job.strength, config.sigma_min, config.sigma_max)
            )
            pipe = sibling(pipe, "StableAudioPipeline", scheduler=changed)
            more = {
                "initial_audio_waveforms": job.audio.to(pipe.vae.device, pipe.vae.dtype),
                "initial_audio_sampling_rate": pipe.vae.sampling_rate,
            }
        with warnings.catch_warnings():
            # Levels of noise are rounded, and the last one is 0: beyond its ends, as torchsde says, and ends there.
            warnings.filterwarnings("ignore", "Should have t", UserWarning)
            latents = pipe(
                **job.common,
                **more,
                audio_end_in_s=job.seconds,
                guidance_scale=job.guidance,
                callback=job.on_step,
                output_type="latent",
            ).audios
        needed = math.ceil(job.seconds * pipe.vae.sampling_rate / pipe.vae.hop_length)
        return decoded_rows(pipe.vae, latents[:, :, : needed + AROUND])


def level(strength: float, least: float, most: float) -> float:
    """Return the standard deviation of the noise that a strength in [0, 1] stands for.

    It goes with the angle: at a strength of a half the noise is about as loud as the sound, whose deviation is 1.
    """
    return max(1.1 * least, math.tan(strength * math.atan(most)))
