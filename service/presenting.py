"""Gather what a post shows from the database and the audio store."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from statistics import pstdev

from domain.candidate import Candidate
from domain.clip import Clip
from domain.errors import NotFoundError, StorageError
from domain.ids import ClipId
from domain.run import CloseReason, Post, Run
from domain.vote import Vote, VoteSource
from service.about import AboutService
from service.clips import filename
from service.clock import Clock
from service.folding import Said, said_of
from service.posting import Undeliverable
from service.views import PauseView, RevealRow, RevealView, RoundClip, RoundView
from storage import clips, runs, votes
from storage.database import Database, Reader
from storage.files import AudioStore

log = logging.getLogger(__name__)

STAR = 0.5
"""What a favourite adds to a clip's mean rating when the winner is chosen, for each share of the voters."""


class Views:
    """Builds the views of posts."""

    def __init__(self, db: Database, store: AudioStore, clock: Clock, about: AboutService) -> None:
        self._db = db
        self._store = store
        self._clock = clock
        self._about = about

    async def _run(self, tx: Reader, post: Post) -> Run:
        try:
            return await runs.get_run(tx, post.run_id)
        except NotFoundError:
            raise Undeliverable("The run of this post was deleted.", permanent=True) from None

    async def round(self, post: Post) -> RoundView:
        """Return a round with its files.

        Raises:
            Undeliverable: A file is missing.
        """
        async with self._db.reading() as tx:
            run = await self._run(tx, post)
            shown = await clips.posted_clips(tx, post.run_id, post.generation)
            by_hand = run.searcher == runs.BY_HAND and shown
            made = await runs.candidate(tx, shown[0].candidate_id) if by_hand else None
            latest = post.generation == run.generation and not by_hand
            _, notices = await runs.searcher_words(tx, run.id) if latest else ("", ())
        try:
            files = [
                await asyncio.to_thread(self._store.read, clip.sha256, clip.extension)
                for clip in shown
            ]
        except StorageError as error:
            log.error("Round of post %s: %s", post.id, error)  # noqa: TRY400 - names the file
            raise Undeliverable("A sound file of this round is missing.", permanent=True) from None
        closes_at = self._clock.now() + run.settings.timer if run.settings.timer else None
        return RoundView(
            post=post,
            run=run,
            number=post.generation,
            clips=tuple(
                RoundClip(
                    slot=clip.posted_slot or 0,
                    clip=clip,
                    filename=f"{filename(clip)}.{clip.extension}",
                    data=data,
                )
                for clip, data in zip(shown, files, strict=True)
            ),
            stand_ins=tuple(dict.fromkeys([*notices, *await self._about.stand_ins(run)])),
            closes_at=closes_at,
            made=made,
        )

    async def reveal(self, post: Post) -> RevealView:
        """Return what became of a round."""
        async with self._db.reading() as tx:
            run = await self._run(tx, post)
            generation = await runs.generation(tx, post.run_id, post.generation)
            shown = await clips.posted_clips(tx, post.run_id, post.generation)
            cast = await votes.votes_of_clips(tx, [clip.id for clip in shown])
            then = await self._then(tx, shown)
            bred = {clip.id: await self._bred(tx, clip) for clip in shown}
        standing = [vote for vote in cast if not vote.retracted and not vote.late]
        rows = tuple(_row(clip, standing, *bred[clip.id], then.get(clip.id)) for clip in shown)
        people = {vote.listener_id for vote in standing}
        return RevealView(
            post=post,
            run=run,
            number=post.generation,
            rows=rows,
            winner_slot=_winner(rows, len(people)),
            reason=generation.close_reason or CloseReason.NEXT,
            voters=len(people),
        )

    async def _then(self, tx: Reader, shown: Sequence[Clip]) -> dict[ClipId, float]:
        """Return the mean rating that clips which came back had the first time."""
        back = {clip.id: clip.original_id for clip in shown if clip.original_id is not None}
        said = said_of(await votes.votes_of_clips(tx, list(back.values())))
        return {
            clip_id: mean
            for clip_id, original_id in back.items()
            if (mean := _mean(list(said.get(original_id, {}).values()))) is not None
        }

    async def _bred(self, tx: Reader, clip: Clip) -> tuple[str, tuple[Candidate, ...]]:
        candidate = await runs.candidate(tx, clip.candidate_id)
        return candidate.operator, tuple(
            [await runs.candidate(tx, parent) for parent in candidate.parents]
        )

    async def pause(self, post: Post) -> PauseView:
        """Return the word that a run paused."""
        async with self._db.reading() as tx:
            run = await self._run(tx, post)
        return PauseView(post=post, run=run, rounds=run.unattended, reason=post.error)


def _mean(said: Sequence[Said]) -> float | None:
    weight = sum(one.weight for one in said)
    return sum(one.rating * one.weight for one in said) / weight if said else None


def _row(
    clip: Clip,
    standing: Sequence[Vote],
    operator: str,
    parents: Sequence[Candidate],
    then: float | None,
) -> RevealRow:
    said = list(said_of(standing).get(ClipId(clip.id), {}).values())
    stars = {
        vote.listener_id
        for vote in standing
        if vote.clip_id == clip.id and vote.source is VoteSource.FAVOURITE
    }
    return RevealRow(
        slot=clip.posted_slot or 0,
        clip=clip,
        mean=_mean(said),
        votes=len(said),
        favourites=len(stars),
        spread=pstdev(one.rating for one in said) if len(said) > 1 else 0.0,
        operator=operator,
        parents=tuple(parent.prompt for parent in parents),
        then=then,
    )


def _winner(rows: Sequence[RevealRow], voters: int) -> int | None:
    """Return the slot with the best mean rating, stars counting extra; the lower slot on a tie."""
    rated = [row for row in rows if row.mean is not None]
    if not rated:
        return None
    best = max(
        rated,
        key=lambda row: ((row.mean or 0.0) + STAR * row.favourites / max(1, voters), -row.slot),
    )
    return best.slot
