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
        return _json(self._file(part), self.folder)

    def _file(self, part: str) -> Path:
        name = "scheduler_config.json" if part == "scheduler" else "config.json"
        return self.folder / part / name

    def number(self, part: str, key: str, least: float, most: float) -> float:
        """Return a number from ``least`` to ``most`` of a part's configuration; the first one where there is a list.

        Raises:
            GenerationError: There is none; says where and what is there.
        """
        value = self.config(part).get(key)
        first = value[0] if isinstance(value, list) and value else value
        if (
            isinstance(first, bool)
            or not isinstance(first, int | float)
            or not least <= first <= most
        ):
            raise self._odd(part, key, value, f"a number from {least:g} to {most:g}")
        return float(first)

    def whole(self, part: str, key: str, least: int = 1, most: int = 10**6) -> int:
        """Return a whole number; see ``number``."""
        value = self.number(part, key, least, most)
        if value != int(value):
            raise self._odd(part, key, value, "a whole number")
        return int(value)

    def wholes(self, part: str, key: str) -> list[int]:
        """Return a list of whole numbers above 0, at least one.

        Raises:
            GenerationError: There is none; says where and what is there.
        """
        value = self.config(part).get(key)
        listed = value if isinstance(value, list) else []
        if not 0 < len(listed) <= 100 or not all(
            type(one) is int and 0 < one <= 10**6 for one in listed
        ):
            raise self._odd(part, key, value, "a list of whole numbers above 0")
        return listed

    def _odd(self, part: str, key: str, value: object, wanted: str) -> GenerationError:
        what = "nothing" if value is None else repr(value)[:60]
        return GenerationError(
            f"{self._file(part)} says {what} of {key}, where {wanted} belongs. {AGAIN}"
        )


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
        name: _named(folder, name, value)
        for name, value in index.items()
        if isinstance(value, list) and len(value) == 2 and any(value)
    }
    gone = [name for name in parts if not (folder / name).is_dir() and name not in UNUSED]
    if gone:
        raise GenerationError(f"{folder} lacks the part {gone[0]} of {kind}. {AGAIN}")
    return Layout(folder=folder, kind=kind, parts=parts)


def _named(folder: Path, name: str, value: list[object]) -> tuple[str, str]:
    """Return library and class of a part."""
    library, kind = value
    if not (isinstance(library, str) and isinstance(kind, str) and library and kind):
        raise GenerationError(
            f"{folder / INDEX} says {repr(value)[:60]} of {name}, where a library and a class belong. {AGAIN}"
        )
    if not name.isidentifier():
        raise GenerationError(
            f"{folder / INDEX} has a part {name[:60]!r}, which is no name. {AGAIN}"
        )
    return library, kind


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
    except (OSError, ValueError, RecursionError) as error:
        raise GenerationError(f"{file} cannot be read ({error}). {AGAIN}") from None
    if not isinstance(found, dict):
        raise GenerationError(f"{file} is no JSON object. {AGAIN}")
    return found
