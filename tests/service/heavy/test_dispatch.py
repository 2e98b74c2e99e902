"""Clips from a process that runs out of memory, hangs, dies, talks nonsense, is slow or is not wanted any more."""

from __future__ import annotations

import asyncio

import pytest

from domain.clip import ClipFailure, ClipRequest
from generation.parcels import Sound
from generation.registry import Recipe
from service.generator_state import Readiness
from service.heavy.dispatch import ALONE, CLOSING, POISON, SHORTER, UNFORESEEN
from service.heavy.process import Patience
from tests.service.heavy.conftest import MODEL

HASTY = Patience(start=60.0, silence=2.0, drain=5.0)


def wanted(count: int, prompt: str = "a tune", first: int = 0) -> list[ClipRequest]:
    return [ClipRequest(prompt=prompt, seed=first + one, seconds=1.0) for one in range(count)]


def nothing(_: int) -> None:
    pass


def all_made(clips) -> bool:
    return all(isinstance(one, Sound) for one in clips)


async def test_clips_come_in_order_as_batches(shop):
    told: list[int] = []
    clips = await shop.open().make(MODEL, wanted(20), told.append)
    assert all_made(clips)
    assert len({one.samples for one in clips}) == 20
    assert shop.lines() == ["start", "batch 8", "batch 8", "batch 4"]
    assert told[-1] == 20
    assert max(told) == 20
    again = await shop.made[0].make(MODEL, [wanted(20)[13]], nothing)
    assert again[0].samples == clips[13].samples


async def test_a_batch_that_does_not_fit_is_halved_and_stays_so(shop):
    device = shop.open("--room", 2)
    clips = await device.make(MODEL, wanted(10), nothing)
    assert all_made(clips)
    assert shop.lines() == ["start", "batch 8", "batch 4", *["batch 2"] * 5]
    state = device.state(MODEL)
    assert (state.batch, state.most) == (2, 8)
    (large,) = await shop.open("--room", 0).make(MODEL, wanted(1), nothing)
    assert large == ClipFailure(reason=f"{ALONE} {SHORTER}")


async def test_what_does_not_fit_through_the_pipe_is_halved_too_and_says_how_large_it_is(shop):
    second = 8000 * 4
    device = shop.open("--most", 2 * second)
    assert all_made(await device.make(MODEL, wanted(4), nothing))
    assert shop.lines() == ["start", "batch 4", "batch 2", "batch 2"]
    long = ClipRequest(prompt="a tune", seed=1, seconds=25.0)
    (large,) = await device.make(MODEL, [long], nothing)
    assert large == ClipFailure(
        reason="What was made is 0.8 MB; at most 0.1 MB can be handed over at once. Ask for a shorter clip."
    )
    assert all_made(await device.make(MODEL, wanted(1), nothing))
    assert shop.lines().count("start") == 1
    read = await shop.open("--most", 50).read(MODEL, ["slow lofi with piano"])
    assert "at most 0.0 MB can be handed over" in read.reason


@pytest.mark.parametrize("trouble", ["--hang-at", "--crash-at", "--garbage-at", "--cut-at"])
async def test_no_clip_is_lost_when_the_process_fails_in_the_middle(shop, trouble):
    device = shop.open(trouble, 2, "--once", "once", patience=HASTY)
    clips = await device.make(MODEL, wanted(12), nothing)
    assert all_made(clips)
    assert len({one.samples for one in clips}) == 12
    # What was in it goes on alone.
    assert shop.lines() == ["start", "batch 8", "batch 4", "start", *["batch 1"] * 4]


async def test_a_clip_that_kills_its_process_takes_nobody_with_it_and_is_not_tried_again(shop):
    device = shop.open("--crash-on", "poison")
    requests = [*wanted(3), *wanted(1, "poison", 7), *wanted(2, first=10)]
    clips = await device.make(MODEL, requests, nothing)
    assert clips[3] == ClipFailure(reason=POISON)
    assert all_made([*clips[:3], *clips[4:]])
    before = shop.lines()
    assert before.count("start") == 3
    assert await device.make(MODEL, [requests[3]], nothing) == [ClipFailure(reason=POISON)]
    assert shop.lines() == before


