"""Record what listeners say about clips: buttons, stars, reactions; change and take-back."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass

from domain.clip import Clip
from domain.errors import ForbiddenError, NotFoundError
from domain.ids import ChannelId, ClipId, GuildId, ListenerId, MessageId, RunId
from domain.run import GenerationState, Post, PostKind, Run
from domain.vote import Consent, Grade, Vote, VoteSource
from service.clock import Clock
from service.settings import Settings
from service.tasting import TasteService
from service.views import Actor, ClipRating, Receipt
from storage import clips, listeners, posts, runs, votes
from storage.database import Database, Reader, Transaction

log = logging.getLogger(__name__)

PAUSED_NOTE = "You paused collection with /mydata pause, so this vote was not recorded."


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """One thing to change about one clip; ``toggle`` takes it back when it stands already."""

    clip: Clip
    source: VoteSource
    rating: float
    symbol: str = ""
    weight: float = 1.0
    toggle: bool = True


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

    async def rate(self, actor: Actor, clip_id: ClipId, grade: Grade, event_id: int) -> Receipt:
        """Record a graded button; the same one again takes it back.

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
        """Rate every clip of a round awful, if they are not that already."""

        async def change(tx: Transaction) -> Receipt:
            run, shown = await self._round(tx, actor, run_id, number)
            said = [
                Said(clip=clip, source=VoteSource.BUTTON, rating=Grade.AWFUL.rating, toggle=False)
                for clip in shown
            ]
            return await self._apply(tx, actor, run, shown, said, event_id)

        return await self._commit(actor, run_id, number, change)

    async def receipt(self, actor: Actor, run_id: RunId, number: int) -> Receipt:
        """Return what a listener has said in a round, changing nothing."""
        async with self._db.reading() as tx:
            run, shown = await self._round(tx, actor, run_id, number)
            consent = await listeners.consent(tx, actor.guild_id, actor.user_id)
            return await self._receipt(tx, actor, run, shown, consent)

    async def _press(
        self, actor: Actor, clip_id: ClipId, source: VoteSource, rating: float, event_id: int
    ) -> Receipt:
        clip = await self._clip(actor, clip_id)

        async def change(tx: Transaction) -> Receipt:
            run, shown = await self._round(tx, actor, clip.run_id, clip.generation)
            said = [Said(clip=clip, source=source, rating=rating)]
            return await self._apply(tx, actor, run, shown, said, event_id)

        return await self._commit(actor, clip.run_id, clip.generation, change)

    async def _clip(self, actor: Actor, clip_id: ClipId) -> Clip:
        async with self._db.reading() as tx:
            clip = await clips.clip(tx, clip_id)
        if clip.posted_slot is None:
            raise NotFoundError(
                "That clip is not there any more. Rate one of the latest round instead."
            )
        return clip

    async def _round(
        self, tx: Reader, actor: Actor, run_id: RunId, number: int
    ) -> tuple[Run, list[Clip]]:
        run = await runs.get_run(tx, run_id)
        if run.guild_id != actor.guild_id:
            raise NotFoundError(
                "That round is not there any more. Use /evolve start for a new one."
            )
        if run.for_listener is not None and run.for_listener != actor.user_id:
            raise ForbiddenError(
                "This round is bred for somebody else. Start your own with /evolve start for:me."
            )
        return run, await clips.posted_clips(tx, run_id, number)

    async def _commit(
        self,
        actor: Actor,
        run_id: RunId,
        number: int,
        change: Callable[[Transaction], Awaitable[Receipt]],
    ) -> Receipt:
        receipt = await self._writer.apply(change)
        if receipt.consent is not Consent.PAUSED:
            self._tastes.mark(actor.guild_id, actor.user_id)
            self._voted(run_id, number)
        return receipt

    async def _apply(
        self,
        tx: Transaction,
        actor: Actor,
        run: Run,
        shown: Sequence[Clip],
        said: Sequence[Said],
        event_id: int,
    ) -> Receipt:
        consent = await listeners.consent(tx, actor.guild_id, actor.user_id)
        if consent is not Consent.PAUSED:
            late = await self._is_late(tx, shown)
            for one in said:
                await self._store(tx, actor, one, late, event_id)
                if one.source is VoteSource.FAVOURITE:
                    await self._move_star(tx, actor, shown, one.clip, event_id)
        return await self._receipt(tx, actor, run, shown, consent)

    async def _is_late(self, tx: Reader, shown: Sequence[Clip]) -> bool:
        if not shown:
            return False
        generation = await runs.generation(tx, shown[0].run_id, shown[0].generation)
        return generation.state is GenerationState.CLOSED

    async def _store(
        self, tx: Transaction, actor: Actor, said: Said, late: bool, event_id: int
    ) -> None:
        old = await votes.stored(tx, said.clip.id, actor.user_id, said.source, said.symbol)
        if old is not None and old.event_id >= event_id:
            return  # delivered before
        again = old is not None and not old.retracted and old.rating == said.rating
        vote = Vote(
            clip_id=said.clip.id,
            guild_id=actor.guild_id,
            listener_id=actor.user_id,
            source=said.source,
            symbol=said.symbol,
            rating=said.rating,
            weight=said.weight,
            retracted=said.toggle and again,
            late=late,
            event_id=event_id,
            at=self._clock.now(),
        )
        await votes.upsert(tx, [vote])

    async def _move_star(
        self, tx: Transaction, actor: Actor, shown: Sequence[Clip], starred: Clip, event_id: int
    ) -> None:
        """A round has one favourite: take the star from the others."""
        for clip in shown:
            if clip.id == starred.id:
                continue
            old = await votes.stored(tx, clip.id, actor.user_id, VoteSource.FAVOURITE, "")
            if old is not None and not old.retracted:
                await votes.upsert(
                    tx, [_again(old, retracted=True, event_id=event_id, at=self._clock.now())]
                )

    async def _receipt(
        self, tx: Reader, actor: Actor, run: Run, shown: Sequence[Clip], consent: Consent
    ) -> Receipt:
        cast = await votes.votes_of_clips(tx, [clip.id for clip in shown])
        own = [vote for vote in cast if vote.listener_id == actor.user_id and not vote.retracted]
        count = await votes.rated_clips(tx, actor.guild_id, actor.user_id)
        number = shown[0].generation if shown else run.generation
        return Receipt(
            round_label=f"Round {number}",
            run_id=run.id,
            number=number,
            ratings=tuple(_rating(clip, own) for clip in shown),
            late=await self._is_late(tx, shown),
            consent=consent,
            votes_until_taste=max(0, self._settings.taste.votes_until_shown - count),
            note=PAUSED_NOTE if consent is Consent.PAUSED else "",
        )

    # Reactions --------------------------------------------------------------------------------

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
        if self._meaning(emoji) is None:
            return
        found = await self._posted_round(message_id)
        if found is None:
            return
        post, shown = found
        actor = Actor(user_id=listener_id, guild_id=guild_id, channel_id=channel_id)
        await self._reactions(actor, post, self._reaction_votes(shown, emoji), added, event_id)

    async def clear_reactions(
        self, *, message_id: MessageId, emoji: str | None, event_id: int
    ) -> None:
        """Take back everybody's reactions on a message, or those with one emoji."""
        found = await self._posted_round(message_id)
        if found is None:
            return
        _, shown = found
        await self._retract(
            [clip.id for clip in shown], lambda vote: emoji in {None, vote.symbol}, event_id
        )

    async def heal_reactions(
        self, *, message_id: MessageId, seen: Mapping[str, set[ListenerId]], event_id: int
    ) -> None:
        """Make the stored reactions of a message equal to what Discord shows now."""
        found = await self._posted_round(message_id)
        if found is None:
            return
        post, shown = found
        async with self._db.reading() as tx:
            run = await runs.get_run(tx, post.run_id)
        for emoji, people in seen.items():
            if self._meaning(emoji) is None:
                continue
            for listener_id in sorted(people):
                actor = Actor(user_id=listener_id, guild_id=run.guild_id, channel_id=run.channel_id)
                await self._reactions(
                    actor, post, self._reaction_votes(shown, emoji), True, event_id
                )
        gone = lambda vote: vote.listener_id not in seen.get(vote.symbol, ())  # noqa: E731
        await self._retract([clip.id for clip in shown], gone, event_id)

    def _meaning(self, emoji: str) -> tuple[int | None, float] | None:
        """Return (slot or None for all, rating) of an emoji, or ``None`` when it means nothing."""
        for name in (emoji, emoji.replace("\ufe0f", ""), emoji + "\ufe0f", emoji.split(":", 1)[0]):
            if name in self._settings.reactions.slots:
                return self._settings.reactions.slots[name], 1.0
            if name in self._settings.reactions.emoji:
                return None, self._settings.reactions.emoji[name]
        return None

    def _reaction_votes(self, shown: Sequence[Clip], emoji: str) -> list[Said]:
        meaning = self._meaning(emoji)
        if meaning is None:
            return []
        slot, rating = meaning
        meant = [clip for clip in shown if slot is None or clip.posted_slot == slot]
        weight = self._settings.reactions.weight / max(1, len(meant))
        return [
            Said(
                clip=clip,
                source=VoteSource.REACTION,
                symbol=emoji,
                rating=rating,
                weight=weight,
                toggle=False,
            )
            for clip in meant
        ]

    async def _posted_round(self, message_id: MessageId) -> tuple[Post, list[Clip]] | None:
        async with self._db.reading() as tx:
            post = await posts.post_by_message(tx, message_id)
            if post is None or post.kind is not PostKind.ROUND:
                return None
            return post, await clips.posted_clips(tx, post.run_id, post.generation)

    async def _reactions(
        self, actor: Actor, post: Post, said: Sequence[Said], added: bool, event_id: int
    ) -> None:
        async def change(tx: Transaction) -> bool:
            run = await runs.get_run(tx, post.run_id)
            if run.for_listener not in {None, actor.user_id}:
                return False
            if await listeners.consent(tx, actor.guild_id, actor.user_id) is Consent.PAUSED:
                return False
            late = await self._is_late(tx, [one.clip for one in said])
            for one in said:
                old = await votes.stored(tx, one.clip.id, actor.user_id, one.source, one.symbol)
                if added:
                    standing = old is not None and not old.retracted
                    if not standing:
                        await self._store(tx, actor, one, late, event_id)
                elif old is not None:
                    await votes.upsert(
                        tx, [_again(old, retracted=True, event_id=event_id, at=self._clock.now())]
                    )
            return True

        if await self._writer.apply(change):
            self._tastes.mark(actor.guild_id, actor.user_id)
            self._voted(post.run_id, post.generation)

    async def _retract(
        self, clip_ids: Sequence[ClipId], which: Callable[[Vote], bool], event_id: int
    ) -> None:
        async def change(tx: Transaction) -> set[tuple[GuildId, ListenerId]]:
            cast = await votes.votes_of_clips(tx, clip_ids)
            gone = [
                vote
                for vote in cast
                if vote.source is VoteSource.REACTION and not vote.retracted and which(vote)
            ]
            now = self._clock.now()
            await votes.upsert(
                tx, [_again(vote, retracted=True, event_id=event_id, at=now) for vote in gone]
            )
            return {(vote.guild_id, vote.listener_id) for vote in gone}

        for guild_id, listener_id in await self._writer.apply(change):
            self._tastes.mark(guild_id, listener_id)

    async def open_posts(self) -> list[Post]:
        """Return the posted rounds that still await votes."""
        async with self._db.reading() as tx:
            return await posts.open_round_posts(tx)


def _rating(clip: Clip, own: Sequence[Vote]) -> ClipRating:
    theirs = {vote.source: vote for vote in own if vote.clip_id == clip.id}
    button = theirs.get(VoteSource.BUTTON)
    grade = next((one for one in Grade if button and one.rating == button.rating), None)
    return ClipRating(
        slot=clip.posted_slot or 0,
        clip_id=clip.id,
        grade=grade,
        favourite=VoteSource.FAVOURITE in theirs,
        broken=VoteSource.BROKEN in theirs,
    )


def _again(vote: Vote, *, retracted: bool, event_id: int, at: float) -> Vote:
    """Return the vote as changed by a later event."""
    return Vote(
        clip_id=vote.clip_id,
        guild_id=vote.guild_id,
        listener_id=vote.listener_id,
        source=vote.source,
        symbol=vote.symbol,
        rating=vote.rating,
        weight=vote.weight,
        retracted=retracted,
        late=vote.late,
        event_id=event_id,
        at=at,
    )
