"""Runs, generations, candidates and their lineage."""

import dataclasses

import pytest

from domain.errors import BusyError, NotFoundError, StorageError
from domain.ids import CandidateId, ChannelId, GuildId, ListenerId, RunId
from domain.run import CloseReason, GenerationState, RunSettings, RunState
from storage import clips, runs
from tests.storage.samples import (
    ALICE,
    BOB,
    CHANNEL,
    GUILD,
    candidate_ids,
    generation,
    make_round,
    new_run,
    proposal,
)


async def test_a_run_comes_back_as_it_was_stored(db):
    async with db.transaction() as tx:
        other = await make_round(tx, channel_id=ChannelId(1))
        settings = RunSettings(seconds=6.5, candidates=9, quorum=3, timer=0, unattended_limit=7)
        new = new_run(
            settings=settings,
            for_listener=BOB,
            parent_clip_id=other.clips[0].id,
            vibe='"; DROP TABLE runs; --',
            seed=2**62,
        )
        run = await runs.create_run(tx, new)
    async with db.reading() as tx:
        assert await runs.get_run(tx, run.id) == run
    assert dataclasses.asdict(new).items() <= dataclasses.asdict(run).items()
    assert (run.state, run.generation, run.unattended) == (RunState.ACTIVE, 0, 0)


async def test_a_channel_has_one_run_that_is_not_stopped(db):
    async with db.transaction() as tx:
        first = await runs.create_run(tx, new_run())
        with pytest.raises(BusyError, match="already has a run"):
            await runs.create_run(tx, new_run())
        await runs.set_run(tx, first.id, state=RunState.PAUSED)
        with pytest.raises(BusyError):
            await runs.create_run(tx, new_run())
        await runs.set_run(tx, first.id, state=RunState.STOPPED)
        second = await runs.create_run(tx, new_run())
        with pytest.raises(BusyError):
            await runs.set_run(tx, first.id, state=RunState.ACTIVE)
        elsewhere = await runs.create_run(tx, new_run(channel_id=ChannelId(4)))
        with pytest.raises(BusyError):
            await runs.set_run(tx, elsewhere.id, channel_id=CHANNEL)
        assert await runs.run_in_channel(tx, CHANNEL) == second
        assert await runs.live_runs(tx) == [second, elsewhere]
        await runs.set_run(tx, second.id, state=RunState.STOPPED)
        assert await runs.run_in_channel(tx, CHANNEL) is None
        latest = await runs.latest_run_in_channel(tx, CHANNEL)
        assert (latest.id, latest.state) == (second.id, RunState.STOPPED)
        assert await runs.latest_run_in_channel(tx, ChannelId(99)) is None
        everything = await runs.runs_of_guild(tx, GUILD)
        assert [run.id for run in everything] == [first.id, second.id, elsewhere.id]
        assert await runs.runs_of_guild(tx, GuildId(1)) == []


async def test_changes_touch_what_they_name_only(db):
    async with db.transaction() as tx:
        run = await runs.create_run(tx, new_run())
        settings = RunSettings(quorum=9)
        changed = await runs.set_run(
            tx, run.id, generation=3, unattended=1, settings=settings, vibe="x"
        )
        assert changed == dataclasses.replace(
            run, generation=3, unattended=1, settings=settings, vibe="x"
        )
        assert await runs.set_run(tx, run.id) == changed
        with pytest.raises(StorageError, match="started_by"):
            await runs.set_run(tx, run.id, started_by=BOB)
        with pytest.raises(NotFoundError):
            await runs.set_run(tx, RunId(99), generation=1)
        with pytest.raises(NotFoundError):
            await runs.set_run(tx, RunId(99), state=RunState.ACTIVE)


async def test_settings_of_another_version_still_load(db):
    async with db.transaction() as tx:
        run = await runs.create_run(tx, new_run())
        await tx.rows('UPDATE runs SET settings_json = \'{"quorum": 5, "gone": 1}\'')
        assert (await runs.get_run(tx, run.id)).settings == RunSettings(quorum=5)


