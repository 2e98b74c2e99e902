"""Read a checkpoint as published on the hub: configuration and weights, never code.

Weights are safetensors, or PyTorch's pickles read with ``weights_only=True``, which builds tensors and nothing else.
"""

from __future__ import annotations

import json
import pickle
import warnings
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn
from torch.nn.utils import parametrize

from domain.errors import ScoringError

CONFIG, PREPROCESSOR = "config.json", "preprocessor_config.json"
SAFE, SAFE_PARTS = "model.safetensors", "model.safetensors.index.json"
PICKLED, PICKLED_PARTS = "pytorch_model.bin", "pytorch_model.bin.index.json"
OLD_NAMES = {
    ".weight_g": ".parametrizations.weight.original0",
    ".weight_v": ".parametrizations.weight.original1",
}
"""Weight norm as older versions of PyTorch wrote it, and as this one names it."""
SURPLUS = ("masked_spec_embed", "position_ids", "token_type_ids", "num_batches_tracked")
"""Ends of names that a checkpoint may hold and a network may lack: masks of training, counters, constants."""


def read_json(folder: Path, name: str = CONFIG) -> dict[str, Any]:
    """Return a JSON file of a checkpoint.

    Raises:
        ScoringError: It is not there, or not a JSON object.
    """
    try:
        found = json.loads((folder / name).read_text(encoding="utf-8"))
    except OSError as error:
        raise ScoringError(f"{folder / name} cannot be read: {error.strerror}.") from None
    except ValueError as error:
        raise ScoringError(f"{folder / name} is not JSON ({error}).") from None
    if not isinstance(found, dict):
        raise ScoringError(f"{folder / name} is not the configuration of a model.")
    return found


def read_weights(folder: Path) -> dict[str, Tensor]:
    """Return the tensors of a checkpoint by name; safetensors before pickles, in one file or in parts.

    Raises:
        ScoringError: There is none, it is cut short, or it holds anything but tensors. Nothing in it is ever run.
    """
    for single, parts in ((SAFE, SAFE_PARTS), (PICKLED, PICKLED_PARTS)):
        if (folder / single).is_file():
            return _read(folder / single)
        if (folder / parts).is_file():
            return _read_parts(folder, parts)
    raise ScoringError(f"{folder} holds no weights: neither {SAFE} nor {PICKLED} is there.")


def _read_parts(folder: Path, index: str) -> dict[str, Tensor]:
    listed = read_json(folder, index).get("weight_map")
    names = set(listed.values()) if isinstance(listed, dict) else set()
    if not names or any(not isinstance(name, str) or Path(name).name != name for name in names):
        raise ScoringError(f"{folder / index} does not say which files hold the weights.")
    out: dict[str, Tensor] = {}
    for name in sorted(names):
        out.update(_read(folder / name))
    return out


def _read(file: Path) -> dict[str, Tensor]:
    if not file.is_file():
        raise ScoringError(f"{file} is missing; fetch the model again.")
    try:
        if file.suffix == ".safetensors":
            return load_file(file)
        with warnings.catch_warnings():
            warnings.simplefilter(
                "ignore"
            )  # of pickle versions; what cannot be read is refused below
            found = torch.load(file, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError:
        message = f"{file} holds something other than weights, so it is not loaded."
        raise ScoringError(message) from None
    except (SafetensorError, RuntimeError, OSError, EOFError, ValueError, KeyError) as error:
        reason = str(error).partition("\n")[0].rstrip(".")
        message = f"{file} is damaged or not a checkpoint ({reason}); fetch the model again."
        raise ScoringError(message) from None
    named = found.get("state_dict", found) if isinstance(found, dict) else None
    if not isinstance(named, dict) or not all(isinstance(one, Tensor) for one in named.values()):
        raise ScoringError(f"{file} is not a checkpoint: it holds no tensors by name.")
    return named


def fill(
    network: nn.Module, weights: Mapping[str, Tensor], folder: Path, prefixes: Iterable[str] = ()
) -> None:
    """Put a checkpoint's weights into a network, all of them and no others.

    Weight norm is worked out once, in float32, and leaves the plain weight.

    Args:
        network: May be on the meta device; its parameters become the checkpoint's.
        weights: As ``read_weights`` returns them, under their published names.
        folder: Where they came from, for what is said when they do not fit.
        prefixes: What the network itself may be called in a checkpoint with more around it, such as ``"hubert."``.

    Raises:
        ScoringError: A weight is missing, left over or of another shape; names it.
    """
    given = _renamed(weights, prefixes)
    wanted = network.state_dict()
    missing = [name for name in wanted if name not in given and not name.endswith(SURPLUS)]
    over = [name for name in given if name not in wanted and not name.endswith(SURPLUS)]
    for names, words in (
        (missing, "lacks"),
        (over, "has more weights than its configuration, such as"),
    ):
        if names:
            more = f" and {len(names) - 1} more" if len(names) > 1 else ""
            raise ScoringError(
                f"The checkpoint in {folder} {words} {names[0]}{more}; it cannot be used."
            )
    for name, tensor in given.items():
        if name in wanted and wanted[name].shape != tensor.shape:
            shapes = f"{tuple(tensor.shape)}, not {tuple(wanted[name].shape)}"
            raise ScoringError(f"In the checkpoint in {folder}, {name} is of shape {shapes}.")
    kept = {name: _plain(tensor) for name, tensor in given.items() if name in wanted}
    network.load_state_dict(kept, strict=False, assign=True)
    for module in list(network.modules()):
        if parametrize.is_parametrized(module, "weight"):
            parametrize.remove_parametrizations(module, "weight", leave_parametrized=True)


def _plain(tensor: Tensor) -> Tensor:
    return tensor.float() if tensor.is_floating_point() else tensor


def _renamed(weights: Mapping[str, Tensor], prefixes: Iterable[str]) -> dict[str, Tensor]:
    for prefix in prefixes:
        inner = {
            name[len(prefix) :]: one for name, one in weights.items() if name.startswith(prefix)
        }
        if inner:
            weights = inner
            break
    out = {}
    for name, tensor in weights.items():
        for old, new in OLD_NAMES.items():
            if name.endswith(old):
                name = name.removesuffix(old) + new  # noqa: PLW2901 - the same weight under its newer name
        out[name] = tensor
    return out
