"""What duels hand to the front end, ready to be worded."""

from __future__ import annotations

from dataclasses import dataclass

from domain.clip import Clip
from domain.duel import Choice, Duel
from domain.run import CloseReason, Post, Run
from domain.vote import Consent


@dataclass(frozen=True, slots=True, kw_only=True)
class DuelClip:
    """A clip of a duel with its file. Neither the file's name nor its tags say what it is."""

    clip: Clip
    filename: str
    data: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class DuelView:
    """A duel to post: clip A, then clip B. ``run`` is the one of clip A."""

    post: Post
    run: Run
    duel: Duel
    clips: tuple[DuelClip, DuelClip]
    stand_ins: tuple[str, ...]
    closes_at: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class VerdictRow:
    """What became of one clip of a duel; ``parents`` are prompts."""

    choice: Choice
    clip: Clip
    trophies: int
    operator: str
    parents: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """What was answered to a duel.

    Attributes:
        a: Trophies for clip A.
        b: Trophies for clip B.
        ties: Who found neither better.
        bad: Who found both bad.
    """

    a: int
    b: int
    ties: int
    bad: int

    @property
    def voters(self) -> int:
        """How many answered."""
        return self.a + self.b + self.ties + self.bad

    @property
    def winner(self) -> Choice:
        """Return the clip with more trophies, ``BAD`` where most found both bad, else ``TIE``."""
        if 2 * self.bad > self.voters:
            return Choice.BAD
        if self.a == self.b:
            return Choice.TIE
        return Choice.A if self.a > self.b else Choice.B


@dataclass(frozen=True, slots=True, kw_only=True)
class VerdictView:
    """A duel that was decided."""

    post: Post
    run: Run
    duel: Duel
    rows: tuple[VerdictRow, VerdictRow]
    tally: Tally
    reason: CloseReason


@dataclass(frozen=True, slots=True, kw_only=True)
class DuelReceipt:
    """The private answer to a vote on a duel.

    Attributes:
        duel: The duel.
        choice: What stands now; ``None`` for nothing.
        late: It is decided; the vote still counts.
        consent: What the listener allows here.
        votes_until_taste: Clips still missing until their own taste counts; 0 when it does.
        prompts: What clip A and clip B were, once it is decided.
        note: One more sentence, or ``""``.
    """

    duel: Duel
    choice: Choice | None
    late: bool
    consent: Consent
    votes_until_taste: int
    prompts: tuple[str, str] | None = None
    note: str = ""
