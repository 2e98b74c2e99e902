"""ACE-Step 1.5: up to ten minutes at 48 kHz. Asked for music without song.

A sound to start from is mixed with noise and denoised from there; a stretch is made anew by its own task for that.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor

from domain.clip import ClipFailure, SourceUse
from generation.audio import Floats
from generation.diffusion.family import RATES, Job, Limits, Words, decoded_rows, tokens_of
from generation.diffusion.layout import Layout

SHORTEST = 10.0
"""Seconds that it was trained on, at least: a shorter clip is the beginning of such a one."""
TOKENS, AROUND = 256, 64
"""That the text encoder reads of a prompt and of what is written around it, and about how many are around it."""
SHIFT = 3.0
"""Of the schedule, as the authors have it."""
LEAST = 0.05
"""Noise of the smallest change."""
WORDLESS = "[Instrumental]"


class AceStep:
    """``AceStepPipeline``."""

    number = "bfloat16"
    exact: frozenset[str] = frozenset()

    def limits(self, layout: Layout) -> Limits:
        """See ``Family``. Turbo checkpoints have guidance learned in.

        In a batch, the pipeline fills prompts up to the longest one and hears that too, and it draws noise for all rows
        at once where it hears a sound.
        """
        config = layout.config("transformer")
        turbo = config.get("is_turbo") is True or config.get("model_version") == "turbo"
        return Limits(
            rate=layout.whole("vae", "sampling_rate", *RATES),
            longest=600.0,
            steps=8 if turbo else 32,
            draft=4 if turbo else 12,
            guidance=1.0 if turbo else 7.0,
            sources=frozenset({SourceUse.VARY, SourceUse.FILL}),
            batched=False,
        )

    def words(self, pipe: Any, prompt: str) -> Words | ClipFailure:
        """See ``Family``."""
        count = tokens_of(pipe.tokenizer, prompt, TOKENS - AROUND)
        if isinstance(count, ClipFailure):
            return count
        return Words(values={"prompt": prompt, "lyrics": WORDLESS})

    def given(self, pipe: Any, numbers: Tensor, prompt: str) -> Words | ClipFailure:
        """See ``Family``. The pipeline takes none."""
        return ClipFailure(reason="ACE-Step takes words, no embedding.")

    def play(self, pipe: Any, job: Job) -> Floats:
        """See ``Family``."""
        pipe.vae.enable_tiling()  # minutes at once take more memory than there is
        seconds = max(SHORTEST, job.seconds)
        more: dict[str, Any] = {}
        if job.audio is not None:
            frames = math.ceil(seconds * pipe.latents_per_second) * _hop(pipe)
            room = frames - job.audio.shape[2]
            sound = torch.nn.functional.pad(job.audio, (0, room)).to(pipe.device, pipe.vae.dtype)
            more = _varied(pipe, job, sound) if job.use is SourceUse.VARY else _filled(job, sound)
        with _own_chance(job, pipe.device):
            latents = pipe(
                **job.common,
                **more,
                audio_duration=seconds,
                guidance_scale=job.guidance,
                shift=SHIFT,
                callback_on_step_end=job.on_step,
                output_type="latent",
            ).audios
        needed = math.ceil(job.seconds * pipe.latents_per_second)
        return decoded_rows(pipe.vae, latents.transpose(1, 2)[:, :, : needed + 16])


def _hop(pipe: Any) -> int:
    return round(float(pipe.sample_rate) / float(pipe.latents_per_second))


def _varied(pipe: Any, job: Job, sound: Tensor) -> dict[str, Any]:
    """Return where to start, and the rest of the schedule from there."""
    level = max(LEAST, job.strength)
    there = torch.cat([pipe.vae.encode(one[None]).latent_dist.mean for one in sound])
    there = there.transpose(1, 2).float()
    noise = torch.stack([torch.randn(there.shape[1:], generator=one) for one in job.chance])
    return {
        "latents": (1 - level) * there + level * noise.to(there.device),
        "timesteps": schedule(job.steps, level),
    }


def _filled(job: Job, sound: Tensor) -> dict[str, Any]:
    return {
        "task_type": "repaint",
        "src_audio": sound,
        "repainting_start": job.start,
        "repainting_end": job.end,
    }


def schedule(steps: int, level: float) -> list[float]:
    """Return the noise levels of a clip that begins at ``level`` in (0, 1], falling; the last step goes to 0."""
    even = [1 - step / steps for step in range(steps)]
    shifted = [SHIFT * one / (1 + (SHIFT - 1) * one) for one in even]
    return [level, *[one for one in shifted if one < level]]


@contextmanager
def _own_chance(job: Job, device: torch.device) -> Iterator[None]:
    """Seed the global generator from the clip's, and put it back: the pipeline draws from it where it hears a sound."""
    with torch.random.fork_rng(devices=[device] if device.type == "cuda" else []):
        torch.manual_seed(job.chance[0].initial_seed())
        yield
