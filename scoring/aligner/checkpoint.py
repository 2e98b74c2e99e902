"""Reads a checkpoint of AlignerV2 as its training wrote it: ``{"model", "optimizer", "config"}``. Needs PyTorch.

Nothing is unpickled but tensors and plain values. Sizes are read off the weights, since the configuration in the file
leaves some out and calls others by two names.
"""

from __future__ import annotations

import pickle
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from domain.errors import ScoringError
from scoring.aligner.seed import SeedAligner
from scoring.aligner.seed_network import SeedNetwork, SeedShape

WRAPPERS = ("module.", "_orig_mod.")
"""Prefixes that training in parallel or compiled puts before every name."""
GATED = ("gating", "gating-tanh")


def read_checkpoint(file: Path) -> SeedAligner:
    """Read a checkpoint, on the CPU.

    Raises:
        ScoringError: It is not there, damaged, holds more than tensors and plain values, or is of another network.
    """
    content = _content(file)
    model = content.get("model") if isinstance(content, Mapping) else None
    if not isinstance(model, Mapping):
        raise ScoringError(
            f'{file} is no checkpoint of AlignerV2: it has no weights under "model".'
        )
    weights = {_plain(str(name)): value for name, value in model.items()}
    if not all(isinstance(value, Tensor) for value in weights.values()):
        raise ScoringError(
            f'{file} is no checkpoint of AlignerV2: "model" holds what is no tensor.'
        )
    config = content.get("config")
    config = config if isinstance(config, Mapping) else {}
    aggregation = str(config.get("aggr", "gating-tanh"))
    if aggregation != "gating-tanh":
        also = " (softmax over layers)" if aggregation in GATED else ""
        raise ScoringError(
            f"{file} aggregates layers by {aggregation!r}{also}; only 'gating-tanh' can be read."
        )
    shape = _shape(file, weights, config)
    return SeedAligner(_filled(file, shape, weights), encoder_id=_encoder(config))


def _content(file: Path) -> Any:
    try:
        with warnings.catch_warnings():  # an odd pickle ends in a sentence of ours
            warnings.simplefilter("ignore")
            return torch.load(file, map_location="cpu", weights_only=True, mmap=False)
    except OSError as error:
        raise ScoringError(f"{file} cannot be read: {error.strerror or error}.") from None
    except pickle.UnpicklingError:
        raise ScoringError(
            f"{file} is not loaded: it holds more than tensors and plain values, or is no checkpoint."
        ) from None
    except (RuntimeError, EOFError, ValueError, KeyError, AttributeError, IndexError) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise ScoringError(
            f"{file} is damaged, cut off, or no checkpoint of PyTorch ({reason})."
        ) from None


def _plain(name: str) -> str:
    for prefix in WRAPPERS:
        name = name.removeprefix(prefix)
    return name


def _shape(file: Path, weights: Mapping[str, Tensor], config: Mapping[str, Any]) -> SeedShape:
    """Return the sizes that the weights have."""
    try:
        users, user_size = weights["users.weight"].shape
        hidden = weights["fc1.weight"].shape[0]
        dimensions = weights["gate_transform.weight"].shape[0]
        flat = weights["gate.weight"].shape[0]
    except KeyError as error:
        raise ScoringError(
            f"{file} is of another network than AlignerV2: {error} is missing."
        ) from None
    except (ValueError, IndexError):
        raise ScoringError(
            f"{file} is of another network than AlignerV2: its weights have other shapes."
        ) from None
    if flat % dimensions:
        raise ScoringError(
            f"{file} is damaged: its gate of {flat} is no whole number of layers of {dimensions}."
        )
    drop = config.get("drop", config.get("dropout", 0.2))
    usable = isinstance(drop, int | float) and 0.0 <= drop < 1.0
    return SeedShape(
        users=users,
        layers=flat // dimensions,
        dimensions=dimensions,
        user_size=user_size,
        hidden=hidden,
        drop=float(drop) if usable else 0.2,
    )


def _filled(file: Path, shape: SeedShape, weights: Mapping[str, Tensor]) -> SeedNetwork:
    with torch.device("meta"):  # no memory for weights that are replaced at once
        network = SeedNetwork(shape)
    expected = network.state_dict()
    for name, one in expected.items():
        if name not in weights:
            raise ScoringError(f"{file} is of another network than AlignerV2: {name} is missing.")
        found = weights[name]
        if found.shape != one.shape:
            raise ScoringError(
                f"{file} is of another network than AlignerV2: {name} is {tuple(found.shape)}, not {tuple(one.shape)}."
            )
        if not torch.isfinite(found).all():
            raise ScoringError(f"{file} is damaged: {name} holds numbers that are not finite.")
    extra = sorted(set(weights) - set(expected))
    if extra:
        raise ScoringError(f"{file} is of another network than AlignerV2: it also has {extra[0]}.")
    network.load_state_dict({name: weights[name].float() for name in expected}, assign=True)
    return network


def _encoder(config: Mapping[str, Any]) -> str:
    found = config.get("encoder", "")
    return found if isinstance(found, str) else ""
