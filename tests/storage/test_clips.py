"""Clips, embeddings, keeping and what the retention rule keeps."""

import numpy as np
import pytest

from domain.errors import NotFoundError, StorageError
from domain.ids import ChannelId, ClipId, GuildId
from domain.run import CloseReason, GenerationState
from storage import clips, runs
from tests.storage.samples import (
    ALICE,
    BOB,
    GUILD,
    generation,
    make_round,
    proposal,
    rendered,
)


async def test_a_clip_comes_back_with_everything_that_made_it(db):
    async with db.transaction() as tx:
        made = await make_round(tx)
        candidate, sound = made.candidates[0], rendered(1, waveform=(-1.0, 0.5, 7.0))
        stored = await clips.add_clip(tx, candidate, sound, "ab" * 32, "lofi")
        assert await clips.clip(tx, stored.id) == stored
        with pytest.raises(NotFoundError):
            await clips.clip(tx, ClipId(999))
    assert stored.candidate_id == candidate.id
    assert (stored.run_id, stored.generation) == (made.run.id, 1)
    assert (stored.prompt, stored.seed) == (sound.request.prompt, sound.request.seed)
    for name in ("seconds", "extension", "media_type", "loudness", "encoder_id", "quality"):
        assert getattr(stored, name) == getattr(sound, name)
    assert stored.description == sound.description
    assert (stored.generator, stored.generator_version, stored.licence) == ("composer", "1", "MIT")
    assert stored.waveform == pytest.approx((0.0, 0.5, 1.0), abs=1 / 255)
    assert (stored.posted_slot, stored.role, stored.kept_by, stored.broken) == (None,) * 3 + (
        False,
    )


async def test_clips_are_found_by_round_run_candidate_and_id(db):
    async with db.transaction() as tx:
        one = await make_round(tx, count=6)
        two = await make_round(tx, run=one.run, number=2)
    first, second = one.clips, two.clips
    async with db.reading() as tx:
        assert await clips.clips_of_generation(tx, one.run.id, 1) == first
        assert await clips.clips_of_run(tx, one.run.id) == first + second
        assert await clips.posted_clips(tx, one.run.id, 1) == first[:4]
        wanted = [second[1].id, ClipId(999), first[0].id]
        assert await clips.clips_by_id(tx, wanted) == [second[1], first[0]]
        assert await clips.clips_of_candidates(tx, [first[2].candidate_id]) == [first[2]]
        assert await clips.rounds_of(tx, wanted) == {
            second[1].id: (one.run.id, 2),
            first[0].id: (one.run.id, 1),
        }


async def test_a_slot_holds_one_clip(db):
    async with db.transaction() as tx:
        made = await make_round(tx, count=5)
        with pytest.raises(StorageError, match="refused"):
            await clips.mark_posted(tx, made.clips[4].id, 1, "wild")
        assert (await clips.mark_posted(tx, made.clips[0].id, None, None)).posted_slot is None
        now = await clips.mark_posted(tx, made.clips[4].id, 1, "wild")
        assert (now.posted_slot, now.role) == (1, "wild")
        with pytest.raises(NotFoundError):
            await clips.mark_posted(tx, ClipId(999), 1, "wild")


async def test_broken_can_be_taken_back(db):
    async with db.transaction() as tx:
        one = (await make_round(tx)).clips[0]
        assert (await clips.mark_broken(tx, one.id)).broken
        assert await clips.mark_broken(tx, one.id, broken=False) == one
        with pytest.raises(NotFoundError):
            await clips.mark_broken(tx, ClipId(999))


async def test_keeping_is_everybodys_own(db):
    async with db.transaction() as tx:
        made = await make_round(tx)
        elsewhere = await make_round(tx, channel_id=ChannelId(3), guild_id=GuildId(4))
        one, two, far = made.clips[0], made.clips[1], elsewhere.clips[0]
        for clip_id in (two.id, one.id, far.id, one.id):
            await clips.keep_clip(tx, clip_id, ALICE)
        assert (await clips.keep_clip(tx, one.id, BOB)).kept_by == ALICE
        kept = await clips.kept_clips(tx, ALICE)
        assert [item.id for item in kept] == [two.id, one.id, far.id]
        here = await clips.kept_clips(tx, ALICE, GUILD)
        assert [item.id for item in here] == [two.id, one.id]
        assert await clips.unkeep_clip(tx, one.id, ALICE)
        assert not await clips.unkeep_clip(tx, one.id, ALICE)
        assert (await clips.clip(tx, one.id)).kept_by == BOB
        assert (await clips.keep_clip(tx, one.id, None)).kept_by is None
        with pytest.raises(NotFoundError):
            await clips.keep_clip(tx, ClipId(999), ALICE)


