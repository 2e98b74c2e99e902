"""Which files of a repository are fetched: the best form of its weights and what lies beside it, never code."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from fnmatch import fnmatch

SMALL = ("*.json", "*.txt", "*.model")
"""Files beside the weights: configurations and tokenizers."""
WEIGHTS = (
    ("*.safetensors", "*.safetensors.index.json"),
    ("pytorch_model*.bin", "pytorch_model*.bin.index.json"),
)
"""Forms of weights, the better first; the first of which there is any is fetched."""
INDEX = "model_index.json"
"""Makes a repository a pipeline of diffusers: a folder for each part, each with weights of its own."""
NOT_PLAYED = frozenset(
    {"safety_checker", "image_encoder", "audio_tokenizer", "audio_token_detokenizer"}
)
"""Folders of a pipeline that are left out, see ``generation/diffusion/layout.py``."""


def chosen(names: Sequence[str]) -> set[str]:
    """Return the files to fetch; none where there are no weights that could be used."""
    if INDEX in names:
        return _of_pipeline(names)
    for form in WEIGHTS:
        weights = {name for name in names if _matches(name, form)}
        if weights:
            other = {pattern for one in WEIGHTS if one is not form for pattern in one}
            small = {one for one in names if _matches(one, SMALL) and not _matches(one, other)}
            return weights | small
    return set()


def has_weights(names: Iterable[str]) -> bool:
    """Whether there are weights among files."""
    return any(_matches(name, form) for name in names for form in WEIGHTS)


def _matches(name: str, patterns: Iterable[str]) -> bool:
    return any(fnmatch(name, pattern) for pattern in patterns)


def _of_pipeline(names: Sequence[str]) -> set[str]:
    """Return the index and the files of its parts; what else is there is the same weights in other forms.

    Pickles are not taken here: where a part has only those, nothing is.
    """
    parts: defaultdict[str, list[str]] = defaultdict(list)
    for name in names:
        part, _, file = name.partition("/")
        if file and "/" not in file and part not in NOT_PLAYED:
            parts[part].append(file)
    out, weights = {INDEX}, False
    for part, files in parts.items():
        taken = _plainest([one for one in files if one.endswith(".safetensors")])
        if not taken and "config.json" in files and _matches_any(files, "*.bin"):
            return set()
        weights = weights or bool(taken)
        of_others = _indices(files) - {_index_of(one) for one in taken}
        small = {one for one in files if _matches(one, SMALL)} - of_others
        out |= {f"{part}/{one}" for one in (*taken, *small)}
    return out if weights else set()


def _matches_any(files: Iterable[str], pattern: str) -> bool:
    return any(fnmatch(one, pattern) for one in files)


def _variant(file: str) -> str:
    """Return what stands between the name of weights and their form, such as ``"fp16"``; plain ones have nothing."""
    _, _, rest = file.removesuffix(".safetensors").partition(".")
    return rest.split("-0")[0]


def _plainest(files: Sequence[str]) -> list[str]:
    """Return the weights of one variant: the plain ones, else those in half precision, else the first."""
    there = sorted(
        {_variant(one) for one in files}, key=lambda one: (one != "", one != "fp16", one)
    )
    return [one for one in files if _variant(one) == there[0]]


def _indices(files: Iterable[str]) -> set[str]:
    return {one for one in files if ".index." in one and one.endswith(".json")}


def _index_of(file: str) -> str:
    """Return the index of weights that are in several files."""
    stem = file.partition(".")[0].split("-0")[0]
    variant = _variant(file)
    return f"{stem}.safetensors.index.{f'{variant}.' if variant else ''}json"