async def test_a_failure_in_words_and_a_refusal_are_values(shop):
    device = shop.open("--refuse", "drums", "--fail-at", 2)
    clips = await device.make(MODEL, [*wanted(1), *wanted(1, "drums")], nothing)
    assert isinstance(clips[0], Sound)
    assert clips[1] == ClipFailure(reason="drums cannot be played.")
    failed = await device.make(MODEL, wanted(2), nothing)
    assert failed == [ClipFailure(reason="Nothing works today.")] * 2
    assert all_made(await device.make(MODEL, wanted(1), nothing))
    assert shop.lines().count("start") == 1


async def test_what_cannot_start_says_why_at_once_the_second_time(shop):
    device = shop.open("--sorry", "There are no weights. Fetch them.")
    first = await device.make(MODEL, wanted(3), nothing)
    assert first == [ClipFailure(reason="There are no weights. Fetch them.")] * 3
    state = device.state(MODEL)
    assert (state.readiness, state.reason) == (
        Readiness.UNABLE,
        "There are no weights. Fetch them.",
    )
    assert state.tally.failed == 3
    assert await device.make(MODEL, wanted(1), nothing) == first[:1]
    assert shop.lines() == ["start"]


@pytest.mark.parametrize(
    ("script", "patience", "words"),
    [
        (["--start-seconds", 30], Patience(start=0.5), "did not start for 0 s"),
        (["--protocol", 99], Patience(start=20), "version 99 of the protocol"),
    ],
)
async def test_a_process_that_does_not_greet_is_given_up(shop, script, patience, words):
    device = shop.open(*script, patience=patience)
    (clip,) = await device.make(MODEL, wanted(1), nothing)
    assert "scripted cannot be started" in clip.reason
    assert words in clip.reason
    assert shop.lines().count("start") <= 2


async def test_what_takes_long_to_fail_is_not_tried_again_at_once(shop):
    device = shop.open("--start-seconds", 30, patience=Patience(start=0.8), again=1.5)
    first = await device.make(MODEL, wanted(1), nothing)
    before = shop.lines()
    assert await device.make(MODEL, wanted(1), nothing) == first
    assert shop.lines() == before


async def test_a_slow_start_is_waited_for(shop):
    device = shop.open("--start-seconds", 0.5)
    assert device.state(MODEL).capabilities is None
    assert all_made(await device.make(MODEL, wanted(1), nothing))
    assert device.state(MODEL).capabilities.batch == 8
    assert device.state(MODEL).info.licence == "MIT"


async def test_who_gives_up_holds_up_nobody(shop):
    device = shop.open("--step-seconds", 0.2, "--steps", 1000)
    long = asyncio.ensure_future(device.make(MODEL, wanted(8), nothing))
    await asyncio.sleep(0)
    assert device.state(MODEL).waiting == 8
    while "batch 8" not in shop.lines():
        await asyncio.sleep(0.01)
    waiting = asyncio.ensure_future(device.make(MODEL, wanted(4, "not even begun"), nothing))
    await asyncio.sleep(0)
    state = device.state(MODEL)
    assert (state.readiness, state.waiting, state.making) == (Readiness.READY, 4, 8)
    waiting.cancel()
    long.cancel()
    quick = Recipe(loader="scripted", name="quick", options=(("a", "--steps"), ("b", "1")))
    async with asyncio.timeout(10):
        assert all_made(await device.make(quick, wanted(1), nothing))
    assert shop.lines() == ["start", "batch 8", "start", "batch 1"]
    state = device.state(MODEL)
    assert (state.readiness, state.waiting, state.making) == (Readiness.ASLEEP, 0, 0)
    assert (state.tally.made, state.tally.given_up, state.tally.mean) == (0, 12, None)
    assert device.state(quick).tally.made == 1
    assert device.state(quick).tally.mean > 0


async def test_everybody_has_the_same_turn(shop):
    device = shop.open("--room", 2, "--step-seconds", 0.03)
    ended: list[str] = []

    async def ask(name: str, count: int) -> None:
        assert all_made(await device.make(MODEL, wanted(count, name), nothing))
        ended.append(name)

    many = asyncio.ensure_future(ask("many", 24))
    while "batch 2" not in shop.lines():
        await asyncio.sleep(0.005)
    before = len(shop.lines())
    await asyncio.gather(ask("few", 3), ask("one", 1))
    assert ended == ["one", "few"]
    assert len(shop.lines()) <= before + 6, "four clips among two dozen, two at a time"
    await many


