"""The space that tastes live in when a learned encoder hears too: fitted once enough clips were heard.

Until then, and whenever the encoder is out of order, the space of the built-in features speaks, and ``/about`` says so.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass

from domain.errors import ScoringError, StorageError
from scoring import projection
from scoring.encoder import Weights
from scoring.projection import FEWEST, Projection
from scoring.space import TasteSpace, default_space, wider_space
from service.clock import Clock
from service.ears import Ears
from service.tasting import TasteService
from storage import embeddings, projections
from storage.database import Database, Reader

log = logging.getLogger(__name__)

GROWTH = 2
"""How many times as many clips must have been heard before axes are fitted again: tastes are learned anew each time."""
MOST = 1000
"""Clips that axes are fitted on at most; then they stay."""
PATIENCE = 5.0
"""Seconds after which it is looked again whether no round is being made."""


async def stored_space(tx: Reader, weights: Weights | None) -> TasteSpace:
    """Return the space to start with: with the axes that were fitted last for this encoder, if any were."""
    if weights is None:
        return default_space()
    stored = await projections.latest_projection(tx, weights.encoder_id)
    if stored is None:
        return default_space()
    try:
        return wider_space(projection.unpack(stored.payload))
    except ScoringError as error:
        log.warning("%s", error)
        return default_space()


def due(heard: int, fitted_on: int) -> bool:
    """Whether axes should be fitted.

    Args:
        heard: Clips that the encoder has heard.
        fitted_on: Clips that today's axes were fitted on; 0 where there are none.
    """
    if not fitted_on:
        return heard >= FEWEST
    return fitted_on < MOST and heard >= GROWTH * fitted_on


@dataclass(frozen=True, slots=True, kw_only=True)
class Hearing:
    """What ``/about`` says of the encoder.

    Attributes:
        encoder: Its name and licence.
        licence: Of its weights.
        stand_in: Why the built-in features speak alone, in a sentence; ``""`` when they do not.
    """

    encoder: str
    licence: str
    stand_in: str


class SpaceKeeper:
    """Fits axes when they are due, and has tastes learned in their space while no round is being made.

    Args:
        db: Has what was heard.
        learner: Learns tastes.
        ears: Hear with the encoder.
        clock: The time.
        idle: Whether no round is being made: one that began in a space ends in it.
    """

    def __init__(
        self,
        db: Database,
        learner: TasteService,
        ears: Ears,
        clock: Clock,
        idle: Callable[[], bool],
    ) -> None:
        self._db = db
        self._learner = learner
        self._ears = ears
        self._clock = clock
        self._idle = idle
        self._look = asyncio.Event()
        self._heard = 0

    def look(self) -> None:
        """Look whether axes are due: more clips have been heard."""
        self._look.set()

    async def serve(self) -> None:
        """Keep the space, for ever."""
        while True:
            await self._look.wait()
            self._look.clear()
            try:
                await self.keep()
            except (StorageError, ScoringError) as error:
                log.warning("The taste space stays as it is: %s", error)

    async def keep(self) -> bool:
        """Fit axes if they are due, and take them into use; returns whether they were."""
        weights, learned = self._ears.weights, self._learner.space.learned
        if learned is not None and not isinstance(learned, Projection):
            return False  # an aligner's axes stay as they are
        async with self._db.reading() as tx:
            self._heard = await embeddings.heard(tx, weights.encoder_id)
            if not due(self._heard, learned.clips if learned else 0):
                return False
            given = await embeddings.spread(tx, weights.encoder_id, most=MOST)
        layer = weights.dimensions or given.shape[1]
        fitted = await asyncio.to_thread(projection.fit, given, weights.encoder_id, layer)
        await self._take(fitted)
        return True

    async def _take(self, fitted: Projection) -> None:
        while not self._idle():
            await self._clock.sleep(PATIENCE)
        stored = projections.StoredProjection(
            id=fitted.id,
            encoder_id=fitted.encoder_id,
            clips=fitted.clips,
            payload=projection.pack(fitted),
        )
        async with self._db.transaction() as tx:
            await projections.save_projection(tx, stored, self._clock.now())
        await self._learner.adopt(wider_space(fitted))
        log.info("Tastes are learned over %s too, fitted on %s clips", fitted.id, fitted.clips)

    def view(self) -> Hearing:
        """Return what is said of the encoder now."""
        weights, stand_in = self._ears.weights, ""
        if self._learner.space.learned is None:
            stand_in = (
                f"{weights.name} has heard {self._heard} clips; until it has heard {FEWEST}, the built-in audio"
                " features alone say what tastes are about."
            )
        if trouble := self._ears.trouble:
            stand_in = f"{weights.name} cannot hear: {trouble} The built-in audio features stand in for it."
        elif unread := self._ears.unread:
            stand_in = (
                f"{weights.name} cannot read prompts: {unread} What clips are measured as says whether they keep to"
                " theirs."
            )
        return Hearing(
            encoder=f"{weights.name} ({weights.licence})",
            licence=weights.licence,
            stand_in=stand_in,
        )
