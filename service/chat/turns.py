"""What a chat turn is made of: who says what about which clip, and what came of it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from domain.ids import DIRECT_MESSAGES, ChannelId, ClipId, GuildId, RunId
from service.like_this import Upload
from service.queue import Ticket
from service.views import Actor


class Personal(StrEnum):
    """What is shown to one person only."""

    TASTE = "taste"
    DATA = "data"
    FOR_ME = "forme"
    WHY = "why"
    CONSENT = "consent"


@dataclass(frozen=True, slots=True, kw_only=True)
class Where:
    """A place that was made for a run."""

    channel_id: ChannelId
    guild_id: GuildId
    link: str


class Front(Protocol):
    """What only the front end can do. Everything in it is checked there against what the speaker and the bot may."""

    def check_may_post(self) -> None:
        """Check that rounds can be posted here.

        Raises:
            UserError: They cannot; says why.
        """

    def private_place(self, title: str) -> AbstractAsyncContextManager[Where]:
        """Make a place that the speaker and the bot see; it goes again when what it is for fails."""

    def branch_thread(self, title: str) -> AbstractAsyncContextManager[Where]:
        """Make a public thread; likewise."""

    def words(self, view: object) -> str:
        """Return a view of a use case in words, as the channel may read it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Speaker:
    """Who speaks, where, and about what.

    Attributes:
        actor: Who, with the rights that they have in this place now.
        event_id: Snowflake of the message.
        front: What the front end does for them.
        clips: Clips of the message that they replied to.
        round: Run and number of the round in that message.
        focus: The clip that they talked about last here.
        upload: The audio file in their message, if there is one.
    """

    actor: Actor
    event_id: int
    front: Front
    clips: tuple[ClipId, ...] = ()
    round: tuple[RunId, int] | None = None
    focus: ClipId | None = None
    upload: Upload | None = None

    @property
    def alone(self) -> bool:
        """Whether nobody else reads along."""
        return self.actor.guild_id == DIRECT_MESSAGES


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What came of a tool.

    Attributes:
        text: A sentence or more for the reply, ready to show, or ``""`` where ``view`` says it.
        view: A view of a use case to put into words.
        did: What was done, in a few words; ``""`` when nothing changed.
        clip: The clip that it was about.
        run: Run and number of a round that it was about.
        ticket: A job to follow.
        headline: What the job's status line says.
        after: What remains to be done once the job is done; returns a sentence or ``""``.
        personal: What there is to see for the speaker alone.
        failed: Whether ``text`` says why nothing was done.
    """

    text: str = ""
    view: object | None = None
    did: str = ""
    clip: ClipId | None = None
    run: tuple[RunId, int] | None = None
    ticket: Ticket | None = None
    headline: str = ""
    after: Callable[[], Awaitable[str]] | None = None
    personal: Personal | None = None
    failed: bool = False
