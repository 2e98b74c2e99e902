"""Devices that PyTorch can compute on."""

from __future__ import annotations

import torch

from domain.errors import GenerationError


def device_here(asked: str) -> torch.device:
    """Return a device that is here.

    Args:
        asked: ``"auto"`` for a GPU where there is one, or a name of PyTorch's, such as ``"cpu"`` or ``"cuda:1"``.

    Raises:
        GenerationError: It is not.
    """
    count = torch.cuda.device_count() if torch.cuda.is_available() else 0
    device = torch.device(("cuda:0" if count else "cpu") if asked == "auto" else asked)
    if device.type == "cuda" and (device.index or 0) >= count:
        sees = f"{count} of them" if count else "no GPU"
        raise GenerationError(f"There is no device {asked}; PyTorch sees {sees} here.")
    if device.type == "mps" and not torch.backends.mps.is_available():
        raise GenerationError(f"There is no device {asked}; PyTorch sees none here.")
    return device
