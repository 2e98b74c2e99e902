"""A tiny MusicGen with nothing learned, saved in the real format."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

torch = pytest.importorskip("torch", reason="PYTORCH IS MISSING: MusicGen was not tested")
pytest.importorskip("transformers", reason="TRANSFORMERS IS MISSING: MusicGen was not tested")

WORDS = [
    "slow",
    "fast",
    "lofi",
    "jazz",
    "with",
    "piano",
    "drums",
    "and",
    "bass",
    "warm",
    "bright",
    "techno",
    "rain",
]
TOKENS = 64


MOMENTS = 20
"""Of the melody model's melodies."""


def make(folder: Path, *, channels: int = 1, width: int = 64, melody: bool = False) -> Any:
    """Save a checkpoint and return transformers' model of it."""
    from tokenizers import Tokenizer, models, pre_tokenizers, processors  # noqa: PLC0415
    from transformers import (  # noqa: PLC0415
        EncodecConfig,
        MusicgenConfig,
        MusicgenDecoderConfig,
        MusicgenForConditionalGeneration,
        MusicgenMelodyConfig,
        MusicgenMelodyDecoderConfig,
        MusicgenMelodyForConditionalGeneration,
        PreTrainedTokenizerFast,
        T5Config,
    )

    torch.manual_seed(channels)
    text = T5Config(
        vocab_size=TOKENS,
        d_model=32,
        d_kv=8,
        d_ff=64,
        num_layers=2,
        num_heads=4,
        is_gated_act=False,
    )
    codec = EncodecConfig(
        sampling_rate=32000,
        target_bandwidths=[1.2],
        upsampling_ratios=[8, 5, 4, 4],
        num_filters=4,
        hidden_size=16,
        codebook_size=TOKENS,
        num_residual_layers=1,
        num_lstm_layers=1,
        audio_channels=1,
        normalize=False,
        use_causal_conv=False,
        use_conv_shortcut=False,
    )
    decoder = (MusicgenMelodyDecoderConfig if melody else MusicgenDecoderConfig)(
        vocab_size=TOKENS,
        num_hidden_layers=2,
        ffn_dim=2 * width,
        num_attention_heads=4,
        hidden_size=width,
        num_codebooks=4 * channels,
        pad_token_id=TOKENS,
        bos_token_id=TOKENS,
        audio_channels=channels,
    )
    parts = {
        "text_encoder": text.to_dict(),
        "audio_encoder": codec.to_dict(),
        "decoder": decoder.to_dict(),
    }
    if melody:
        config = MusicgenMelodyConfig(**parts, chroma_length=MOMENTS)
        model = MusicgenMelodyForConditionalGeneration(config).eval()
    else:
        model = MusicgenForConditionalGeneration(MusicgenConfig(**parts)).eval()
    with torch.no_grad():  # louder than at the start of training, so that prompts and steps matter
        for values in model.decoder.parameters():
            if values.dim() > 1:
                values.normal_(0.0, 0.3)
        if melody:
            model.audio_enc_to_dec_proj.weight.normal_(0.0, 1.0)
            model.audio_enc_to_dec_proj.bias.normal_(0.0, 0.3)
        for (
            layer
        ) in model.audio_encoder.quantizer.layers:  # all zero when new: any code would sound alike
            layer.codebook.embed.normal_()
    rules = model.generation_config
    rules.decoder_start_token_id = rules.pad_token_id = rules.bos_token_id = TOKENS
    rules.max_length = 1500
    model.save_pretrained(folder)
    names = {"<pad>": 0, "</s>": 1, "<unk>": 2} | {word: n for n, word in enumerate(WORDS, 3)}
    tokenizer = Tokenizer(models.WordLevel(names, unk_token="<unk>"))  # noqa: S106
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer.post_processor = processors.TemplateProcessing(
        single="$A </s>", special_tokens=[("</s>", 1)]
    )
    special = {"eos_token": "</s>", "pad_token": "<pad>", "unk_token": "<unk>"}
    PreTrainedTokenizerFast(tokenizer_object=tokenizer, **special).save_pretrained(folder)
    return model


def written_by_transformers(
    model: Any, tokens: Any, mask: Any, frames: int, guidance: float, **more: Any
) -> Any:
    """Return the codes (rows, codebooks, frames) that transformers' own greedy generation gives to its codec."""
    seen = []
    decode = model.audio_encoder.decode

    def spy(codes: Any, *rest: Any, **named: Any) -> Any:
        seen.append(codes[0])
        return decode(codes, *rest, **named)

    model.audio_encoder.decode = spy
    try:
        model.generate(
            input_ids=tokens,
            attention_mask=mask,
            do_sample=False,
            guidance_scale=guidance,
            max_new_tokens=frames + 3,
            **more,
        )
    finally:
        model.audio_encoder.decode = decode
    return seen[0] if len(seen) == 1 else torch.stack(seen, dim=2).flatten(1, 2)


@pytest.fixture(scope="session")
def mono(tmp_path_factory) -> tuple[Path, Any]:
    """Folder and transformers' model of a mono checkpoint."""
    folder = tmp_path_factory.mktemp("musicgen")
    return folder, make(folder)


@pytest.fixture(scope="session")
def stereo(tmp_path_factory) -> tuple[Path, Any]:
    """Folder and transformers' model of a stereo checkpoint."""
    folder = tmp_path_factory.mktemp("musicgen-stereo")
    return folder, make(folder, channels=2)


@pytest.fixture(scope="session")
def tuned(tmp_path_factory) -> tuple[Path, Any]:
    """Folder and transformers' model of a checkpoint that follows melodies."""
    folder = tmp_path_factory.mktemp("musicgen-melody")
    return folder, make(folder, melody=True)


@pytest.fixture(autouse=True)
def one_thread():
    """Keep small models on one thread: more are slower on shared cores."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)
