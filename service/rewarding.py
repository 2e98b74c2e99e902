"""Learn each server's preference reward from what its members prefer, on a schedule and whenever somebody leaves it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence

import numpy as np

from domain.duel import Preference
from domain.errors import ScoringError, StorageError
from domain.ids import GuildId
from scoring.reward import Choices, Reward, learn, too_few
from scoring.reward_packing import pack_reward, unpack_reward
from scoring.taste import Prior
from service.clock import Clock
from service.tasks import TaskSet
from service.tasting import TasteService
from storage import preferences
from storage.database import Database
from storage.preferences import StoredReward

log = logging.getLogger(__name__)

FIRST_AFTER = 120.0
"""Seconds after the start: not while the first people wait for their first round."""
LOOK_EVERY = 600.0
NEW_PAIRS = 20
"""Preferences more or less than a reward was learned from, after which it is learned again."""
DAY = 86400.0
"""Seconds after which a reward is learned again when anything changed at all."""
MOST = 20_000
"""Preferences that a reward is learned from; of more, those of the youngest clips."""
TRIES = 3


class RewardService:
    """Keeps a reward for each server whose members gave enough preferences, and leans newcomers' priors on it.

    Only members who opted in to a taste count, and only in their own server.
    """

    def __init__(self, db: Database, learner: TasteService, clock: Clock, tasks: TaskSet) -> None:
        self._db = db
        self._learner = learner
        self._clock = clock
        self._tasks = tasks
        self._one_at_a_time = asyncio.Lock()
        learner.lean_on(self.lean)

    async def serve(self) -> None:
        """Look for changes, for ever."""
        await self._clock.sleep(FIRST_AFTER)
        while True:
            try:
                await self.catch_up()
            except (StorageError, ScoringError) as error:
                log.warning("Rewards were not looked at: %s", error)
            await self._clock.sleep(LOOK_EVERY)

    async def catch_up(self) -> list[GuildId]:
        """Learn the rewards again whose preferences changed enough; returns whose."""
        async with self._db.reading() as tx:
            guilds = await preferences.guilds_with_tastes(tx)
        return [
            guild_id
            for guild_id in guilds
            if await self._is_due(guild_id) and await self.refit(guild_id)
        ]

    async def _is_due(self, guild_id: GuildId) -> bool:
        async with self._db.reading() as tx:
            stored = await preferences.latest_reward(tx, guild_id)
            found = await preferences.preferences_of_guild(tx, guild_id)
        if stored is None or stored.space_id != self._learner.space.id:
            return not too_few(_choices(found, {}))
        changed = abs(len(found) - stored.pairs)
        old = self._clock.now() - stored.saved_at >= DAY
        return changed >= NEW_PAIRS or (old and changed > 0)

    def changed(self, guild_id: GuildId) -> None:
        """Note that a member's preferences went, or may not be used any more: learn again at once, without them."""
        self._learner.forget(guild_id)
        self._tasks.spawn(self.refit(guild_id), f"reward of server {guild_id}")

    async def refit(self, guild_id: GuildId) -> bool:
        """Learn a server's reward from all standing preferences; returns whether there is one now."""
        async with self._one_at_a_time:
            for _ in range(TRIES):
                done = await self._try(guild_id)
                if done is not None:
                    self._learner.forget(guild_id)
                    return done
        log.info("The reward of server %s waits: its preferences change all the time", guild_id)
        return False

    async def _try(self, guild_id: GuildId) -> bool | None:
        """Learn and store; ``None`` when the preferences changed meanwhile, so that nothing of it may be kept."""
        async with self._db.reading() as tx:
            found = await preferences.preferences_of_guild(tx, guild_id)
            ids = sorted({one for item in found for one in (item.better, item.worse)})
            known, phi = await self._learner.phi(tx, ids)
        choices = _choices(found, {clip_id: row for row, clip_id in enumerate(known)})
        refusal = too_few(choices)
        reward = None
        if not refusal:
            # Seconds with many preferences: not on the loop that answers people.
            reward = await asyncio.to_thread(learn, self._learner.space, phi, choices)
        async with self._db.transaction() as tx:
            if await preferences.preferences_of_guild(tx, guild_id) != found:
                return None
            if reward is None:
                log.info("No reward for server %s: %s", guild_id, refusal)
                await preferences.delete_rewards(tx, guild_id)
                return False
            await preferences.save_reward(
                tx,
                StoredReward(
                    guild_id=guild_id,
                    version=0,
                    space_id=reward.space_id,
                    payload=pack_reward(reward),
                    pairs=len(found),
                    listeners=reward.evidence.listeners,
                    saved_at=self._clock.now(),
                ),
            )
        log.info(
            "Reward of server %s: %s preferences of %s members; it foretells %.0f %% of theirs who were left out, "
            "calibration error %.3f",
            guild_id,
            reward.evidence.pairs,
            reward.evidence.listeners,
            100.0 * reward.evidence.accuracy,
            reward.evidence.ece,
        )
        return True

    async def reward(self, guild_id: GuildId) -> Reward | None:
        """Return a server's reward, or ``None`` while there is too little to learn one from."""
        async with self._db.reading() as tx:
            stored = await preferences.latest_reward(tx, guild_id)
        if stored is None or stored.space_id != self._learner.space.id:
            return None
        try:
            return unpack_reward(stored.payload)
        except ScoringError as error:
            log.warning("A stored reward is left out: %s", error)
            return None

    async def lean(self, guild_id: GuildId, prior: Prior) -> Prior:
        """Return what is expected of a newcomer: the prior, moved towards what the members prefer.

        A prior that was learned from the members' own tastes knows it already and stays as it is.
        """
        if prior.members:
            return prior
        reward = await self.reward(guild_id)
        return prior if reward is None else reward.lean(prior)


def _choices(found: Sequence[Preference], places: dict[int, int]) -> Choices:
    """Return preferences as rows of phi; those with a clip that has no place are left out when there are places."""
    kept = [
        item for item in found if not places or (item.better in places and item.worse in places)
    ]
    if len(kept) > MOST:
        kept = sorted(kept, key=lambda item: (max(item.better, item.worse), item.listener_id))[
            -MOST:
        ]
    return Choices(
        better=np.array([places.get(item.better, 0) for item in kept], dtype=np.intp),
        worse=np.array([places.get(item.worse, 0) for item in kept], dtype=np.intp),
        weight=np.array([item.weight for item in kept], dtype=np.float64),
        listener=np.array([item.listener_id for item in kept], dtype=np.int64),
    )
