from __future__ import annotations

import asyncio
import dataclasses

import pytest

from domain.candidate import Directive
from domain.errors import BusyError, ForbiddenError, NotFoundError, UserError
from domain.run import CloseReason, GenerationState, PostKind, RunSettings, RunState
from domain.vote import Grade
from service.bootstrap import open_services
from service.posting import Undeliverable
from service.views import PauseView, RevealView, RoundView
from storage import posts, runs
from tests.fakes import FakeClock, FakeDevice, FakeSink
from tests.service.conftest import ANN, BOB, MOD, MUSIC, actor


async def test_a_start_posts_four_different_clips(stage):
    done = await stage.start()
    assert done.error is None
    (view,) = stage.rounds()
    assert [clip.slot for clip in view.clips] == [1, 2, 3, 4]
    assert len({clip.clip.prompt for clip in view.clips}) == 4
    assert len({clip.clip.family for clip in view.clips}) >= 3
    assert len(stage.device.requests) == 8
    assert await stage.state(1) is GenerationState.OPEN
    assert view.stand_ins


async def test_a_channel_has_one_run(stage):
    await stage.start()
    with pytest.raises(BusyError):
        await stage.services.runs.start(ANN)


async def test_a_search_over_embeddings_needs_a_generator_that_takes_them(stage):
    with pytest.raises(UserError, match="ga-tokens searches what a text encoder says"):
        await stage.services.runs.start(MOD, searcher="ga-tokens")


async def test_next_closes_reveals_and_breeds_on(stage):
    await stage.start()
    await stage.rate(ANN, 1, Grade.LOVE)
    await stage.next()
    kinds = [type(view) for view in stage.sink.sent]
    assert kinds == [RoundView, RevealView, RoundView]
    reveal = stage.sink.sent[1]
    assert reveal.winner_slot == 1
    assert reveal.voters == 1
    assert reveal.reason is CloseReason.NEXT
    assert await stage.state(1) is GenerationState.CLOSED
    assert await stage.state(2) is GenerationState.OPEN


async def test_a_listener_cannot_call_next_but_is_told_how_rounds_close(stage):
    await stage.start()
    with pytest.raises(ForbiddenError, match="2 voters"):
        await stage.services.runs.next(ANN)


async def test_without_a_run_every_verb_says_what_to_do(stage):
    for call in (stage.services.runs.next, stage.services.runs.stop, stage.services.runs.reset):
        with pytest.raises(NotFoundError, match="/evolve start"):
            await call(MOD)
    with pytest.raises(NotFoundError, match="/evolve start"):
        await stage.services.runs.status(MUSIC)


async def test_a_quorum_closes_the_round_once_people_are_done(stage):
    await stage.start()
    await stage.rate(ANN, 1, Grade.LOVE)
    await stage.settle()
    stage.clock.advance(11)
    await stage.settle()
    assert await stage.state(1) is GenerationState.OPEN  # one voter is no quorum
    await stage.rate(BOB, 1, Grade.GOOD)
    await stage.settle()
    stage.clock.advance(6)
    await stage.rate(BOB, 2, Grade.MEH)
    await stage.settle()
    stage.clock.advance(6)
    await stage.settle()
    assert await stage.state(1) is GenerationState.OPEN  # Bob was still voting
    stage.clock.advance(6)
    await stage.settle()
    assert await stage.state(1) is GenerationState.CLOSED
    await stage.settle()
    assert await stage.state(2) is GenerationState.OPEN


async def test_three_unattended_rounds_pause_the_run_and_resume_takes_it_up(stage):
    await stage.start()
    for _ in range(3):
        stage.clock.advance(1201)
        await stage.settle()
        await stage.settle()
    run = await stage.run()
    assert run.state is RunState.PAUSED
    assert run.unattended == 3
    assert isinstance(stage.sink.sent[-1], PauseView)
    assert len(stage.rounds()) == 3
    with pytest.raises(UserError, match="paused"):
        await stage.services.runs.next(MOD)
    for who, way in ((MOD, "evolve stop"), (ANN, "for: me")):
        with pytest.raises(BusyError, match=rf"paused. Use /evolve resume .*{way}"):
            await stage.services.runs.start(who)
    ticket = await stage.services.runs.resume(ANN)
    await ticket.done()
    await stage.settle()
    assert len(stage.rounds()) == 4
    assert (await stage.run()).unattended == 0


