"""A run is the evolution in one channel; a generation is one numbered step of it; a round is what people see of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Literal

from domain.fitness import Weights
from domain.ids import (
    CandidateId,
    ChannelId,
    ClipId,
    DuelId,
    GuildId,
    ListenerId,
    MessageId,
    PostId,
    RunId,
)

SearcherName = Literal[
    "offline",
    "evolve",
    "full",
    "auto",
    "ga",
    "cmaes",
    "snes",
    "pgpe",
    "xnes",
    "cem",
    "ga-anchors",
    "cmaes-anchors",
    "snes-anchors",
    "ga-bank",
    "cmaes-bank",
    "snes-bank",
    "ga-tokens",
    "cmaes-tokens",
    "snes-tokens",
]
"""What can breed: the names of ``evolution.registry``."""


class RunState(StrEnum):
    """Life of a run."""

    ACTIVE = "active"
    PAUSED = "paused"
    STOPPED = "stopped"


class GenerationState(StrEnum):
    """Life of a generation."""

    BREEDING = "breeding"
    """Proposals are being made or rendered; a restart starts it again."""
    READY = "ready"
    """Four clips are chosen and their post is in the outbox."""
    OPEN = "open"
    """Posted; votes are awaited."""
    CLOSED = "closed"
    """Revealed. Votes still count, as late ones."""
    CANCELLED = "cancelled"


class CloseReason(StrEnum):
    """Why a round closed."""

    QUORUM = "quorum"
    TIMER = "timer"
    NEXT = "next"
    STOPPED = "stopped"


@dataclass(frozen=True, slots=True, kw_only=True)
class RunSettings:
    """How a run goes; stored with it, so that a changed default changes no running run.

    Attributes:
        seconds: Clip length in [4, 30].
        candidates: Clips rendered for a generation, in [4, 32].
        quorum: Voters that close a round, at least 1.
        timer: Seconds after which a round closes if anybody voted (or counts as unattended), at least 30; 0 is off.
        unattended_limit: Unattended rounds in a row after which the run pauses.
        repost_every: In every how many rounds an old clip comes back unmarked; 0 is never.
        weights: What each part of fitness counts.
        generator: What plays, of those that the host offers; ``""`` is the default one.
    """

    seconds: float = 8.0
    candidates: int = 12
    quorum: int = 2
    timer: float = 1200.0
    unattended_limit: int = 3
    repost_every: int = 0
    weights: Weights = field(default_factory=Weights)
    generator: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """A stored run.

    ``for_listener`` is set for a private run. ``parent_clip_id`` is set for a branch. ``channel_id`` is the channel or
    thread it posts to; at most one run that is not stopped lives in a channel.
    """

    id: RunId
    guild_id: GuildId
    channel_id: ChannelId
    started_by: ListenerId
    vibe: str
    seed: int
    searcher: str
    settings: RunSettings = field(default_factory=RunSettings)
    state: RunState = RunState.ACTIVE
    generation: int = 0
    unattended: int = 0
    for_listener: ListenerId | None = None
    parent_clip_id: ClipId | None = None
    created_at: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Generation:
    """A stored generation."""

    run_id: RunId
    number: int
    state: GenerationState
    directive: str = "next"
    directive_parents: tuple[CandidateId, ...] = ()
    directive_words: str = ""
    opened_at: float | None = None
    closes_at: float | None = None
    closed_at: float | None = None
    close_reason: CloseReason | None = None


class PostKind(StrEnum):
    """What an outbox row posts."""

    ROUND = "round"
    REVEAL = "reveal"
    PAUSE = "pause"
    DUEL = "duel"
    VERDICT = "verdict"


class PostState(StrEnum):
    """Life of an outbox row."""

    PENDING = "pending"
    ATTEMPTED = "attempted"
    """Sent, answer not yet stored: after a crash the channel is searched before it is sent again."""
    POSTED = "posted"
    FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Post:
    """A row of the outbox, later the record of a message. ``duel_id`` is set where it shows a duel."""

    id: PostId
    run_id: RunId
    generation: int
    kind: PostKind
    channel_id: ChannelId
    state: PostState
    message_id: MessageId | None = None
    attempts: int = 0
    error: str = ""
    created_at: float = 0.0
    duel_id: DuelId | None = None
