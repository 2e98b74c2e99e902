"""Settings of what hears clips and of how tastes are learned."""

from __future__ import annotations

from pydantic import Field

from service.settings_section import Section


class ScoringSettings(Section):
    """What hears clips."""

    encoder: str = Field(
        "features",
        description="What tastes are learned over: features (built in), or besides them an encoder with weights that "
        "bot.py models has fetched: mert-95m, mert-330m, clap, or OWNER/NAME of the hub.",
        pattern=r"^[A-Za-z0-9][\w.-]*(/[A-Za-z0-9][\w.-]*)?$",
    )
    aligner: str = Field(
        "",
        description="Folder of an aligner that bot.py train aligner made from what that encoder hears; its space joins "
        "the one that tastes live in. Empty is none.",
    )
    device: str = Field(
        "auto",
        description="Where that encoder runs: cpu, a GPU such as cuda:0, or auto: a GPU where there is one.",
        pattern=r"^[a-z]+(:\d+)?$",
    )


class TasteSettings(Section):
    """How tastes are learned."""

    votes_until_shown: int = Field(
        5,
        ge=1,
        le=1000,
        description="Votes after which a listener's own taste counts in the receipt's words.",
    )
    active_days: float = Field(
        7.0,
        gt=0.0,
        description="Days after their last vote in which a listener's taste still steers a channel.",
    )
    silence: float = Field(
        0.25,
        ge=0.0,
        le=0.25,
        description="Weight, as a mild dislike, of a clip that somebody who opted in left unrated in a closed round in "
        "which they rated another; a rating is 1, and 0 is not at all.",
    )
