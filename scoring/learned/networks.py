"""Networks of the hub that read waveforms, loaded without any code from the hub: MERT, HuBERT, wav2vec 2.0, WavLM."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from huggingface_hub.errors import StrictDataclassError
from transformers import AutoConfig, AutoModel, HubertConfig, HubertModel, PreTrainedConfig
from transformers.modeling_utils import PreTrainedModel

from domain.errors import ScoringError
from scoring.encoder import LEARNED_VERSION, EncoderInfo, Weights
from scoring.learned.checkpoint import PREPROCESSOR, fill, read_json, read_weights
from scoring.learned.hearing import Hearing
from scoring.learned.waves import Runtime, WaveEncoder

MERT_RATE, SPEECH_RATE = 24000, 16000
MERT_PREFIXES = ("mert_model.", "music_hubert.", "hubert.")
WAVE_TYPES = (
    "data2vec-audio",
    "hubert",
    "sew",
    "unispeech",
    "unispeech-sat",
    "wav2vec2",
    "wavlm",
)
"""Types of the hub whose networks take raw waveforms and give layers."""
UNTRAINED = {"apply_spec_augment": False, "mask_time_prob": 0.0, "mask_feature_prob": 0.0}
"""Settings of training that listening has no use for."""


def load_mert(weights: Weights, runtime: Runtime) -> WaveEncoder:
    """Load MERT-v1 into transformers' own HuBERT, of which it is one, at 24 kHz.

    Raises:
        ScoringError: The folder holds no such checkpoint, or one that HuBERT cannot stand in for.
    """
    given = read_json(weights.folder)
    for key, words in (
        ("feature_extractor_cqt", "reads a constant-Q transform besides the waveform"),
        ("deepnorm", "scales its residuals (DeepNorm)"),
    ):
        if given.get(key):
            raise ScoringError(
                f"The MERT model in {weights.folder} {words}; that is not supported."
            )
    own = set(HubertConfig().to_dict()) - {"model_type", "architectures", "dtype"}
    config = _config(HubertConfig, {k: v for k, v in given.items() if k in own}, weights.folder)
    plan = _Plan(config=config, rate=MERT_RATE, prefixes=MERT_PREFIXES)
    return _wave_encoder(weights, plan, runtime)


def load_hub(weights: Weights, runtime: Runtime) -> WaveEncoder:
    """Load any network of ``WAVE_TYPES``.

    Raises:
        ScoringError: It is of another type, wants code from the hub, or its weights do not fit.
    """
    given = read_json(weights.folder)
    kind = str(given.get("model_type", ""))
    if kind not in WAVE_TYPES:
        wants = " and brings code of its own, which is never run" if given.get("auto_map") else ""
        message = (
            f"The model in {weights.folder} is of type {kind or 'unknown'}{wants}. Encoders from the hub must be one of"
            f" {', '.join(WAVE_TYPES)}."
        )
        raise ScoringError(message)
    left = {key: value for key, value in given.items() if key not in {"auto_map", "model_type"}}
    config = _config(type(AutoConfig.for_model(kind)), left, weights.folder)
    return _wave_encoder(weights, _Plan(config=config, rate=SPEECH_RATE), runtime)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Plan:
    """What is loaded: a configuration, the sample rate where the checkpoint names none, what the network is called."""

    config: PreTrainedConfig
    rate: int
    prefixes: tuple[str, ...] = ()


def _config(kind: type[PreTrainedConfig], values: dict[str, Any], folder: Path) -> PreTrainedConfig:
    try:
        return kind(**{**values, **UNTRAINED})
    except (StrictDataclassError, TypeError, ValueError) as error:
        reason = str(error).partition("\n")[0]
        raise ScoringError(f"The configuration in {folder} is wrong: {reason}") from None


def _network(config: PreTrainedConfig, folder: Path) -> PreTrainedModel:
    try:
        with torch.device("meta"):
            if isinstance(config, HubertConfig):
                return HubertModel(config)
            made: PreTrainedModel = AutoModel.from_config(config)  # type: ignore[no-untyped-call]
    except (ValueError, TypeError, RuntimeError, AttributeError, ZeroDivisionError) as error:
        reason = str(error).partition("\n")[0]
        raise ScoringError(f"The configuration in {folder} makes no network: {reason}") from None
    return made


def _wave_encoder(weights: Weights, plan: _Plan, runtime: Runtime) -> WaveEncoder:
    config = plan.config
    network = _network(config, weights.folder)
    prefixes = plan.prefixes or (f"{network.base_model_prefix}.",)
    fill(network, read_weights(weights.folder), weights.folder, prefixes)
    there = (weights.folder / PREPROCESSOR).exists()
    ear = read_json(weights.folder, PREPROCESSOR) if there else {}
    return WaveEncoder(
        network,
        EncoderInfo(
            id=weights.encoder_id,
            version=LEARNED_VERSION,
            licence=weights.licence,
            dimensions=int(config.hidden_size),
            layers=int(config.num_hidden_layers) + 1,
            device=str(runtime.device),
        ),
        hearing=Hearing(
            sample_rate=int(ear.get("sampling_rate", plan.rate)),
            standardise=bool(ear.get("do_normalize", True)),
        ),
        runtime=runtime,
    )
