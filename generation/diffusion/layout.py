"""A pipeline on disk, in the layout that diffusers saves: what it is and of what parts. Needs no torch."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from domain.errors import GenerationError

INDEX = "model_index.json"
UNUSED = frozenset(
    {"safety_checker", "image_encoder", "audio_tokenizer", "audio_token_detokenizer"}
)
"""Parts that are left out: two that look at pictures of things, two for covers after a list of codes."""
AGAIN = "Fetch the model again."


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """What a folder holds.

    Attributes:
        folder: With ``model_index.json``.
        kind: Class of the pipeline, such as ``"StableAudioPipeline"``.
        parts: Library and class of each part by its name, which is that of its folder too.
    """

    folder: Path
    kind: str
    parts: Mapping[str, tuple[str, str]]

    def config(self, part: str) -> dict[str, Any]:
        """Return the configuration of a part.

        Raises:
            GenerationError: It is missing or damaged; says which file.
        """
        names = ("scheduler_config.json",) if part == "scheduler" else ("config.json",)
        return _json(self.folder / part / names[0], self.folder)

    def number(self, part: str, name: str) -> float:
        """Return a number of a part's configuration; the first one where there is a list.

        Raises:
            GenerationError: It is not there; says which.
        """
        value = self.config(part).get(name)
        if isinstance(value, list) and value:
            value = value[0]
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise GenerationError(
                f"{self.folder / part} says that {name} is {value!r}, which is no number. {AGAIN}"
            )
        return value


def read_layout(folder: Path) -> Layout:
    """Return what a folder holds.

    Raises:
        GenerationError: It holds no pipeline of diffusers, or only a part of one; says what is wrong.
    """
    index = _json(folder / INDEX, folder)
    kind = index.get("_class_name")
    if not isinstance(kind, str):
        raise GenerationError(f"{folder / INDEX} names no pipeline. {AGAIN}")
    parts = {
        name: (str(value[0]), str(value[1]))
        for name, value in index.items()
        if isinstance(value, list) and len(value) == 2 and all(value)
    }
    gone = [name for name in parts if not (folder / name).is_dir() and name not in UNUSED]
    if gone:
        raise GenerationError(f"{folder} lacks the part {gone[0]} of {kind}. {AGAIN}")
    return Layout(folder=folder, kind=kind, parts=parts)


def _json(file: Path, folder: Path) -> dict[str, Any]:
    try:
        found = json.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        if file.name == INDEX:
            raise GenerationError(
                f"There is no pipeline of diffusers in {folder}: it has no {INDEX}. "
                "docs/diffusion.md says how to fetch or convert one."
            ) from None
        raise GenerationError(f"{folder} lacks {file.relative_to(folder)}. {AGAIN}") from None
    except (OSError, ValueError) as error:
        raise GenerationError(f"{file} cannot be read ({error}). {AGAIN}") from None
    if not isinstance(found, dict):
        raise GenerationError(f"{file} is no JSON object. {AGAIN}")
    return found
