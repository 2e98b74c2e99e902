"""``/top`` and ``progress``: the best clips of a place, and whether its new rounds really win."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from domain.clip import Clip
from domain.errors import NotFoundError
from domain.ids import DIRECT_MESSAGES, ChannelId, ClipId, GuildId, MessageId, RunId
from domain.outcome import Outcome
from domain.run import PostKind, Run
from scoring.intervals import Interval, shrunk, usual
from service.clips import ClipService, filename
from service.progress import ProgressView, assess
from service.views import Actor, RoundClip
from storage import clips, posts, proof, runs
from storage.database import Database, Reader

SHOWN = 5
FILES = 3
"""Clips that come along as files."""


class Scope(StrEnum):
    """Where to look."""

    RUN = "this run"
    CHANNEL = "this channel"
    SERVER = "this server"


@dataclass(frozen=True, slots=True, kw_only=True)
class TopClip:
    """One of the best.

    Attributes:
        clip: The clip, as it was posted first.
        likes: Listeners who liked it.
        voters: Listeners who rated it.
        liked: Its like rate as its votes and what is usual here tell it; clips are ranked by the lower end.
        channel_id: Where it was posted.
        message_id: Its message, or ``None``.
        expected: How much the listener who asks is expected to like it, when it was asked for them.
    """

    clip: Clip
    likes: int
    voters: int
    liked: Interval
    channel_id: ChannelId
    message_id: MessageId | None
    expected: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TopView:
    """The best clips of a place.

    ``files`` are those of the first few whose audio is still kept; ``slot`` is their rank.
    """

    scope: Scope
    guild_id: GuildId
    for_me: bool
    best: tuple[TopClip, ...]
    files: tuple[RoundClip, ...]
    rated: int
    progress: ProgressView


@dataclass(frozen=True, slots=True, kw_only=True)
class _Tally:
    """Verdicts on one piece of audio: what each listener thinks of it, over both times it was posted."""

    clip_id: ClipId
    channel_id: ChannelId
    likes: int
    voters: int


class TopService:
    """Reads only what was posted for everybody."""

    def __init__(self, db: Database, library: ClipService) -> None:
        self._db = db
        self._library = library

    async def top(
        self,
        actor: Actor,
        scope: Scope,
        *,
        for_me: bool = False,
        may_see: Callable[[ChannelId], bool] = lambda _: True,
    ) -> TopView:
        """Return the best clips of a place.

        Args:
            actor: Who asks, and where.
            scope: Where to look. In direct messages that is never farther than the channel.
            for_me: Rank by what this listener is expected to like, without what they disliked.
            may_see: Whether they may read a channel; asked for other channels than their own.

        Raises:
            NotFoundError: Nobody has rated anything there.
        """
        if actor.guild_id == DIRECT_MESSAGES and scope is Scope.SERVER:
            scope = Scope.CHANNEL
        async with self._db.reading() as tx:
            run = await runs.latest_run_in_channel(tx, actor.channel_id)
            heard = await self._heard(tx, actor, scope, run)
        allowed = {
            one for one in {o.channel_id for o in heard} if one == actor.channel_id or may_see(one)
        }
        heard = [one for one in heard if one.channel_id in allowed]
        if not heard:
            raise NotFoundError(f"Nobody has rated a clip in {scope.value} yet.")
        tallies, progress = await asyncio.to_thread(lambda: (_tallies(heard), assess(heard)))
        ranked = _ranked(tallies)
        expected: Mapping[ClipId, float] = {}
        if for_me:
            disliked = {
                o.original_id for o in heard if o.listener_id == actor.user_id and not o.liked
            }
            ranked = [one for one in ranked if one[0].clip_id not in disliked]
            expected = await self._library.expected(actor, [one[0].clip_id for one in ranked])
            ranked = sorted(
                (one for one in ranked if one[0].clip_id in expected),
                key=lambda one: -expected[one[0].clip_id],
            )
        best = await self._best(ranked[:SHOWN], expected)
        return TopView(
            scope=scope,
            guild_id=actor.guild_id,
            for_me=for_me,
            best=best,
            files=await self._files(best),
            rated=len(tallies),
            progress=progress,
        )

    async def _heard(
        self, tx: Reader, actor: Actor, scope: Scope, run: Run | None
    ) -> list[Outcome]:
        if scope is Scope.RUN:
            if run is None:
                return []
            return await proof.outcomes(tx, actor.guild_id, run_id=run.id)
        where = actor.channel_id if scope is Scope.CHANNEL else None
        return await proof.outcomes(tx, actor.guild_id, channel_id=where)

    async def _best(
        self, ranked: Sequence[tuple[_Tally, Interval]], expected: Mapping[ClipId, float]
    ) -> tuple[TopClip, ...]:
        async with self._db.reading() as tx:
            found = await clips.clips_by_id(tx, [one.clip_id for one, _ in ranked])
            messages = {clip.id: await _message(tx, clip.run_id, clip.generation) for clip in found}
        by_id = {clip.id: clip for clip in found}
        return tuple(
            TopClip(
                clip=by_id[one.clip_id],
                likes=one.likes,
                voters=one.voters,
                liked=liked,
                channel_id=one.channel_id,
                message_id=messages[one.clip_id],
                expected=expected.get(one.clip_id),
            )
            for one, liked in ranked
            if one.clip_id in by_id
        )

    async def _files(self, best: Sequence[TopClip]) -> tuple[RoundClip, ...]:
        files = []
        for place, one in enumerate(best[:FILES], start=1):
            try:
                data = await self._library.audio(one.clip)
            except NotFoundError:
                continue  # deleted: its line and its link are all there is
            name = f"{place}-{filename(one.clip)[2:]}.{one.clip.extension}"
            files.append(RoundClip(slot=place, clip=one.clip, filename=name, data=data))
        return tuple(files)


async def _message(tx: Reader, run_id: RunId, number: int) -> MessageId | None:
    post = await posts.post_of(tx, run_id, number, PostKind.ROUND)
    return None if post is None else post.message_id


def _tallies(heard: Sequence[Outcome]) -> list[_Tally]:
    """Count each listener once for each piece of audio: who rated it twice by the mean of both."""
    said: dict[ClipId, dict[int, list[float]]] = defaultdict(lambda: defaultdict(list))
    where: dict[ClipId, ChannelId] = {}
    for one in heard:
        said[one.original_id][one.listener_id].append(one.rating)
        where[one.original_id] = one.channel_id
    return [
        _Tally(
            clip_id=clip_id,
            channel_id=where[clip_id],
            likes=sum(sum(ratings) > 0 for ratings in people.values()),
            voters=len(people),
        )
        for clip_id, people in said.items()
    ]


def _ranked(tallies: Sequence[_Tally]) -> list[tuple[_Tally, Interval]]:
    """Order by the lower end of what the like rate may be: 9 of 10 goes before 1 of 1. The newer one on a tie."""
    prior = usual([(one.likes, one.voters) for one in tallies])
    rated = [(one, shrunk(one.likes, one.voters, prior)) for one in tallies]
    return sorted(rated, key=lambda pair: (-pair[1].low, -pair[0].clip_id))


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerProgress:
    """How the bot does in one server."""

    guild_id: GuildId
    progress: ProgressView


async def every_server(db: Database) -> list[ServerProgress]:
    """Return how the bot does in each server; the database may be in use by a running bot."""
    async with db.reading() as tx:
        guilds = await proof.guilds_with_rounds(tx)
        heard = {guild_id: await proof.outcomes(tx, guild_id) for guild_id in guilds}
    return [
        ServerProgress(guild_id=guild_id, progress=assess(outcomes))
        for guild_id, outcomes in heard.items()
    ]
