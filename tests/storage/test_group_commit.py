"""Concurrent votes share transactions; nobody's trouble is anybody else's."""

import asyncio

import pytest

from domain.errors import ClosedError, DiskFullError, ForbiddenError, StorageError
from domain.ids import GuildId, ListenerId
from domain.vote import VoteSource
from storage import guilds, votes
from storage.database import Database
from tests.storage.samples import ALICE, GUILD, make_round, vote


@pytest.fixture
async def clip(db):
    async with db.transaction() as tx:
        return (await make_round(tx)).clips[0].id


@pytest.fixture
def writer(db):
    return votes.VoteWriter(db, largest_group=8)


def toggle(clip, event_id, listener=ALICE):
    """What a button press does: give the vote, or take it back when it stands."""

    async def work(tx):
        old = await votes.stored(tx, clip, listener, VoteSource.BUTTON)
        back = old is not None and not old.retracted
        (now,) = await votes.upsert(
            tx, [vote(clip, event_id, listener_id=listener, retracted=back)]
        )
        return now

    return work


async def test_every_vote_of_a_crowd_is_stored_and_answered(db, clip, writer):
    people = [ListenerId(number + 1) for number in range(500)]
    receipts = await asyncio.gather(*(writer.apply(toggle(clip, 10 + one, one)) for one in people))
    assert [one.listener_id for one in receipts] == people
    async with db.reading() as tx:
        assert await votes.votes_of_clips(tx, [clip]) == receipts


async def test_each_closure_sees_those_before_it(clip, writer):
    receipts = await asyncio.gather(*(writer.apply(toggle(clip, n + 1)) for n in range(21)))
    assert [one.retracted for one in receipts] == [n % 2 == 1 for n in range(21)]


async def test_record_returns_what_is_stored(clip, writer):
    new, old = vote(clip, 20, rating=1.0), vote(clip, 10, rating=-1.0)
    assert await writer.record([new]) == [new]
    assert await writer.record([old, new]) == [new, new]


async def test_the_answer_comes_after_the_commit(db, clip, writer):
    async def check(number):
        listener = ListenerId(number)
        await writer.apply(toggle(clip, number, listener))
        async with db.reading() as tx:
            assert await votes.stored(tx, clip, listener, VoteSource.BUTTON) is not None

    await asyncio.gather(*(check(number) for number in range(1, 60)))


async def test_an_error_undoes_its_own_closure_only(db, clip, writer):
    def forbidden(number):
        async def work(tx):
            await toggle(clip, number, ListenerId(number))(tx)
            raise ForbiddenError("not yours")

        return work

    async def unknown_clip(tx):
        await votes.upsert(tx, [vote(99999, 1)])

    async def cancelled(tx):
        await toggle(clip, 9001, ListenerId(9001))(tx)
        raise asyncio.CancelledError

    async def waits_for_something_else(tx):
        await toggle(clip, 9002, ListenerId(9002))(tx)
        await _Never()

    work = [
        forbidden(number) if number % 2 else toggle(clip, number, ListenerId(number))
        for number in range(1, 41)
    ]
    work[10:10] = [unknown_clip, cancelled, waits_for_something_else]
    answers = await asyncio.gather(*map(writer.apply, work), return_exceptions=True)
    kinds = [type(one).__name__ for one in answers[10:13]]
    assert kinds == ["StorageError", "CancelledError", "StorageError"]
    assert sum(isinstance(one, ForbiddenError) for one in answers) == 20
    async with db.reading() as tx:
        stored = await votes.votes_of_clips(tx, [clip])
    assert [one.listener_id for one in stored] == list(range(2, 41, 2))


class _Never:
    def __await__(self):
        yield


async def test_cancelling_waiters_and_leaders_hurts_nobody(db, clip, writer):
    for round_number in range(20):
        base = 1000 * (round_number + 1)
        tasks = [
            asyncio.ensure_future(writer.apply(toggle(clip, base + n, ListenerId(base + n))))
            for n in range(30)
        ]
        for _ in range(round_number % 7):
            await asyncio.sleep(0)
        doomed = tasks[:: 3 if round_number % 2 else 1][: 1 + round_number]
        for task in doomed:
            task.cancel()
        async with asyncio.timeout(10):
            answers = await asyncio.gather(*tasks, return_exceptions=True)
        async with db.reading() as tx:
            cast = await votes.votes_of_clips(tx, [clip])
        stored = {one.event_id for one in cast if not one.retracted}
        for number, (task, answer) in enumerate(zip(tasks, answers, strict=True)):
            if isinstance(answer, asyncio.CancelledError):
                assert task in doomed
            else:
                assert answer.event_id == base + number
                assert base + number in stored
    assert await writer.record([vote(clip, 99, listener_id=ListenerId(99))])


