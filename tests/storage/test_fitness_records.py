"""Tracks that runs are bred towards, and the records of what fitness was made of."""

from __future__ import annotations

import pytest

from domain.errors import StorageError
from domain.fitness import Component, Weights
from domain.ids import RunId
from domain.run import RunSettings
from storage import judgements, listeners, runs, targets
from tests.storage.samples import ALICE, BOB, GUILD, fill, judgement, make_round, new_run, target


async def test_a_target_comes_back_as_it_was(db):
    async with db.transaction() as tx:
        run = await runs.create_run(tx, new_run())
        assert await targets.target_of(tx, run.id) is None
        await targets.save_target(tx, run.id, target())
        await targets.save_target(tx, run.id, target(title="another"))
        assert await targets.target_of(tx, run.id) == target(title="another")
        await runs.delete_run(tx, run.id)
        assert await targets.target_of(tx, run.id) is None


@pytest.mark.parametrize("vector", [b"", b"abc", b"\x00\x00\xc0\x7f"])
async def test_a_damaged_target_is_refused(db, vector):
    async with db.transaction() as tx:
        run = await runs.create_run(tx, new_run())
        with pytest.raises(StorageError):
            await targets.save_target(tx, run.id, target(vector=vector))


async def test_a_judgement_comes_back_as_it_was(db):
    async with db.transaction() as tx:
        made = await make_round(tx)
        first, second, third, fourth = (clip.id for clip in made.clips)
        await judgements.add_judgements(
            tx, {first: judgement(), second: judgement(adherence=None, fitness=0.9)}
        )
        assert await judgements.judgements(tx, [first, third, fourth]) == {first: judgement()}
        assert await judgements.adherence_of_run(tx, made.run.id) == {first: 0.75}
        assert await judgements.adherence_of_run(tx, RunId(99)) == {}
        candidates = [one.id for one in made.candidates]
        found = await judgements.fitness_of(tx, candidates)
        assert found == {candidates[0]: 0.6, candidates[1]: 0.9}


async def test_parts_of_a_later_version_are_left_out(db):
    async with db.transaction() as tx:
        made = await make_round(tx)
        clip = made.clips[0].id
        await judgements.add_judgements(tx, {clip: judgement()})
        await tx.rows(
            """UPDATE judgements SET components_json = json_set(components_json, '$.groove', 0.4),
               weights_json = json_set(weights_json, '$.groove', 1)"""
        )
        assert await judgements.judgements(tx, [clip]) == {clip: judgement()}


async def test_erasing_forgets_targets_and_what_was_foretold(db):
    async with db.transaction() as tx:
        await fill(tx, ALICE, BOB)
        before = await listeners.export(tx, ALICE, GUILD)
        assert len(before["targets"]) == 2
        assert before["private_judgements"][0]["components"] == {"taste": 0.7, "novelty": 0.25}
        erased = await listeners.erase(tx, ALICE, GUILD)
        assert erased.counts["targets"] >= 1
        assert erased.counts["judgements"] == 1
        assert await tx.value("SELECT count(*) FROM targets") == 0
        rows = await tx.rows("SELECT clip_id FROM judgements")
        left = await judgements.judgements(tx, [row["clip_id"] for row in rows])
        assert [one.fitness for one in left.values()] == [None]
        assert [set(one.components) for one in left.values()] == [{Component.NOVELTY}]
        assert await judgements.forget_tastes(tx, BOB, GUILD) == 1


async def test_a_run_keeps_its_weights_and_an_older_one_gets_the_usual(db):
    weights = Weights(taste=0.5, novelty=0.25)
    async with db.transaction() as tx:
        run = await runs.create_run(tx, new_run(settings=RunSettings(weights=weights)))
        assert run.settings.weights == weights
        await tx.rows("UPDATE runs SET settings_json = json_remove(settings_json, '$.weights')")
        assert (await runs.get_run(tx, run.id)).settings.weights == Weights()
