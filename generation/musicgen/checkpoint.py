"""A MusicGen checkpoint on disk, in the format that transformers saves, as text encoder, decoder and codec.

Nothing is fetched: ``python bot.py models pull musicgen-small`` does that.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from domain.errors import GenerationError
from generation.musicgen.codec import Codec
from generation.musicgen.decoder import Decoder, packed
from generation.musicgen.shapes import Shape
from generation.musicgen.text import TextEncoder

KIND = "musicgen"
WEIGHTS = (
    "model.safetensors",
    "model.safetensors.index.json",
    "pytorch_model.bin",
    "pytorch_model.bin.index.json",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """What a checkpoint consists of."""

    text: TextEncoder
    decoder: Decoder
    codec: Codec


def read_config(folder: Path) -> dict[str, Any]:
    """Return a checkpoint's configuration.

    Raises:
        GenerationError: There is no checkpoint of MusicGen; says what is there instead.
    """
    file = folder / "config.json"
    try:
        config = json.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise GenerationError(
            f"There is no MusicGen checkpoint in {folder}: it has no config.json. "
            "python bot.py models pull musicgen-small fetches one."
        ) from None
    except (OSError, ValueError) as error:
        raise GenerationError(f"{file} cannot be read ({error}). Fetch the model again.") from None
    kind = config.get("model_type") if isinstance(config, dict) else None
    if kind != KIND or not isinstance(config.get("decoder"), dict):
        raise GenerationError(
            f"{folder} holds a model of the type {kind!r} and not MusicGen; name another folder."
        )
    if not any((folder / name).is_file() for name in WEIGHTS):
        raise GenerationError(f"{folder} has no weights ({WEIGHTS[0]}). Fetch the model again.")
    return dict(config)


def load(folder: Path, *, device: str = "cpu", dtype: torch.dtype = torch.bfloat16) -> Model:
    """Load a checkpoint.

    Args:
        folder: With ``config.json``, weights and the tokenizer's files.
        device: Such as ``"cpu"`` or ``"cuda:0"``.
        dtype: Of the decoder. Text encoder and codec, which are small, stay in float32.

    Raises:
        GenerationError: There is no such checkpoint, or it is damaged; says what is wrong.
    """
    shape = Shape.from_config(read_config(folder)["decoder"])
    whole, tokenizer = _read(folder)
    decoder = Decoder(shape, packed(whole.decoder.state_dict(), shape, device=device, dtype=dtype))
    whole.decoder = None  # packed; the rest goes on
    project = getattr(whole, "enc_to_dec_proj", None)
    return Model(
        text=TextEncoder(
            whole.text_encoder.to(device),
            None if project is None else project.to(device),
            tokenizer,
        ),
        decoder=decoder,
        codec=Codec(whole.audio_encoder.to(device), shape),
    )


def _read(folder: Path) -> tuple[Any, Any]:
    """Return transformers' model in evaluation mode, and its tokenizer."""
    from safetensors import SafetensorError  # noqa: PLC0415 - heavy, as transformers
    from transformers import (  # noqa: PLC0415
        AutoTokenizer,
        MusicgenForConditionalGeneration,
    )
    from transformers.utils import logging  # noqa: PLC0415

    logging.disable_progress_bar()  # type: ignore[no-untyped-call]

    try:
        loaded: Any = MusicgenForConditionalGeneration.from_pretrained(
            folder, local_files_only=True, output_loading_info=True, dtype=torch.float32
        )
        whole, report = loaded
        tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True)
    except (OSError, ValueError, RuntimeError, KeyError, SafetensorError) as error:
        raise GenerationError(
            f"The checkpoint in {folder} cannot be loaded: {_first_line(error)} "
            "It is damaged or cut off; fetch the model again."
        ) from None
    missing = sorted(set(report["missing_keys"]) | {str(one) for one in report["mismatched_keys"]})
    if missing:
        raise GenerationError(
            f"The checkpoint in {folder} lacks {len(missing)} tensors, such as {missing[0]}. "
            "Fetch the model again."
        )
    return whole.eval(), tokenizer


def _first_line(error: Exception) -> str:
    words = str(error).strip().splitlines()
    line = words[0][:200] if words else type(error).__name__
    return line if line.endswith(".") else f"{line}."
