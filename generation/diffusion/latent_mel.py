"""AudioLDM 2 and MusicLDM: ten seconds at 16 kHz in one channel, through mel spectra and a vocoder.

Their pipelines take no sound. MusicLDM's own reading of prompts does not work with today's transformers, and that of
AudioLDM 2 takes words alone, so prompts are read here.
"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor

from domain.clip import ClipFailure
from generation.audio import Floats
from generation.diffusion.family import RATES, Job, Limits, Words, most_of, tokens_of
from generation.diffusion.layout import Layout


class AudioLdm2:
    """``AudioLDM2Pipeline`` with CLAP, T5 and GPT-2 as text encoders."""

    number = "float16"
    exact: frozenset[str] = frozenset()

    def limits(self, layout: Layout) -> Limits:
        """See ``Family``. In a batch, GPT-2 would hear how much longer the others' prompts are."""
        width = layout.whole("text_encoder_2", "d_model")
        return replace(_limits(layout, 3.5, width), batched=False)

    def words(self, pipe: Any, prompt: str) -> Words | ClipFailure:
        """See ``Family``."""
        for tokenizer in (pipe.tokenizer, pipe.tokenizer_2):
            count = tokens_of(tokenizer, prompt, most_of(tokenizer))
            if isinstance(count, ClipFailure):
                return count
        return _with_and_without(pipe, prompt, *_t5(pipe, prompt))

    def given(self, pipe: Any, numbers: Tensor, prompt: str) -> Words | ClipFailure:
        """See ``Family``. It stands for what T5 says; CLAP reads the prompt, which may be empty."""
        have, most = numbers.shape[1], most_of(pipe.tokenizer_2)
        if have > most:
            return ClipFailure(reason=f"The embedding has {have} tokens, and {most} are read.")
        like = next(pipe.text_encoder_2.parameters())
        states = numbers.to(like.device, like.dtype)
        mask = torch.ones(states.shape[:2], dtype=torch.long, device=like.device)
        return _with_and_without(pipe, prompt, states, mask)

    def play(self, pipe: Any, job: Job) -> Floats:
        """See ``Family``."""
        return _played(pipe, job)


class MusicLdm:
    """``MusicLDMPipeline``."""

    number = "float16"
    exact: frozenset[str] = frozenset()

    def limits(self, layout: Layout) -> Limits:
        """See ``Family``. An embedding is a single token: what CLAP says of a text, or of a sound."""
        return _limits(layout, 2.0, layout.whole("text_encoder", "projection_dim"))

    def words(self, pipe: Any, prompt: str) -> Words | ClipFailure:
        """See ``Family``."""
        count = tokens_of(pipe.tokenizer, prompt, most_of(pipe.tokenizer))
        if isinstance(count, ClipFailure):
            return count
        return self._said(pipe, _clap(pipe, prompt))

    def given(self, pipe: Any, numbers: Tensor, prompt: str) -> Words | ClipFailure:
        """See ``Family``."""
        if numbers.shape[1] != 1:
            return ClipFailure(
                reason=f"The embedding has {numbers.shape[1]} tokens, and MusicLDM takes one."
            )
        like = next(pipe.text_encoder.parameters())
        return self._said(pipe, numbers[:, 0].to(like.device, like.dtype))

    def _said(self, pipe: Any, numbers: Tensor) -> Words:
        return Words(
            values={"prompt_embeds": numbers, "negative_prompt_embeds": _clap(pipe, "")},
        )

    def play(self, pipe: Any, job: Job) -> Floats:
        """See ``Family``."""
        return _played(pipe, job)


def _limits(layout: Layout, guidance: float, embedding: int) -> Limits:
    rate = layout.whole("vocoder", "sampling_rate", *RATES)
    hop = math.prod(layout.wholes("vocoder", "upsample_rates"))
    halvings = len(layout.wholes("vae", "block_out_channels")) - 1
    window = layout.whole("unet", "sample_size") * 2**halvings * hop / rate
    return Limits(
        rate=rate,
        longest=math.floor(10 * window) / 10,
        steps=200,
        draft=50,
        guidance=guidance,
        embedding=embedding,
    )


def _played(pipe: Any, job: Job) -> Floats:
    # The pipelines cut off a part of a spectrum's frame, so they are asked for a little more than the clip.
    made = pipe(
        **job.common,
        audio_length_in_s=job.seconds + 0.01,
        guidance_scale=job.guidance,
        callback=job.on_step,
        output_type="pt",
    ).audios
    sound: Floats = made[:, None].float().cpu().numpy()
    return sound


def _clap(pipe: Any, text: str) -> Tensor:
    """Return what CLAP says of a text (1, numbers)."""
    read = pipe.tokenizer(
        text,
        padding="max_length",
        max_length=most_of(pipe.tokenizer),
        return_tensors="pt",
    ).to(pipe.device)
    said: Tensor = pipe.text_encoder.get_text_features(
        read["input_ids"], attention_mask=read["attention_mask"]
    ).pooler_output
    return said


def _t5(pipe: Any, text: str, length: int | None = None) -> tuple[Tensor, Tensor]:
    """Return what T5 says of a text and a mask, filled up to ``length`` tokens if there is one."""
    read = pipe.tokenizer_2(
        text,
        padding=False if length is None else "max_length",
        max_length=length,
        truncation=length is not None,
        return_tensors="pt",
    ).to(pipe.device)
    mask = read["attention_mask"]
    return pipe.text_encoder_2(read["input_ids"], attention_mask=mask)[0], mask


def _with_and_without(pipe: Any, prompt: str, states: Tensor, mask: Tensor) -> Words:
    """Return a prompt that T5 has read, and one that says nothing of the same length, both gone on from by GPT-2."""
    nothing, blank = _t5(pipe, "", states.shape[1])
    return Words(
        values={
            "prompt_embeds": states,
            "attention_mask": mask,
            "generated_prompt_embeds": _gone_on(pipe, prompt, states, mask),
            "negative_prompt_embeds": nothing,
            "negative_attention_mask": blank,
            "negative_generated_prompt_embeds": _gone_on(pipe, "", nothing, blank),
        }
    )


def _gone_on(pipe: Any, text: str, states: Tensor, mask: Tensor) -> Tensor:
    clap = _clap(pipe, text)[:, None]
    both = pipe.projection_model(
        hidden_states=clap,
        hidden_states_1=states,
        attention_mask=mask.new_ones((1, 1)),
        attention_mask_1=mask,
    )
    said: Tensor = pipe.generate_language_model(
        both.hidden_states, attention_mask=both.attention_mask
    )
    return said
