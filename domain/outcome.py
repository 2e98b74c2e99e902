"""What became of posted clips: what each listener said, beside why the clip was posted and what was foretold."""

from __future__ import annotations

from dataclasses import dataclass

from domain.ids import ChannelId, ClipId, ListenerId, RunId


@dataclass(frozen=True, slots=True, kw_only=True)
class Foretold:
    """What was expected of a listener when a clip was chosen, before they heard it.

    Attributes:
        clip_id: The clip.
        listener_id: Who.
        liking: Expected liking in [0, 1].
        spread: How unsure it was, in [0, 1].
        evidence: Clips that the listener had rated by then.
    """

    clip_id: ClipId
    listener_id: ListenerId
    liking: float
    spread: float
    evidence: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """One listener's verdict on one posted clip.

    Attributes:
        clip_id: The clip as it was posted.
        original_id: The clip whose audio it is: itself, but for a re-post.
        run_id: Its run.
        channel_id: Where it was posted.
        generation: Its round.
        role: Why it was posted, as stored.
        listener_id: Who.
        rating: In [-1, 1].
        late: Said after the round closed, when the result was known.
        foretold: Liking that was expected when it was chosen, or ``None``.
    """

    clip_id: ClipId
    original_id: ClipId
    run_id: RunId
    channel_id: ChannelId
    generation: int
    role: str
    listener_id: ListenerId
    rating: float
    late: bool
    foretold: float | None = None

    @property
    def liked(self) -> bool:
        """Whether they liked it: a rating above 0."""
        return self.rating > 0.0

    @property
    def is_repost(self) -> bool:
        """Whether it was an old clip, posted again."""
        return self.clip_id != self.original_id
