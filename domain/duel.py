"""A duel is two clips side by side; a preference is what one listener's answer says about two clips."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from domain.ids import ChannelId, ClipId, DuelId, GuildId, ListenerId, RunId
from domain.run import CloseReason


class Choice(StrEnum):
    """One of the four answers to a duel."""

    A = "a"
    B = "b"
    TIE = "tie"
    """Neither is better."""
    BAD = "bad"
    """Both are bad."""


class DuelState(StrEnum):
    """Life of a duel."""

    WAITING = "waiting"
    """Its post is in the outbox."""
    OPEN = "open"
    """Posted; votes are awaited."""
    DECIDED = "decided"
    """The verdict is out. Votes still count, as late ones."""
    FAILED = "failed"
    """The channel did not take it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Duel:
    """A stored duel.

    Attributes:
        id: What its buttons carry.
        run_id: The run of clip A, which its posts hang on.
        generation: The generation of clip A.
        guild_id: The server; 0 in direct messages.
        channel_id: Where it is posted.
        for_listener: The one listener who may vote, or ``None`` for everybody.
        started_by: Who asked for it; 0 once they have erased their data.
        a: The clip shown first. Which one that is was drawn by chance.
        b: The clip shown second.
        state: Its life.
        quorum: Voters who decide it, at least 1.
        timer: Seconds after which it is decided if anybody voted; 0 is off.
        created_at: Unix time in seconds.
        closes_at: Unix time at which the timer ends.
        decided_at: Unix time of the verdict.
        reason: Why it was decided.
    """

    id: DuelId
    run_id: RunId
    generation: int
    guild_id: GuildId
    channel_id: ChannelId
    for_listener: ListenerId | None
    started_by: ListenerId
    a: ClipId
    b: ClipId
    state: DuelState
    quorum: int
    timer: float
    created_at: float
    closes_at: float | None = None
    decided_at: float | None = None
    reason: CloseReason | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DuelVote:
    """One listener's answer to a duel as it stands now; fields as in ``domain.vote.Vote``."""

    duel_id: DuelId
    guild_id: GuildId
    listener_id: ListenerId
    choice: Choice
    retracted: bool = False
    late: bool = False
    event_id: int
    at: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """A standing answer with the clips that it is about."""

    a: ClipId
    b: ClipId
    choice: Choice
    event_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Preference:
    """One listener prefers one clip to another.

    Attributes:
        listener_id: Who.
        better: The clip they prefer.
        worse: The other one.
        weight: In (0, 1]. A tie is two preferences of half the weight, one in each direction.
    """

    listener_id: ListenerId
    better: ClipId
    worse: ClipId
    weight: float