async def test_who_asks_for_each_clip_by_itself_has_no_more_turns_than_others(shop):
    device = shop.open("--batch", 2, "--gate", "gate")
    ended: list[str] = []

    async def ask(name: str, request: ClipRequest, party: object | None) -> None:
        assert all_made(await device.make(MODEL, [request], nothing, party))
        ended.append(name)

    party = object()
    many = [asyncio.ensure_future(ask("many", one, party)) for one in wanted(8)]
    while "batch 2" not in shop.lines():
        await asyncio.sleep(0.005)
    (other,) = wanted(1, "another tune")
    one = asyncio.ensure_future(ask("one", other, None))
    await asyncio.sleep(0)
    for batch in range(1, 6):
        shop.let(batch)
    await asyncio.gather(one, *many)
    assert ended.index("one") < 4, "the batch at hand, and one seat of the next"
    assert shop.lines() == ["start", *["batch 2"] * 4, "batch 1"]
    assert not device._turns


async def test_what_cannot_be_asked_for_is_its_own_callers_trouble(shop):
    device, party = shop.open(), object()
    odd = ClipRequest(prompt="a tune", seed=1, seconds=1.0, description={"levels": {1, 2}})
    made, failed = await asyncio.gather(
        device.make(MODEL, wanted(2), nothing, party),
        device.make(MODEL, [*wanted(2, first=5), odd], nothing, party),
        return_exceptions=True,
    )
    assert all_made(made)
    assert isinstance(failed, TypeError)
    assert shop.lines() == ["start", "batch 2"]


async def test_prompts_that_nobody_waits_for_are_not_read(shop):
    device = shop.open("--start-seconds", 0.7)
    reading = asyncio.ensure_future(device.read(MODEL, ["slow lofi"]))
    while not shop.lines():
        await asyncio.sleep(0.01)
    reading.cancel()
    assert all_made(await device.make(MODEL, wanted(1), nothing))
    assert shop.lines() == ["start", "batch 1"]


async def test_what_nobody_needs_is_unloaded_and_comes_back(shop):
    device = shop.open(idle=0.05)
    device.warm_up(MODEL)
    while device.loaded is None:
        await asyncio.sleep(0.01)
    while device.loaded is not None:
        await asyncio.sleep(0.01)
    assert all_made(await device.make(MODEL, wanted(1), nothing))
    assert shop.lines() == ["start", "start", "batch 1"]


async def test_a_process_that_ends_while_nobody_needs_it_costs_no_clip_a_try(shop):
    device = shop.open()
    assert all_made(await device.make(MODEL, wanted(1), nothing))
    child = device._seat.process._child
    child.kill()
    child.wait()
    assert all_made(await device.make(MODEL, wanted(8, first=3), nothing))
    assert shop.lines() == ["start", "batch 1", "start", "batch 8"]


async def test_models_change_places_without_a_restart(shop):
    device = shop.open()
    other = Recipe(loader="scripted", name="other")
    first, second, third = await asyncio.gather(
        device.make(MODEL, wanted(2), nothing),
        device.make(other, wanted(2), nothing),
        device.make(MODEL, wanted(2, first=5), nothing),
    )
    assert all_made([*first, *second, *third])
    assert device.loaded == other
    # Alike clips of two calls share a batch; the other model waits for one change only.
    assert shop.lines() == ["start", "batch 4", "start", "batch 2"]


@pytest.mark.parametrize(("turn", "starts"), [(60.0, 2), (0.0, 8)])
async def test_two_models_in_little_memory_both_get_on(shop, turn, starts):
    device = shop.open("--room", 4, turn=turn)
    other = Recipe(loader="scripted", name="other")
    async with asyncio.timeout(60):
        first, second = await asyncio.gather(
            device.make(MODEL, wanted(12), nothing), device.make(other, wanted(12), nothing)
        )
    assert all_made([*first, *second])
    lines = shop.lines()
    assert lines.count("start") == starts
    assert lines.count("batch 8") == 2, "what fits is found out once"
    assert lines.count("batch 4") == 6


