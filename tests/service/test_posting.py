"""The outbox when things are gone, the disk is full, or everything happens at once."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager

import pytest

from domain.errors import NotFoundError, StorageError
from domain.ids import MessageId
from domain.run import PostKind, PostState, RunState
from service.posting import Outbox, Undeliverable
from service.tasks import TaskSet
from service.views import PauseView
from storage import posts
from tests.fakes import FakeClock, FakeSink


class Full:
    """A database whose disk is full for a while."""

    def __init__(self, db) -> None:
        self._db, self.full = db, 0
        self.reading = db.reading

    @asynccontextmanager
    async def transaction(self):
        if self.full:
            self.full -= 1
            raise StorageError("The disk is full.")
        async with self._db.transaction() as tx:
            yield tx


class Sink(FakeSink):
    """Another one than the stage's: its messages have numbers of their own."""

    async def send(self, view):
        return MessageId(await super().send(view) + 5000)


class Box:
    """An outbox of its own beside the stage's, over the same database."""

    def __init__(self, stage) -> None:
        self.db, self.clock, self.tasks = Full(stage.services.db), FakeClock(), TaskSet()
        self.trouble: Exception | None = None
        self.after: Exception | None = None
        self.told: list[int] = []
        self.outbox = Outbox(self.db, self.clock, self.tasks, self._view_of, self._posted)

    async def _view_of(self, post):
        if self.trouble is not None:
            raise self.trouble
        return PauseView(post=post, run=self.run, rounds=1, reason="")

    async def _posted(self, post) -> None:
        self.told.append(post.id)
        if self.after is not None:
            raise self.after

    async def add(self, stage, kind: PostKind = PostKind.PAUSE):
        self.run = await stage.run()
        async with stage.services.db.transaction() as tx:
            if kind is PostKind.PAUSE:
                return await posts.add_post(tx, self.run.id, 1, kind, 10, 0.0)
            found = await posts.post_of(tx, self.run.id, 1, kind)
            await tx.rows("UPDATE posts SET state = 'attempted' WHERE id = ?", (found.id,))
            return found

    async def post(self, post):
        async with self.db.reading() as tx:
            return await posts.post(tx, post.id)


@pytest.fixture
async def box(stage):
    await stage.start()
    made = Box(stage)
    await made.outbox.attach(Sink())
    yield made
    await made.tasks.close()


async def test_a_round_of_which_something_is_gone_is_given_up_and_its_run_pauses(stage, box):
    post = await box.add(stage, PostKind.ROUND)
    box.trouble = NotFoundError("That clip is not there any more.")
    await box.outbox.deliver(post.id)
    found = await box.post(post)
    assert (found.state, found.error) == (PostState.FAILED, "That clip is not there any more.")
    assert (await stage.run()).state is RunState.PAUSED


async def test_a_post_that_was_erased_is_left_alone(stage, box, caplog):
    post = await box.add(stage)
    async with stage.services.db.transaction() as tx:
        await tx.rows("DELETE FROM posts WHERE id = ?", (post.id,))
    await box.outbox.deliver(post.id)
    assert not caplog.records


async def test_what_is_out_stays_out_whatever_is_gone_then(stage, box):
    post = await box.add(stage)
    box.after = NotFoundError("That run is not there any more.")
    await box.outbox.deliver(post.id)
    assert (await box.post(post)).state is PostState.POSTED


async def test_a_full_disk_keeps_nothing_from_being_given_up_later(stage, box):
    post = await box.add(stage)
    box.trouble = Undeliverable("I may not post there.", permanent=True)
    box.db.full = 1
    task = box.outbox.deliver(post.id)
    await stage.until(lambda: box.clock.due(3))
    box.clock.advance(3)
    await task
    assert (await box.post(post)).error == "I may not post there."


async def test_who_delivers_at_the_moment_of_an_end_does_not_join_it(stage, box):
    post, second = await box.add(stage), []
    loop = asyncio.get_running_loop()
    told = box.outbox._posted

    async def posted(one) -> None:
        await told(one)
        if not second:  # runs once this task has ended, before anybody has heard of it
            loop.call_soon(lambda: second.append(box.outbox.deliver(one.id)))

    box.outbox._posted = posted
    await box.outbox.deliver(post.id)
    await box.outbox.idle()
    await second[0]
    assert box.told == [post.id, post.id]
    assert not box.outbox._busy


async def test_a_new_connection_sends_at_once_what_waited_to_be_tried_again(stage, box):
    post = await box.add(stage)
    box.trouble = Undeliverable("Discord is down.", permanent=False)
    task = box.outbox.deliver(post.id)
    await stage.until(lambda: box.clock.due(3))
    box.trouble = None
    await box.outbox.attach(Sink())
    async with asyncio.timeout(20):
        await task
    assert (await box.post(post)).state is PostState.POSTED


async def test_without_a_connection_nothing_waits_to_be_tried_again(stage, box):
    post = await box.add(stage)
    box.trouble = Undeliverable("Discord is down.", permanent=False)
    task = box.outbox.deliver(post.id)
    await stage.until(lambda: box.clock.due(3))
    box.outbox.detach()
    async with asyncio.timeout(20):
        await task
        await box.outbox.idle()
    box.trouble = None
    await box.outbox.attach(Sink())
    await box.outbox.idle()
    assert (await box.post(post)).state is PostState.POSTED
