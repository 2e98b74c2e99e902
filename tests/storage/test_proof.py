"""Re-posts, predictions and outcomes as they are stored."""

import pytest

from domain.errors import StorageError
from domain.ids import ChannelId, GuildId, ListenerId
from domain.outcome import Foretold
from domain.vote import VoteSource
from storage import clips, proof, votes
from tests.storage.samples import ALICE, BOB, CHANNEL, GUILD, make_round, new_run, vote

CAT = ListenerId(33)


async def two_rounds(tx):
    first = await make_round(tx)
    await votes.upsert(
        tx,
        [
            vote(first.clips[0].id, 1, rating=1.0),
            vote(first.clips[1].id, 2, source=VoteSource.BROKEN),
            vote(first.clips[2].id, 3, retracted=True),
        ],
    )
    return first, await make_round(tx, run=first.run, number=2, count=3)


async def test_a_repost_is_a_clip_of_its_round_with_the_original_s_sound(db):
    async with db.transaction() as tx:
        first, second = await two_rounds(tx)
        again = await proof.add_repost(tx, first.clips[0].id, 2, 4)
        assert (again.generation, again.posted_slot, again.role) == (2, 4, "repost")
        assert (again.original_id, again.original_generation) == (first.clips[0].id, 1)
        assert again.sha256 == first.clips[0].sha256
        assert await clips.posted_clips(tx, first.run.id, 2) == [*second.clips, again]
        found, vectors = await clips.embeddings(tx, [first.clips[0].id, again.id], again.encoder_id)
        assert found == [first.clips[0].id, again.id]
        assert (vectors[0] == vectors[1]).all()
        assert await proof.originals(tx, found) == {again.id: first.clips[0].id}
        archived = await clips.archive_of_run(tx, first.run.id)
        assert [one.original_id for one in archived] == [None] * 7 + [first.clips[0].id]
    assert await db.integrity() == []


async def test_a_clip_comes_back_once(db):
    async with db.transaction() as tx:
        first, second = await two_rounds(tx)
        # Rated by somebody: not the broken one, not the one whose vote was taken back, none of a later round.
        assert await proof.repostable(tx, first.run.id, 1) == [first.clips[0].id]
        assert await proof.repostable(tx, first.run.id, 0) == []
        await proof.add_repost(tx, first.clips[0].id, 2, 4)
        assert await proof.repostable(tx, first.run.id, 5) == []
        await make_round(tx, run=second.run, number=3, count=3)
    with pytest.raises(StorageError):
        async with db.transaction() as tx:
            await proof.add_repost(tx, first.clips[0].id, 3, 4)


async def test_a_listener_counts_once_for_each_posted_clip(db):
    async with db.transaction() as tx:
        first, _ = await two_rounds(tx)
        again = await proof.add_repost(tx, first.clips[0].id, 2, 4)
        clip = first.clips[3].id
        reaction = {"source": VoteSource.REACTION, "listener_id": BOB}
        await votes.upsert(
            tx,
            [
                vote(clip, 10, rating=-1.0),
                vote(clip, 11, source=VoteSource.FAVOURITE, rating=1.0),
                vote(clip, 12, symbol="👍", rating=1.0, weight=0.5, **reaction),
                vote(clip, 13, symbol="👎", rating=-0.5, weight=0.5, **reaction),
                vote(clip, 14, source=VoteSource.FAVOURITE, rating=1.0, listener_id=CAT, late=True),
                vote(again.id, 15, rating=-0.4),
            ],
        )
        guess = Foretold(clip_id=clip, listener_id=ALICE, liking=0.7, spread=0.2, evidence=3)
        await proof.save_predictions(tx, [guess])
        found = await proof.outcomes(tx, GUILD)
    said = {(one.clip_id, one.listener_id): one for one in found}
    assert said[clip, ALICE].rating == -1.0
    assert said[clip, ALICE].foretold == 0.7
    assert said[clip, BOB].rating == pytest.approx(0.25)
    assert said[clip, CAT].late
    assert said[clip, CAT].liked
    assert said[again.id, ALICE].original_id == first.clips[0].id
    assert said[again.id, ALICE].is_repost
    assert first.clips[1].id not in {one.clip_id for one in found}
    async with db.reading() as tx:
        assert await votes.rated_clips(tx, GUILD, ALICE) == 2


async def test_private_runs_and_other_places_are_left_out(db):
    async with db.transaction() as tx:
        await two_rounds(tx)
        private = await make_round(tx, channel_id=ChannelId(9), for_listener=BOB)
        elsewhere = await make_round(tx, channel_id=ChannelId(8))
        await votes.upsert(tx, [vote(private.clips[0].id, 20), vote(elsewhere.clips[0].id, 21)])
        assert {one.channel_id for one in await proof.outcomes(tx, GUILD)} == {CHANNEL, 8}
        assert len(await proof.outcomes(tx, GUILD, channel_id=CHANNEL)) == 1
        assert len(await proof.outcomes(tx, GUILD, run_id=elsewhere.run.id)) == 1
        assert await proof.outcomes(tx, GUILD, listener_id=BOB) == []
        assert await proof.outcomes(tx, GuildId(1)) == []
        assert await proof.guilds_with_rounds(tx) == [GUILD]
        assert new_run().guild_id == GUILD


async def test_chances_and_predictions(db):
    async with db.transaction() as tx:
        first, _ = await two_rounds(tx)
        clip = first.clips[0].id
        await proof.save_chances(tx, {clip: 0.25})
        assert await proof.chances_of(tx, [clip, first.clips[1].id]) == {clip: 0.25}
        guess = Foretold(clip_id=clip, listener_id=ALICE, liking=0.7, spread=0.2, evidence=3)
        await proof.save_predictions(tx, [guess, guess])
        assert await proof.delete_predictions(tx, GuildId(1), ALICE) == 0
        assert await proof.delete_predictions(tx, GUILD, ALICE) == 1