async def test_a_vote_keeps_a_run_going(stage):
    await stage.start()
    for _ in range(4):
        await stage.rate(ANN, 1, Grade.GOOD)
        await stage.settle()
        stage.clock.advance(1201)
        await stage.settle()
        await stage.settle()
    assert (await stage.run()).state is RunState.ACTIVE
    assert len(stage.rounds()) == 5


async def test_stop_ends_and_reset_starts_over_with_the_same_vibe(stage):
    await stage.start(vibe="slow lofi")
    first = await stage.run()
    ticket = await stage.services.runs.reset(MOD)
    await ticket.done()
    await stage.settle()
    second = await stage.run()
    assert (second.vibe, second.generation) == ("slow lofi", 1)
    assert second.id != first.id
    await stage.services.runs.stop(MOD)
    assert (await stage.run()).state is RunState.STOPPED
    stage.clock.advance(5000)
    await stage.settle()
    assert len(stage.rounds()) == 2


async def test_prompts_never_repeat_within_a_run(stage):
    await stage.start()
    for _ in range(5):
        await stage.rate(ANN, 1, Grade.LOVE)
        await stage.next()
    prompts = [request.prompt for request in stage.device.requests]
    assert len(prompts) == 48
    assert len(set(prompts)) == 48


async def test_vary_and_remix_descend_from_the_named_clip(stage):
    await stage.start()
    chosen = (await stage.shown())[2]
    await stage.next(directive=Directive.VARY, clip_ids=[chosen.id])
    run = await stage.run()
    async with stage.services.db.reading() as tx:
        bred = [one for one in await runs.candidates_of_run(tx, run.id) if one.generation == 2]
    assert sum(chosen.candidate_id in one.parents for one in bred) >= len(bred) // 2


async def test_cancelling_the_first_round_ends_the_run(stage):
    stage.device.hold = asyncio.Event()
    ticket = await stage.services.runs.start(MOD)
    await asyncio.sleep(0.05)
    await stage.services.runs.cancel(MOD, ticket.id)
    progress = await ticket.done()
    assert progress.error == "Cancelled."
    assert (await stage.run()).state is RunState.STOPPED
    stage.device.hold = None
    assert (await stage.start()).error is None


async def test_cancelling_a_later_round_pauses_and_resume_makes_it(stage):
    await stage.start()
    stage.device.hold = asyncio.Event()
    ticket = await stage.services.runs.next(MOD)
    await asyncio.sleep(0.05)
    with pytest.raises(ForbiddenError):
        await stage.services.runs.cancel(ANN, ticket.id)
    await stage.services.runs.cancel(MOD, ticket.id)
    assert (await stage.run()).state is RunState.PAUSED
    stage.device.hold = None
    again = await stage.services.runs.resume(MOD)
    assert (await again.done()).error is None
    await stage.settle()
    assert len(stage.rounds()) == 2


async def test_a_waiting_round_shows_its_place_and_can_be_cancelled(stage):
    stage.device.hold = asyncio.Event()
    first = await stage.services.runs.start(MOD)
    await asyncio.sleep(0.05)
    second = await stage.services.runs.start(actor(5, moderator=True, channel=20))
    assert second.progress.position == 1
    assert second.progress.text.startswith("2nd in line")
    await stage.services.runs.cancel(actor(5, channel=20), second.id)
    assert (await second.done()).error == "Cancelled."
    stage.device.hold.set()
    assert (await first.done()).error is None


async def test_caps_are_sentences(stage):
    stage.device.hold = asyncio.Event()
    await stage.services.runs.start(actor(5, channel=20))
    await stage.services.runs.start(actor(5, channel=21))
    with pytest.raises(BusyError, match="You have 2 rounds waiting"):
        await stage.services.runs.start(actor(5, channel=22))
    await stage.services.runs.start(actor(6, channel=23))
    await stage.services.runs.start(actor(7, channel=24))
    with pytest.raises(BusyError, match="This server has 4 rounds waiting"):
        await stage.services.runs.start(actor(8, channel=25))
    stage.device.hold.set()


async def test_next_while_a_round_is_made_is_refused_at_once(stage):
    await stage.start()
    stage.device.hold = asyncio.Event()
    await stage.services.runs.next(MOD)
    await asyncio.sleep(0.05)
    async with asyncio.timeout(1):
        with pytest.raises(BusyError, match="already being made"):
            await stage.services.runs.next(MOD)
    stage.device.hold.set()


async def test_failed_clips_are_left_out_and_all_failed_is_a_sentence(stage):
    stage.device.fail = lambda request: "no luck" if request.seed % 2 else None
    await stage.start()
    assert 1 <= len(stage.rounds()[0].clips) <= 4
    stage.device.fail = lambda request: "no luck"
    done = await stage.next()
    assert done.error is not None
    assert "no luck" in done.error
    assert (await stage.run()).state is RunState.PAUSED