async def test_ids_of_deleted_runs_are_never_given_out_again(db):
    async with db.transaction() as tx:
        made = await make_round(tx)
        assert await runs.delete_run(tx, made.run.id) == 0
        with pytest.raises(NotFoundError):
            await runs.get_run(tx, made.run.id)
        again = await make_round(tx)
        assert again.run.id > made.run.id
        assert again.clips[0].id > made.clips[-1].id
        assert again.post.id > made.post.id


async def test_searcher_state_and_debts_are_replaced(db):
    async with db.transaction() as tx:
        run = await runs.create_run(tx, new_run())
        assert await runs.searcher_state(tx, run.id) is None
        await runs.save_searcher_state(tx, run.id, {"a": 1})
        await runs.save_searcher_state(tx, run.id, {"b": [1.5, None, "é"]})
        assert await runs.searcher_state(tx, run.id) == {"b": [1.5, None, "é"]}
        await runs.save_debts(tx, run.id, {ALICE: 1.0, BOB: 0.5})
        await runs.save_debts(tx, run.id, {BOB: -0.25})
        assert await runs.debts(tx, run.id) == {BOB: -0.25}
        await runs.save_debts(tx, run.id, {})
        assert await runs.debts(tx, run.id) == {}


async def test_a_generation_lives_its_life(db):
    async with db.transaction() as tx:
        run = await runs.create_run(tx, new_run())
        new = generation(
            run.id,
            1,
            directive="remix",
            directive_parents=(CandidateId(3), CandidateId(4)),
            directive_words="darker, and lose the drums 🥁",
        )
        await runs.add_generation(tx, new)
        assert await runs.generation(tx, run.id, 1) == new
        with pytest.raises(StorageError, match="already has"):
            await runs.add_generation(tx, new)
        closed = await runs.set_generation(
            tx,
            run.id,
            1,
            state=GenerationState.CLOSED,
            opened_at=1.0,
            closes_at=None,
            closed_at=2.0,
            close_reason=CloseReason.TIMER,
            directive_parents=[CandidateId(5)],
        )
        assert closed == dataclasses.replace(
            new,
            state=GenerationState.CLOSED,
            opened_at=1.0,
            closed_at=2.0,
            close_reason=CloseReason.TIMER,
            directive_parents=(CandidateId(5),),
        )
        await runs.add_generation(tx, generation(run.id, 2))
        assert await runs.generations_in_state(tx, GenerationState.CLOSED) == [closed]
        assert [one.number for one in await runs.generations_of_run(tx, run.id)] == [1, 2]
        with pytest.raises(NotFoundError):
            await runs.generation(tx, run.id, 3)
        with pytest.raises(NotFoundError):
            await runs.set_generation(tx, run.id, 3, closes_at=1.0)


async def test_only_unfinished_generations_can_be_deleted(db):
    async with db.transaction() as tx:
        made = await make_round(tx)
        with pytest.raises(StorageError, match="posted"):
            await runs.delete_generation(tx, made.run.id, 1)
        await runs.add_generation(tx, generation(made.run.id, 2))
        await runs.set_generation(tx, made.run.id, 2, state=GenerationState.CANCELLED)
        await runs.delete_generation(tx, made.run.id, 2)
        await runs.delete_generation(tx, made.run.id, 2)
        assert [one.number for one in await runs.generations_of_run(tx, made.run.id)] == [1]


async def test_a_generation_needs_its_run(db):
    with pytest.raises(StorageError, match="refused"):
        async with db.transaction() as tx:
            await runs.add_generation(tx, generation(RunId(9)))


