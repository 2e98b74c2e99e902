"""Tiny checkpoints with random weights, written in the formats in which the real ones are published."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file
from transformers import (
    ClapConfig,
    ClapModel,
    HubertConfig,
    HubertModel,
    Wav2Vec2Config,
    Wav2Vec2ForPreTraining,
    WavLMConfig,
    WavLMModel,
)

from scoring.encoder import Kind, Weights

WIDTH, LAYERS = 24, 3
SPEECH: dict[str, Any] = {
    "hidden_size": WIDTH,
    "num_hidden_layers": LAYERS,
    "num_attention_heads": 4,
    "intermediate_size": 32,
    "conv_dim": [16] * 7,
    "conv_stride": [5, 2, 2, 2, 2, 2, 2],
    "conv_kernel": [10, 3, 3, 3, 3, 2, 2],
    "num_conv_pos_embeddings": 16,
    "num_conv_pos_embedding_groups": 4,
    "mask_time_prob": 0.05,
}
MERT_ONLY: dict[str, Any] = {
    "model_type": "mert_model",
    "architectures": ["MERTModel"],
    "auto_map": {
        "AutoConfig": "configuration_MERT.MERTConfig",
        "AutoModel": "modeling_MERT.MERTModel",
    },
    "attention_relax": -1.0,
    "deepnorm": False,
    "feature_extractor_cqt": False,
    "feature_extractor_cqt_bins": 336,
    "sample_rate": 24000,
    "torch_dtype": "float32",
}
EAR = {"feature_extractor_type": "Wav2Vec2FeatureExtractor", "do_normalize": True}
CLAP_WIDTH = 12


def weights(folder: Path, kind: Kind, name: str = "tiny") -> Weights:
    return Weights(
        name=name, kind=kind, folder=folder, licence="CC-BY-NC-4.0", fingerprint="12345678"
    )


def published(state: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """The names that checkpoints of before PyTorch 2 have: weight norm as ``weight_g`` and ``weight_v``."""
    return {
        name.replace("parametrizations.weight.original0", "weight_g").replace(
            "parametrizations.weight.original1", "weight_v"
        ): tensor.clone()
        for name, tensor in state.items()
    }


def write_json(folder: Path, name: str, values: dict[str, Any]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text(json.dumps(values), encoding="utf-8")


def mert(folder: Path, *, safe: bool = False, stable: bool = False, seed: int = 0) -> HubertModel:
    """Write a MERT checkpoint as its authors do, and return the network that it must become."""
    torch.manual_seed(seed)
    shape = {**SPEECH, "do_stable_layer_norm": stable}
    if stable:
        shape |= {"feat_extract_norm": "layer", "conv_bias": True}
    network = HubertModel(HubertConfig(**shape)).eval()
    write_json(folder, "config.json", {**shape, **MERT_ONLY})
    write_json(folder, "preprocessor_config.json", {**EAR, "sampling_rate": 24000})
    state = published(network.state_dict())
    if safe:
        save_file(state, folder / "model.safetensors")
    else:
        torch.save(state, folder / "pytorch_model.bin")
    return network


def wav2vec2(folder: Path) -> Wav2Vec2ForPreTraining:
    """A wav2vec 2.0 checkpoint of pre-training: the network under a prefix, heads beside it."""
    torch.manual_seed(1)
    config = Wav2Vec2Config(
        **SPEECH, num_codevectors_per_group=8, codevector_dim=16, proj_codevector_dim=16
    )
    network = Wav2Vec2ForPreTraining(config).eval()
    write_json(folder, "config.json", config.to_dict())
    write_json(folder, "preprocessor_config.json", {**EAR, "sampling_rate": 16000})
    torch.save(published(network.state_dict()), folder / "pytorch_model.bin")
    return network


def wavlm(folder: Path) -> WavLMModel:
    """A WavLM checkpoint that does not standardise its input."""
    torch.manual_seed(2)
    config = WavLMConfig(**SPEECH)
    network = WavLMModel(config).eval()
    write_json(folder, "config.json", config.to_dict())
    write_json(
        folder, "preprocessor_config.json", {**EAR, "do_normalize": False, "sampling_rate": 16000}
    )
    save_file(published(network.state_dict()), folder / "model.safetensors")
    return network


def clap(folder: Path) -> ClapModel:
    """Write a CLAP checkpoint in the format of ``laion/larger_clap_music``, with a byte-level tokenizer."""
    torch.manual_seed(3)
    config = ClapConfig(
        text_config={
            "vocab_size": 300,
            "hidden_size": 16,
            "num_hidden_layers": 2,
            "num_attention_heads": 2,
            "intermediate_size": 24,
            "max_position_embeddings": 42,
            "projection_dim": CLAP_WIDTH,
        },
        audio_config={
            "hidden_size": 64,
            "patch_embeds_hidden_size": 8,
            "depths": [1, 1, 1, 1],
            "num_attention_heads": [1, 1, 2, 2],
            "projection_dim": CLAP_WIDTH,
            "enable_fusion": False,
        },
        projection_dim=CLAP_WIDTH,
    )
    network = ClapModel(config).eval()
    write_json(folder, "config.json", config.to_dict())
    write_json(
        folder,
        "preprocessor_config.json",
        {
            "feature_extractor_type": "ClapFeatureExtractor",
            "feature_size": 64,
            "sampling_rate": 48000,
            "hop_length": 480,
            "max_length_s": 10,
            "fft_window_size": 1024,
            "frequency_min": 50,
            "frequency_max": 14000,
            "padding": "repeatpad",
            "truncation": "rand_trunc",
        },
    )
    save_file(
        {name: one.contiguous().clone() for name, one in network.state_dict().items()},
        folder / "model.safetensors",
    )
    _tokenizer(folder)
    return network


def _tokenizer(folder: Path) -> None:
    visible = [chr(code) for code in range(33, 127)] + ["Ġ"]
    words = ["<s>", "<pad>", "</s>", "<unk>", *visible, "<mask>"]
    (folder / "vocab.json").write_text(json.dumps({word: i for i, word in enumerate(words)}))
    (folder / "merges.txt").write_text("#version: 0.2\n")
    write_json(folder, "tokenizer_config.json", {"tokenizer_class": "RobertaTokenizer"})
