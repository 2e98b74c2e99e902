"""What measuring of models has in common: a process of its own for each, and the memory it took."""

from __future__ import annotations

import multiprocessing
import resource
import sys
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path
from typing import TypeVar

from domain.errors import UserError

SECONDS = 10.0
"""Of a clip that is measured; what a speed counts."""
T = TypeVar("T")


def alone(name: str, function: Callable[..., T], *args: object) -> T:
    """Call a function in a process of its own, so that time and memory are the model's alone.

    Raises:
        UserError: The process was ended, as systems do that run out of memory.
    """
    context = multiprocessing.get_context("spawn")
    try:
        with ProcessPoolExecutor(1, mp_context=context) as pool:
            return pool.submit(function, *args).result()
    except BrokenProcessPool:
        raise UserError(
            f"The process that measured {name} was ended from outside; most often memory had run out."
        ) from None


def peak_memory() -> float:
    """Return the most megabytes that this process has held at once."""
    status = Path("/proc/self/status")
    if (
        status.exists()
    ):  # what the system counts for a process begins with what its parent held when it was started
        lines = status.read_text(encoding="ascii", errors="replace").splitlines()
        found = [line.split()[1] for line in lines if line.startswith("VmHWM:")]
        if found:
            return round(int(found[0]) * 1024 / 1e6)
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return round(most / (1e6 if sys.platform == "darwin" else 1e3))
