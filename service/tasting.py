"""From votes to tastes: who steers a channel, with what taste, and how much each of them counts."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter, defaultdict
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from domain.clip import Clip, RenderedClip
from domain.duel import Answer
from domain.errors import ScoringError, StorageError
from domain.ids import ClipId, GuildId, ListenerId, RunId
from domain.run import Run
from domain.vote import Consent, Vote, VoteSource
from scoring.community import Member, refit
from scoring.projection import Projection
from scoring.space import TasteSpace
from scoring.taste import (
    Pair,
    Prior,
    Rated,
    Taste,
    default_prior,
    fit,
    pack,
    pack_prior,
    unpack,
    unpack_prior,
)
from service.clock import Clock
from service.comparing import compare
from service.settings import TasteSettings
from service.tasks import TaskSet
from storage import clips, duels, listeners, proof, tastes, votes
from storage.database import Database, Reader

log = logging.getLogger(__name__)

DAY = 86400.0
REFIT_EVERY = 50
"""Taste updates of a server after which its prior is fitted again, if it has no more members than that."""
FIRST_REFIT = 7200.0
"""Seconds after the start until priors are fitted again, as they are every day from then on."""
ROWS_KEPT = 50_000
"""Clips whose learned columns are remembered: about 13 MB."""
HANDFUL = 128
"""Clips whose learned embeddings, 40 to 100 KB each, are read at a time."""
YIELD_EVERY = 4
"""Fits after which the event loop gets a turn; a fit takes a millisecond or two."""


Lean = Callable[[GuildId, Prior], Awaitable[Prior]]


async def _as_it_is(_guild_id: GuildId, prior: Prior) -> Prior:
    return prior


@dataclass(frozen=True, slots=True, kw_only=True)
class Voice:
    """A listener who steers a channel, with the taste that speaks for them there.

    ``evidence`` counts the clips behind the taste. ``opted_in`` says whether the taste is also kept.
    """

    listener_id: ListenerId
    taste: Taste
    evidence: int
    opted_in: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """What one listener said, ready to be learned from.

    Attributes:
        phi: (n, k + 1) of the clips it is about.
        rated: Votes as ratings.
        pairs: Answers to duels as pairs.
        clips: Which clip each row is.
    """

    phi: NDArray[np.float64]
    rated: Sequence[Rated]
    pairs: Sequence[Pair]
    clips: Sequence[ClipId] = ()

    @property
    def count(self) -> int:
        """Clips that it is about."""
        said = {one.clip for one in self.rated}
        return len(said | {row for pair in self.pairs for row in (pair.better, pair.worse)})

    def taste(self, prior: Prior) -> Taste:
        """Return the taste that it makes of a prior."""
        return fit(prior, self.phi, self.rated, self.pairs)


class TasteService:
    """Learns tastes.

    Opted-in listeners have a stored taste, learned from all their votes in the server. For everybody else who voted in
    a channel, a taste is worked out from their votes in that channel, used for that channel and kept nowhere.
    """

    def __init__(
        self, db: Database, space: TasteSpace, clock: Clock, settings: TasteSettings, tasks: TaskSet
    ) -> None:
        self.space = space
        self._db = db
        self._clock = clock
        self._settings = settings
        self._tasks = tasks
        self._dirty: set[tuple[GuildId, ListenerId]] = set()
        self._updating = asyncio.Lock()
        self._updates: dict[GuildId, int] = defaultdict(int)
        self._priors: dict[GuildId, Prior] = {}
        self._forgotten: dict[GuildId, int] = defaultdict(int)
        self._rows: dict[ClipId, NDArray[Any]] = {}
        self._lean: Lean = _as_it_is

    def lean_on(self, lean: Lean) -> None:
        """Let every fitted prior be moved by what else is known of a server's members."""
        self._lean = lean

    def mark(self, guild_id: GuildId, listener_id: ListenerId) -> None:
        """Note that a listener's votes changed; updates coalesce."""
        self._dirty.add((guild_id, listener_id))
        if not self._updating.locked():
            self._tasks.spawn(self.flush(), "taste updates")

    async def flush(self) -> None:
        """Bring every marked taste up to date."""
        async with self._updating:
            while self._dirty:
                guild_id, listener_id = self._dirty.pop()
                try:
                    await self._update(guild_id, listener_id)
                except (StorageError, ScoringError) as error:
                    log.warning("A taste was not updated: %s", error)
                await asyncio.sleep(0)

    async def _update(self, guild_id: GuildId, listener_id: ListenerId) -> None:
        async with self._db.reading() as tx:
            if await listeners.consent(tx, guild_id, listener_id) is not Consent.TASTE:
                return
            cast = await votes.votes_of_listener(tx, guild_id, listener_id)
            answers = await duels.answers_of(tx, guild_id, listener_id)
            said = await self.evidence(tx, cast, answers)
            high_water = await votes.high_water(tx, guild_id, listener_id)
        taste = said.taste(await self.prior(guild_id))
        async with self._db.transaction() as tx:
            if await listeners.consent(tx, guild_id, listener_id) is not Consent.TASTE:
                return  # withdrawn meanwhile
            if await votes.high_water(tx, guild_id, listener_id) != high_water:
                self._dirty.add(
                    (guild_id, listener_id)
                )  # changed meanwhile: learn from that instead
                return
            await tastes.save_taste(
                tx,
                guild_id,
                listener_id,
                pack(taste),
                space_id=self.space.id,
                evidence=said.count,
                high_water=high_water,
                now=self._clock.now(),
            )
        self._updates[guild_id] += 1
        members = (await self.prior(guild_id)).members
        if self._updates[guild_id] >= max(REFIT_EVERY, members):
            await self.refit_prior(guild_id)

    async def serve(self) -> None:
        """Once a day, learn every server's prior again from its votes, and its tastes from that; for ever."""
        await self._clock.sleep(FIRST_REFIT)
        while True:
            async with self._db.reading() as tx:
                guilds = await listeners.guilds_consenting(tx, Consent.TASTE)
            for guild_id in guilds:
                try:
                    await self.refit_prior(guild_id)
                    await self._mark_all(guild_id)
                except (StorageError, ScoringError) as error:
                    log.warning("The prior of server %s was not learned again: %s", guild_id, error)
            await self._clock.sleep(DAY)

    async def refit_prior(self, guild_id: GuildId) -> None:
        """Learn from the votes of all opted-in members what a new one here will probably like, and keep it."""
        self._updates[guild_id] = 0
        forgotten, members = self._forgotten[guild_id], []
        async with self._db.reading() as tx:
            consenting = sorted(await listeners.consenting(tx, guild_id, Consent.TASTE))
        for listener_id in consenting:
            async with self._db.reading() as tx:
                cast = await votes.votes_of_listener(tx, guild_id, listener_id)
                answers = await duels.answers_of(tx, guild_id, listener_id)
                said = await self.evidence(tx, cast, answers)
            members.append(Member(phi=said.phi, rated=said.rated, pairs=said.pairs))
        prior = await asyncio.to_thread(refit, members, self.space)
        async with self._db.transaction() as tx:
            if self._forgotten[guild_id] != forgotten:
                return  # somebody's data went meanwhile: learned again when next needed
            await tastes.delete_priors(tx, guild_id)
            if prior.members:
                await tastes.save_prior(
                    tx,
                    guild_id,
                    pack_prior(prior),
                    space_id=self.space.id,
                    members=prior.members,
                    now=self._clock.now(),
                )
        self._priors[guild_id] = await self._lean(guild_id, prior)

    async def prior(self, guild_id: GuildId) -> Prior:
        """Return what is assumed of a listener before their first vote."""
        if guild_id not in self._priors:
            async with self._db.reading() as tx:
                stored = await tastes.latest_prior(tx, guild_id)
            if stored is not None and stored.space_id == self.space.id:
                try:
                    prior = unpack_prior(stored.payload)
                    self._priors[guild_id] = await self._lean(guild_id, prior)
                except ScoringError as error:
                    log.warning("A stored prior is left out: %s", error)
        if guild_id not in self._priors:
            await self.refit_prior(guild_id)
        return self._priors.get(guild_id) or default_prior(self.space)

    def forget(self, guild_id: GuildId) -> None:
        """Drop the cached prior of a server whose members' data changed; it is fitted again when next needed."""
        self._priors.pop(guild_id, None)
        self._forgotten[guild_id] += 1

    async def adopt(self, space: TasteSpace) -> None:
        """Learn in another space from now on, everybody's taste from their votes.

        To be called while nothing else is worked out from tastes.
        """
        async with self._updating:
            self.space, self._rows = space, {}
            for guild_id in {*self._priors, *self._forgotten}:
                self.forget(guild_id)
        async with self._db.reading() as tx:
            elsewhere = await tastes.tastes_elsewhere(tx, space.id)
        for guild_id, listener_id in elsewhere:
            self.mark(guild_id, listener_id)

    async def relearn(self, guild_id: GuildId) -> None:
        """Fit the prior and every member's taste of a server again, because what they were built on was erased."""
        self.forget(guild_id)
        await self._mark_all(guild_id)

    async def _mark_all(self, guild_id: GuildId) -> None:
        async with self._db.reading() as tx:
            members = await listeners.consenting(tx, guild_id, Consent.TASTE)
        for listener_id in members:
            self.mark(guild_id, listener_id)

    def _unpack(self, payload: bytes) -> Taste | None:
        try:
            return unpack(payload)
        except ScoringError as error:
            log.warning("A stored taste is left out: %s", error)
            return None

    async def voices(self, run: Run) -> list[Voice]:
        """Return who steers a run now, by listener id.

        That is the one listener of a private run, else everybody who voted here in the last days and did not pause.
        """
        await self.flush()
        async with self._db.reading() as tx:
            here = await votes.votes_of_channel(tx, run.channel_id)
            latest = await duels.voters_of_channel(tx, run.channel_id)
            paused = await listeners.consenting(tx, run.guild_id, Consent.PAUSED)
        since = self._clock.now() - self._settings.active_days * DAY
        for vote in here:
            latest[vote.listener_id] = max(vote.at, latest.get(vote.listener_id, 0.0))
        active = sorted(one for one, at in latest.items() if at >= since and one not in paused)
        if run.for_listener is not None:
            active = [run.for_listener]
        voices = []
        for count, listener_id in enumerate(active):
            voices.append(await self.voice(run, listener_id, here))
            if count % YIELD_EVERY == 0:
                await asyncio.sleep(0)
        return [voice for voice in voices if voice.evidence]

    async def voice(self, run: Run, listener_id: ListenerId, here: Sequence[Vote]) -> Voice:
        """Return one listener's taste as it counts in a run's channel."""
        async with self._db.reading() as tx:
            opted_in = await listeners.consent(tx, run.guild_id, listener_id) is Consent.TASTE
            stored = await tastes.latest_taste(tx, run.guild_id, listener_id) if opted_in else None
            if stored is not None and stored.space_id == self.space.id:
                taste = self._unpack(stored.payload)
                if taste is not None:
                    return Voice(
                        listener_id=listener_id,
                        taste=taste,
                        evidence=stored.evidence,
                        opted_in=True,
                    )
            said = await self._said_by(tx, run, listener_id, here if not opted_in else None)
        return Voice(
            listener_id=listener_id,
            taste=said.taste(await self.prior(run.guild_id)),
            evidence=said.count,
            opted_in=opted_in,
        )

    async def said_by(self, run: Run, listener_id: ListenerId) -> Evidence:
        """Return what the taste that speaks for a listener in a run's channel is learned from."""
        async with self._db.reading() as tx:
            opted_in = await listeners.consent(tx, run.guild_id, listener_id) is Consent.TASTE
            here = None if opted_in else await votes.votes_of_channel(tx, run.channel_id)
            return await self._said_by(tx, run, listener_id, here)

    async def _said_by(
        self, tx: Reader, run: Run, listener_id: ListenerId, here: Sequence[Vote] | None
    ) -> Evidence:
        """Return what a listener said: in the channel, whose votes are ``here``, else in all of the server."""
        if here is None:
            cast = await votes.votes_of_listener(tx, run.guild_id, listener_id)
            answers = await duels.answers_of(tx, run.guild_id, listener_id)
        else:
            cast = [vote for vote in here if vote.listener_id == listener_id]
            answers = await duels.answers_of(tx, run.guild_id, listener_id, run.channel_id)
        return await self.evidence(tx, cast, answers)

    async def evidence(
        self, tx: Reader, cast: Sequence[Vote], answers: Sequence[Answer]
    ) -> Evidence:
        """Return what one listener's votes and standing answers say about clips that have an embedding of ours."""
        ids = {vote.clip_id for vote in cast}
        ids |= {clip_id for answer in answers for clip_id in (answer.a, answer.b)}
        found, phi = await self.phi(tx, sorted(ids))
        rounds = await clips.rounds_of(tx, found)
        places = places_of(found, await proof.originals(tx, found))
        bad, pairs = compare(answers, cast, places)
        rated = [*fold(cast, places, rounds), *bad]
        return Evidence(phi=phi, rated=rated, pairs=pairs, clips=found)

    async def phi(
        self, tx: Reader, ids: Sequence[ClipId]
    ) -> tuple[list[ClipId], NDArray[np.float64]]:
        """Return taste features, shape (n, k + 1), of the clips that have an embedding of our encoder."""
        space, rows = self.space, self._rows
        found, embeddings = await clips.embeddings(tx, ids, space.encoder_id)
        if not found:
            return found, np.zeros((0, space.dimensions + 1))
        if space.learned is None:
            return found, space.project(embeddings)
        return found, space.project(embeddings, await _further(tx, found, space.learned, rows))

    def phi_of(self, made: Sequence[RenderedClip]) -> NDArray[np.float64]:
        """Return taste features (n, k + 1) of clips that are not stored yet, at least one."""
        embeddings = np.stack([np.frombuffer(clip.embedding, dtype="<f4") for clip in made])
        learned = self.space.learned
        if learned is None:
            return self.space.project(embeddings)
        further = np.zeros((len(made), learned.dimensions))
        for row, clip in enumerate(made):
            if learned.encoder_id in clip.further:
                vector = np.frombuffer(clip.further[learned.encoder_id], dtype="<f4")
                further[row] = learned.project(vector[None])[0]
        return self.space.project(embeddings, further)


