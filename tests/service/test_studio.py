from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager

import pytest

from domain.description import Description
from domain.errors import BusyError, DescriptionError, NotFoundError, UserError
from generation.genome.describe import describe
from generation.planning.plan import make_plan
from generation.writing.arrange import arrange
from prompts.reader import read
from service.studio import FACETS_OF, Job, JobState, Studio, StudioLimits, Wish, wanted
from service.tasks import TaskSet
from tests.fakes import FakeClock, FakeDevice


@asynccontextmanager
async def opened(**limits):
    device, tasks = FakeDevice(), TaskSet()
    try:
        yield Studio(device, FakeClock(), tasks, StudioLimits(**limits)), device
    finally:
        await tasks.close()


async def ended(studio: Studio, job: Job) -> Job:
    return await studio.wait(job.id, 5.0)


async def test_a_wish_becomes_a_clip() -> None:
    async with opened() as (studio, device):
        job = studio.submit(Wish(text="slow jazz", seconds=12.0, seed=5))
        assert job.state is JobState.QUEUED
        done = await ended(studio, job)
    assert done.state is JobState.DONE
    assert done.clip is not None
    assert done.ended_at is not None
    request = device.requests[0]
    assert (request.seed, request.seconds) == (5, 12.0)
    assert request.facets is not None
    assert request.facets["family"] == "jazz"


async def test_features_win_over_words_and_what_is_not_named_stays_free() -> None:
    facets = wanted(Wish(text="slow jazz at 70 bpm, no drums", features={"tempo": 133.5, "key": 3}))
    assert (facets.tempo, facets.tonic, facets.family) == (133.5, "Eb", "jazz")
    assert facets.without
    assert facets.valence is None
    assert facets.mode is None


@pytest.mark.parametrize("name", FACETS_OF)
async def test_every_feature_sets_its_facet_only(name) -> None:
    values = {"tempo": 91.0, "key": 2, "mode": 0, "time_signature": 3, "loudness": -12.0}
    facets = wanted(Wish(features={name: values.get(name, 0.37)}))
    assert set(facets.to_json()) == {FACETS_OF[name]}


async def test_the_seed_of_a_wish_without_one_is_told() -> None:
    async with opened() as (studio, _):
        one, other = studio.submit(Wish()), studio.submit(Wish())
    assert one.wish.seed is not None
    assert one.wish.seed != other.wish.seed
    assert one.id != other.id


async def test_a_failure_is_told_as_one() -> None:
    async with opened() as (studio, device):
        device.fail = lambda _: "No room in the orchestra."
        done = await ended(studio, studio.submit(Wish()))
    assert (done.state, done.error) == (JobState.FAILED, "No room in the orchestra.")
    assert done.clip is None


async def test_a_generator_that_breaks_down_leaves_no_job_open() -> None:
    async with opened() as (studio, device):

        async def broken(requests, ready):
            raise RuntimeError("secret detail")

        device.render = broken
        done = await ended(studio, studio.submit(Wish()))
    assert done.state is JobState.FAILED
    assert "secret" not in done.error


async def test_jobs_wait_their_turn_and_can_be_cancelled_at_any_time() -> None:
    async with opened(parallel=1) as (studio, device):
        device.hold = asyncio.Event()
        first, second, third = (studio.submit(Wish(text=str(n))) for n in range(3))
        unstarted = studio.cancel(studio.submit(Wish()).id)
        await asyncio.sleep(0)
        assert studio.get(first.id).state is JobState.RUNNING
        assert studio.place(third.id) == 1
        assert studio.cancel(second.id).state is JobState.CANCELLED
        assert studio.place(third.id) == 0
        assert studio.cancel(first.id).state is JobState.CANCELLED
        device.hold.set()
        assert (await ended(studio, third)).state is JobState.DONE
        assert studio.cancel(third.id).state is JobState.DONE, "what is done stays done"
        assert studio.get(second.id).state is JobState.CANCELLED
        assert studio.get(unstarted.id).state is JobState.CANCELLED
        assert len(device.requests) == 1


async def test_many_jobs_at_once_all_end() -> None:
    async with opened() as (studio, _):
        jobs = [studio.submit(Wish(text=f"jazz {n}")) for n in range(60)]
        states = [(await ended(studio, job)).state for job in jobs]
    assert states == [JobState.DONE] * 60


async def test_too_many_are_refused_and_the_others_go_on() -> None:
    async with opened(waiting=3) as (studio, device):
        device.hold = asyncio.Event()
        jobs = [studio.submit(Wish()) for _ in range(3)]
        with pytest.raises(BusyError, match="3 clips are waiting"):
            studio.submit(Wish())
        device.hold.set()
        assert [(await ended(studio, job)).state for job in jobs] == [JobState.DONE] * 3
        studio.submit(Wish())


async def test_old_jobs_are_let_go_and_said_to_be() -> None:
    async with opened(kept=2) as (studio, _):
        jobs = []
        for _ in range(4):
            jobs.append(studio.submit(Wish()))
            await ended(studio, jobs[-1])
        assert [job.id for job in studio.jobs()] == [jobs[3].id, jobs[2].id]
        with pytest.raises(NotFoundError, match="kept for a while"):
            studio.get(jobs[0].id)


async def test_audio_in_memory_is_bounded() -> None:
    async with opened(bytes_kept=1) as (studio, _):
        for _ in range(3):
            last = await ended(studio, studio.submit(Wish()))
        assert [job.id for job in studio.jobs()] == [last.id]


@pytest.mark.parametrize("seconds", [0.0, -1.0, 10_000.0, float("nan")])
async def test_impossible_lengths_are_refused(seconds) -> None:
    async with opened() as (studio, device):
        with pytest.raises(UserError, match="1 to 180 seconds"):
            studio.submit(Wish(seconds=seconds))
        assert not device.requests
        assert not studio.jobs()


async def test_impossible_features_are_refused_by_name() -> None:
    async with opened() as (studio, _):
        with pytest.raises(DescriptionError, match="tempo"):
            studio.submit(Wish(features={"tempo": 900.0}))
        with pytest.raises(DescriptionError, match="happiness"):
            studio.submit(Wish(features={"happiness": 0.5}))


async def test_a_nearly_right_description_is_mended_and_said_to_be() -> None:
    plan = make_plan(read("jazz"), 3, 8.0)
    described = describe(plan, arrange(plan)).to_json() | {"tempo": 900, "mood": "odd"}
    async with opened() as (studio, device):
        job = studio.submit(Wish(description=described))
        await ended(studio, job)
    assert Description.from_json(device.requests[0].description).tempo == 240.0
    assert any("tempo" in line for line in job.repaired)


async def test_a_hopeless_description_is_refused() -> None:
    async with opened() as (studio, _):
        with pytest.raises(DescriptionError):
            studio.submit(Wish(description={"hello": 1}))
        assert not studio.jobs()
