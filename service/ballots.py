"""What never changes about a posted round: whose it is and which clips it shows. Remembered, so votes are quick."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass

from domain.clip import Clip
from domain.errors import ForbiddenError, NotFoundError
from domain.ids import ChannelId, ClipId, GuildId, ListenerId, MessageId, RunId
from domain.run import PostKind
from service.views import Actor
from storage import clips, posts, runs
from storage.database import Database, Reader

REMEMBERED = 512
"""Rounds that are remembered: those that people are voting on now."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ballot:
    """A posted round, or the one clip that somebody made by hand. ``shown`` is in the order of the slots."""

    run_id: RunId
    number: int
    guild_id: GuildId
    channel_id: ChannelId
    for_listener: ListenerId | None
    shown: tuple[Clip, ...]
    by_hand: bool = False

    def check(self, actor: Actor) -> None:
        """Check that somebody may vote here.

        Raises:
            NotFoundError: The round is another channel's.
            ForbiddenError: It is somebody else's private one.
        """
        if (self.guild_id, self.channel_id) != (actor.guild_id, actor.channel_id):
            raise NotFoundError(
                "That round is not there any more. Use /evolve start for a new one."
            )
        if not self.is_open_to(actor.user_id):
            raise ForbiddenError(
                "This round is bred for somebody else. Start your own with /evolve start for:me."
            )

    def is_open_to(self, listener_id: ListenerId) -> bool:
        """Return whether this listener's votes count here."""
        return self.for_listener in {None, listener_id}


class Ballots:
    """Finds ballots."""

    def __init__(self, db: Database) -> None:
        self._db = db
        self._rounds: OrderedDict[tuple[RunId, int], Ballot] = OrderedDict()
        self._clips: dict[ClipId, tuple[RunId, int]] = {}

    async def of_clip(self, clip_id: ClipId) -> tuple[Clip, Ballot]:
        """Return a posted clip and its round.

        Raises:
            NotFoundError: It is gone, or was never posted.
        """
        if clip_id not in self._clips:
            async with self._db.reading() as tx:
                found = await clips.clip(tx, clip_id)
            await self.of_round(found.run_id, found.generation)
        if clip_id not in self._clips:
            raise NotFoundError("That clip was not posted. Rate one of the latest round instead.")
        ballot = await self.of_round(*self._clips[clip_id])
        return next(clip for clip in ballot.shown if clip.id == clip_id), ballot

    async def of_round(self, run_id: RunId, number: int) -> Ballot:
        """Return a round.

        Raises:
            NotFoundError: It is gone, or was never posted.
        """
        known = self._rounds.get((run_id, number))
        if known is not None:
            self._rounds.move_to_end((run_id, number))
            return known
        async with self._db.reading() as tx:
            ballot = await _read(tx, run_id, number)
        if not ballot.shown:
            raise NotFoundError(
                "That round is not there any more. Use /evolve start for a new one."
            )
        self._rounds[run_id, number] = ballot
        self._clips.update({clip.id: (run_id, number) for clip in ballot.shown})
        while len(self._rounds) > REMEMBERED:
            _, oldest = self._rounds.popitem(last=False)
            for clip in oldest.shown:
                self._clips.pop(clip.id, None)
        return ballot

    async def of_message(self, message_id: MessageId) -> Ballot | None:
        """Return the round that a message shows, or ``None``."""
        async with self._db.reading() as tx:
            post = await posts.post_by_message(tx, message_id)
        if post is None or post.kind is not PostKind.ROUND:
            return None
        return await self.of_round(post.run_id, post.generation)


async def _read(tx: Reader, run_id: RunId, number: int) -> Ballot:
    run = await runs.get_run(tx, run_id)
    return Ballot(
        run_id=run_id,
        number=number,
        guild_id=run.guild_id,
        channel_id=run.channel_id,
        for_listener=run.for_listener,
        shown=tuple(await clips.posted_clips(tx, run_id, number)),
        by_hand=run.searcher == runs.BY_HAND,
    )