async def test_embeddings_come_in_the_order_asked_for(db):
    async with db.transaction() as tx:
        made = await make_round(tx)
        ids = [one.id for one in made.clips]
        await clips.add_embedding(tx, ids[0], "wide-1", np.ones(8, "<f4").tobytes())
        asked = [ids[2], ClipId(999), ids[0]]
        found, matrix = await clips.embeddings(tx, asked, "features-1")
        assert found == [ids[2], ids[0]]
        assert matrix.dtype == np.float32
        assert matrix.flags.writeable
        assert matrix.tolist() == [[3, 4, 5, 6], [1, 2, 3, 4]]
        found, matrix = await clips.embeddings(tx, asked, "wide-1")
        assert (found, matrix.shape) == ([ids[0]], (1, 8))
        found, matrix = await clips.embeddings(tx, asked, "unknown")
        assert (found, matrix.shape) == ([], (0, 0))
        await clips.add_embedding(tx, ids[0], "wide-1", np.zeros(8, "<f4").tobytes())
        assert not (await clips.embeddings(tx, asked, "wide-1"))[1].any()


async def test_an_embedding_is_finite_numbers_of_one_size(db):
    async with db.transaction() as tx:
        made = await make_round(tx)
        one, two = made.clips[0].id, made.clips[1].id
        for wrong in (b"", b"abc", np.array([1, np.nan], "<f4").tobytes()):
            with pytest.raises(StorageError, match="finite float32"):
                await clips.add_embedding(tx, one, "x", wrong)
        await clips.add_embedding(tx, one, "x", np.ones(2, "<f4").tobytes())
        await clips.add_embedding(tx, two, "x", np.ones(4, "<f4").tobytes())
        with pytest.raises(StorageError, match="differ in size"):
            await clips.embeddings(tx, [one, two], "x")
        await tx.rows("DELETE FROM embeddings WHERE encoder_id = 'x'")


async def test_thousands_of_clips_can_be_asked_for_at_once(db):
    async with db.transaction() as tx:
        made = await make_round(tx)
        many = [ClipId(number) for number in range(1, 40_000)]
        found, matrix = await clips.embeddings(tx, many, "features-1")
        assert (len(found), matrix.shape) == (4, (4, 4))
        assert len(await clips.clips_by_id(tx, many)) == len(made.clips)


async def test_private_clips_are_for_their_listener_only(db):
    async with db.transaction() as tx:
        shared = await make_round(tx)
        private = await make_round(tx, channel_id=ChannelId(2), for_listener=ALICE)
        await make_round(tx, channel_id=ChannelId(3), guild_id=GuildId(4))
        everybody = [one.id for one in shared.clips]
        own = [one.id for one in private.clips]
        assert await clips.guild_clip_ids(tx, GUILD) == everybody
        assert await clips.guild_clip_ids(tx, GUILD, BOB) == everybody
        assert await clips.guild_clip_ids(tx, GUILD, ALICE) == everybody + own


async def test_retention_drops_only_what_nobody_needs(db):
    async with db.transaction() as tx:
        old = await make_round(tx, count=6)
        for number, state, closed_at in (
            (2, GenerationState.CLOSED, 5000.0),
            (3, GenerationState.CANCELLED, None),
            (4, GenerationState.BREEDING, None),
        ):
            await runs.add_generation(tx, generation(old.run.id, number))
            (candidate,) = await runs.add_candidates(tx, old.run.id, number, "s", [proposal(7)])
            await clips.add_clip(tx, candidate, rendered(number), f"{number:064x}", "")
            await runs.set_generation(
                tx,
                old.run.id,
                number,
                state=state,
                closed_at=closed_at,
                close_reason=CloseReason.NEXT if closed_at else None,
            )
        await runs.set_generation(
            tx,
            old.run.id,
            1,
            state=GenerationState.CLOSED,
            closed_at=1000.0,
            close_reason=CloseReason.NEXT,
        )
        await clips.keep_clip(tx, old.clips[5].id, BOB)
        keep = await clips.audio_to_keep(tx, closed_before=4000.0)
        posted_and_kept = {one.sha256 for one in [*old.clips[:4], old.clips[5]]}
        assert keep == posted_and_kept | {f"{2:064x}", f"{4:064x}"}
        later = await clips.audio_to_keep(tx, closed_before=6000.0)
        assert later == posted_and_kept | {f"{4:064x}"}
