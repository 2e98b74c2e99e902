"""From a folder to a pipeline: part by part, safetensors only, nothing from a network, no code of others."""

from __future__ import annotations

import importlib
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch

from domain.errors import GenerationError
from generation.diffusion.layout import AGAIN, UNUSED, Layout
from generation.registry import INSTALL

SPEAKS = {"GPT2Model": "GPT2LMHeadModel"}
"""Classes that were published under a name whose class cannot go on from itself any more; the weights are the same."""
MISFIT = (
    *(TypeError, ValueError, AttributeError, LookupError),
    *(ArithmeticError, RuntimeError, AssertionError),
)
"""What pipelines raise where their parts, or what these say of themselves, do not fit together."""
OPTIONAL: dict[str, dict[str, Any]] = {
    "StableDiffusionPipeline": {
        "safety_checker": None,
        "feature_extractor": None,
        "requires_safety_checker": False,
    }
}


def load_pipeline(
    layout: Layout, *, device: torch.device, number: torch.dtype, exact: frozenset[str]
) -> Any:
    """Return a pipeline of diffusers, in evaluation mode.

    Args:
        layout: Of its folder.
        device: That it is on.
        number: Format of its weights.
        exact: Parts that are in float32 all the same.

    Raises:
        GenerationError: A part is missing, cut off, of another class or not from diffusers or transformers.
    """
    import diffusers  # noqa: PLC0415 - slow

    with _quiet():
        more = OPTIONAL.get(layout.kind, {})
        parts = {
            name: _part(layout.folder / name, kind, torch.float32 if name in exact else number)
            for name, kind in layout.parts.items()
            if name not in more and name not in UNUSED
        }
        try:
            pipe = getattr(diffusers, layout.kind)(**parts, **more)
        except MISFIT as error:
            raise GenerationError(
                f"The parts in {layout.folder} do not make a {layout.kind}: {line_of(error)} {AGAIN}"
            ) from None
        pipe.set_progress_bar_config(disable=True)
        return pipe.to(device)


def _part(folder: Path, kind: tuple[str, str], number: torch.dtype) -> Any:
    found = _class(folder, *kind)
    given: dict[str, Any] = {"local_files_only": True}
    learned = isinstance(found, type) and issubclass(found, torch.nn.Module)
    if learned:
        dtype = "dtype" if kind[0] == "transformers" else "torch_dtype"
        given |= {dtype: number, "use_safetensors": True, "output_loading_info": True}
        given["variant"] = _variant(folder)
    try:
        loaded = found.from_pretrained(folder, **given)
    except ImportError as error:
        raise GenerationError(
            f"The part {folder.name} in {folder.parent} needs another package: {line_of(error)} {INSTALL}"
        ) from None
    except MemoryError:
        raise
    except Exception as error:  # noqa: BLE001 - each library has its own for a damaged file, safetensors' is a bare one
        raise GenerationError(
            f"The part {folder.name} in {folder.parent} cannot be loaded: {line_of(error)} "
            f"It is damaged, cut off or of another kind. {AGAIN}"
        ) from None
    if not learned:
        return loaded
    part, report = loaded
    missing = sorted({str(one) for one in (*report["missing_keys"], *report["mismatched_keys"])})
    if missing:
        raise GenerationError(
            f"The part {folder.name} in {folder.parent} lacks {len(missing)} tensors, such as {missing[0]}. {AGAIN}"
        )
    return part.eval()


def _class(folder: Path, library: str, name: str) -> Any:
    """Return a class of diffusers, of one of its pipelines or of transformers; no other code is run."""
    home = library if library in {"diffusers", "transformers"} else f"diffusers.pipelines.{library}"
    try:
        return getattr(importlib.import_module(home), SPEAKS.get(name, name))
    except (ImportError, AttributeError):
        raise GenerationError(
            f"The part {folder.name} in {folder.parent} wants {name} of {library}, which is not part of diffusers "
            "or transformers; code of others is not run."
        ) from None


def _variant(folder: Path) -> str | None:
    """Return what stands between the name of the weights and ``safetensors`` where there are no plain ones.

    Raises:
        GenerationError: There are no weights.
    """
    names = [one.name.split(".") for one in sorted(folder.glob("*.safetensors"))]
    if not names:
        raise GenerationError(
            f"The part {folder.name} in {folder.parent} has no weights as safetensors. {AGAIN}"
        )
    return None if any(len(one) == 2 for one in names) else names[0][1].split("-0")[0]


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep the libraries from writing about what is said here, or is of no interest to a host."""
    from diffusers.utils import logging as of_diffusers  # noqa: PLC0415
    from transformers.utils import logging as of_transformers  # noqa: PLC0415

    for one in (of_diffusers, of_transformers):
        one.set_verbosity_error()
        one.disable_progress_bar()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def line_of(error: Exception) -> str:
    """Return the first line of what an error says, as a sentence."""
    words = str(error).strip().splitlines()
    line = words[0][:200] if words else type(error).__name__
    return line if line.endswith(".") else f"{line}."
