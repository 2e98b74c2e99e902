"""How much of a device's memory a generator may take."""

from __future__ import annotations

import sys

from domain.errors import GenerationError


def too_large(name: str, device: str) -> GenerationError:
    """Return what is said when weights do not fit into the memory of a device."""
    return GenerationError(
        f"The weights of {name} do not fit into the memory of {device}. Choose a smaller model, or "
        "generation.device: cpu."
    )


def gpu_of(device: str) -> int:
    """Return the number of the GPU that ``"auto"``, ``"cuda"`` (both the first one) or ``"cuda:1"`` names."""
    return int(device.partition(":")[2] or 0)


def limit_memory(device: str, gigabytes: float) -> None:
    """Take no more than ``gigabytes`` of a GPU; a batch that needs more does not fit, as if there were no more.

    On a CPU there is no such limit: choose the batch.

    Args:
        device: Such as ``"cuda:0"``; ``"auto"`` is the first GPU where there is one.
        gigabytes: 0 is all that is free.
    """
    torch = sys.modules.get("torch")  # where nobody has loaded it, there is nothing to limit
    if torch is None or gigabytes <= 0 or device == "cpu" or not torch.cuda.is_available():
        return
    place = gpu_of(device)
    whole = torch.cuda.get_device_properties(place).total_memory
    torch.cuda.set_per_process_memory_fraction(min(1.0, gigabytes * 1e9 / whole), place)


def memory_taken() -> float | None:
    """Return the most megabytes of a GPU that this process has taken at once; ``None`` where it uses none."""
    torch = sys.modules.get("torch")
    if torch is None or not torch.cuda.is_available() or not torch.cuda.is_initialized():
        return None
    most = sum(map(torch.cuda.max_memory_reserved, range(torch.cuda.device_count())))
    return float(round(most / 1e6))