@pytest.mark.parametrize("fault", ["no clip", "no quality"])
async def test_who_tries_again_gets_other_clips(stage, fault):
    await stage.start()
    clip, stage.device.requests = stage.device.clip, []
    if fault == "no clip":
        stage.device.fail = lambda request: "no luck"
    else:
        stage.device.clip = lambda request: dataclasses.replace(clip(request), quality=0.0)
    assert (await stage.next()).error is not None
    failed = {(one.prompt, one.seed) for one in stage.device.requests}
    stage.device.fail, stage.device.clip = lambda _: None, clip
    again = await stage.services.runs.resume(MOD)
    assert (await again.done()).error is None
    await stage.settle()
    assert len(stage.rounds()) == 2
    others = stage.device.requests[len(failed) :]
    assert others
    assert not failed & {(one.prompt, one.seed) for one in others}


async def test_a_post_whose_answer_was_lost_is_not_sent_twice(stage):
    stage.sink.lose_answer = True
    ticket = await stage.services.runs.start(MOD)
    await stage.until(lambda: stage.sink.failed and stage.clock.due(3))  # it waits to try again
    stage.clock.advance(3)
    await ticket.done()
    await stage.settle()
    assert len(stage.rounds()) == 1
    assert await stage.state(1) is GenerationState.OPEN
    assert await stage.message_of(1) == 1000


async def test_a_channel_that_refuses_pauses_the_run_and_resume_sends_the_same_round(stage):
    stage.sink.refuse = Undeliverable("I may not post here.", permanent=True)
    await stage.start()
    run = await stage.run()
    assert run.state is RunState.PAUSED
    async with stage.services.db.reading() as tx:
        post = await posts.post_of(tx, run.id, 1, PostKind.ROUND)
    assert post.error == "I may not post here."
    stage.sink.refuse = None
    assert await stage.services.runs.resume(MOD) is None
    await stage.settle()
    assert len(stage.rounds()) == 1
    assert len(stage.device.requests) == 8
    assert await stage.state(1) is GenerationState.OPEN


async def test_a_deleted_channel_stops_its_run(stage):
    await stage.start()
    await stage.services.runs.channel_gone(MUSIC)
    assert (await stage.run()).state is RunState.STOPPED


async def test_a_restart_makes_an_interrupted_round_again_and_keeps_timers(settings):
    clock, device = FakeClock(), FakeDevice()
    device.hold = asyncio.Event()
    async with open_services(settings, clock=clock, device=device) as services:
        await services.outbox.attach(FakeSink())
        await services.runs.start(MOD)
        await asyncio.sleep(0.05)
    assert device.closed
    device, sink = FakeDevice(), FakeSink()
    async with open_services(settings, clock=clock, device=device) as services:
        await services.outbox.attach(sink)
        for _ in range(100):
            await asyncio.sleep(0.01)
            if sink.sent:
                break
        await services.outbox.idle()
        assert len(sink.sent) == 1
        assert await services.db.integrity() == []
    sink = FakeSink()
    async with open_services(settings, clock=clock, device=FakeDevice()) as services:
        await services.outbox.attach(sink)
        clock.advance(1300)
        await services.conductor.wake()
        for _ in range(100):
            await asyncio.sleep(0.01)
            if sink.sent:
                break
        status = await services.runs.status(MUSIC)
        assert status.run.generation == 2
        assert status.run.unattended == 1


async def test_private_runs_are_for_one_listener(stage):
    await stage.start(ANN, for_listener=ANN.user_id, settings=RunSettings(candidates=8, quorum=2))
    with pytest.raises(ForbiddenError):
        await stage.rate(BOB, 1, Grade.LOVE)
    await stage.rate(ANN, 1, Grade.LOVE)
    await stage.settle()
    stage.clock.advance(11)
    await stage.settle()
    assert await stage.state(1) is GenerationState.CLOSED


async def test_a_branch_descends_from_its_clip(stage):
    await stage.start()
    clip = (await stage.shown())[1]
    ticket = await stage.services.runs.branch(actor(2, channel=77), clip.id)
    assert (await ticket.done()).error is None
    await stage.settle()
    run = await stage.run(77)
    assert run.parent_clip_id == clip.id
    async with stage.services.db.reading() as tx:
        bred = await runs.candidates_of_run(tx, run.id)
    assert sum(clip.candidate_id in one.parents for one in bred) >= len(bred) // 2
