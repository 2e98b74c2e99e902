"""Record what listeners say about clips with buttons: grade, star, broken; change and take-back."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from domain.clip import Clip
from domain.ids import ChannelId, ClipId, GuildId, ListenerId, MessageId, RunId
from domain.run import GenerationState, Post
from domain.vote import Consent, Grade, Vote, VoteSource
from service.ballots import Ballot, Ballots
from service.clock import Clock
from service.reactions import ReactionBook
from service.settings import Settings
from service.tasting import TasteService
from service.views import Actor, ClipRating, Receipt
from storage import clips, listeners, posts, runs, votes
from storage.database import Database, Reader, Transaction

PAUSED_NOTE = "You paused collection with /mydata pause, so this vote was not recorded."


class FeedbackService:
    """Turns presses and reactions into votes. Each method returns after the vote is on disk."""

    def __init__(
        self,
        db: Database,
        writer: votes.VoteWriter,
        tastes: TasteService,
        settings: Settings,
        clock: Clock,
        voted: Callable[[RunId, int], None],
    ) -> None:
        self._db = db
        self._writer = writer
        self._tastes = tastes
        self._settings = settings
        self._clock = clock
        self._voted = voted
        self._ballots = Ballots(db)
        self._reactions = ReactionBook(writer, settings.reactions, clock)

    # Buttons ----------------------------------------------------------------------------------------

    async def rate(self, actor: Actor, clip_id: ClipId, grade: Grade, event_id: int) -> Receipt:
        """Record a graded button; the same one again takes it back.

        Args:
            actor: Who pressed.
            clip_id: The clip.
            grade: The button.
            event_id: Snowflake of the press. One that was delivered before changes nothing.

        Raises:
            NotFoundError: The clip is gone.
            ForbiddenError: The clip is somebody's private one.
        """
        return await self._press(actor, clip_id, VoteSource.BUTTON, grade.rating, event_id)

    async def favourite(self, actor: Actor, clip_id: ClipId, event_id: int) -> Receipt:
        """Record the star of a round; it moves from another clip, and pressed again it is taken back."""
        return await self._press(actor, clip_id, VoteSource.FAVOURITE, 1.0, event_id)

    async def broken(self, actor: Actor, clip_id: ClipId, event_id: int) -> Receipt:
        """Record that the audio is broken, which teaches no taste."""
        return await self._press(actor, clip_id, VoteSource.BROKEN, -1.0, event_id)

    async def all_bad(self, actor: Actor, run_id: RunId, number: int, event_id: int) -> Receipt:
        """Rate every clip of a round awful; those that are so already stay so."""
        ballot = await self._ballots.of_round(run_id, number)
        wanted = [
            self._vote(actor, clip, VoteSource.BUTTON, Grade.AWFUL.rating, event_id)
            for clip in ballot.shown
        ]
        return await self._commit(actor, ballot, wanted, toggle=False)

    async def receipt(self, actor: Actor, run_id: RunId, number: int) -> Receipt:
        """Return what a listener has said in a round, changing nothing."""
        ballot = await self._ballots.of_round(run_id, number)
        ballot.check(actor)
        async with self._db.reading() as tx:
            return await self._receipt(tx, actor, ballot)

    async def _press(
        self, actor: Actor, clip_id: ClipId, source: VoteSource, rating: float, event_id: int
    ) -> Receipt:
        clip, ballot = await self._ballots.of_clip(clip_id)
        wanted = [self._vote(actor, clip, source, rating, event_id)]
        return await self._commit(actor, ballot, wanted, toggle=True)

    def _vote(
        self, actor: Actor, clip: Clip, source: VoteSource, rating: float, event_id: int
    ) -> Vote:
        return Vote(
            clip_id=clip.id,
            guild_id=actor.guild_id,
            listener_id=actor.user_id,
            source=source,
            rating=rating,
            event_id=event_id,
            at=self._clock.now(),
        )

    async def _commit(
        self, actor: Actor, ballot: Ballot, wanted: Sequence[Vote], *, toggle: bool
    ) -> Receipt:
        ballot.check(actor)

        async def change(tx: Transaction) -> Receipt:
            if await listeners.consent(tx, actor.guild_id, actor.user_id) is not Consent.PAUSED:
                late = await _is_late(tx, ballot)
                for vote in wanted:
                    await _store(tx, ballot, replace(vote, late=late), toggle=toggle)
                    if vote.source is VoteSource.BROKEN:
                        await _judge(tx, vote.clip_id)
            return await self._receipt(tx, actor, ballot)

        receipt = await self._writer.apply(change)
        if receipt.consent is not Consent.PAUSED:
            self._tastes.mark(actor.guild_id, actor.user_id)
            self._voted(ballot.run_id, ballot.number)
        return receipt

    async def _receipt(self, tx: Reader, actor: Actor, ballot: Ballot) -> Receipt:
        own = await votes.votes_of_round(tx, ballot.run_id, ballot.number, actor.user_id)
        count = await votes.rated_clips(tx, actor.guild_id, actor.user_id)
        consent = await listeners.consent(tx, actor.guild_id, actor.user_id)
        return Receipt(
            round_label=f"Round {ballot.number}",
            run_id=ballot.run_id,
            number=ballot.number,
            ratings=tuple(_rating(clip, own) for clip in ballot.shown),
            late=await _is_late(tx, ballot),
            consent=consent,
            votes_until_taste=max(0, self._settings.taste.votes_until_shown - count),
            note=PAUSED_NOTE if consent is Consent.PAUSED else "",
            by_hand=ballot.by_hand,
        )

    # Reactions --------------------------------------------------------------------------------------

    async def react(  # noqa: PLR0913 - one gateway event, its fields by name
        self,
        *,
        guild_id: GuildId,
        channel_id: ChannelId,
        message_id: MessageId,
        listener_id: ListenerId,
        emoji: str,
        added: bool,
        event_id: int,
    ) -> None:
        """Record an emoji reaction that was added or removed. Unknown messages and emoji are ignored."""
        if not self._reactions.means_something(emoji):
            return
        ballot = await self._ballots.of_message(message_id)
        if ballot is None:
            return
        actor = Actor(user_id=listener_id, guild_id=guild_id, channel_id=channel_id)
        await self._react(actor, ballot, emoji, added=added, event_id=event_id)

    async def _react(
        self, actor: Actor, ballot: Ballot, emoji: str, *, added: bool, event_id: int
    ) -> None:
        if await self._reactions.change(actor, ballot, emoji, added=added, event_id=event_id):
            self._tastes.mark(actor.guild_id, actor.user_id)
            self._voted(ballot.run_id, ballot.number)

    async def clear_reactions(
        self, *, message_id: MessageId, emoji: str | None, event_id: int
    ) -> None:
        """Take back everybody's reactions on a message, or those with one emoji."""
        ballot = await self._ballots.of_message(message_id)
        if ballot is not None:
            self._mark(
                await self._reactions.retract(
                    ballot, lambda vote: emoji in {None, vote.symbol}, event_id
                )
            )

    async def heal_reactions(
        self, *, message_id: MessageId, seen: Mapping[str, set[ListenerId]], event_id: int
    ) -> None:
        """Make the stored reactions of a message equal to what Discord shows now."""
        ballot = await self._ballots.of_message(message_id)
        if ballot is None:
            return
        for emoji, people in seen.items():
            for listener_id in sorted(people):
                actor = Actor(
                    user_id=listener_id, guild_id=ballot.guild_id, channel_id=ballot.channel_id
                )
                await self._react(actor, ballot, emoji, added=True, event_id=event_id)

        def gone(vote: Vote) -> bool:
            return vote.listener_id not in seen.get(vote.symbol, ())

        self._mark(await self._reactions.retract(ballot, gone, event_id))

    def _mark(self, people: set[tuple[GuildId, ListenerId]]) -> None:
        for guild_id, listener_id in people:
            self._tastes.mark(guild_id, listener_id)

    async def open_posts(self) -> list[Post]:
        """Return the posted rounds that still await votes."""
        async with self._db.reading() as tx:
            return await posts.open_round_posts(tx)


