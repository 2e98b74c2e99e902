"""Tunes are inherited: what was played is part of a candidate's genome, and its children are played from it."""

from __future__ import annotations

import dataclasses

import pytest

from domain.candidate import Directive
from domain.description import Description
from domain.run import RunSettings
from domain.vote import Grade
from generation.genome.describe import describe
from generation.planning.plan import make_plan
from generation.writing.arrange import arrange
from prompts.reader import read
from storage import runs
from tests.fakes import FakeDevice
from tests.service.conftest import ANN, MOD


@pytest.fixture
def described(stage):
    """Let the device say what it played, as the composer does, without playing it."""
    plain = FakeDevice.clip

    def clip(request):
        genome = request.description
        if genome is None:
            plan = make_plan(read(request.prompt), request.seed, request.seconds)
            genome = describe(plan, arrange(plan)).to_json()
        made = plain(stage.device, request)
        return dataclasses.replace(made, description={**made.description, "genome": genome})

    stage.device.clip = clip
    return stage


def lead_tunes(genome) -> set[tuple[int, int]]:
    piece = Description.from_json(genome)
    return {voice.tune for voice in piece.voices if voice.role in ("lead", "chords")}


async def test_what_was_played_is_kept_with_the_candidate(described):
    await described.start()
    async with described.services.db.reading() as tx:
        found = await runs.candidates_of_run(tx, described.rounds()[0].post.run_id)
    assert found
    for candidate in found:
        assert Description.from_json(candidate.genome["description"]).bars


async def test_vary_plays_the_same_tune_in_another_way(described):
    await described.start()
    parent = described.rounds()[0].clips[0].clip
    await described.rate(ANN, 1, Grade.LOVE)
    before = len(described.device.requests)
    await described.next(MOD, directive=Directive.VARY, clip_ids=[parent.id])
    children = described.device.requests[before:]
    own = lead_tunes(parent.description["genome"])
    assert children
    assert all(child.description is not None for child in children)
    kept = [bool(own & lead_tunes(child.description)) for child in children]
    assert sum(kept) >= len(kept) / 2
    assert all(child.description != parent.description["genome"] for child in children)


async def test_a_run_takes_a_longer_parent_at_its_own_length(described):
    await described.start(settings=RunSettings(seconds=30.0, candidates=8))
    parent = described.rounds()[0].clips[0].clip
    await described.rate(ANN, 1, Grade.LOVE)
    await described.next(MOD, directive=Directive.VARY, clip_ids=[parent.id])
    async with described.services.db.transaction() as tx:
        run = await runs.get_run(tx, parent.run_id)
        await runs.set_run(tx, run.id, settings=dataclasses.replace(run.settings, seconds=8.0))
    before = len(described.device.requests)
    await described.next(MOD, directive=Directive.VARY, clip_ids=[parent.id])
    children = described.device.requests[before:]
    assert {child.seconds for child in children} == {8.0}
    for child in children:
        assert Description.from_json(child.description).seconds == pytest.approx(8.0)