async def _further(
    tx: Reader, ids: Sequence[ClipId], learned: Projection, known: dict[ClipId, NDArray[Any]]
) -> NDArray[np.float64]:
    """Return the learned columns (n, k) of clips, zeros where the encoder has not heard one.

    Args:
        tx: A reader.
        ids: The clips.
        learned: The axes.
        known: Rows that were worked out before; is added to, since a learned embedding is large and never changes.
    """
    if len(known) > ROWS_KEPT:
        known.clear()
    wanted = [one for one in ids if one not in known]
    for start in range(0, len(wanted), HANDFUL):
        found, vectors = await clips.embeddings(
            tx, wanted[start : start + HANDFUL], learned.encoder_id
        )
        if found:
            rows = learned.project(vectors).astype(np.float32)
            known.update(zip(found, rows, strict=True))
        await asyncio.sleep(0)
    nothing = np.zeros(learned.dimensions)
    return np.stack([known.get(one, nothing) for one in ids]).astype(np.float64)


def places_of(found: Sequence[ClipId], originals: Mapping[ClipId, ClipId]) -> dict[ClipId, int]:
    """Return the row of each clip; a re-post shares the row of its original, or of whichever of the two is there."""
    rows: dict[ClipId, int] = {}
    for row, clip_id in enumerate(found):
        rows.setdefault(originals.get(clip_id, clip_id), row)
    return {clip_id: rows[originals.get(clip_id, clip_id)] for clip_id in found}


