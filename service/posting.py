"""The outbox: posts what the database says is to be posted, exactly once, whatever dies in between."""

from __future__ import annotations

import asyncio
import functools
import logging
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import Protocol

from domain.duel import DuelState
from domain.errors import NotFoundError, StorageError
from domain.ids import MessageId, PostId
from domain.run import CloseReason, GenerationState, Post, PostKind, PostState, RunState
from service.clock import Clock
from service.duel_views import DuelView, VerdictView
from service.tasks import TaskSet
from service.views import PauseView, RevealView, RoundView
from storage import duels, posts, runs
from storage.database import Database, Transaction

log = logging.getLogger(__name__)

FIRST_RETRY = 2.0
LAST_RETRY = 300.0
View = RoundView | RevealView | PauseView | DuelView | VerdictView


class Undeliverable(Exception):  # noqa: N818 - a state of the world, not a fault
    """A message could not be sent.

    Attributes:
        permanent: Trying again will not help until a person changes something.
    """

    def __init__(self, sentence: str, *, permanent: bool) -> None:
        super().__init__(sentence)
        self.permanent = permanent


class ClipSink(Protocol):
    """Where posts go: a Discord channel, or a list in a test."""

    async def find(self, view: View) -> MessageId | None:
        """Return the message of this post if an earlier, interrupted attempt did get through."""

    async def send(self, view: View) -> MessageId:
        """Send it.

        Raises:
            Undeliverable: It was not sent.
        """


class Outbox:
    """Delivers posts. A row is *attempted* before it is sent and *posted* after, so that a crash in between is seen."""

    def __init__(
        self,
        db: Database,
        clock: Clock,
        tasks: TaskSet,
        view_of: Callable[[Post], Awaitable[View]],
        posted: Callable[[Post], Awaitable[None]],
    ) -> None:
        self._db = db
        self._clock = clock
        self._tasks = tasks
        self._view_of = view_of
        self._posted = posted
        self._sink: ClipSink | None = None
        self._busy: dict[PostId, asyncio.Task[None]] = {}
        self._naps: set[asyncio.Task[None]] = set()

    async def attach(self, sink: ClipSink) -> None:
        """Use this sink from now on and deliver what is waiting, also what waits to be tried again."""
        self._sink = sink
        self._wake()
        await self._look()

    async def _look(self) -> None:
        async with self._db.transaction() as tx:  # after any that somebody has left in its COMMIT
            waiting = await posts.undelivered(tx)
        for post in waiting:
            self.deliver(post.id)

    @contextmanager
    def to_the_end(self) -> Iterator[None]:
        """Store posts. Who is cancelled in the middle of it may have stored one, which then has to be sent."""
        try:
            yield
        except asyncio.CancelledError:
            self._tasks.spawn(self._look(), "posts that wait")
            raise

    def detach(self) -> None:
        """Keep posts in the outbox until a sink is attached again."""
        self._sink = None
        self._wake()

    def _wake(self) -> None:
        for nap in self._naps:
            nap.cancel()

    def deliver(self, post_id: PostId) -> asyncio.Task[None]:
        """Deliver in the background; a second call joins the first."""
        task = self._busy.get(post_id)
        if task is None or task.done():  # to join one that has ended would be to wait for nothing
            task = self._tasks.spawn(self._until_sent(post_id), f"post {post_id}")
            self._busy[post_id] = task
            task.add_done_callback(functools.partial(self._forget, post_id))
        return task

    def _forget(self, post_id: PostId, task: asyncio.Task[None]) -> None:
        if self._busy.get(post_id) is task:
            del self._busy[post_id]

    async def _until_sent(self, post_id: PostId) -> None:
        wait = FIRST_RETRY
        while self._sink is not None:
            try:
                if await self._settled(post_id, self._sink):
                    return
            except StorageError as error:
                log.warning("Post %s waits: %s", post_id, error)
            except Exception:
                log.exception("Post %s failed and is tried again", post_id)
            await self._nap(post_id, wait)
            wait = min(LAST_RETRY, 2 * wait)

    async def _nap(self, post_id: PostId, seconds: float) -> None:
        """Wait, though not beyond the moment in which there is another sink or none."""
        nap = self._tasks.spawn(self._clock.sleep(seconds), f"post {post_id} waits")
        self._naps.add(nap)
        nap.add_done_callback(self._naps.discard)
        await asyncio.wait([nap])

    async def _settled(self, post_id: PostId, sink: ClipSink) -> bool:
        """Try once; returns whether nothing is left to do, be it that the post is out, given up or gone."""
        try:
            await self._once(post_id, sink)
        except Undeliverable as error:
            log.warning("Post %s was not sent: %s", post_id, error)
            return error.permanent and await self._give_up(post_id, str(error))
        except NotFoundError as error:  # it was erased, or something that it shows
            return await self._give_up(post_id, str(error))
        return True

    async def _once(self, post_id: PostId, sink: ClipSink) -> None:
        async with self._db.reading() as tx:
            post = await posts.post(tx, post_id)
        if post.state is PostState.POSTED:
            await self._posted(post)
        if post.state in {PostState.POSTED, PostState.FAILED}:
            return
        view = await self._view_of(post)
        # Whatever was tried before may have got through, however it seemed to end.
        message_id = await sink.find(view) if post.attempts else None
        if message_id is None:
            async with self._db.transaction() as tx:
                if await posts.mark_attempted(tx, post_id) is None:
                    return  # withdrawn meanwhile
            message_id = await sink.send(view)
        async with self._db.transaction() as tx:
            await posts.mark_posted(tx, post_id, message_id)
            if isinstance(view, RoundView):
                await self._open(tx, post, view)
            elif isinstance(view, DuelView):
                await duels.set_duel(
                    tx, view.duel.id, state=DuelState.OPEN, closes_at=view.closes_at
                )
        await self._posted(post)

    async def _open(self, tx: Transaction, post: Post, view: RoundView) -> None:
        """Open a round that was sent, unless its run was stopped while it was on its way."""
        run = await runs.get_run(tx, post.run_id)
        stopped = run.state is RunState.STOPPED
        await runs.set_generation(
            tx,
            post.run_id,
            post.generation,
            state=GenerationState.CLOSED if stopped else GenerationState.OPEN,
            opened_at=self._clock.now(),
            closes_at=None if stopped else view.closes_at,
            close_reason=CloseReason.STOPPED if stopped else None,
        )

    async def _give_up(self, post_id: PostId, sentence: str) -> bool:
        """Remember why, and pause the run: somebody has to change something first. A duel just ends."""
        async with self._db.transaction() as tx:
            try:
                post = await posts.post(tx, post_id)
            except NotFoundError:
                return True  # it was erased
            if post.state is PostState.POSTED:
                return True  # it is out, whatever was gone then
            await posts.mark_failed(tx, post_id, sentence, self._clock.now())
            if post.kind is PostKind.DUEL and post.duel_id is not None:
                await duels.set_duel(tx, post.duel_id, state=DuelState.FAILED)
            if post.kind is PostKind.ROUND:
                run = await runs.get_run(tx, post.run_id)
                if run.state is RunState.ACTIVE:
                    await runs.set_run(tx, run.id, state=RunState.PAUSED)
        return True

    async def wait_for(self, post_id: PostId, patience: float) -> None:
        """Wait until a post that is being delivered is out, or for some seconds."""
        task = self._busy.get(post_id)
        if task is not None:
            await asyncio.wait([task], timeout=patience)

    async def idle(self) -> None:
        """Wait until nothing is being delivered."""
        while self._busy:
            await asyncio.gather(*self._busy.values(), return_exceptions=True)
