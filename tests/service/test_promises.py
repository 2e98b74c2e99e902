"""Promises that are easy to break: caps refuse before anything changes, nothing is kept without a yes."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from domain.candidate import Directive
from domain.errors import BusyError, UserError
from domain.run import GenerationState, PostKind, RunSettings, RunState
from domain.vote import Consent, Grade, VoteSource
from service.folding import said_of
from service.posting import Undeliverable
from service.views import PauseView, RevealView
from storage import clips, listeners, posts, runs, tastes, votes
from tests.fakes import FakeDevice
from tests.service.conftest import ANN, BOB, CAT, EVENTS, GUILD, MOD, MUSIC, actor


async def test_a_cap_refuses_before_anything_is_changed(stage):
    await stage.start()
    await stage.rate(ANN, 1, Grade.GOOD)
    stage.device.hold = asyncio.Event()
    for channel in (31, 32):
        await stage.services.runs.start(replace(MOD, channel_id=channel))
    await asyncio.sleep(0.02)
    with pytest.raises(BusyError, match="2 rounds waiting"):
        await stage.services.runs.next(MOD)
    with pytest.raises(BusyError):
        await stage.services.runs.reset(MOD)
    assert await stage.state(1) is GenerationState.OPEN
    assert (await stage.run()).state is RunState.ACTIVE
    stage.device.hold.set()


async def test_everybody_has_a_cap_of_their_own_in_direct_messages(stage):
    stage.device.hold = asyncio.Event()
    for person in range(8):
        await stage.services.runs.start(actor(50 + person, channel=500 + person, guild=0))
    stage.device.hold.set()


async def test_a_refused_channel_gets_no_second_copy_of_what_it_has(stage):
    stage.sink.lose_answer = True
    ticket = await stage.services.runs.start(MOD)
    await stage.until(lambda: stage.sink.failed and stage.clock.due(3))  # it waits to try again
    find, stage.sink.find = stage.sink.find, refuse
    stage.clock.advance(3)
    await ticket.done()
    await stage.settle()
    assert (await stage.run()).state is RunState.PAUSED
    assert "not allowed" in (await stage.services.runs.status(MUSIC)).problem
    stage.sink.find = find
    assert await stage.services.runs.resume(MOD) is None
    await stage.settle()
    assert len(stage.rounds()) == 1
    assert await stage.state(1) is GenerationState.OPEN


async def refuse(view):
    raise Undeliverable("I am not allowed to read here.", permanent=True)


async def test_a_round_that_fails_by_itself_says_so_in_the_channel(stage):
    await stage.start()
    stage.device.fail = lambda _: "the composer is ill"
    await stage.rate(ANN, 1, Grade.GOOD)
    await stage.rate(BOB, 1, Grade.GOOD)
    await stage.settle()
    stage.clock.advance(11)
    await stage.settle()
    await stage.settle()
    (pause,) = [view for view in stage.sink.sent if isinstance(view, PauseView)]
    assert "the composer is ill" in pause.reason
    assert (await stage.run()).state is RunState.PAUSED


async def test_a_quorum_that_is_taken_back_closes_nothing(stage):
    await stage.start(settings=RunSettings(candidates=8, quorum=2, timer=0))
    await stage.rate(ANN, 1, Grade.GOOD)
    await stage.rate(BOB, 1, Grade.GOOD)
    await stage.settle()
    await stage.rate(BOB, 1, Grade.GOOD)  # takes it back
    await stage.settle()
    stage.clock.advance(100)
    await stage.settle()
    assert await stage.state(1) is GenerationState.OPEN


async def test_busy_voters_cannot_hold_a_round_open_beyond_its_timer(stage):
    await stage.start(settings=RunSettings(candidates=8, quorum=1, timer=60))
    for _ in range(14):
        await stage.rate(ANN, 1, Grade.GOOD)
        await stage.settle()
        stage.clock.advance(5)
        await stage.settle()
    assert (await stage.run()).generation >= 2


async def test_a_reaction_weighs_less_than_a_press(stage):
    await stage.start()
    message = await stage.message_of(1)
    await stage.rate(ANN, 2, Grade.GOOD)
    await stage.services.feedback.react(
        guild_id=GUILD,
        channel_id=MUSIC,
        message_id=message,
        listener_id=BOB.user_id,
        emoji="🔥",
        added=True,
        event_id=next(EVENTS),
    )
    run = await stage.run()
    async with stage.services.db.reading() as tx:
        said = said_of(await votes.votes_of_run(tx, run.id))
    weights = sorted(one.weight for theirs in said.values() for one in theirs.values())
    assert weights == pytest.approx([0.125] * 4 + [1.0])


async def test_clips_that_more_call_broken_than_grade_are_bred_from_no_more(stage):
    await stage.start()
    clip = (await stage.shown())[0]
    await stage.services.feedback.broken(ANN, clip.id, next(EVENTS))
    assert await is_broken(stage, clip)
    await stage.rate(BOB, 1, Grade.LOVE)
    await stage.services.feedback.broken(CAT, clip.id, next(EVENTS))
    assert await is_broken(stage, clip)
    await stage.services.feedback.broken(CAT, clip.id, next(EVENTS))  # taken back: one against one
    assert not await is_broken(stage, clip)


async def is_broken(stage, clip) -> bool:
    async with stage.services.db.reading() as tx:
        return (await clips.clip(tx, clip.id)).broken


async def test_nothing_derived_is_kept_without_a_yes(stage):
    await stage.start()
    for slot in (1, 2, 3, 4):
        await stage.rate(ANN, slot, Grade.LOVE if slot == 1 else Grade.AWFUL)
        await stage.rate(BOB, slot, Grade.LOVE if slot == 2 else Grade.AWFUL)
    await stage.services.listeners.set_consent(BOB, Consent.TASTE)
    await stage.next()
    run = await stage.run()
    async with stage.services.db.reading() as tx:
        assert set(await runs.debts(tx, run.id)) <= {BOB.user_id}
        assert set(await tastes.latest_tastes(tx, GUILD)) == {BOB.user_id}
    await stage.services.listeners.set_consent(BOB, Consent.CHANNEL_ONLY)
    async with stage.services.db.reading() as tx:
        assert await tastes.latest_tastes(tx, GUILD) == {}


async def test_who_pauses_steers_no_more_and_stays_paused_after_deleting(stage):
    await stage.start()
    await stage.rate(ANN, 1, Grade.LOVE)
    run = await stage.run()
    assert [voice.listener_id for voice in await stage.services.tastes.voices(run)] == [ANN.user_id]
    await stage.services.listeners.set_consent(ANN, Consent.PAUSED)
    assert await stage.services.tastes.voices(run) == []
    erased = await stage.services.listeners.erase(ANN)
    assert erased["votes"] == 1
    assert await stage.services.listeners.consent(ANN) is Consent.PAUSED
    async with stage.services.db.reading() as tx:
        held = await listeners.export(tx, ANN.user_id)
    assert not held["votes"]


async def test_erasing_somebody_ends_work_on_their_private_run(stage):
    stage.device.hold = asyncio.Event()
    await stage.services.runs.start(ANN, for_listener=ANN.user_id)
    await asyncio.sleep(0.02)
    await stage.services.listeners.erase(ANN)
    stage.device.hold.set()
    await stage.settle()
    assert stage.rounds() == []
    assert await stage.services.db.integrity() == []


async def test_resetting_a_branch_keeps_its_descent(stage):
    await stage.start()
    clip = (await stage.shown())[1]
    there = actor(2, channel=77)
    await (await stage.services.runs.branch(there, clip.id)).done()
    await stage.settle()
    await (await stage.services.runs.reset(there)).done()
    await stage.settle()
    assert (await stage.run(77)).parent_clip_id == clip.id


async def test_a_round_without_one_usable_clip_is_not_posted(stage):
    good = FakeDevice.clip
    stage.device.clip = lambda request: replace(good(stage.device, request), quality=0.0)
    done = await stage.start()
    assert "quality gate" in done.error
    assert stage.rounds() == []


async def test_a_stopped_round_is_not_posted_afterwards(stage):
    stage.sink.refuse = Undeliverable("Discord is down.", permanent=False)
    await stage.services.runs.start(MOD)
    await stage.until(lambda: stage.sink.failed and stage.clock.due(3))
    await stage.services.runs.stop(MOD)
    stage.sink.refuse = None
    stage.clock.advance(10)
    await stage.settle()
    run = await stage.run()
    async with stage.services.db.reading() as tx:
        post = await posts.post_of(tx, run.id, 1, PostKind.ROUND)
    assert run.state is RunState.STOPPED
    assert await stage.state(1) in {GenerationState.CANCELLED, GenerationState.CLOSED}
    assert await stage.services.db.integrity() == []
    assert post is not None


async def test_remixing_says_what_went_wrong_when_the_clip_is_another_runs(stage):
    await stage.start()
    other = actor(9, moderator=True, channel=88)
    await (await stage.services.runs.start(other)).done()
    await stage.settle()
    async with stage.services.db.reading() as tx:
        elsewhere = (await runs.run_in_channel(tx, 88)).id
        foreign = (await clips.posted_clips(tx, elsewhere, 1))[0]
    with pytest.raises(UserError, match="Branch it instead"):
        await stage.services.runs.next(
            MOD, directive=Directive.REMIX, clip_ids=[foreign.id], words="darker"
        )


async def test_the_reveal_tells_parents_and_winner(stage):
    await stage.start()
    await stage.rate(ANN, 3, Grade.LOVE)
    await stage.next()
    await stage.rate(ANN, 1, Grade.LOVE)
    await stage.next()
    reveals = [view for view in stage.sink.sent if isinstance(view, RevealView)]
    assert reveals[0].winner_slot == 3
    assert any(row.parents for row in reveals[1].rows)
    assert all(vote.source is VoteSource.BUTTON for vote in await cast(stage))


async def cast(stage):
    run = await stage.run()
    async with stage.services.db.reading() as tx:
        return await votes.votes_of_run(tx, run.id)


async def test_a_run_in_direct_messages_is_its_persons_own(stage):
    ann, bob = actor(2, channel=700, guild=0), actor(3, channel=701, guild=0)
    await (await stage.services.runs.start(ann)).done()
    await stage.settle()
    run = await stage.run(700)
    assert run.for_listener == ann.user_id
    async with stage.services.db.reading() as tx:
        clip = (await clips.posted_clips(tx, run.id, 1))[0]
    for call in (
        stage.services.feedback.rate(bob, clip.id, Grade.LOVE, 1),
        stage.services.clips.why(bob, clip.id),
        stage.services.clips.for_me(bob, run.id, 1),
    ):
        with pytest.raises(UserError):
            await call


async def test_ids_of_another_channel_are_worth_nothing(stage):
    await stage.start()
    clip = (await stage.shown())[0]
    elsewhere = actor(2, channel=99)
    for call in (
        stage.services.feedback.rate(elsewhere, clip.id, Grade.LOVE, 1),
        stage.services.clips.wav(elsewhere, clip.id),
        stage.services.clips.lineage(elsewhere, clip.id),
    ):
        with pytest.raises(UserError, match="not there any more"):
            await call


async def test_a_moderators_reset_leaves_a_branch_to_its_owner(stage):
    await stage.start()
    clip = (await stage.shown())[1]
    await (await stage.services.runs.branch(actor(2, channel=77), clip.id)).done()
    await stage.settle()
    await (await stage.services.runs.reset(actor(1, moderator=True, channel=77))).done()
    await stage.settle()
    assert (await stage.run(77)).started_by == 2
    await stage.services.runs.stop(actor(2, channel=77))
