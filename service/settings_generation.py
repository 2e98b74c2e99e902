"""Settings of what makes the sound."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from service.settings_section import Section


class GenerationSettings(Section):
    """What makes the sound."""

    generator: str = Field(
        "composer",
        description="What plays: composer (built in), a model of bot.py models list such as musicgen-small, or remote.",
    )
    choices: tuple[str, ...] = Field(
        (), description="Further generators that a run may choose: composer, models, remote."
    )
    remote: dict[str, Any] = Field(
        default={},
        description="The server behind remote: its url, and options of docs/generators.md, such as {url: "
        "http://localhost:8001, style: acestep}.",
    )
    device: str = Field(
        "auto",
        pattern=r"^(auto|cpu|cuda(:\d+)?|mps)$",
        description="Where models play: auto takes the first GPU, else the CPU.",
    )
    batch: int = Field(8, ge=1, le=64, description="Clips that a model plays at once, at most.")
    memory: float = Field(
        0.0, ge=0.0, le=1000.0, description="Gigabytes of the GPU that models may take; 0 is all."
    )
    idle: float = Field(
        900.0,
        ge=10.0,
        le=86400.0,
        description="Seconds after which a model that nobody needs is unloaded.",
    )
    loading: float = Field(
        900.0, ge=5.0, le=7200.0, description="Seconds that a model may take to load."
    )
    drafts: bool = Field(
        False,
        description="Let models that can play drafts to choose from, and only the posted clips in full.",
    )
    renderer: Literal["auto", "fluidsynth", "tinysoundfont", "numpy"] = Field(
        "auto",
        description="SoundFont renderer of the composer; auto takes the best one that is installed.",
    )
    soundfont: str = Field(
        "",
        description="Path of a SoundFont (.sf2); empty takes the best one that is found, TimGM6mb if no other.",
    )
    emotion: str = Field(
        "",
        description="Folder of an emotion model of your own (bot.py train emotion); empty uses the built-in table.",
    )
    workers: int = Field(
        0, ge=0, le=64, description="Processes that render; 0 is one for each core."
    )
    format: Literal["mp3", "opus", "flac", "wav"] = Field(
        "mp3", description="File type of posted clips."
    )
    deadline: float = Field(
        60.0,
        ge=5.0,
        le=3600.0,
        description="Seconds one clip, or one step of a model, may take before it counts as failed.",
    )
