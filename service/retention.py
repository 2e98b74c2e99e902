"""Delete audio that nobody can ask for any more, and panels that nobody presses any more."""

from __future__ import annotations

import asyncio
import logging

from service.clock import Clock
from storage import clips, panels
from storage.database import Database
from storage.files import AudioStore

log = logging.getLogger(__name__)

DAY = 86400.0
GRACE = 3600.0
"""Seconds for which a file without a row stays: its row may be on the way."""
PANEL_DAYS = 30.0
"""Days for which an untouched panel of ``/mood`` is kept: private messages are long gone from the client by then."""
FIRST_AFTER = 60.0
"""Seconds after the start: not while the first people wait for their first round."""


class Retention:
    """Once a day, deletes the audio of clips that were never posted nor kept, after ``days`` days."""

    def __init__(self, db: Database, store: AudioStore, clock: Clock, days: float) -> None:
        self._db = db
        self._store = store
        self._clock = clock
        self._days = days

    async def serve(self) -> None:
        """Sweep, for ever; audio stays when ``days`` is 0."""
        await self._clock.sleep(FIRST_AFTER)
        while True:
            await self.forget_panels()
            if self._days:
                await self.sweep()
            await self._clock.sleep(DAY)

    async def forget_panels(self) -> int:
        """Delete panels that were not touched for a month; returns how many went."""
        async with self._db.transaction() as tx:
            return await panels.forget_panels(tx, before=self._clock.now() - PANEL_DAYS * DAY)

    async def sweep(self) -> int:
        """Sweep once.

        Returns:
            Bytes that were freed.
        """
        before = self._clock.now() - self._days * DAY
        async with self._db.reading() as tx:
            keep = await clips.audio_to_keep(tx, closed_before=before)
        freed = await asyncio.to_thread(self._store.sweep, keep, self._clock.now() - GRACE)
        if freed:
            log.info("Deleted %.1f MB of audio that was never posted", freed / 1e6)
        return freed
