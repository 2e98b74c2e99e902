"""Tiny pipelines with nothing learned, saved in the real format, one for each family."""

from __future__ import annotations

import string
import warnings
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import torch
import transformers as tf
from diffusers import (
    AceStepPipeline,
    AceStepTransformer1DModel,
    AudioLDM2Pipeline,
    AudioLDM2ProjectionModel,
    AudioLDM2UNet2DConditionModel,
    AutoencoderKL,
    AutoencoderOobleck,
    AutoencoderSAME,
    CosineDPMSolverMultistepScheduler,
    DDIMScheduler,
    FlowMatchEulerDiscreteScheduler,
    MusicLDMPipeline,
    StableAudio3DiTModel,
    StableAudio3DurationEmbedder,
    StableAudio3Pipeline,
    StableAudioDiTModel,
    StableAudioPipeline,
    StableAudioProjectionModel,
    StableDiffusionPipeline,
    UNet2DConditionModel,
)
from diffusers.pipelines.ace_step import AceStepConditionEncoder
from diffusers.utils import logging as of_diffusers
from transformers.utils import logging as of_transformers

LETTERS = string.ascii_letters + string.digits + string.punctuation
WIDTH = 16


def letters(*special: str, space: str = "Ġ", end: str = "") -> dict[str, int]:
    """Return a vocabulary in which every letter is a token."""
    pieces = [*special, space, "Ċ", *LETTERS, *(f"{one}{end}" for one in LETTERS if end)]
    return {piece: number for number, piece in enumerate(dict.fromkeys(pieces))}


def t5_tokenizer(length: int) -> Any:
    pieces = ["<pad>", "</s>", "<unk>", "▁", *LETTERS]
    return tf.T5TokenizerFast(
        vocab=[(one, -1.0) for one in pieces], extra_ids=0, model_max_length=length
    )


def t5_encoder() -> Any:
    shape = {"vocab_size": 128, "d_model": WIDTH, "d_kv": 8, "d_ff": 32, "num_layers": 1}
    return tf.T5EncoderModel(tf.T5Config(**shape, num_heads=2))


def oobleck(rate: int) -> Any:
    return AutoencoderOobleck(
        encoder_hidden_size=16,
        downsampling_ratios=[8, 10, 10],
        channel_multiples=[1, 1, 1],
        decoder_channels=4,
        decoder_input_channels=8,
        audio_channels=2,
        sampling_rate=rate,
    )


def stable_audio() -> Any:
    return StableAudioPipeline(
        vae=oobleck(16000),
        text_encoder=t5_encoder(),
        projection_model=StableAudioProjectionModel(WIDTH, WIDTH, 0, 64),
        tokenizer=t5_tokenizer(64),
        transformer=StableAudioDiTModel(
            sample_size=60,
            in_channels=8,
            out_channels=8,
            num_layers=1,
            attention_head_dim=8,
            num_attention_heads=2,
            num_key_value_attention_heads=2,
            cross_attention_dim=WIDTH,
            time_proj_dim=8,
            global_states_input_dim=2 * WIDTH,
            cross_attention_input_dim=WIDTH,
        ),
        scheduler=CosineDPMSolverMultistepScheduler(sigma_min=0.3, sigma_max=500, solver_order=2),
    )


def stable_audio_3() -> Any:
    vocabulary = letters("<pad>", "<eos>", "<bos>", "<unk>", "<mask>", space="▁")
    inner = {
        "vocab_size": 128,
        "hidden_size": WIDTH,
        "intermediate_size": 32,
        "num_hidden_layers": 1,
        "num_attention_heads": 2,
        "num_key_value_heads": 1,
        "head_dim": 8,
        "layer_types": ["full_attention"],
    }
    text = tf.T5GemmaConfig(encoder=inner, decoder=inner, is_encoder_decoder=False)
    return StableAudio3Pipeline(
        vae=AutoencoderSAME(
            patch_size=16,
            encoder_channels=8,
            encoder_c_mults=(2,),
            encoder_strides=(16,),
            encoder_transformer_depths=(1,),
            latent_dim=8,
            dim_heads=8,
            sampling_rate=16000,
        ),
        text_encoder=tf.T5GemmaEncoderModel(text),
        tokenizer=tf.GemmaTokenizerFast(vocab=vocabulary, merges=[]),
        duration_embedder=StableAudio3DurationEmbedder(output_dim=WIDTH, max_val=32.0),
        transformer=StableAudio3DiTModel(
            io_channels=8,
            embed_dim=32,
            depth=1,
            num_heads=2,
            cond_token_dim=WIDTH,
            global_cond_dim=WIDTH,
            local_add_cond_dim=9,
            timestep_features_dim=16,
            num_memory_tokens=2,
        ),
        scheduler=FlowMatchEulerDiscreteScheduler(
            num_train_timesteps=1, shift=1.0, stochastic_sampling=True
        ),
    )


