"""Learns tastes from votes, again and again, and hands out what was learned."""

from __future__ import annotations

import asyncio
import logging
from collections import defaultdict
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from domain.clip import RenderedClip
from domain.errors import NotFoundError, ScoringError, StorageError
from domain.ids import ClipId, GuildId, ListenerId, RunId
from domain.run import Run
from domain.vote import Consent, Vote
from scoring.space import TasteSpace
from scoring.taste import Prior, pack
from service.clock import Clock
from service.evidence import Evidence, Witness
from service.priors import Lean, Priors
from service.settings_taste import TasteSettings
from service.tasks import TaskSet
from service.voices import DAY, Voice, Voices
from storage import listeners, runs, tastes, votes
from storage.database import Database, Reader

log = logging.getLogger(__name__)

REFIT_EVERY = 50
"""Taste updates of a server after which its prior is fitted again, if it has no more members than that."""
FIRST_REFIT = 7200.0
"""Seconds after the start until priors are fitted again, as they are every day from then on."""


class TasteService:
    """Learns tastes.

    Opted-in listeners have a stored taste, learned from all their votes in the server. For everybody else who voted in
    a channel, a taste is worked out from their votes in that channel, used for that channel and kept nowhere.
    """

    def __init__(
        self, db: Database, space: TasteSpace, clock: Clock, settings: TasteSettings, tasks: TaskSet
    ) -> None:
        self._db = db
        self._clock = clock
        self._tasks = tasks
        self._silence = settings.silence
        self._witness = Witness(space, settings.silence)
        self._priors = Priors(db, self._witness, clock)
        self._voices = Voices(db, self._witness, self._priors, clock, settings)
        self._dirty: set[tuple[GuildId, ListenerId]] = set()
        self._updating = asyncio.Lock()
        self._updates: dict[GuildId, int] = defaultdict(int)

    def mark(self, guild_id: GuildId, listener_id: ListenerId) -> None:
        """Note that a listener's votes changed; updates coalesce."""
        self._dirty.add((guild_id, listener_id))
        if not self._updating.locked():
            self._tasks.spawn(self.flush(), "taste updates")

    async def closed(self, run_id: RunId, number: int) -> None:
        """Note that a round closed: from now on silence in it says something about those who voted in it."""
        if not self._silence:
            return
        try:
            async with self._db.reading() as tx:
                run = await runs.get_run(tx, run_id)
                people = await votes.voters(tx, run_id, number)
        except (
            NotFoundError,
            StorageError,
        ) as error:  # they learn with their next vote, or within a day
            log.warning("Silence in round %s of run %s waits: %s", number, run_id, error)
            return
        for listener_id in sorted(people):
            self.mark(run.guild_id, listener_id)

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
            said = await self._witness.of_listener(tx, guild_id, listener_id)
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
        await self._priors.refit(guild_id)

    async def adopt(self, space: TasteSpace) -> None:
        """Learn in another space from now on, everybody's taste from their votes.

        To be called while nothing else is worked out from tastes.
        """
        async with self._updating:
            self._witness.adopt(space)
            self._priors.forget_all()
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

    # What others ask ----------------------------------------------------------------------------------

    @property
    def space(self) -> TasteSpace:
        """The space that tastes live in."""
        return self._witness.space

    def lean_on(self, lean: Lean) -> None:
        """Let every fitted prior be moved by what else is known of a server's members."""
        self._priors.lean_on(lean)

    async def prior(self, guild_id: GuildId) -> Prior:
        """Return what is assumed of a listener before their first vote."""
        return await self._priors.prior(guild_id)

    def forget(self, guild_id: GuildId) -> None:
        """Drop the prior of a server whose members' data changed; it is fitted again when next needed."""
        self._priors.forget(guild_id)

    async def voices(self, run: Run) -> list[Voice]:
        """Return who steers a run now, with what they have said until this moment; see ``Voices.of``."""
        await self.flush()
        return await self._voices.of(run)

    async def voice(self, run: Run, listener_id: ListenerId, here: Sequence[Vote]) -> Voice:
        """Return one listener's taste as it counts in a run's channel, whose votes are ``here``."""
        return await self._voices.voice(run, listener_id, here)

    async def said_by(self, run: Run, listener_id: ListenerId) -> Evidence:
        """Return what the taste that speaks for a listener in a run's channel is learned from."""
        return await self._voices.said_by(run, listener_id)

    async def of_listener(self, tx: Reader, guild_id: GuildId, listener_id: ListenerId) -> Evidence:
        """Return what a listener said anywhere in a server; see ``Witness.of_listener``."""
        return await self._witness.of_listener(tx, guild_id, listener_id)

    async def phi(
        self, tx: Reader, ids: Sequence[ClipId]
    ) -> tuple[list[ClipId], NDArray[np.float64]]:
        """Return places of stored clips; see ``Witness.phi``."""
        return await self._witness.phi(tx, ids)

    def phi_of(self, made: Sequence[RenderedClip]) -> NDArray[np.float64]:
        """Return places of clips that are not stored yet; see ``Witness.phi_of``."""
        return self._witness.phi_of(made)