async def test_candidates_keep_order_genome_and_parents(db):
    async with db.transaction() as tx:
        run = await runs.create_run(tx, new_run())
        for number in (1, 2):
            await runs.add_generation(tx, generation(run.id, number))
        first = await runs.add_candidates(
            tx, run.id, 1, "offline", [proposal(1), proposal(2, predicted=None)]
        )
        parents = (first[1].id, first[0].id)
        second = await runs.add_candidates(
            tx, run.id, 2, "offline", [proposal(3, operator="cross", parents=parents)]
        )
        assert second[0].parents == parents
        assert first[0].genome == proposal(1).genome
        assert first[1].predicted is None
        assert await runs.candidates_of_run(tx, run.id) == first + second
        assert await runs.candidates_of_generation(tx, run.id, 1) == first
        assert await runs.candidate(tx, second[0].id) == second[0]
        with pytest.raises(NotFoundError):
            await runs.candidate(tx, CandidateId(99))
        assert await runs.add_candidates(tx, run.id, 2, "offline", []) == []


async def test_a_parent_must_exist(db):
    async with db.transaction() as tx:
        run = await runs.create_run(tx, new_run())
        await runs.add_generation(tx, generation(run.id, 1))
        orphan = proposal(1, parents=(CandidateId(77),))
        with pytest.raises(StorageError, match="refused"):
            await runs.add_candidates(tx, run.id, 1, "offline", [orphan])


async def test_ancestors_come_nearest_first_and_once_across_runs(db):
    async with db.transaction() as tx:
        run = await runs.create_run(tx, new_run())
        branch = await runs.create_run(tx, new_run(channel_id=ChannelId(2)))
        for one, number in ((run, 1), (run, 2), (branch, 1)):
            await runs.add_generation(tx, generation(one.id, number))
        old = candidate_ids(
            await runs.add_candidates(tx, run.id, 1, "s", [proposal(1), proposal(2)])
        )
        middle = candidate_ids(
            await runs.add_candidates(
                tx,
                run.id,
                2,
                "s",
                [proposal(3, parents=tuple(old)), proposal(4, parents=(old[0],))],
            )
        )
        (young,) = await runs.add_candidates(
            tx, branch.id, 1, "s", [proposal(5, parents=(middle[1], middle[0], old[0]))]
        )
        full = candidate_ids(await runs.ancestors(tx, young.id, 9))
        assert full == [old[0], *middle, old[1]]
        assert candidate_ids(await runs.ancestors(tx, young.id, 1)) == [old[0], *middle]
        assert await runs.ancestors(tx, young.id, 0) == []
        assert await runs.ancestors(tx, old[0], 9) == []


async def test_breeding_again_deletes_candidates_and_clips_but_no_history(db):
    async with db.transaction() as tx:
        made = await make_round(tx, count=2)
        with pytest.raises(StorageError, match="stays as it is"):
            await runs.delete_candidates(tx, made.run.id, 1)
        for one in made.clips:
            await clips.mark_posted(tx, one.id, None, None)
        assert await runs.delete_candidates(tx, made.run.id, 1) == 2
        assert await clips.clips_of_run(tx, made.run.id) == []
        await runs.delete_run(tx, made.run.id)


async def test_many_listeners_can_be_owed(db):
    owed = {ListenerId(number): number / 7 for number in range(1, 400)}
    async with db.transaction() as tx:
        run = await runs.create_run(tx, new_run())
        await runs.save_debts(tx, run.id, owed)
        assert await runs.debts(tx, run.id) == owed


async def test_a_clip_made_by_hand_is_no_run_of_the_channel(db):
    async with db.transaction() as tx:
        live = await runs.create_run(tx, new_run())
        made = await runs.create_run(
            tx, new_run(searcher=runs.BY_HAND, state=RunState.STOPPED, for_listener=ALICE)
        )
        assert made.state is RunState.STOPPED
        assert (await runs.latest_run_in_channel(tx, CHANNEL)).id == live.id
        assert (await runs.run_in_channel(tx, CHANNEL)).id == live.id
        assert (await runs.set_run(tx, made.id, for_listener=None)).for_listener is None