async def test_closing_lets_the_batch_at_hand_finish(shop):
    device = shop.open("--step-seconds", 0.1)
    asked = asyncio.ensure_future(device.make(MODEL, wanted(12), nothing))
    while "batch 8" not in shop.lines():
        await asyncio.sleep(0.01)
    await device.close()
    clips = await asked
    assert all_made(clips[:8])
    assert clips[8:] == [ClipFailure(reason=CLOSING)] * 4
    assert await device.make(MODEL, wanted(1), nothing) == [ClipFailure(reason=CLOSING)]


async def test_closing_ends_what_would_have_to_be_made_again(shop):
    device = shop.open("--room", 2, "--step-seconds", 0.1)
    asked = asyncio.ensure_future(device.make(MODEL, wanted(8), nothing))
    while "batch 8" not in shop.lines():
        await asyncio.sleep(0.01)
    await device.close()
    async with asyncio.timeout(20):
        assert await asked == [ClipFailure(reason=CLOSING)] * 8


async def test_closing_does_not_wait_for_a_model_that_nobody_will_play(shop):
    device = shop.open("--start-seconds", 3600, patience=Patience(start=3600.0), drain=600.0)
    asked = asyncio.ensure_future(device.make(MODEL, wanted(2), nothing))
    read = asyncio.ensure_future(device.read(MODEL, ["a"]))
    while not shop.lines():
        await asyncio.sleep(0.01)
    async with asyncio.timeout(30):
        await device.close()
        assert await asked == [ClipFailure(reason=CLOSING)] * 2
        assert await read == ClipFailure(reason=CLOSING)
    assert [one.alive for one in shop.launched] == [False]


async def test_closing_ends_a_batch_that_takes_too_long(shop):
    patience = Patience(start=60.0, silence=60.0, drain=600.0)
    device = shop.open("--steps", 10**6, "--step-seconds", 0.01, patience=patience, drain=0.1)
    asked = asyncio.ensure_future(device.make(MODEL, wanted(1), nothing))
    while "batch 1" not in shop.lines():
        await asyncio.sleep(0.01)
    async with asyncio.timeout(30):
        await asyncio.gather(device.close(), device.close())
        assert await asked == [ClipFailure(reason=CLOSING)]
    assert [one.alive for one in shop.launched] == [False]


async def test_who_cannot_hear_how_far_it_is_hurts_nobody(shop):
    def deaf(_: int) -> None:
        raise ZeroDivisionError

    device = shop.open()
    mine, others = await asyncio.gather(
        device.make(MODEL, wanted(2), deaf), device.make(MODEL, wanted(2, first=5), nothing)
    )
    assert all_made([*mine, *others])
    assert shop.lines() == ["start", "batch 4"]


async def test_what_nobody_foresaw_is_said_and_the_others_are_served(shop):
    device = shop.open()
    launch = device._seat._launch

    def failing(recipe: Recipe):
        if recipe.name == "odd":
            raise ZeroDivisionError
        return launch(recipe)

    device._seat._launch = failing
    odd = Recipe(loader="scripted", name="odd")
    async with asyncio.timeout(30):
        lost, made, unread = await asyncio.gather(
            device.make(odd, wanted(2), nothing),
            device.make(MODEL, wanted(2), nothing),
            device.read(odd, ["a"]),
        )
    assert lost == [ClipFailure(reason=UNFORESEEN)] * 2
    assert unread == ClipFailure(reason=UNFORESEEN)
    assert all_made(made)


async def test_a_process_that_died_unasked_is_not_said_to_be_ready(shop):
    device = shop.open()
    assert all_made(await device.make(MODEL, wanted(1), nothing))
    assert device.state(MODEL).readiness is Readiness.READY
    child = shop.launched[0]._child
    child.kill()
    child.wait()
    assert device.state(MODEL).readiness is Readiness.ASLEEP


async def test_prompts_are_read_by_the_process_that_plays(shop):
    device = shop.open()
    found = await device.read(MODEL, ["slow lofi", "techno"])
    assert [one.shape for one in found] == [(2, 4), (1, 4)]
    assert found[0].tolist() == [[4.0] * 4, [4.0] * 4]
    sorry = await shop.open("--sorry", "No weights.").read(MODEL, ["a"])
    assert sorry == ClipFailure(reason="No weights.")
    assert shop.lines() == ["start", "read 2", "start"]