def ace_step() -> Any:
    special = "<|endoftext|>"
    tokenizer = tf.Qwen2TokenizerFast(vocab=letters(special), merges=[], model_max_length=400)
    heads = {"num_attention_heads": 2, "num_key_value_heads": 1, "head_dim": 8}
    text = tf.Qwen3Config(
        vocab_size=128,
        hidden_size=WIDTH,
        intermediate_size=32,
        num_hidden_layers=1,
        layer_types=["full_attention"],
        **heads,
    )
    condition = AceStepConditionEncoder(
        hidden_size=WIDTH,
        intermediate_size=32,
        text_hidden_dim=WIDTH,
        timbre_hidden_dim=8,
        num_lyric_encoder_hidden_layers=1,
        num_timbre_encoder_hidden_layers=1,
        **heads,
    )
    condition.silence_latent = torch.randn(1, 15_000, 8)
    return AceStepPipeline(
        vae=oobleck(16000),
        text_encoder=tf.Qwen3Model(text),
        tokenizer=tokenizer,
        transformer=AceStepTransformer1DModel(
            hidden_size=WIDTH,
            intermediate_size=32,
            num_hidden_layers=1,
            in_channels=24,
            audio_acoustic_hidden_dim=8,
            encoder_hidden_size=WIDTH,
            is_turbo=True,
            **heads,
        ),
        condition_encoder=condition,
        scheduler=FlowMatchEulerDiscreteScheduler(num_train_timesteps=1, shift=1.0),
    )


def clap() -> Any:
    text = {
        "vocab_size": 160,
        "hidden_size": WIDTH,
        "intermediate_size": 32,
        "num_hidden_layers": 1,
        "num_attention_heads": 2,
        "max_position_embeddings": 80,
        "projection_dim": WIDTH,
    }
    audio = {
        "spec_size": 64,
        "window_size": 4,
        "num_mel_bins": 64,
        "patch_embeds_hidden_size": 8,
        "depths": [1, 1],
        "num_attention_heads": [1, 1],
        "num_hidden_layers": 2,
        "hidden_size": 192,
        "projection_dim": WIDTH,
        "patch_stride": 4,
    }
    return tf.ClapModel(tf.ClapConfig(text_config=text, audio_config=audio, projection_dim=WIDTH))


def roberta_tokenizer() -> Any:
    vocabulary = letters("<s>", "<pad>", "</s>", "<unk>", "<mask>")
    return tf.RobertaTokenizerFast(vocab=vocabulary, merges=[], model_max_length=64)


def mel_parts() -> dict[str, Any]:
    return {
        "vae": AutoencoderKL(
            in_channels=1,
            out_channels=1,
            down_block_types=("DownEncoderBlock2D",) * 2,
            up_block_types=("UpDecoderBlock2D",) * 2,
            block_out_channels=(4, 4),
            latent_channels=4,
            norm_num_groups=2,
        ),
        "text_encoder": clap(),
        "tokenizer": roberta_tokenizer(),
        "feature_extractor": tf.ClapFeatureExtractor(sampling_rate=16000),
        "scheduler": DDIMScheduler(clip_sample=False),
        "vocoder": tf.SpeechT5HifiGan(
            tf.SpeechT5HifiGanConfig(
                model_in_dim=16,
                sampling_rate=16000,
                upsample_initial_channel=8,
                upsample_rates=[8, 4, 5],
                upsample_kernel_sizes=[16, 8, 10],
                resblock_kernel_sizes=[3],
                resblock_dilation_sizes=[[1]],
                normalize_before=False,
            )
        ),
    }


