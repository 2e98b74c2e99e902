"""Gather what a duel and its verdict show from the database and the audio store."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence

from domain.clip import Clip
from domain.duel import Choice, Duel, DuelVote
from domain.errors import NotFoundError, StorageError
from domain.ids import DuelId
from domain.run import CloseReason, Post, Run
from generation.untitled import untitled
from service.about import AboutService
from service.clock import Clock
from service.duel_views import DuelClip, DuelView, Tally, VerdictRow, VerdictView
from service.posting import Undeliverable
from storage import clips, duels, runs
from storage.database import Database, Reader
from storage.files import AudioStore

NO_DUEL = DuelId(0)

log = logging.getLogger(__name__)


class DuelViews:
    """Builds the views of duels' posts."""

    def __init__(self, db: Database, store: AudioStore, clock: Clock, about: AboutService) -> None:
        self._db = db
        self._store = store
        self._clock = clock
        self._about = about

    async def duel(self, post: Post) -> DuelView:
        """Return a duel with its files.

        Raises:
            Undeliverable: The duel or a file is gone.
        """
        async with self._db.reading() as tx:
            duel, run, (a, b) = await self._read(tx, post)
        return DuelView(
            post=post,
            run=run,
            duel=duel,
            clips=(await self._file(duel, a, "A"), await self._file(duel, b, "B")),
            stand_ins=await self._about.stand_ins(run),
            closes_at=self._clock.now() + duel.timer if duel.timer else None,
        )

    async def _file(self, duel: Duel, clip: Clip, letter: str) -> DuelClip:
        try:
            data = await asyncio.to_thread(self._blind, clip)
        except StorageError as error:
            log.error("Duel %s: %s", duel.id, error)  # noqa: TRY400 - names the file
            raise Undeliverable("A sound file of this duel is missing.", permanent=True) from None
        return DuelClip(clip=clip, filename=f"{letter}.{clip.extension}", data=data)

    def _blind(self, clip: Clip) -> bytes:
        return untitled(self._store.read(clip.sha256, clip.extension))

    async def verdict(self, post: Post) -> VerdictView:
        """Return what became of a duel.

        Raises:
            Undeliverable: The duel is gone.
        """
        async with self._db.reading() as tx:
            duel, run, (a, b) = await self._read(tx, post)
            tally = tally_of(await duels.votes_of_duel(tx, duel.id))
            rows = (
                await _row(tx, a, Choice.A, tally.a),
                await _row(tx, b, Choice.B, tally.b),
            )
        return VerdictView(
            post=post,
            run=run,
            duel=duel,
            rows=rows,
            tally=tally,
            reason=duel.reason or CloseReason.NEXT,
        )

    async def _read(self, tx: Reader, post: Post) -> tuple[Duel, Run, tuple[Clip, Clip]]:
        try:
            duel = await duels.duel(tx, post.duel_id or NO_DUEL)
            run = await runs.get_run(tx, post.run_id)
            return duel, run, (await clips.clip(tx, duel.a), await clips.clip(tx, duel.b))
        except NotFoundError:
            raise Undeliverable("The duel of this post was deleted.", permanent=True) from None


def tally_of(cast: Sequence[DuelVote]) -> Tally:
    """Count the answers that stood when the duel was decided."""
    standing = [vote.choice for vote in cast if not vote.retracted and not vote.late]
    return Tally(
        a=standing.count(Choice.A),
        b=standing.count(Choice.B),
        ties=standing.count(Choice.TIE),
        bad=standing.count(Choice.BAD),
    )


async def _row(tx: Reader, clip: Clip, choice: Choice, trophies: int) -> VerdictRow:
    candidate = await runs.candidate(tx, clip.candidate_id)
    parents = [await runs.candidate(tx, parent) for parent in candidate.parents]
    return VerdictRow(
        choice=choice,
        clip=clip,
        trophies=trophies,
        operator=candidate.operator,
        parents=tuple(parent.prompt for parent in parents),
    )
