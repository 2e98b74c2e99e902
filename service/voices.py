"""Who steers a channel, and with what taste."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import dataclass

from domain.errors import ScoringError
from domain.ids import ListenerId
from domain.run import Run
from domain.vote import Consent, Vote
from scoring.taste import Taste, unpack
from service.clock import Clock
from service.evidence import Evidence, Witness
from service.priors import Priors
from service.settings_taste import TasteSettings
from storage import duels, listeners, tastes, votes
from storage.database import Database, Reader

log = logging.getLogger(__name__)

DAY = 86400.0
YIELD_EVERY = 4
"""Fits after which the event loop gets a turn; a fit takes a millisecond or two."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Voice:
    """A listener who steers a channel, with the taste that speaks for them there.

    ``evidence`` counts the clips behind the taste. ``opted_in`` says whether the taste is also kept.
    """

    listener_id: ListenerId
    taste: Taste
    evidence: int
    opted_in: bool


class Voices:
    """Finds the tastes that speak in a channel."""

    def __init__(
        self,
        db: Database,
        witness: Witness,
        priors: Priors,
        clock: Clock,
        settings: TasteSettings,
    ) -> None:
        self._db = db
        self._witness = witness
        self._priors = priors
        self._clock = clock
        self._settings = settings

    async def of(self, run: Run) -> list[Voice]:
        """Return who steers a run now, by listener id.

        That is the one listener of a private run, else everybody who voted here in the last days and did not pause.
        """
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
            if stored is not None and stored.space_id == self._witness.space.id:
                taste = _unpack(stored.payload)
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
            taste=said.taste(await self._priors.prior(run.guild_id)),
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
            return await self._witness.of_listener(tx, run.guild_id, listener_id)
        cast = [vote for vote in here if vote.listener_id == listener_id]
        answers = await duels.answers_of(tx, run.guild_id, listener_id, run.channel_id)
        return await self._witness.evidence(tx, cast, answers)


def _unpack(payload: bytes) -> Taste | None:
    try:
        return unpack(payload)
    except ScoringError as error:
        log.warning("A stored taste is left out: %s", error)
        return None