async def test_a_leader_cancelled_while_the_writer_is_busy_leaves_the_rest_to_others(
    db, clip, writer
):
    async with db.transaction() as tx:
        await guilds.guild_joined(tx, GUILD, 1.0)
        tasks = [
            asyncio.ensure_future(writer.apply(toggle(clip, n, ListenerId(n))))
            for n in range(1, 13)
        ]
        for _ in range(3):
            await asyncio.sleep(0)
        tasks[0].cancel()
        tasks[5].cancel()
        await asyncio.sleep(0)
        tasks[1].cancel()  # by now the leader
    async with asyncio.timeout(10):
        answers = await asyncio.gather(*tasks, return_exceptions=True)
    gone = {n for n, one in enumerate(answers, 1) if isinstance(one, asyncio.CancelledError)}
    assert gone == {1, 2, 6}
    async with db.reading() as tx:
        stored = {one.listener_id for one in await votes.votes_of_clips(tx, [clip])}
    assert stored == set(range(1, 13)) - gone


async def test_a_full_disk_is_told_to_everybody_in_the_group_and_nothing_is_stored(
    db, clip, writer
):
    async with db.transaction() as tx:
        pages = await tx.value("PRAGMA page_count")
        await tx.rows(f"PRAGMA max_page_count = {pages}")

    async def big(tx):
        await guilds.set_guild_setting(tx, GuildId(1), "big", "x" * 100_000)

    first = asyncio.ensure_future(writer.record([]))
    answers = await asyncio.gather(
        writer.apply(toggle(clip, 1)), writer.apply(big), writer.record([]), return_exceptions=True
    )
    await first
    assert [type(one) for one in answers] == [DiskFullError] * 3
    assert len({id(one) for one in answers}) == 3
    async with db.transaction() as tx:
        await tx.rows("PRAGMA max_page_count = 1000000")
        assert await votes.votes_of_clips(tx, [clip]) == []
    assert (await writer.apply(toggle(clip, 2))).event_id == 2


async def test_a_closed_database_is_told(path):
    database = await Database.open(path)
    writer = votes.VoteWriter(database)
    await database.close()
    for _ in range(2):
        answers = await asyncio.gather(writer.record([]), writer.record([]), return_exceptions=True)
        assert [type(one) for one in answers] == [ClosedError] * 2


async def test_votes_and_other_transactions_take_turns(db, clip, writer):
    async def other(number):
        async with db.transaction() as tx:
            await guilds.set_guild_setting(tx, GUILD, f"{number}", number)
            await asyncio.sleep(0)

    async with asyncio.timeout(20):
        await asyncio.gather(
            *(writer.apply(toggle(clip, n, ListenerId(n))) for n in range(1, 200)),
            *(other(n) for n in range(50)),
        )
    async with db.reading() as tx:
        assert len(await votes.votes_of_clips(tx, [clip])) == 199
        assert len(await guilds.guild_settings(tx, GUILD)) == 50


def test_an_event_loop_that_ends_with_votes_under_way_leaves_a_clean_database(path):
    answered = []
    closed_before = []

    async def bot():
        database = await Database.open(path)
        try:
            async with database.transaction() as tx:
                clip = (await make_round(tx)).clips[0].id
            writer = votes.VoteWriter(database)
            first = asyncio.Event()

            async def press(number):
                try:
                    answered.append(await writer.apply(toggle(clip, number, ListenerId(number))))
                    first.set()
                except StorageError:
                    closed_before.append(number)

            tasks = [asyncio.ensure_future(press(number)) for number in range(1, 200)]
            await first.wait()
            assert len(tasks) > len(answered)
        finally:
            await database.close()

    async def look():
        database = await Database.open(path)
        assert await database.integrity() == []
        async with database.reading() as tx:
            cast = await votes.votes_of_listener(tx, GUILD, ListenerId(1))
            everyone = await tx.rows("SELECT listener_id FROM votes")
        await database.close()
        return cast, {row[0] for row in everyone}

    asyncio.run(bot())
    cast, stored = asyncio.run(look())
    assert cast == answered[:1]
    assert {one.listener_id for one in answered} <= stored
    assert not stored & set(closed_before)
