"""Votes fold to the same rows whatever the order of their events."""

import asyncio
import dataclasses
import itertools

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from domain.errors import StorageError
from domain.ids import ClipId, GuildId
from domain.vote import VoteSource
from storage import votes
from storage.database import Database
from tests.storage.samples import ALICE, BOB, CHANNEL, GUILD, make_round, vote


async def test_a_vote_is_stored_as_it_is_given(db):
    async with db.transaction() as tx:
        made = await make_round(tx)
        first = vote(
            made.clips[0].id,
            2**62,
            source=VoteSource.REACTION,
            symbol="👩‍🎤",
            rating=-0.4,
            weight=0.25,
            retracted=True,
            late=True,
            at=12.5,
        )
        assert await votes.upsert(tx, [first]) == [first]
    async with db.reading() as tx:
        assert await votes.stored(tx, first.clip_id, ALICE, VoteSource.REACTION, "👩‍🎤") == first
        assert await votes.stored(tx, first.clip_id, ALICE, VoteSource.BUTTON) is None
        assert await votes.latest_event(tx) == 2**62


async def test_older_and_repeated_events_change_nothing(db):
    async with db.transaction() as tx:
        clip = (await make_round(tx)).clips[0].id
        now = vote(clip, 20, rating=1.0)
        await votes.upsert(tx, [now])
        before = await votes.high_water(tx, GUILD, ALICE)
        for late in (vote(clip, 10, rating=-1.0), vote(clip, 20, rating=-0.4, retracted=True)):
            assert await votes.upsert(tx, [late]) == [now]
        assert await votes.high_water(tx, GUILD, ALICE) == before
        back = vote(clip, 30, retracted=True)
        assert await votes.upsert(tx, [back]) == [back]
        assert await votes.upsert(tx, [vote(clip, 25)]) == [back]
        assert await votes.high_water(tx, GUILD, ALICE) > before


@pytest.mark.parametrize(
    "wrong", [{"rating": 1.1}, {"rating": float("nan")}, {"weight": 0.0}, {"weight": 1.5}]
)
async def test_numbers_out_of_range_are_refused(db, wrong):
    async with db.transaction() as tx:
        clip = (await make_round(tx)).clips[0].id
        with pytest.raises(StorageError, match="refused"):
            await votes.upsert(tx, [vote(clip, 1, **wrong)])


async def test_a_vote_needs_its_clip(db):
    with pytest.raises(StorageError, match="refused"):
        async with db.transaction() as tx:
            await votes.upsert(tx, [vote(12345, 1)])


async def test_queries_find_what_they_should(db):
    async with db.transaction() as tx:
        one = await make_round(tx)
        two = await make_round(tx, run=one.run, number=2)
        elsewhere = await make_round(tx, channel_id=5, guild_id=GuildId(6))
        cast = [
            vote(one.clips[0].id, 1),
            vote(one.clips[1].id, 2, listener_id=BOB, retracted=True),
            vote(one.clips[2].id, 3, listener_id=BOB, source=VoteSource.BROKEN, rating=-1.0),
            vote(two.clips[0].id, 4, listener_id=BOB),
            vote(two.clips[0].id, 5, listener_id=BOB, source=VoteSource.FAVOURITE),
            vote(elsewhere.clips[0].id, 6, guild_id=GuildId(6)),
        ]
        await votes.upsert(tx, cast)
    async with db.reading() as tx:
        assert await votes.votes_of_listener(tx, GUILD, BOB) == cast[1:5]
        assert await votes.votes_of_listener(tx, GuildId(6), ALICE) == [cast[5]]
        assert await votes.votes_of_run(tx, one.run.id) == cast[:5]
        assert await votes.votes_of_channel(tx, CHANNEL) == cast[:5]
        assert await votes.votes_of_round(tx, one.run.id, 1) == cast[:3]
        assert await votes.votes_of_round(tx, one.run.id, 1, BOB) == cast[1:3]
        assert await votes.votes_of_clips(tx, [two.clips[0].id, ClipId(999)]) == cast[3:5]
        assert await votes.voters(tx, one.run.id, 1) == {ALICE}
        assert await votes.voters(tx, one.run.id, 2) == {BOB}
        assert await votes.rated_clips(tx, GUILD, BOB) == 1
        assert await votes.latest_event(tx) == 6
        assert await votes.high_water(tx, GUILD, BOB) == 4
        assert await votes.high_water(tx, GuildId(1), BOB) == 0
    async with db.transaction() as tx:
        assert await votes.delete_votes(tx, GUILD, BOB) == 4
        assert await votes.votes_of_run(tx, one.run.id) == cast[:1]


events = st.lists(
    st.fixed_dictionaries(
        {
            "clip": st.integers(0, 1),
            "listener_id": st.sampled_from([ALICE, BOB]),
            "source": st.sampled_from(list(VoteSource)),
            "symbol": st.sampled_from(["", "👍"]),
            "rating": st.sampled_from([-1.0, -0.4, 0.5, 1.0]),
            "retracted": st.booleans(),
            "late": st.booleans(),
        }
    ),
    max_size=12,
)


@settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(said=events, data=st.data())
def test_any_order_of_events_folds_to_the_same_rows(tmp_path_factory, said, data):
    order = data.draw(st.permutations(range(len(said))))
    repeats = data.draw(st.lists(st.sampled_from(order), max_size=4)) if said else []
    path = tmp_path_factory.mktemp("fold") / "t.db"

    async def rows_after(indices, clips, database):
        async with database.transaction() as tx:
            cast = [
                vote(
                    clips[said[index]["clip"]],
                    index + 1,
                    **{key: value for key, value in said[index].items() if key != "clip"},
                )
                for index in indices
            ]
            cut = len(cast) // 2
            await votes.upsert(tx, cast[:cut])
            await votes.upsert(tx, cast[cut:])
            found = await votes.votes_of_clips(tx, clips)
        return [dataclasses.replace(one, clip_id=clips.index(one.clip_id)) for one in found]

    async def both():
        database = await Database.open(path)
        async with database.transaction() as tx:
            made = await make_round(tx)
        ids = [clip.id for clip in made.clips]
        in_order = await rows_after(range(len(said)), ids[:2], database)
        shuffled = await rows_after([*order, *repeats], ids[2:], database)
        await database.close()
        return in_order, shuffled

    in_order, shuffled = asyncio.run(both())
    assert in_order == shuffled
    newest = {}
    for index, one in enumerate(said):
        newest[one["clip"], one["listener_id"], one["source"], one["symbol"]] = index + 1
    assert sorted(one.event_id for one in in_order) == sorted(newest.values())


async def test_all_orders_of_press_change_and_take_back_agree(db):
    results = set()
    async with db.transaction() as tx:
        for number, order in enumerate(itertools.permutations(range(3)), start=1):
            clip = (await make_round(tx, channel_id=number)).clips[0].id
            history = [
                vote(clip, 1, rating=1.0),
                vote(clip, 2, rating=-1.0),
                vote(clip, 3, rating=-1.0, retracted=True),
            ]
            for index in order:
                (now,) = await votes.upsert(tx, [history[index]])
            results.add((now.event_id, now.rating, now.retracted))
    assert results == {(3, -1.0, True)}
