"""Clips that one person makes by hand: through the same queue and workers as rounds, into a private run of one clip."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from domain.candidate import Proposal
from domain.clip import BUILT_IN, Clip, ClipFailure, ClipRequest, RenderedClip
from domain.errors import UserError
from domain.ids import CandidateId, ClipId, RunId
from domain.run import CloseReason, Generation, GenerationState, Run, RunSettings, RunState
from service.clock import Clock
from service.device import DeviceWorker
from service.queue import JobQueue, Ticket
from service.views import Actor
from storage import clips, runs
from storage.database import Database, Transaction
from storage.files import AudioStore

NOT_STORED = RunId(0)
"""Run of a ticket whose run is stored only once its clip is made."""
WORDS = 120
"""Characters of what a clip started from that its run keeps as its vibe."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What to make.

    Attributes:
        request: Says what to render; called on a thread, since writing a prompt takes a moment.
        operator: What it is in the lineage, such as ``"mood"``.
        title: What it started from, in words.
        parent: The clip it descends from.
        genome: What the lineage remembers besides facets and description, such as the edits.
        generator: What makes it, in whose line it waits.
        saved: Called in the transaction that stores the clip.
    """

    request: Callable[[], ClipRequest]
    operator: str
    title: str
    parent: Clip | None = None
    genome: Mapping[str, Any] = field(default_factory=dict)
    generator: str = BUILT_IN
    saved: Callable[[Transaction, Clip], Awaitable[None]]


class Handmade:
    """Makes such clips.

    A run of its own for each keeps it private: nobody else can hear, export or breed from it until it is posted, and
    it goes when its maker erases what is held about them. The run is stored as stopped, so it takes no channel.
    """

    def __init__(
        self, db: Database, store: AudioStore, device: DeviceWorker, queue: JobQueue, clock: Clock
    ) -> None:
        self._db = db
        self._store = store
        self._device = device
        self._queue = queue
        self._clock = clock

    def submit(self, actor: Actor, order: Order) -> Ticket:
        """Queue a clip.

        Raises:
            BusyError: The person or the server is over its cap.
        """
        self._queue.check(None, actor.user_id, actor.guild_id)
        run = Run(
            id=NOT_STORED,
            guild_id=actor.guild_id,
            channel_id=actor.channel_id,
            started_by=actor.user_id,
            vibe=order.title,
            seed=0,
            searcher=runs.BY_HAND,
            settings=RunSettings(generator=order.generator),
        )
        return self._queue.submit(
            run, actor.user_id, 1, lambda ticket: self._make(actor, order, ticket)
        )

    async def _make(self, actor: Actor, order: Order, ticket: Ticket) -> None:
        request = await asyncio.to_thread(order.request)
        outcomes = await self._device.render(
            [request], lambda done: self._queue.rendering(ticket, done)
        )
        outcome = outcomes[0]
        if isinstance(outcome, ClipFailure):
            raise UserError(f"That could not be made: {outcome.reason}")
        sha = await asyncio.to_thread(self._store.put, outcome.audio, outcome.extension)
        async with self._db.transaction() as tx:
            clip = await self._save(tx, actor, order, outcome, sha)
            await order.saved(tx, clip)

    async def _save(
        self, tx: Transaction, actor: Actor, order: Order, made: RenderedClip, sha: str
    ) -> Clip:
        now, number = self._clock.now(), 1
        run = await runs.create_run(
            tx,
            runs.NewRun(
                guild_id=actor.guild_id,
                channel_id=actor.channel_id,
                started_by=actor.user_id,
                vibe=_short(order.title),
                seed=made.request.seed,
                searcher=runs.BY_HAND,
                settings=_settings(made.request),
                state=RunState.STOPPED,
                for_listener=actor.user_id,
                parent_clip_id=ClipId(order.parent.id) if order.parent else None,
                created_at=now,
            ),
        )
        await runs.add_generation(
            tx,
            Generation(
                run_id=run.id,
                number=number,
                state=GenerationState.CLOSED,
                closed_at=now,
                close_reason=CloseReason.STOPPED,
            ),
        )
        parents = (CandidateId(order.parent.candidate_id),) if order.parent else ()
        proposal = Proposal(
            prompt=made.request.prompt,
            genome=_genome(order, made),
            operator=order.operator,
            parents=parents,
            seed=made.request.seed,
        )
        (candidate,) = await runs.add_candidates(tx, run.id, number, runs.BY_HAND, [proposal])
        await runs.set_run(tx, run.id, generation=number)
        family = str(made.description.get("family", ""))
        return await clips.add_clip(tx, candidate, made, sha, family)


def _settings(request: ClipRequest) -> RunSettings:
    """Return what a branch of the clip goes on with; a piece that the composer played is notes for whatever plays."""
    generator = "" if request.generator == BUILT_IN else request.generator
    return RunSettings(seconds=min(30.0, max(4.0, request.seconds)), generator=generator)


def _genome(order: Order, made: RenderedClip) -> dict[str, Any]:
    """Return facets and description, to be bred from, and what the lineage tells."""
    genome = {**(made.request.facets or {}), **order.genome}
    description = made.description.get("genome", made.request.description)
    return genome if description is None else {**genome, "description": description}


def _short(title: str) -> str:
    """Return a title of at most ``WORDS`` characters, cut after a word."""
    if len(title) <= WORDS:
        return title
    return title[: WORDS - 1].rsplit(" ", 1)[0].rstrip(" ,;:.-") + "…"