async def _is_late(tx: Reader, ballot: Ballot) -> bool:
    if ballot.by_hand:
        return False  # it is no round that closes
    generation = await runs.generation(tx, ballot.run_id, ballot.number)
    return generation.state is GenerationState.CLOSED


async def _store(tx: Transaction, ballot: Ballot, vote: Vote, *, toggle: bool) -> None:
    """Store a vote, or its take-back when it stands already; a star leaves the other clips of the round."""
    old = await votes.stored(tx, vote.clip_id, vote.listener_id, vote.source, vote.symbol)
    if old is not None and old.event_id >= vote.event_id:
        return  # delivered before
    stands = old is not None and not old.retracted and old.rating == vote.rating
    wanted = [replace(vote, retracted=toggle and stands)]
    if vote.source is VoteSource.FAVOURITE:
        cast = await votes.votes_of_round(tx, ballot.run_id, ballot.number, vote.listener_id)
        wanted += [
            replace(one, retracted=True, event_id=vote.event_id, at=vote.at)
            for one in cast
            if one.source is VoteSource.FAVOURITE
            and one.clip_id != vote.clip_id
            and not one.retracted
        ]
    await votes.upsert(tx, wanted)


async def _judge(tx: Transaction, clip_id: ClipId) -> None:
    """A clip is broken when more people call it that than grade it."""
    cast = [vote for vote in await votes.votes_of_clips(tx, [clip_id]) if not vote.retracted]
    accusers = {vote.listener_id for vote in cast if vote.source is VoteSource.BROKEN}
    graders = {vote.listener_id for vote in cast if vote.source is not VoteSource.BROKEN} - accusers
    await clips.mark_broken(tx, clip_id, broken=len(accusers) > len(graders))


def _rating(clip: Clip, own: Sequence[Vote]) -> ClipRating:
    standing = {vote.source: vote for vote in own if vote.clip_id == clip.id and not vote.retracted}
    button = standing.get(VoteSource.BUTTON)
    grade = next((one for one in Grade if button and one.rating == button.rating), None)
    return ClipRating(
        slot=clip.posted_slot or 0,
        clip_id=clip.id,
        grade=grade,
        favourite=VoteSource.FAVOURITE in standing,
        broken=VoteSource.BROKEN in standing,
    )
