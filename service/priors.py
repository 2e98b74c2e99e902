"""What is assumed of a server's members before their first vote: learned from all of them, forgotten with them."""

from __future__ import annotations

import asyncio
import logging
from collections import defaultdict
from collections.abc import Awaitable, Callable

from domain.errors import ScoringError
from domain.ids import GuildId
from domain.vote import Consent
from scoring import community
from scoring.community import Member
from scoring.taste import Prior, default_prior, pack_prior, unpack_prior
from service.clock import Clock
from service.evidence import Witness
from storage import listeners, tastes
from storage.database import Database

log = logging.getLogger(__name__)

Lean = Callable[[GuildId, Prior], Awaitable[Prior]]


async def _as_it_is(_guild_id: GuildId, prior: Prior) -> Prior:
    return prior


class Priors:
    """Keeps the prior of each server."""

    def __init__(self, db: Database, witness: Witness, clock: Clock) -> None:
        self._db = db
        self._witness = witness
        self._clock = clock
        self._priors: dict[GuildId, Prior] = {}
        self._forgotten: dict[GuildId, int] = defaultdict(int)
        self._lean: Lean = _as_it_is

    def lean_on(self, lean: Lean) -> None:
        """Let every fitted prior be moved by what else is known of a server's members."""
        self._lean = lean

    async def refit(self, guild_id: GuildId) -> None:
        """Learn from the votes of all opted-in members what a new one here will probably like, and keep it."""
        forgotten, members = self._forgotten[guild_id], []
        async with self._db.reading() as tx:
            consenting = await listeners.consenting(tx, guild_id, Consent.TASTE)
        for listener_id in sorted(consenting):
            async with self._db.reading() as tx:
                said = await self._witness.of_listener(tx, guild_id, listener_id)
            members.append(Member(phi=said.phi, rated=said.rated, pairs=said.pairs))
        prior = await asyncio.to_thread(community.refit, members, self._witness.space)
        async with self._db.transaction() as tx:
            # Whoever withdrew or was erased is gone from here before anybody is told to forget.
            left = consenting - await listeners.consenting(tx, guild_id, Consent.TASTE)
            if left or self._forgotten[guild_id] != forgotten:
                return  # somebody's data went meanwhile: learned again when next needed
            await tastes.delete_priors(tx, guild_id)
            if prior.members:
                await tastes.save_prior(
                    tx,
                    guild_id,
                    pack_prior(prior),
                    space_id=self._witness.space.id,
                    members=prior.members,
                    now=self._clock.now(),
                )
        await self._keep(guild_id, prior, forgotten)

    async def _keep(self, guild_id: GuildId, prior: Prior, forgotten: int) -> None:
        """Remember a prior, unless it was to be forgotten since ``forgotten`` was counted."""
        leaned = await self._lean(guild_id, prior)
        if self._forgotten[guild_id] == forgotten:
            self._priors[guild_id] = leaned

    async def prior(self, guild_id: GuildId) -> Prior:
        """Return what is assumed of a listener before their first vote."""
        if guild_id not in self._priors:
            forgotten = self._forgotten[guild_id]
            async with self._db.reading() as tx:
                stored = await tastes.latest_prior(tx, guild_id)
            if stored is not None and stored.space_id == self._witness.space.id:
                try:
                    await self._keep(guild_id, unpack_prior(stored.payload), forgotten)
                except ScoringError as error:
                    log.warning("A stored prior is left out: %s", error)
        if guild_id not in self._priors:
            await self.refit(guild_id)
        return self._priors.get(guild_id) or default_prior(self._witness.space)

    def forget(self, guild_id: GuildId) -> None:
        """Drop the cached prior of a server whose members' data changed; it is fitted again when next needed."""
        self._priors.pop(guild_id, None)
        self._forgotten[guild_id] += 1

    def forget_all(self) -> None:
        """Drop every prior: they are of another space than today's."""
        for guild_id in {*self._priors, *self._forgotten}:
            self.forget(guild_id)
