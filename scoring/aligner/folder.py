"""A trained aligner as a folder: ``aligner.json``, ``aligner.safetensors`` and ``CARD.md``; and where to load from."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from domain.errors import ScoringError
from scoring.aligner.compact import CompactAligner, CompactShape
from scoring.aligner.protocol import Aligner, AlignerKind

FORMAT = 1
CONFIG, WEIGHTS, CARD = "aligner.json", "aligner.safetensors", "CARD.md"
LARGEST = 2**20
"""Most rows, layers or numbers that a configuration may ask for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """What stands in ``aligner.json``.

    Attributes:
        kind: The network.
        shape: Its size, as the dataclass of the network has it.
        encoder_id: The encoder whose embeddings it takes.
        card: What is told about the training: data, plan and figures.
    """

    kind: AlignerKind
    shape: Mapping[str, Any]
    encoder_id: str
    card: Mapping[str, Any] = field(default_factory=dict)


def save(folder: Path, config: Config, weights: Mapping[str, NDArray[Any]], card: str) -> None:
    """Write an aligner into ``folder``, which is made when it is not there; the configuration last."""
    from safetensors.numpy import save_file  # noqa: PLC0415 - part of an extra

    folder.mkdir(parents=True, exist_ok=True)
    save_file({name: np.array(one, order="C") for name, one in weights.items()}, folder / WEIGHTS)
    (folder / CARD).write_text(card, encoding="utf-8")
    content = {"format": FORMAT, **asdict(config)}
    text = json.dumps(content, indent=1, ensure_ascii=False)
    (folder / CONFIG).write_text(text + "\n", encoding="utf-8")


def read_config(folder: Path) -> Config:
    """Read ``aligner.json``.

    Raises:
        ScoringError: It is not there, not an aligner's or of another version.
    """
    try:
        content = json.loads((folder / CONFIG).read_text(encoding="utf-8"))
        version = content.pop("format")
        config = Config(**{**content, "kind": AlignerKind(content["kind"])})
        sizes = [value for value in config.shape.values() if isinstance(value, int)]
    except OSError as error:
        raise ScoringError(f"There is no aligner in {folder}: {error.strerror}.") from None
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ScoringError(f"{folder / CONFIG} is not an aligner's ({error}).") from None
    if version != FORMAT:
        raise ScoringError(
            f"{folder} holds an aligner of another version ({version}). Train it again."
        )
    if not all(0 < size <= LARGEST for size in sizes):
        raise ScoringError(f"{folder / CONFIG} names sizes that cannot be.")
    return config


def load(path: Path) -> Aligner:
    """Load an aligner.

    Args:
        path: A folder that ``train aligner`` wrote, or a checkpoint file of AlignerV2, which needs PyTorch.

    Raises:
        ScoringError: It is not there, damaged, not an aligner, or a package is missing. Nothing but tensors and plain
            values is ever unpickled.
    """
    try:
        if path.is_file():
            from scoring.aligner.checkpoint import read_checkpoint  # noqa: PLC0415 - needs PyTorch

            return read_checkpoint(path)
        config = read_config(path)
        if config.kind is AlignerKind.COMPACT:
            return _compact(path, config)
        return _seed(path, config)
    except ImportError as error:
        raise ScoringError(
            f"The aligner {path} needs a package that is not installed ({error.name}): "
            "pip install torch==2.13.0 safetensors"
        ) from None


def _weights(folder: Path) -> dict[str, NDArray[Any]]:
    from safetensors import SafetensorError  # noqa: PLC0415 - part of an extra
    from safetensors.numpy import load_file  # noqa: PLC0415

    try:
        return dict(load_file(folder / WEIGHTS))
    except (OSError, SafetensorError, ValueError, KeyError) as error:
        reason = str(error).splitlines()[0]
        raise ScoringError(f"{folder / WEIGHTS} cannot be read: {reason}") from None


def _compact(folder: Path, config: Config) -> Aligner:
    try:
        shape = CompactShape(**config.shape)
        shape.weights()
    except (TypeError, ZeroDivisionError) as error:
        raise ScoringError(f"{folder / CONFIG} is not an aligner's ({error}).") from None
    return CompactAligner(_weights(folder), shape, config.encoder_id)


def _seed(folder: Path, config: Config) -> Aligner:
    import torch  # noqa: PLC0415 - only for this network

    from scoring.aligner.seed import SeedAligner  # noqa: PLC0415
    from scoring.aligner.seed_network import SeedNetwork, SeedShape  # noqa: PLC0415

    try:
        with torch.device("meta"):
            network = SeedNetwork(SeedShape(**config.shape))
        weights = {name: torch.from_numpy(one) for name, one in _weights(folder).items()}
        network.load_state_dict(weights, assign=True)
    except (TypeError, RuntimeError) as error:
        reason = str(error).splitlines()[0]
        raise ScoringError(f"{folder} does not hold what {CONFIG} says: {reason}") from None
    return SeedAligner(network, config.encoder_id)