def fold(
    cast: Sequence[Vote], places: Mapping[ClipId, int], rounds: Mapping[ClipId, tuple[RunId, int]]
) -> list[Rated]:
    """Turn one listener's votes into ratings, whatever the order in which they arrived.

    A clip called broken says nothing. A button press outranks reactions on the same clip. A favourite without a grade
    counts as the highest grade. Of a clip that was posted twice each vote has half the weight: it is one opinion.

    Args:
        cast: Votes of one listener, retracted ones included.
        places: Row in phi of each clip, see ``places_of``.
        rounds: (run, generation) of each clip.
    """
    by_clip: dict[ClipId, list[Vote]] = defaultdict(list)
    for vote in cast:
        if not vote.retracted and vote.clip_id in places:
            by_clip[vote.clip_id].append(vote)
    spoken = {clip_id: said for clip_id, said in by_clip.items() if not _broken(said)}
    order = sorted(
        spoken, key=lambda clip_id: (min(vote.event_id for vote in spoken[clip_id]), clip_id)
    )
    times = Counter(places[clip_id] for clip_id in order)
    rated: list[Rated] = []
    for age, clip_id in enumerate(reversed(order)):
        favourite = any(vote.source is VoteSource.FAVOURITE for vote in spoken[clip_id])
        for rating, weight in _ratings(spoken[clip_id]):
            rated.append(
                Rated(
                    clip=places[clip_id],
                    rating=rating,
                    weight=weight / times[places[clip_id]],
                    age=age,
                    round="{}/{}".format(*rounds.get(clip_id, (0, 0))),
                    favourite=favourite,
                )
            )
            favourite = False  # said once
    return rated


