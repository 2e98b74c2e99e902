"""The outbox: what was promised to a channel is never forgotten and never promised twice."""

import pytest

from domain.errors import NotFoundError, StorageError
from domain.ids import ChannelId, MessageId, PostId
from domain.run import CloseReason, GenerationState, PostKind, PostState
from storage import posts, runs
from tests.storage.samples import CHANNEL, generation, make_round, new_run


async def test_a_round_is_put_into_the_outbox_once(db):
    async with db.transaction() as tx:
        run = await runs.create_run(tx, new_run())
        await runs.add_generation(tx, generation(run.id))
        first = await posts.add_post(tx, run.id, 1, PostKind.ROUND, CHANNEL, 5.0)
        again = await posts.add_post(tx, run.id, 1, PostKind.ROUND, ChannelId(1), 6.0)
        reveal = await posts.add_post(tx, run.id, 1, PostKind.REVEAL, CHANNEL, 7.0)
        pauses = [
            await posts.add_post(tx, run.id, 1, PostKind.PAUSE, CHANNEL, 8.0 + n) for n in range(2)
        ]
        assert again == first
        assert (first.state, first.attempts, first.created_at) == (PostState.PENDING, 0, 5.0)
        assert await posts.undelivered(tx) == [first, reveal, *pauses]
        assert await posts.post_of(tx, run.id, 1, PostKind.PAUSE) == pauses[1]
        assert await posts.post_of(tx, run.id, 2, PostKind.PAUSE) is None
        assert await posts.posts_of_run(tx, run.id) == [first, reveal, *pauses]


async def test_a_post_goes_through_its_states(db):
    async with db.transaction() as tx:
        run = await runs.create_run(tx, new_run())
        await runs.add_generation(tx, generation(run.id))
        post = await posts.add_post(tx, run.id, 1, PostKind.ROUND, CHANNEL, 5.0)
        tried = await posts.mark_attempted(tx, post.id)
        assert (tried.state, tried.attempts) == (PostState.ATTEMPTED, 1)
        assert await posts.undelivered(tx) == [tried]
        back = await posts.mark_pending(tx, post.id, "Discord is down.")
        assert (back.state, back.attempts, back.error) == (
            PostState.PENDING,
            1,
            "Discord is down.",
        )
        failed = await posts.mark_failed(tx, post.id, "The thread is locked.", 9.0)
        assert (failed.state, failed.error) == (PostState.FAILED, "The thread is locked.")
        assert await posts.undelivered(tx) == []
        assert await posts.mark_attempted(tx, post.id) is None  # withdrawn: not to be sent
        await posts.mark_pending(tx, post.id)
        await posts.mark_attempted(tx, post.id)
        done = await posts.mark_posted(tx, post.id, MessageId(77))
        assert (done.state, done.message_id, done.error) == (PostState.POSTED, 77, "")
        assert await posts.undelivered(tx) == []
        assert await posts.post_by_message(tx, MessageId(77)) == done
        assert await posts.post_by_message(tx, MessageId(78)) is None
        assert await posts.post(tx, post.id) == done


async def test_unknown_posts_are_not_found(db):
    async with db.transaction() as tx:
        assert await posts.mark_attempted(tx, PostId(9)) is None
        for call in (
            posts.post(tx, PostId(9)),
            posts.mark_pending(tx, PostId(9)),
            posts.mark_posted(tx, PostId(9), MessageId(1)),
            posts.mark_failed(tx, PostId(9), "x", 1.0),
        ):
            with pytest.raises(NotFoundError):
                await call


async def test_a_message_shows_one_post(db):
    async with db.transaction() as tx:
        made = await make_round(tx)
        reveal = await posts.add_post(tx, made.run.id, 1, PostKind.REVEAL, CHANNEL, 7.0)
        with pytest.raises(StorageError, match="refused"):
            await posts.mark_posted(tx, reveal.id, made.post.message_id)


async def test_open_rounds_are_those_that_still_await_votes(db):
    async with db.transaction() as tx:
        old = await make_round(tx)
        await runs.set_generation(
            tx,
            old.run.id,
            1,
            state=GenerationState.CLOSED,
            closed_at=2.0,
            close_reason=CloseReason.NEXT,
        )
        await posts.add_post(tx, old.run.id, 1, PostKind.REVEAL, CHANNEL, 7.0)
        new = await make_round(tx, run=old.run, number=2)
        other = await make_round(tx, channel_id=ChannelId(2))
        assert await posts.open_round_posts(tx) == [new.post, other.post]


async def test_what_was_given_up_counts_from_that_moment_however_long_it_waited(db):
    async with db.transaction() as tx:
        run = await runs.create_run(tx, new_run())
        await runs.add_generation(tx, generation(run.id))
        made = [await posts.add_post(tx, run.id, 1, PostKind.PAUSE, CHANNEL, 5.0) for _ in range(3)]
        await posts.mark_failed(tx, made[0].id, "The channel is gone.", 500.0)
        await posts.mark_failed(tx, made[1].id, "I may not post there.", 400.0)
        assert [one.error for one in await posts.unsent(tx, since=100.0)] == [
            "",
            "I may not post there.",
            "The channel is gone.",
        ]
        assert [one.error for one in await posts.unsent(tx, since=450.0)] == [
            "",
            "The channel is gone.",
        ]
        await posts.mark_pending(tx, made[0].id)
        assert [one.error for one in await posts.unsent(tx, since=450.0)] == ["", ""]
