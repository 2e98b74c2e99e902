"""A vote is a fact: this listener, this clip, this way of saying it. Its number is the rating."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum, StrEnum

from domain.ids import ClipId, GuildId, ListenerId


class VoteSource(StrEnum):
    """The way a vote was given. One row for each (clip, listener, source, symbol)."""

    BUTTON = "button"
    """One of the four graded buttons. A second press on the same one takes it back."""
    FAVOURITE = "favourite"
    """The star: the best of its round."""
    REACTION = "reaction"
    """An ordinary emoji reaction: weaker evidence."""
    BROKEN = "broken"
    """"Broken audio": says nothing about taste."""


class Grade(IntEnum):
    """The four graded buttons, in their order on a row."""

    AWFUL = 0
    MEH = 1
    GOOD = 2
    LOVE = 3

    @property
    def rating(self) -> float:
        """The number of this grade in [-1, 1]."""
        return (-1.0, -0.4, 0.5, 1.0)[self]

    @property
    def emoji(self) -> str:
        """What the button shows."""
        return ("😖", "😐", "🙂", "😍")[self]


FAVOURITE_EMOJI = "⭐"


class Consent(StrEnum):
    """What a listener allows in one server."""

    UNASKED = "unasked"
    """Votes count for the channel only, and the first receipt asks."""
    CHANNEL_ONLY = "channel_only"
    """Said no: votes count for the channel only."""
    TASTE = "taste"
    """Opted in: a taste is learned."""
    PAUSED = "paused"
    """Nothing is collected."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Vote:
    """One vote as it stands now.

    Attributes:
        clip_id: The clip.
        guild_id: The server it was cast in; 0 in direct messages.
        listener_id: Who.
        source: How.
        symbol: The emoji of a reaction, else ``""``.
        rating: In [-1, 1]; 1 for a favourite.
        weight: Evidence in (0, 1]; 1 for buttons, less for reactions.
        retracted: Taken back. The row stays so that the order of events cannot matter.
        late: Cast after the round closed. It still counts.
        event_id: Snowflake of the event; of two events on one row the larger wins.
        at: Unix time in seconds.
    """

    clip_id: ClipId
    guild_id: GuildId
    listener_id: ListenerId
    source: VoteSource
    symbol: str = ""
    rating: float
    weight: float = 1.0
    retracted: bool = False
    late: bool = False
    event_id: int
    at: float
