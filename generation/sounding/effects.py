"""What words for texture, production and era do to the sound, as one record that the mixing desk reads."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from domain.errors import GenerationError

_FILE = Path(__file__).parent / "effects.yaml"
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

BEDS = ("vinyl", "hiss", "rain", "waves", "wind", "fire", "city", "birds")
"""Noises that lie under the music."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Effects:
    """Sum of the words of a prompt. Neutral by default; units as in ``effects.yaml``."""

    vinyl: float = 0.0
    hiss: float = 0.0
    rain: float = 0.0
    waves: float = 0.0
    wind: float = 0.0
    fire: float = 0.0
    city: float = 0.0
    birds: float = 0.0
    lowpass: float = 20_000.0
    highpass: float = 20.0
    wet: float = 0.0
    room: float = 0.0
    echo: float = 0.0
    drive: float = 0.0
    squash: float = 0.0
    sidechain: float = 0.0
    tremolo: float = 0.0
    flutter: float = 0.0
    chorus: float = 0.0
    crush: float = 0.0
    fade: float = 0.0
    low: float = 0.0
    high: float = 0.0
    width: float = 0.0


@cache
def table() -> Mapping[str, Mapping[str, float]]:
    """Return the effect of every word that has one.

    Raises:
        GenerationError: ``effects.yaml`` has an unknown key; names word and key.
    """
    data: dict[str, Any] = yaml.load(_FILE.read_text(encoding="utf-8"), Loader=_LOADER)  # noqa: S506
    known = {field.name for field in dataclasses.fields(Effects)}
    for word, values in data.items():
        for key in values:
            if key not in known:
                raise GenerationError(f"effects.yaml, {word}: unknown key {key!r}")
    return {str(word): values for word, values in data.items()}


def gather(words: Iterable[str]) -> Effects:
    """Add up what the words do. Words without an effect change nothing."""
    total = dataclasses.asdict(Effects())
    for word in words:
        for key, value in table().get(word.lower(), {}).items():
            if key in BEDS or key == "highpass":
                total[key] = max(total[key], value)
            elif key == "lowpass":
                total[key] = min(total[key], value)
            else:
                total[key] += value
    return Effects(**total)
