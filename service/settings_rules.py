"""Settings of what counts how much, and of how much anybody may ask for."""

from __future__ import annotations

from pydantic import Field

from service.settings_section import Section


class LimitSettings(Section):
    """Caps that keep one person or server from using up the machine."""

    jobs_per_user: int = Field(
        2, ge=1, le=100, description="Rounds one person may have waiting or rendering."
    )
    jobs_per_guild: int = Field(
        4, ge=1, le=1000, description="Rounds one server may have waiting or rendering."
    )
    live_runs_per_guild: int = Field(
        20, ge=1, le=10000, description="Runs one server may have going, branches included."
    )
    upload_megabytes: float = Field(
        25.0, gt=0.0, le=100.0, description="Size of a track sent to /like-this."
    )
    upload_minutes: float = Field(
        30.0, gt=0.0, le=60.0, description="Length of a track sent to /like-this."
    )


class FitnessSettings(Section):
    """What counts how much when clips are chosen and bred from; a run keeps the weights that it started with."""

    taste: float = Field(
        1.0,
        ge=0.0,
        le=100.0,
        description="What the listeners' tastes expect; only proportions matter.",
    )
    target: float = Field(
        1.0,
        ge=0.0,
        le=100.0,
        description="Likeness to the uploaded track, in runs of /like-this.",
    )
    target_votes: float = Field(
        12.0,
        gt=0.0,
        le=10000.0,
        description="Rated clips of such a run after which votes count as much as the track.",
    )
    adherence: float = Field(
        0.0, ge=0.0, le=100.0, description="Whether a clip does what its prompt says."
    )
    novelty: float = Field(
        0.0, ge=0.0, le=100.0, description="How far a clip is from what the run has made before."
    )
    preference: float = Field(
        0.0,
        ge=0.0,
        le=100.0,
        description="What a model of everybody's choices expects, where one was trained.",
    )