UNET = {
    "sample_size": 256,
    "in_channels": 4,
    "out_channels": 4,
    "layers_per_block": 1,
    "block_out_channels": (4, 8),
    "down_block_types": ("DownBlock2D", "CrossAttnDownBlock2D"),
    "up_block_types": ("CrossAttnUpBlock2D", "UpBlock2D"),
    "norm_num_groups": 2,
    "attention_head_dim": 2,
}


def audioldm2() -> Any:
    return AudioLDM2Pipeline(
        **mel_parts(),
        text_encoder_2=t5_encoder(),
        tokenizer_2=t5_tokenizer(64),
        projection_model=AudioLDM2ProjectionModel(WIDTH, WIDTH, WIDTH),
        language_model=tf.GPT2LMHeadModel(
            tf.GPT2Config(
                n_embd=WIDTH, n_layer=1, n_head=2, n_positions=128, vocab_size=64, max_new_tokens=8
            )
        ),
        unet=AudioLDM2UNet2DConditionModel(**UNET, cross_attention_dim=([None, WIDTH, WIDTH],) * 2),
    )


def musicldm() -> Any:
    unet = UNet2DConditionModel(
        **{
            **UNET,
            "cross_attention_dim": (4, 8),
            "class_embed_type": "simple_projection",
            "projection_class_embeddings_input_dim": WIDTH,
            "class_embeddings_concat": True,
        }
    )
    return MusicLDMPipeline(**mel_parts(), unet=unet)


def riffusion() -> Any:
    vocabulary = letters("<|startoftext|>", "<|endoftext|>", end="</w>")
    return StableDiffusionPipeline(
        vae=AutoencoderKL(
            in_channels=3,
            out_channels=3,
            down_block_types=("DownEncoderBlock2D",) * 4,
            up_block_types=("UpDecoderBlock2D",) * 4,
            block_out_channels=(4, 4, 4, 4),
            latent_channels=4,
            norm_num_groups=2,
            layers_per_block=1,
        ),
        text_encoder=tf.CLIPTextModel(
            tf.CLIPTextConfig(
                vocab_size=256,
                hidden_size=WIDTH,
                intermediate_size=32,
                num_hidden_layers=1,
                num_attention_heads=2,
                max_position_embeddings=77,
            )
        ),
        tokenizer=tf.CLIPTokenizer(vocab=vocabulary, merges=[], model_max_length=77),
        unet=UNet2DConditionModel(**{**UNET, "sample_size": 64}, cross_attention_dim=WIDTH),
        scheduler=DDIMScheduler(
            clip_sample=False, steps_offset=1, beta_start=0.00085, beta_end=0.012
        ),
        safety_checker=None,
        feature_extractor=None,
        requires_safety_checker=False,
    )


MAKERS: Mapping[str, Callable[[], Any]] = {
    "stable-audio": stable_audio,
    "stable-audio-3": stable_audio_3,
    "ace-step": ace_step,
    "audioldm2": audioldm2,
    "musicldm": musicldm,
    "riffusion": riffusion,
}


def make(family: str, folder: Path) -> Path:
    """Save a pipeline and return its folder."""
    with warnings.catch_warnings(), torch.random.fork_rng():
        warnings.simplefilter("ignore")  # what libraries say of their own
        for one in (of_diffusers, of_transformers):
            one.set_verbosity_error()
            one.disable_progress_bar()
        torch.manual_seed(1)
        pipeline = MAKERS[family]()
        for part in pipeline.components.values():
            if isinstance(part, torch.nn.Module):
                louder(part)
        pipeline.save_pretrained(folder, safe_serialization=True)
    return folder


def louder(part: Any) -> None:
    """Make what was not learned louder than new weights are, so that prompts and steps matter."""
    with torch.no_grad():
        for values in part.parameters():
            if values.dim() > 1 and values[0].numel() > 1:
                values.normal_(0.0, values[0].numel() ** -0.5)
