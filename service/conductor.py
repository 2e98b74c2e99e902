"""The life of a round: queued, made, posted, closed by quorum, timer or Next, and followed by the one after it."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections import defaultdict
from collections.abc import Awaitable, Callable

from domain.candidate import Directive
from domain.errors import NotFoundError
from domain.ids import CandidateId, ListenerId, RunId
from domain.run import (
    CloseReason,
    Generation,
    GenerationState,
    Post,
    PostKind,
    PostState,
    Run,
    RunState,
)
from service.clock import Clock
from service.posting import Outbox
from service.queue import NOBODY, JobQueue, Ticket
from service.rounds import RoundMaker
from service.tasks import TaskSet
from service.timers import Timers
from storage import posts, runs, votes
from storage.database import Database, Reader, Transaction

log = logging.getLogger(__name__)

PATIENCE = 15.0
"""Seconds for which a finished round waits to be posted before the next job begins."""
FINISHING = 2.0
"""Seconds that somebody who is quick waits for the job of the round they see."""
COALESCE = 0.05
"""Seconds in which votes on a round are counted together."""
WORDS_LIMIT = 400
"""Characters of a person's words that are kept: more than anybody says about one kind of music."""


class Conductor:
    """Advances runs. Everything that changes a run happens under its lock, ``conductor.lock(run_id)``."""

    def __init__(
        self,
        db: Database,
        queue: JobQueue,
        maker: RoundMaker,
        clock: Clock,
        tasks: TaskSet,
        *,
        settle: float,
    ) -> None:
        self._db = db
        self._queue = queue
        self._maker = maker
        self._clock = clock
        self._tasks = tasks
        self._settle = settle
        self._timers = Timers(clock, tasks)
        self._locks: dict[RunId, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._last_vote: dict[RunId, float] = {}
        self._arming: set[tuple[RunId, int]] = set()
        self._outbox: Outbox | None = None

    def attach(self, outbox: Outbox) -> None:
        """Deliver through this outbox."""
        self._outbox = outbox

    def lock(self, run_id: RunId) -> asyncio.Lock:
        """Return the lock of a run."""
        return self._locks[run_id]

    async def queue_round(
        self,
        run: Run,
        asked_by: ListenerId,
        directive: Directive,
        parents: tuple[CandidateId, ...],
        words: str,
    ) -> Ticket:
        """Queue the generation after the run's last one. The lock is held."""
        generation = Generation(
            run_id=run.id,
            number=run.generation + 1,
            state=GenerationState.BREEDING,
            directive=directive.value,
            directive_parents=parents,
            directive_words=words[:WORDS_LIMIT],
        )
        ticket = self._queue.submit(run, asked_by, run.settings.candidates, self._work(generation))
        try:
            async with self._db.transaction() as tx:
                if await _generation(tx, run.id, generation.number) is not None:  # cancelled before
                    await runs.delete_generation(tx, run.id, generation.number)
                await runs.add_generation(tx, generation)
        except BaseException:
            self._queue.drop(ticket)
            raise
        return ticket

    async def _make(self, run_id: RunId, generation: Generation, ticket: Ticket) -> None:
        """Do a queued round, and say in the database how it ended."""
        async with self._locks[run_id]:
            try:
                async with self._db.reading() as tx:
                    run = await runs.get_run(tx, run_id)
                if run.state is RunState.STOPPED:
                    return
                post_id = await self._maker.make(
                    run, generation, lambda done: self._queue.rendering(ticket, done)
                )
            except asyncio.CancelledError:
                raise  # by a person, who then calls abandon; or at a shutdown, and it is made again after the restart
            except Exception:
                await self._abandon(run_id)
                raise
        if self._outbox is not None:
            # Cancelling or a slow Discord must not hold up the next job: the outbox goes on by itself.
            await asyncio.wait([self._outbox.deliver(post_id)], timeout=PATIENCE)

    async def drop(self, ticket: Ticket) -> None:
        """Cancel a round that is waiting or being made. Its run is paused, or stopped when it was the first round."""
        self._queue.drop(ticket)
        await ticket.done()
        async with self._locks[ticket.run.id]:
            await self._abandon(ticket.run.id)

    async def let_finish(self, run: Run) -> None:
        """Wait for a job whose round is out already: people may be quicker than its last bookkeeping."""
        ticket = self._queue.ticket_of(run.id)
        if ticket is None:
            return
        async with self._db.reading() as tx:
            making = await _generation(tx, run.id, run.generation + 1)
        if making is None or making.state is not GenerationState.BREEDING:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(FINISHING):
                    await ticket.done()

    async def _abandon(self, run_id: RunId) -> None:
        async with self._db.transaction() as tx:
            run = await runs.get_run(tx, run_id)
            generation = await _generation(tx, run_id, run.generation + 1)
            if generation is None or generation.state is not GenerationState.BREEDING:
                return
            await runs.set_generation(
                tx, run_id, generation.number, state=GenerationState.CANCELLED
            )
            state = RunState.STOPPED if generation.number == 1 else RunState.PAUSED
            if run.state is RunState.ACTIVE:
                await runs.set_run(tx, run_id, state=state)

    async def close(self, run: Run, reason: CloseReason) -> bool:
        """Close the open round and put its reveal into the outbox. The lock is held.

        Returns:
            Whether anybody had voted.
        """
        self._timers.clear(run.id)
        async with self._db.transaction() as tx:
            generation = await current_generation(tx, run)
            if reason is CloseReason.STOPPED and generation is not None:
                await self._withdraw(tx, generation)
            if generation is None or generation.state is not GenerationState.OPEN:
                return False
            people = await votes.voters(tx, run.id, run.generation)
            await runs.set_generation(
                tx,
                run.id,
                run.generation,
                state=GenerationState.CLOSED,
                closed_at=self._clock.now(),
                close_reason=reason,
            )
            post = None
            if people:
                post = await posts.add_post(
                    tx, run.id, run.generation, PostKind.REVEAL, run.channel_id, self._clock.now()
                )
        if post is not None:
            self.deliver(post)
        return bool(people)

    async def _withdraw(self, tx: Transaction, generation: Generation) -> None:
        """Take a round that was not posted yet out of the outbox."""
        if generation.state is not GenerationState.READY:
            return
        post = await posts.post_of(tx, generation.run_id, generation.number, PostKind.ROUND)
        if post is not None and post.state in {PostState.PENDING, PostState.FAILED}:
            await posts.mark_failed(
                tx, post.id, "The run was stopped before this round was posted."
            )
            await runs.set_generation(
                tx, generation.run_id, generation.number, state=GenerationState.CANCELLED
            )

    def deliver(self, post: Post) -> None:
        """Send a post as soon as there is a sink."""
        if self._outbox is not None:
            self._outbox.deliver(post.id)

    # Quorum and timer --------------------------------------------------------------------------------

    def voted(self, run_id: RunId, number: int) -> None:
        """Note a vote: a quorum may now close the round once people are done voting."""
        self._last_vote[run_id] = self._clock.now()
        # One look at the round serves all votes that arrive before it.
        if (run_id, number) not in self._arming:
            self._arming.add((run_id, number))
            self._tasks.spawn(self._arm_soon(run_id, number), f"quorum of run {run_id}")

    async def _arm_soon(self, run_id: RunId, number: int) -> None:
        await asyncio.sleep(COALESCE)
        self._arming.discard((run_id, number))
        await self._arm(run_id, number)

    async def posted(self, post: Post) -> None:
        """Note that a post is out; an open round gets its alarm."""
        if post.kind is PostKind.ROUND:
            await self._arm(post.run_id, post.generation)

    async def _arm(self, run_id: RunId, number: int) -> None:
        """Set the alarm of an open round: after the last vote of a quorum, else at the timer."""
        async with self._db.reading() as tx:
            run = await runs.get_run(tx, run_id)
            generation = await runs.generation(tx, run_id, number)
            if generation.state is not GenerationState.OPEN:
                return
            if run.state is not RunState.ACTIVE or run.generation != number:
                return
            people = await votes.voters(tx, run_id, number)
        quorum = 1 if run.for_listener is not None else run.settings.quorum
        if len(people) >= quorum:
            last = self._last_vote.get(run_id, self._clock.now())
            at, reason = last + self._settle, CloseReason.QUORUM
        elif generation.closes_at is not None:
            at, reason = generation.closes_at, CloseReason.TIMER
        else:
            return
        self._timers.set(run_id, at, lambda: self._advance(run_id, number, reason))

    async def _advance(self, run_id: RunId, number: int, reason: CloseReason) -> None:
        """Close a round whose time has come, and breed on or pause."""
        async with self._locks[run_id]:
            async with self._db.reading() as tx:
                run = await runs.get_run(tx, run_id)
                generation = await runs.generation(tx, run_id, number)
            if run.state is not RunState.ACTIVE or run.generation != number:
                return
            if generation.state is not GenerationState.OPEN:
                return
            attended = await self.close(run, reason)
            if await self._count_unattended(run, attended):
                return
            if self._queue.ticket_of(run_id) is None:
                await self.queue_round(run, NOBODY, Directive.NEXT, (), "")

    async def _count_unattended(self, run: Run, attended: bool) -> bool:
        """Return whether the run paused because nobody has listened for too long."""
        unattended = 0 if attended else run.unattended + 1
        pause = unattended >= run.settings.unattended_limit
        post = None
        async with self._db.transaction() as tx:
            await runs.set_run(
                tx,
                run.id,
                unattended=unattended,
                state=RunState.PAUSED if pause else RunState.ACTIVE,
            )
            if pause:
                post = await posts.add_post(
                    tx, run.id, run.generation, PostKind.PAUSE, run.channel_id, self._clock.now()
                )
        if post is not None:
            self.deliver(post)
        return pause

    # After a restart --------------------------------------------------------------------------------

    async def recover(self) -> None:
        """Take up what a restart interrupted: rounds in the making are made again, open rounds get their alarms."""
        async with self._db.reading() as tx:
            making = await runs.generations_in_state(tx, GenerationState.BREEDING)
            open_rounds = await runs.generations_in_state(tx, GenerationState.OPEN)
            live = {run.id: run for run in await runs.live_runs(tx)}
        for generation in making:
            run = live.get(generation.run_id)
            if (
                run is not None
                and run.state is RunState.ACTIVE
                and run.generation + 1 == generation.number
            ):
                self._queue.submit(run, NOBODY, run.settings.candidates, self._work(generation))
            else:
                async with self._db.transaction() as tx:
                    await runs.set_generation(
                        tx, generation.run_id, generation.number, state=GenerationState.CANCELLED
                    )
        for generation in open_rounds:
            await self._arm(generation.run_id, generation.number)

    def _work(self, generation: Generation) -> Callable[[Ticket], Awaitable[None]]:
        return lambda ticket: self._make(generation.run_id, generation, ticket)


async def current_generation(tx: Reader, run: Run) -> Generation | None:
    """Return the last generation of a run that was made, or ``None`` before the first."""
    return await _generation(tx, run.id, run.generation)


async def _generation(tx: Reader, run_id: RunId, number: int) -> Generation | None:
    """Return a generation, or ``None`` when there is none (before the first round)."""
    try:
        return await runs.generation(tx, run_id, number)
    except NotFoundError:
        return None
