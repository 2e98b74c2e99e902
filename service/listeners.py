"""What a listener may ask about themselves: consent, their taste in words, export, erase."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np

from domain.clip import Clip
from domain.ids import GuildId, RunId
from domain.vote import Consent
from scoring.taste import FAINT, Reason, describe
from service.folding import said_of
from service.progress import calibration_of, own_rounds
from service.settings_taste import TasteSettings
from service.taste_map import MOST, TasteMap, points_of
from service.tasting import TasteService
from service.views import Actor, TasteView, TasteWord
from storage import clips, duels, judgements, listeners, preferences, proof, runs, tastes, votes
from storage.database import Database
from storage.files import AudioStore

WORDS = 5
"""Likes, and dislikes, that a taste is told in."""
CERTAIN = 0.7
"""Probability that a sign is right below which it is not told."""


class ListenerService:
    """Consent and data rights, each within one server unless it says otherwise."""

    def __init__(
        self,
        db: Database,
        store: AudioStore,
        learner: TasteService,
        settings: TasteSettings,
        erased: Callable[[Iterable[RunId]], None],
        preferred: Callable[[GuildId], None],
    ) -> None:
        """Keep what is needed.

        Args:
            db: The database.
            store: The audio files.
            learner: Learns tastes.
            settings: How tastes are learned.
            erased: Told of private runs that are gone.
            preferred: Told of servers where preferences of a member went or may not be used any more.
        """
        self._db = db
        self._store = store
        self._learner = learner
        self._settings = settings
        self._erased = erased
        self._preferred = preferred

    async def consent(self, actor: Actor) -> Consent:
        """Return what the listener allows in this server."""
        async with self._db.reading() as tx:
            return await listeners.consent(tx, actor.guild_id, actor.user_id)

    async def set_consent(self, actor: Actor, consent: Consent) -> None:
        """Store what the listener allows. Without opting in, a stored taste is deleted; votes stay for the channel."""
        async with self._db.transaction() as tx:
            await listeners.set_consent(tx, actor.guild_id, actor.user_id, consent)
            if consent is not Consent.TASTE:  # what was learned from their preferences goes at once
                await preferences.delete_rewards(tx, actor.guild_id)
            if consent is Consent.CHANNEL_ONLY:
                await tastes.delete_tastes(tx, actor.guild_id, actor.user_id)
                await tastes.delete_priors(tx, actor.guild_id)
                await proof.delete_predictions(tx, actor.guild_id, actor.user_id)
        if consent is not Consent.TASTE:
            self._preferred(actor.guild_id)
        if consent is Consent.CHANNEL_ONLY:
            self._learner.forget(actor.guild_id)
        if consent is Consent.TASTE:
            self._learner.mark(actor.guild_id, actor.user_id)

    async def taste(self, actor: Actor) -> TasteView:
        """Describe the listener's taste, worked out now from their votes; nothing is kept by asking."""
        await self._learner.flush()
        async with self._db.reading() as tx:
            consent = await listeners.consent(tx, actor.guild_id, actor.user_id)
            cast = await votes.votes_of_listener(tx, actor.guild_id, actor.user_id)
            heard = await self._learner.of_listener(tx, actor.guild_id, actor.user_id)
            rated_clips = await clips.clips_by_id(tx, sorted({vote.clip_id for vote in cast}))
            run = await runs.latest_run_in_channel(tx, actor.channel_id)
            shared = run is not None and run.for_listener in {None, actor.user_id}
            note, _ = await runs.searcher_words(tx, run.id) if run and shared else ("", ())
        taste = heard.taste(await self._learner.prior(actor.guild_id))
        words = [
            word(reason)
            for reason in describe(taste, self._learner.space)
            if reason.certainty >= CERTAIN and abs(reason.contribution) >= FAINT
        ]
        said = {clip_id: theirs[actor.user_id].rating for clip_id, theirs in said_of(cast).items()}
        count = heard.count
        return TasteView(
            consent=consent,
            evidence=count,
            votes_until_shown=max(0, self._settings.votes_until_shown - count),
            likes=tuple(one for one in words if one.strength > 0)[:WORDS] if count else (),
            dislikes=tuple(one for one in words if one.strength < 0)[:WORDS] if count else (),
            liked_families=_families(rated_clips, said),
            trend=_trend(rated_clips, said),
            note=note,
        )

    async def taste_map(self, actor: Actor) -> TasteMap | None:
        """Return the listener's taste as a map, or ``None`` without their consent or before their first vote."""
        await self._learner.flush()
        async with self._db.reading() as tx:
            if await listeners.consent(tx, actor.guild_id, actor.user_id) is not Consent.TASTE:
                return None
            cast = await votes.votes_of_listener(tx, actor.guild_id, actor.user_id)
            heard = await self._learner.of_listener(tx, actor.guild_id, actor.user_id)
            if not heard.count:
                return None
            said, back = said_of(cast), await proof.originals(tx, [one.clip_id for one in cast])
            own = {back.get(clip_id, clip_id) for clip_id in said}
            latest = await proof.posted_for_everybody(tx, actor.guild_id, MOST)
            found, phi = await self._learner.phi(tx, sorted(own | set(latest)))
            shown = await clips.clips_by_id(tx, found)
            mine = await proof.outcomes(tx, actor.guild_id, listener_id=actor.user_id)
        taste = heard.taste(await self._learner.prior(actor.guild_id))
        ratings = {
            back.get(clip_id, clip_id): theirs[actor.user_id].rating
            for clip_id, theirs in said.items()
        }
        points, across, upwards = points_of(taste, self._learner.space, shown, phi, ratings)
        return TasteMap(
            points=points,
            across=across,
            upwards=upwards,
            evidence=heard.count,
            rounds=own_rounds(mine),
            calibration=calibration_of(mine),
            enough=self._settings.votes_until_shown,
        )

    async def reset_taste(self, actor: Actor) -> int:
        """Forget this listener's votes and taste in this server; the community's clips stay.

        Returns:
            Votes that were deleted.
        """
        async with self._db.transaction() as tx:
            await judgements.forget_tastes(tx, actor.user_id, actor.guild_id)
            gone = await votes.delete_votes(tx, actor.guild_id, actor.user_id)
            gone += await duels.delete_answers(tx, actor.guild_id, actor.user_id)
            await preferences.delete_rewards(tx, actor.guild_id)
            await tastes.delete_tastes(tx, actor.guild_id, actor.user_id)
            await tastes.delete_priors(tx, actor.guild_id)
            await proof.delete_predictions(tx, actor.guild_id, actor.user_id)
        self._learner.forget(actor.guild_id)
        self._preferred(actor.guild_id)
        return gone

    async def export(self, actor: Actor) -> dict[str, Any]:
        """Return everything that is held about this person, in every server."""
        async with self._db.reading() as tx:
            return await listeners.export(tx, actor.user_id, None)

    async def erase(self, actor: Actor) -> dict[str, int]:
        """Delete everything that is held about this person, in every server, and refit what was built on it.

        Returns:
            Rows changed, by table.
        """
        async with self._db.transaction() as tx:
            paused = await listeners.consent(tx, actor.guild_id, actor.user_id) is Consent.PAUSED
            erased = await listeners.erase(tx, actor.user_id, None)
            if paused:  # who wants nothing collected does not start to be collected by deleting
                await listeners.set_consent(tx, actor.guild_id, actor.user_id, Consent.PAUSED)
        self._erased(erased.runs)
        for sha256, extension in erased.audio:
            await asyncio.to_thread(self._store.delete, sha256, extension)
        for guild_id in erased.rewards:
            self._preferred(guild_id)
        for guild_id in erased.guilds:
            await self._learner.relearn(guild_id)
        return dict(erased.counts)


def word(reason: Reason) -> TasteWord:
    """Turn a scoring reason into words."""
    return TasteWord(words=reason.words, strength=reason.contribution, certainty=reason.certainty)


def _families(rated: Sequence[Clip], said: dict[Any, float]) -> dict[str, tuple[int, float]]:
    by_family: dict[str, list[float]] = defaultdict(list)
    for clip in rated:
        if clip.id in said:
            by_family[clip.family].append(said[clip.id])
    order = sorted(
        by_family.items(), key=lambda item: (-len(item[1]), -float(np.mean(item[1])), item[0])
    )
    return {family: (len(ratings), float(np.mean(ratings))) for family, ratings in order}


def _trend(rated: Sequence[Clip], said: dict[Any, float]) -> tuple[float, ...]:
    """Return the mean rating of each round that they rated, oldest first."""
    by_round: dict[tuple[int, int], list[float]] = defaultdict(list)
    for clip in rated:
        if clip.id in said:
            by_round[clip.run_id, clip.generation].append(said[clip.id])
    return tuple(float(np.mean(by_round[key])) for key in sorted(by_round))
