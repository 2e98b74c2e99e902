"""A MusicGen checkpoint on disk, in the format that transformers saves, as its parts.

Nothing is fetched: ``python bot.py models pull musicgen-small`` does that.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

import torch

from domain.errors import GenerationError
from generation.musicgen.chroma import CLASSES
from generation.musicgen.codec import Codec
from generation.musicgen.decoder import Decoder
from generation.musicgen.front import Front
from generation.musicgen.shapes import Shape
from generation.musicgen.text import TextEncoder
from generation.musicgen.weights import packed

WEIGHTS = (
    "model.safetensors",
    "model.safetensors.index.json",
    "pytorch_model.bin",
    "pytorch_model.bin.index.json",
)


class Kind(StrEnum):
    """What a checkpoint is, as its configuration says."""

    PLAIN = "musicgen"
    """Attends to its prompt."""
    MELODY = "musicgen_melody"
    """Has prompt and melody in front of a clip."""


_PULL = {Kind.PLAIN: "musicgen-small", Kind.MELODY: "musicgen-melody"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """What a checkpoint consists of; ``front`` only that of a melody model."""

    text: TextEncoder
    decoder: Decoder
    codec: Codec
    front: Front | None = None


def text_width(folder: Path) -> int:
    """Return the numbers of a state of a checkpoint's text encoder; 0 where there is no checkpoint to tell."""
    try:
        config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
        return int(config["text_encoder"]["d_model"])
    except (OSError, ValueError, KeyError, TypeError):
        return 0


def read_config(folder: Path, kind: Kind = Kind.PLAIN) -> dict[str, Any]:
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
            f"python bot.py models pull {_PULL[kind]} fetches one."
        ) from None
    except (OSError, ValueError) as error:
        raise GenerationError(f"{file} cannot be read ({error}). Fetch the model again.") from None
    found = config.get("model_type") if isinstance(config, dict) else None
    if found != kind or not isinstance(config.get("decoder"), dict):
        raise GenerationError(
            f"{folder} holds a model of the type {found!r} and not MusicGen ({kind.value}); name another folder."
        )
    if not any((folder / name).is_file() for name in WEIGHTS):
        raise GenerationError(f"{folder} has no weights ({WEIGHTS[0]}). Fetch the model again.")
    return dict(config)


def load(
    folder: Path,
    kind: Kind = Kind.PLAIN,
    *,
    device: str = "cpu",
    dtype: torch.dtype = torch.bfloat16,
) -> Model:
    """Load a checkpoint.

    Args:
        folder: With ``config.json``, weights and the tokenizer's files.
        kind: What it should be.
        device: Such as ``"cpu"`` or ``"cuda:0"``.
        dtype: Of the decoder. Text encoder and codec, which are small, stay in float32.

    Raises:
        GenerationError: There is no such checkpoint, or it is damaged; says what is wrong.
    """
    config = read_config(folder, kind)
    moments = _moments(config) if kind is Kind.MELODY else 0
    shape = Shape.from_config(config["decoder"], melody=moments)
    whole, tokenizer = _read(folder, kind)
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
        front=Front(whole.audio_enc_to_dec_proj.to(device), moments) if moments else None,
    )


def _moments(config: Mapping[str, Any]) -> int:
    """Return how many moments of a melody a model reads."""
    classes, moments = config.get("num_chroma", CLASSES), config.get("chroma_length", 235)
    if classes != CLASSES or not isinstance(moments, int) or moments < 1:
        raise GenerationError(
            f"The model reads melodies of {moments!r} moments in {classes!r} pitch classes, which is another kind "
            "than MusicGen's."
        )
    return moments


def _read(folder: Path, kind: Kind) -> tuple[Any, Any]:
    """Return transformers' model in evaluation mode, and its tokenizer."""
    from safetensors import SafetensorError  # noqa: PLC0415 - heavy, as transformers
    from transformers import (  # noqa: PLC0415
        AutoTokenizer,
        MusicgenForConditionalGeneration,
        MusicgenMelodyForConditionalGeneration,
    )
    from transformers.utils import logging  # noqa: PLC0415

    logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    network: Any = (
        MusicgenForConditionalGeneration
        if kind is Kind.PLAIN
        else MusicgenMelodyForConditionalGeneration
    )
    try:
        loaded: Any = network.from_pretrained(
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
