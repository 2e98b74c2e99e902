"""Ordinary emoji reactions as votes: weaker evidence, for one clip or spread over the whole post."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from domain.ids import GuildId, ListenerId
from domain.run import GenerationState
from domain.vote import Consent, Vote, VoteSource
from service.ballots import Ballot
from service.clock import Clock
from service.settings import ReactionSettings
from service.views import Actor
from storage import listeners, runs, votes
from storage.database import Transaction

TEXT_STYLE = "\ufe0f"
"""Discord sends some emoji with this selector and some without."""


class ReactionBook:
    """Reads emoji by the host's map and keeps what they say."""

    def __init__(self, writer: votes.VoteWriter, settings: ReactionSettings, clock: Clock) -> None:
        self._writer = writer
        self._settings = settings
        self._clock = clock

    def means_something(self, emoji: str) -> bool:
        """Return whether the map knows this emoji; a custom one is written ``name:id``."""
        return self._meaning(emoji) is not None

    def _meaning(self, emoji: str) -> tuple[int | None, float] | None:
        """Return (slot, or ``None`` for all, and rating)."""
        plain = emoji.replace(TEXT_STYLE, "")
        for name in (emoji, plain, plain + TEXT_STYLE, emoji.split(":", 1)[0]):
            if name in self._settings.slots:
                return self._settings.slots[name], 1.0
            if name in self._settings.emoji:
                return None, self._settings.emoji[name]
        return None

    def _votes(self, actor: Actor, ballot: Ballot, emoji: str, event_id: int) -> list[Vote]:
        meaning = self._meaning(emoji)
        if meaning is None:
            return []
        slot, rating = meaning
        meant = [clip for clip in ballot.shown if slot in {None, clip.posted_slot}]
        return [
            Vote(
                clip_id=clip.id,
                guild_id=actor.guild_id,
                listener_id=actor.user_id,
                source=VoteSource.REACTION,
                symbol=emoji,
                rating=rating,
                weight=self._settings.weight / len(meant),
                event_id=event_id,
                at=self._clock.now(),
            )
            for clip in meant
        ]

    async def change(
        self, actor: Actor, ballot: Ballot, emoji: str, *, added: bool, event_id: int
    ) -> bool:
        """Record that a reaction was added or removed.

        Returns:
            Whether it counts: the emoji means something, the round is theirs to judge, and they did not pause.
        """
        wanted = self._votes(actor, ballot, emoji, event_id)
        if not wanted or ballot.guild_id != actor.guild_id or not ballot.is_open_to(actor.user_id):
            return False

        async def write(tx: Transaction) -> bool:
            paused = await listeners.consent(tx, actor.guild_id, actor.user_id) is Consent.PAUSED
            if paused and added:
                return False
            generation = await runs.generation(tx, ballot.run_id, ballot.number)
            late = generation.state is GenerationState.CLOSED
            for vote in wanted:
                old = await votes.stored(
                    tx, vote.clip_id, vote.listener_id, vote.source, vote.symbol
                )
                stands = old is not None and not old.retracted
                if added and not stands:
                    await votes.upsert(tx, [replace(vote, late=late)])
                elif not added and old is not None:
                    await votes.upsert(
                        tx, [replace(old, retracted=True, event_id=event_id, at=vote.at)]
                    )
            return True

        return await self._writer.apply(write)

    async def retract(
        self, ballot: Ballot, which: Callable[[Vote], bool], event_id: int
    ) -> set[tuple[GuildId, ListenerId]]:
        """Take back some standing reactions of a round.

        Returns:
            Whose they were.
        """

        async def write(tx: Transaction) -> set[tuple[GuildId, ListenerId]]:
            cast = await votes.votes_of_round(tx, ballot.run_id, ballot.number)
            gone = [
                vote
                for vote in cast
                if vote.source is VoteSource.REACTION and not vote.retracted and which(vote)
            ]
            now = self._clock.now()
            await votes.upsert(
                tx, [replace(vote, retracted=True, event_id=event_id, at=now) for vote in gone]
            )
            return {(vote.guild_id, vote.listener_id) for vote in gone}

        return await self._writer.apply(write)
