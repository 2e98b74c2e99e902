"""The life of a round: queued, made, posted, closed by quorum, timer or Next, and followed by the one after it."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterable, Iterator

from domain.errors import NotFoundError, StorageError, UserError
from domain.ids import ListenerId, RunId
from domain.run import CloseReason, Generation, GenerationState, Post, PostKind, Run, RunState
from service import lifecycle
from service.clock import Clock
from service.lifecycle import Closed, Order
from service.posting import Outbox
from service.queue import NOBODY, JobQueue, Ticket
from service.rounds import RoundMaker
from service.tasks import TaskSet
from service.timers import Timers
from storage import posts, runs, votes
from storage.database import Database

log = logging.getLogger(__name__)

PATIENCE = 15.0
"""Seconds for which a finished round waits to be posted before the next job begins."""
FINISHING = 2.0
"""Seconds that somebody who is quick waits for the job of the round they see."""
COALESCE = 0.05
"""Seconds in which votes on a round are counted together."""
Learn = Callable[[RunId, int], Awaitable[None]]
OUR_FAULT = "Something went wrong while making the next round."


def _to_be_made(run: Run, generation: Generation) -> bool:
    """Tell whether a generation is the next one of a run that goes on, and was begun."""
    state = (run.state, generation.number, generation.state)
    return state == (RunState.ACTIVE, run.generation + 1, GenerationState.BREEDING)


async def _nobody_learns(_run_id: RunId, _number: int) -> None:
    """Do nothing: no tastes are learned."""


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
        self._timers = Timers[RunId](clock, tasks)
        self._locks: dict[RunId, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._last_vote: dict[RunId, float] = {}
        self._arming: set[tuple[RunId, int]] = set()
        self._one_look = asyncio.Lock()
        self._outbox: Outbox | None = None
        self._learn: Learn = _nobody_learns

    def attach(self, outbox: Outbox) -> None:
        """Deliver through this outbox."""
        self._outbox = outbox

    def teach(self, learn: Learn) -> None:
        """Tell whoever learns tastes of every round that closes, before the next one is made."""
        self._learn = learn

    def lock(self, run_id: RunId) -> asyncio.Lock:
        """Return the lock of a run."""
        return self._locks[run_id]

    def deliver(self, post: Post | None) -> None:
        """Send a post as soon as there is a sink."""
        if post is not None and self._outbox is not None:
            self._outbox.deliver(post.id)

    # Making a round ---------------------------------------------------------------------------------

    async def breed(
        self, run: Run, asked_by: ListenerId, order: Order, reason: CloseReason
    ) -> Ticket:
        """Close the open round, if any, make the run active and queue its next generation. The lock is held.

        Raises:
            BusyError: A cap is reached. Nothing was changed then.
        """
        self._queue.check(run, asked_by)
        with self.to_the_end(run.id):
            async with self._db.transaction() as tx:
                closed = await lifecycle.close(tx, run, reason, self._clock.now())
                if run.state is not RunState.ACTIVE or run.unattended:
                    run = await runs.set_run(tx, run.id, state=RunState.ACTIVE, unattended=0)
                generation = await lifecycle.begin_next(tx, run, order)
            self._timers.clear(run.id)
            await self._closed(closed)
        return self.submit(run, asked_by, generation)

    @contextlib.contextmanager
    def to_the_end(self, *run_ids: RunId) -> Iterator[list[RunId]]:
        """Change runs. Who is cancelled in the middle of it may have stored what then has to be queued and sent.

        Yields:
            The runs; those that are made meanwhile are to be added.
        """
        changed = [*run_ids]
        try:
            yield changed
        except asyncio.CancelledError:
            for run_id in changed:
                self._tasks.spawn(self._take_up(run_id), f"what is left to do of run {run_id}")
            raise

    async def _take_up(self, run_id: RunId) -> None:
        """Queue and send what is stored of a run, as after a restart."""
        async with self._locks[run_id]:
            async with self._db.transaction() as tx:  # after the one that was left in its COMMIT
                try:
                    run = await runs.get_run(tx, run_id)
                except NotFoundError:
                    return
                following = await lifecycle.generation_of(tx, run_id, run.generation + 1)
                waiting = [one for one in await posts.undelivered(tx) if one.run_id == run_id]
            for post in waiting:
                self.deliver(post)
            if following is None or not _to_be_made(run, following):
                return
            if self._queue.ticket_of(run_id) is None:
                self.submit(run, NOBODY, following)

    def submit(self, run: Run, asked_by: ListenerId, generation: Generation) -> Ticket:
        """Queue a generation that is stored as BREEDING."""
        return self._queue.submit(
            run,
            asked_by,
            run.settings.candidates,
            lambda ticket: self._make(generation.run_id, generation, ticket),
        )

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
                raise  # by a person, who then calls drop; or at a shutdown, and it is made again after the restart
            except Exception as error:
                await self._failed(
                    run_id, ticket, str(error) if isinstance(error, UserError) else OUR_FAULT
                )
                raise
        if self._outbox is not None:
            # Cancelling or a slow Discord must not hold up the next job: the outbox goes on by itself.
            await asyncio.wait([self._outbox.deliver(post_id)], timeout=PATIENCE)

    async def _failed(self, run_id: RunId, ticket: Ticket, sentence: str) -> None:
        """Pause the run; where nobody watches the ticket, say so in the channel."""
        try:
            async with self._db.transaction() as tx:
                paused = await lifecycle.abandon(tx, run_id)
                post = None
                if paused is not None and ticket.asked_by == NOBODY:
                    post = await posts.add_post(
                        tx,
                        run_id,
                        paused.generation,
                        PostKind.PAUSE,
                        paused.channel_id,
                        self._clock.now(),
                    )
                    post = await posts.mark_pending(tx, post.id, sentence)
        except (
            StorageError
        ) as error:  # such as a full disk: the round is made again after a restart
            log.error("Run %s could not be paused: %s", run_id, error)  # noqa: TRY400 - the sentence says it all
        else:
            self.deliver(post)

    async def drop(self, ticket: Ticket) -> None:
        """Cancel a round that is waiting or being made; one that was just finished is posted all the same."""
        self._queue.drop(ticket)
        # Whoever waits: a round that is neither made nor given up would hold its run for ever.
        rest = self._tasks.spawn(self._dropped(ticket), f"cancel of run {ticket.run.id}")
        await asyncio.shield(rest)

    async def _dropped(self, ticket: Ticket) -> None:
        await ticket.done()
        run_id = ticket.run.id
        async with self._locks[run_id]:
            async with self._db.transaction() as tx:
                await lifecycle.abandon(tx, run_id)
            with contextlib.suppress(NotFoundError):
                await self._deliver_ready(run_id)

    async def _deliver_ready(self, run_id: RunId) -> None:
        async with self._db.reading() as tx:
            run = await runs.get_run(tx, run_id)
            generation = await lifecycle.current(tx, run)
            post = await posts.post_of(tx, run_id, run.generation, PostKind.ROUND)
        if generation is not None and generation.state is GenerationState.READY:
            self.deliver(post)

    async def let_finish(self, run: Run) -> None:
        """Wait for a job whose round is out already: people may be quicker than its last bookkeeping."""
        ticket = self._queue.ticket_of(run.id)
        if ticket is None:
            return
        async with self._db.reading() as tx:
            making = await lifecycle.generation_of(tx, run.id, run.generation + 1)
        if making is None or making.state is not GenerationState.BREEDING:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(FINISHING):
                    await ticket.done()

    # Ending -----------------------------------------------------------------------------------------

    async def stop(self, run: Run) -> Run:
        """End a run: its open round is closed and revealed, one on its way is withdrawn."""
        ticket = self._queue.ticket_of(run.id)
        if ticket is not None:
            await self.drop(ticket)
        with self.to_the_end(run.id):
            async with self._locks[run.id]:
                self._timers.clear(run.id)
                async with self._db.transaction() as tx:
                    run = await runs.get_run(tx, run.id)
                    await lifecycle.withdraw(tx, run, self._clock.now())
                    closed = await lifecycle.close(tx, run, CloseReason.STOPPED, self._clock.now())
                    run = await runs.set_run(tx, run.id, state=RunState.STOPPED)
            await self._closed(closed)
        return run

    async def replace(self, run: Run, begin: Callable[[], Awaitable[Ticket]]) -> Ticket:
        """End a run and begin another in its place: both, also where whoever waits for it gives up in between."""

        async def both() -> Ticket:
            await self.stop(run)
            return await begin()

        ticket: Ticket = await asyncio.shield(
            self._tasks.spawn(both(), f"another run instead of run {run.id}")
        )
        return ticket

    async def _closed(self, closed: Closed | None) -> None:
        """Reveal a round that was closed, and have tastes learn from it."""
        if closed is not None:
            self.deliver(closed.reveal)
            await self._learn(closed.run_id, closed.number)

    async def pause(self, run: Run) -> Run:
        """Let a run rest: its open round stays and takes votes, one on its way is withdrawn."""
        ticket = self._queue.ticket_of(run.id)
        if ticket is not None:
            await self.drop(ticket)
        async with self._locks[run.id]:
            self._timers.clear(run.id)
            async with self._db.transaction() as tx:
                run = await runs.get_run(tx, run.id)
                if run.state is RunState.ACTIVE:
                    run = await runs.set_run(tx, run.id, state=RunState.PAUSED)
        return run

    def forget(self, run_ids: Iterable[RunId]) -> None:
        """Stop working on runs that were erased."""
        for run_id in run_ids:
            ticket = self._queue.ticket_of(run_id)
            if ticket is not None:
                self._queue.drop(ticket)
            self._timers.clear(run_id)
            self._last_vote.pop(run_id, None)

    # Quorum and timer -------------------------------------------------------------------------------

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
        """Set the alarm of an open round: after the last vote of a quorum, at the latest at its timer."""
        async with self._one_look:  # or the answer to an earlier one could come later
            await self._look(run_id, number)

    async def _look(self, run_id: RunId, number: int) -> None:
        try:
            async with self._db.reading() as tx:
                run = await runs.get_run(tx, run_id)
                generation = await runs.generation(tx, run_id, number)
                people = await votes.voters(tx, run_id, number)
        except NotFoundError:
            return  # erased meanwhile
        if run.state is not RunState.ACTIVE or run.generation != number:
            return
        if generation.state is not GenerationState.OPEN:
            return
        at, reason = generation.closes_at, CloseReason.TIMER
        quorum = 1 if run.for_listener is not None else run.settings.quorum
        if len(people) >= quorum:
            settled = self._last_vote.get(run_id, self._clock.now()) + self._settle
            if at is None or settled < at:
                at, reason = settled, CloseReason.QUORUM
        if at is None:
            self._timers.clear(run_id)
        else:
            self._timers.set(run_id, at, lambda: self._advance(run_id, number, reason))

    async def _advance(self, run_id: RunId, number: int, reason: CloseReason) -> None:
        """Close a round whose time has come, and breed on or pause, in one step."""
        async with self._locks[run_id]:
            post, following = None, None
            async with self._db.transaction() as tx:
                run = await runs.get_run(tx, run_id)
                if run.state is not RunState.ACTIVE or run.generation != number:
                    return
                closed = await lifecycle.close(tx, run, reason, self._clock.now())
                if closed is None:
                    return
                unattended = 0 if closed.attended else run.unattended + 1
                pause = unattended >= run.settings.unattended_limit
                state = RunState.PAUSED if pause else RunState.ACTIVE
                run = await runs.set_run(tx, run_id, unattended=unattended, state=state)
                if pause:
                    post = await posts.add_post(
                        tx, run_id, number, PostKind.PAUSE, run.channel_id, self._clock.now()
                    )
                else:
                    following = await lifecycle.begin_next(tx, run, Order())
            await self._closed(closed)
            self.deliver(post)
            if following is not None:
                self.submit(run, NOBODY, following)

    # After a restart --------------------------------------------------------------------------------

    async def recover(self) -> None:
        """Take up what a restart interrupted: rounds that were in the making are made again."""
        async with self._db.reading() as tx:
            making = await runs.generations_in_state(tx, GenerationState.BREEDING)
            live = {run.id: run for run in await runs.live_runs(tx)}
        for generation in making:
            run = live.get(generation.run_id)
            if run is not None and _to_be_made(run, generation):
                self.submit(run, NOBODY, generation)
            else:
                async with self._db.transaction() as tx:
                    await runs.set_generation(
                        tx, generation.run_id, generation.number, state=GenerationState.CANCELLED
                    )

    async def wake(self) -> None:
        """Set the alarms of open rounds. Call it once what happened while the bot was away has been read."""
        async with self._db.reading() as tx:
            open_rounds = await runs.generations_in_state(tx, GenerationState.OPEN)
        for generation in open_rounds:
            await self._arm(generation.run_id, generation.number)