def _broken(said: Sequence[Vote]) -> bool:
    return any(vote.source is VoteSource.BROKEN for vote in said)


def _ratings(said: Sequence[Vote]) -> list[tuple[float, float]]:
    """Return (rating, weight) of what one listener said about one clip."""
    buttons = [vote for vote in said if vote.source is VoteSource.BUTTON]
    if buttons:
        return [(vote.rating, vote.weight) for vote in buttons]
    favourites = [vote for vote in said if vote.source is VoteSource.FAVOURITE]
    if favourites:
        return [(1.0, 1.0)]
    reactions = [vote for vote in said if vote.source is VoteSource.REACTION]
    total = sum(vote.weight for vote in reactions)
    if not total:
        return []
    mean = sum(vote.rating * vote.weight for vote in reactions) / total
    return [(mean, min(1.0, max(vote.weight for vote in reactions)))]


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """What one listener said about one clip: a rating in [-1, 1], and its weight in (0, 1]."""

    rating: float
    weight: float


def said_of(cast: Sequence[Vote]) -> dict[ClipId, dict[ListenerId, Said]]:
    """Return clip -> listener -> what they said, with the same rules as ``fold``."""
    said: dict[tuple[ClipId, ListenerId], list[Vote]] = defaultdict(list)
    for vote in cast:
        if not vote.retracted:
            said[vote.clip_id, vote.listener_id].append(vote)
    out: dict[ClipId, dict[ListenerId, Said]] = defaultdict(dict)
    for (clip_id, listener_id), theirs in said.items():
        if not _broken(theirs) and (ratings := _ratings(theirs)):
            rating, weight = ratings[0]
            out[clip_id][listener_id] = Said(rating=rating, weight=weight)
    return dict(out)


def families_of(rated_clips: Sequence[Clip]) -> dict[str, int]:
    """Count clips by genre family, most first."""
    counts: dict[str, int] = defaultdict(int)
    for clip in rated_clips:
        counts[clip.family] += 1
    return dict(sorted(counts.items(), key=lambda item: (-item[1], item[0])))
