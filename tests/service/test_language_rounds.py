"""Rounds that a language model breeds, through the whole service with a scripted model."""

from __future__ import annotations

from contextlib import asynccontextmanager

import pytest

from domain.errors import UnreachableError
from domain.vote import Consent, Grade
from evolution.language.auto import NO_MODEL
from service.bootstrap import open_services
from service.briefing import feedback_words, taste_words
from service.settings import Settings
from storage import runs
from tests.evolution.language_searchers.models import model
from tests.fakes import FakeClock, FakeDevice, FakeSink
from tests.service.conftest import ANN, MOD, Stage

DOWN = UnreachableError("The language model at fake.example cannot be reached.")


@asynccontextmanager
async def stage_with(tmp_path, searcher, backend):
    settings = Settings.model_validate(
        {
            "storage": {"data_dir": str(tmp_path / "data")},
            "runs": {"candidates": 8, "settle": 10, "searcher": searcher},
        }
    )
    clock, device, sink = FakeClock(), FakeDevice(), FakeSink()
    async with open_services(settings, clock=clock, device=device, backend=backend) as services:
        await services.outbox.attach(sink)
        yield Stage(services=services, clock=clock, device=device, sink=sink, settings=settings)


async def bred(stage):
    run = await stage.run()
    async with stage.services.db.reading() as tx:
        return run, await runs.candidates_of_run(tx, run.id)


async def test_a_model_breeds_told_of_taste_feedback_and_who_pays(tmp_path):
    fake = model("good")
    async with stage_with(tmp_path, "evolve", fake) as stage:
        await stage.start()
        await stage.services.listeners.set_consent(ANN, Consent.TASTE)
        await stage.rate(ANN, 1, Grade.LOVE)
        await stage.rate(ANN, 2, Grade.AWFUL)
        loved = (await stage.shown())[0].prompt
        fake.asks.clear()
        await stage.next()
        run, candidates = await bred(stage)
        assert run.searcher == "evolve"
        assert not any(one.operator.startswith("offline:") for one in candidates)
        assert any(one.operator.startswith("evolve:crossover+mutation") for one in candidates)
        texts = "\n".join(ask.messages[-1].text for ask in fake.asks)
        assert {ask.account for ask in fake.asks} == {str(run.guild_id)}
        assert f"liked by 1 person: {loved}" in texts
        assert stage.services.language.usage_today(str(run.guild_id)).spent.requests >= 4
        assert NO_MODEL not in stage.rounds()[-1].stand_ins


async def test_a_run_searches_by_numbers_when_it_is_asked_to(tmp_path):
    async with stage_with(tmp_path, "cmaes-anchors", None) as stage:
        await stage.start()
        await stage.rate(ANN, 1, Grade.LOVE)
        await stage.rate(ANN, 2, Grade.AWFUL)
        await stage.next()
        run, candidates = await bred(stage)
        assert run.searcher == "cmaes-anchors"
        assert any(one.operator == "cmaes:draw" and one.parents for one in candidates)
        assert (
            NO_MODEL not in stage.rounds()[-1].stand_ins
        )  # nobody stands in for what was asked for
        assert (await stage.services.about.view()).parts["searcher"].startswith("cmaes-anchors")


async def test_auto_is_the_offline_breeder_while_no_model_is_set_up(tmp_path):
    async with stage_with(tmp_path, "auto", None) as stage:
        await stage.start()
        run, candidates = await bred(stage)
        assert run.searcher == "offline"
        assert not any(one.operator.startswith("offline:") for one in candidates)
        assert stage.rounds()[-1].stand_ins.count(NO_MODEL) == 1


@pytest.mark.parametrize("searcher", ["evolve", "full"])
async def test_whoever_stands_in_is_named_with_the_reason(tmp_path, searcher):
    fake = model("good")
    fake.scripts["*"] = DOWN
    async with stage_with(tmp_path, searcher, fake) as stage:
        await stage.start()
        _, candidates = await bred(stage)
        assert all(one.operator.startswith("offline:") for one in candidates)
        said = [one for one in stage.rounds()[-1].stand_ins if "cannot be reached" in one]
        assert said == [f"{DOWN} The built-in breeder wrote all 8 prompts in its place."]


async def test_without_a_model_a_named_searcher_says_what_stands_in(tmp_path):
    async with stage_with(tmp_path, "evolve", None) as stage:
        await stage.start()
        _, candidates = await bred(stage)
        assert all(one.operator.startswith("offline:") for one in candidates)
        assert stage.rounds()[-1].stand_ins.count(NO_MODEL) == 1


async def test_the_note_of_the_herd_is_shown_with_a_taste(tmp_path):
    async with stage_with(tmp_path, "full", model("good")) as stage:
        await stage.start()
        assert (await stage.services.listeners.taste(ANN)).note == ""
        await stage.rate(ANN, 1, Grade.LOVE)
        await stage.next()
        assert "They like warm, slow music" in (await stage.services.listeners.taste(ANN)).note
        assert "They like warm, slow music" in (await stage.services.listeners.taste(MOD)).note


async def test_nothing_is_said_where_nobody_spoke(tmp_path):
    async with stage_with(tmp_path, "offline", None) as stage:
        assert taste_words([], stage.services.tastes.space) == ()
        assert feedback_words([], 3) == ()
