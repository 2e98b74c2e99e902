from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from domain.duel import Choice, DuelState
from domain.errors import BusyError, ForbiddenError, NotFoundError
from domain.ids import DIRECT_MESSAGES, ChannelId
from domain.run import RunSettings
from domain.vote import Consent, Grade
from service.bootstrap import open_services
from service.duel_views import DuelView, VerdictView
from service.posting import Undeliverable
from storage import clips, duels, listeners, preferences, tastes
from tests.fakes import FakeClock, FakeDevice, FakeSink
from tests.service.conftest import ANN, BOB, CAT, EVENTS, GUILD, MOD, MUSIC, Stage, actor


async def begin(stage, who=MOD):
    """Start a duel and return its view as it was posted."""
    started = await stage.services.duels.start(who)
    if started.ticket is not None:
        await started.ticket.done()
    await stage.settle()
    return [view for view in stage.sink.sent if isinstance(view, DuelView)][-1]


async def vote(stage, who, view, choice, event=None):
    return await stage.services.duels.vote(who, view.duel.id, choice, event or next(EVENTS))


def verdicts(stage):
    return [view for view in stage.sink.sent if isinstance(view, VerdictView)]


async def verdict_of(stage):
    """Wait for the one verdict and return it."""
    async with asyncio.timeout(20):
        while not verdicts(stage):
            await asyncio.sleep(0.01)
    await stage.settle()
    (one,) = verdicts(stage)
    return one


async def state(stage, view):
    async with stage.services.db.reading() as tx:
        return (await duels.duel(tx, view.duel.id)).state


@pytest.fixture
async def archive(stage):
    """A closed round of eight clips, of which four were posted, and an open one."""
    await stage.start()
    await stage.rate(ANN, 1, Grade.LOVE)
    await stage.rate(ANN, 2, Grade.AWFUL)
    await stage.next()
    return stage


async def test_two_clips_of_the_archive_are_posted_blind(archive):
    view = await begin(archive)
    assert await state(archive, view) is DuelState.OPEN
    assert [one.filename for one in view.clips] == ["A.mp3", "B.mp3"]
    assert all(one.data for one in view.clips)
    shown = {one.clip.id for one in view.clips}
    open_round = {clip.id for clip in await archive.shown()}
    assert len(shown) == 2
    assert not shown & open_round
    assert len(archive.device.requests) == 16, "nothing is rendered for it"


async def test_the_same_two_are_not_compared_again(archive):
    seen = set()
    for _ in range(5):
        view = await begin(archive)
        await archive.services.duels.decide(MOD, view.duel.id)
        await archive.settle()
        seen.add(frozenset(one.clip.id for one in view.clips))
    assert len(seen) == 5


async def test_where_nothing_was_bred_four_clips_are_made(stage):
    view = await begin(stage)
    assert len(stage.device.requests) == 4
    assert len({one.clip.id for one in view.clips}) == 2
    with pytest.raises(NotFoundError):
        await stage.services.runs.status(MUSIC)  # it is no run of the channel
    await vote(stage, ANN, view, Choice.A)
    await stage.services.duels.decide(MOD, view.duel.id)
    again = await begin(stage)
    assert len(stage.device.requests) == 4
    assert {one.clip.id for one in again.clips} != {one.clip.id for one in view.clips}
    assert await stage.services.db.integrity() == []


async def test_a_machine_that_makes_nothing_says_so(stage):
    stage.device.fail = lambda _: "the disk is full"
    started = await stage.services.duels.start(MOD)
    last = await started.ticket.done()
    assert last.error == "No two clips could be made for a duel. the disk is full"
    stage.device.fail = lambda _: None
    await begin(stage)


async def test_answers_change_and_are_taken_back_and_a_repeated_event_changes_nothing(archive):
    view = await begin(archive)
    receipt = await vote(archive, ANN, view, Choice.A, 10_000)
    assert (receipt.choice, receipt.late, receipt.prompts) == (Choice.A, False, None)
    assert receipt.consent is Consent.UNASKED
    receipt = await vote(archive, ANN, view, Choice.TIE, 10_001)
    assert receipt.choice is Choice.TIE
    receipt = await vote(archive, ANN, view, Choice.TIE, 10_002)
    assert receipt.choice is None
    for event in (10_002, 10_001):  # delivered again, and an older one late
        receipt = await vote(archive, ANN, view, Choice.TIE, event)
        assert receipt.choice is None
    receipt = await vote(archive, ANN, view, Choice.B, 10_003)
    assert receipt.choice is Choice.B


async def test_a_quorum_decides_and_late_votes_count(archive):
    view = await begin(archive)
    await vote(archive, ANN, view, Choice.A)
    await vote(archive, BOB, view, Choice.A)
    await vote(archive, CAT, view, Choice.B)
    archive.clock.advance(9)
    await archive.settle()
    assert not verdicts(archive)
    archive.clock.advance(2)
    verdict = await verdict_of(archive)
    assert (verdict.tally.a, verdict.tally.b, verdict.tally.winner) == (2, 1, Choice.A)
    assert [row.clip.id for row in verdict.rows] == [one.clip.id for one in view.clips]
    receipt = await vote(archive, actor(9), view, Choice.B)
    assert receipt.late
    assert receipt.prompts == tuple(one.clip.prompt for one in view.clips)
    async with archive.services.db.reading() as tx:
        cast = await duels.votes_of_duel(tx, view.duel.id)
    assert [one.late for one in cast] == [False, False, False, True]


async def test_the_timer_decides_what_anybody_voted_on(archive):
    view = await begin(archive)
    await vote(archive, ANN, view, Choice.BAD)
    archive.clock.advance(1201)
    verdict = await verdict_of(archive)
    assert verdict.tally.winner is Choice.BAD


async def test_a_duel_without_votes_ends_in_silence_and_makes_room(archive):
    view = await begin(archive)
    with pytest.raises(BusyError, match="going on here already"):
        await archive.services.duels.start(ANN)
    archive.clock.advance(1201)
    async with asyncio.timeout(20):
        while await state(archive, view) is not DuelState.DECIDED:
            await asyncio.sleep(0.01)
    assert not verdicts(archive)
    await begin(archive, ANN)


async def test_only_its_starter_or_a_moderator_decides(archive):
    view = await begin(archive, ANN)
    with pytest.raises(ForbiddenError, match="2 listeners"):
        await archive.services.duels.decide(BOB, view.duel.id)
    await archive.services.duels.decide(ANN, view.duel.id)
    with pytest.raises(NotFoundError, match="already"):
        await archive.services.duels.decide(MOD, view.duel.id)
    await verdict_of(archive)


async def test_one_person_has_at_most_as_many_duels_as_jobs(archive):
    await begin(archive, ANN)
    await begin(archive, replace(ANN, channel_id=ChannelId(77)))
    with pytest.raises(BusyError, match="2 duels going already"):
        await archive.services.duels.start(replace(ANN, channel_id=ChannelId(78)))


async def test_who_may_not_start_runs_may_not_start_duels(settings, tmp_path):
    strict = settings.model_copy(
        update={"discord": settings.discord.model_copy(update={"everyone_may_start": False})}
    )
    async with open_services(strict) as services:
        with pytest.raises(ForbiddenError, match="Only moderators"):
            await services.duels.start(ANN)


async def test_forged_ids_are_refused(archive):
    view = await begin(archive)
    with pytest.raises(NotFoundError):
        await archive.services.duels.vote(ANN, 999, Choice.A, 1)
    for stranger in (actor(2, guild=9), actor(2, channel=99)):
        with pytest.raises(NotFoundError):
            await vote(archive, stranger, view, Choice.A)
    with pytest.raises(NotFoundError, match="not decided"):
        await archive.services.duels.clip(ANN, view.duel.id, Choice.A)


async def test_private_places_are_their_listeners(stage):
    await stage.start(ANN, for_listener=ANN.user_id)
    await stage.rate(ANN, 1, Grade.GOOD)
    await stage.next(ANN)
    with pytest.raises(ForbiddenError, match="somebody else"):
        await stage.services.duels.start(BOB)
    view = await begin(stage, ANN)
    assert (view.duel.for_listener, view.duel.quorum) == (ANN.user_id, 1)
    with pytest.raises(ForbiddenError, match="somebody else"):
        await vote(stage, BOB, view, Choice.A)
    await vote(stage, ANN, view, Choice.A)
    stage.clock.advance(11)
    await verdict_of(stage)


async def test_in_direct_messages_it_is_for_the_one_who_is_there(stage):
    alone = actor(2, guild=DIRECT_MESSAGES, channel=500)
    view = await begin(stage, alone)
    assert view.duel.for_listener == alone.user_id
    await vote(stage, alone, view, Choice.B)
    assert await stage.services.db.integrity() == []


async def test_nobody_elses_private_clips_get_into_a_shared_duel(archive):
    panel = await archive.services.moods.open(ANN, "lofi")
    ticket = await archive.services.moods.listen(ANN, panel.panel_id)
    await ticket.done()
    async with archive.services.db.reading() as tx:
        shared = await duels.eligible(tx, MUSIC, None, 200)
        own = await duels.eligible(tx, MUSIC, ANN.user_id, 200)
    assert len(own) == len(shared) + 1


async def test_paused_listeners_leave_no_trace(archive):
    view = await begin(archive)
    await archive.services.listeners.set_consent(CAT, Consent.PAUSED)
    receipt = await vote(archive, CAT, view, Choice.A)
    assert receipt.choice is None
    assert "paused" in receipt.note
    async with archive.services.db.reading() as tx:
        assert await duels.votes_of_duel(tx, view.duel.id) == []


async def test_an_answer_moves_the_taste_towards_the_better_clip(archive):
    await archive.services.listeners.set_consent(BOB, Consent.TASTE)
    view = await begin(archive)
    pair = [one.clip.id for one in view.clips]
    run = await archive.run()
    await vote(archive, BOB, view, Choice.B)
    await archive.settle()
    (voice,) = [
        one for one in await archive.services.tastes.voices(run) if one.listener_id == BOB.user_id
    ]
    assert (voice.evidence, voice.opted_in) == (2, True)
    async with archive.services.db.reading() as tx:
        _, phi = await archive.services.tastes.phi(tx, pair)
        assert await tastes.stale_tastes(tx) == []
        assert (await tastes.latest_taste(tx, GUILD, BOB.user_id)).high_water == 1
    a, b = phi @ voice.taste.mean
    assert b > a


async def test_without_consent_an_answer_counts_for_its_channel(archive):
    view = await begin(archive)
    await vote(archive, BOB, view, Choice.A)
    (voice,) = [
        one
        for one in await archive.services.tastes.voices(await archive.run())
        if one.listener_id == BOB.user_id
    ]
    assert (voice.evidence, voice.opted_in) == (2, False)
    async with archive.services.db.reading() as tx:
        assert await tastes.latest_taste(tx, GUILD, BOB.user_id) is None
        assert await preferences.preferences_of_guild(tx, GUILD) == []


async def test_both_bad_is_a_dislike_of_both(archive):
    await archive.services.listeners.set_consent(BOB, Consent.TASTE)
    view = await begin(archive)
    run = await archive.run()
    before = (await archive.services.tastes.prior(GUILD)).mean
    await vote(archive, BOB, view, Choice.BAD)
    await archive.settle()
    voice = await archive.services.tastes.voice(run, BOB.user_id, [])
    async with archive.services.db.reading() as tx:
        _, phi = await archive.services.tastes.phi(tx, [one.clip.id for one in view.clips])
    assert (phi @ voice.taste.mean < phi @ before).all()


async def test_export_erase_and_reset_cover_duels(archive):
    await archive.services.listeners.set_consent(BOB, Consent.TASTE)
    view = await begin(archive, BOB)
    await vote(archive, BOB, view, Choice.A)
    held = await archive.services.listeners.export(BOB)
    (cast,) = held["duel_votes"]
    assert (cast["choice"], cast["prompt_a"]) == ("a", view.clips[0].clip.prompt)
    assert len(held["duels_started"]) == 1
    assert await archive.services.listeners.reset_taste(BOB) == 1
    await vote(archive, BOB, view, Choice.B)
    counts = await archive.services.listeners.erase(BOB)
    assert (counts["duel_votes"], counts["duels_started"]) == (1, 1)
    async with archive.services.db.reading() as tx:
        assert (await duels.duel(tx, view.duel.id)).started_by == 0
        assert await duels.votes_of_duel(tx, view.duel.id) == []
    assert await archive.services.db.integrity() == []


async def test_erasing_takes_private_duels_along(stage):
    alone = actor(2, guild=DIRECT_MESSAGES, channel=500)
    view = await begin(stage, alone)
    await vote(stage, alone, view, Choice.B)
    await stage.services.listeners.erase(alone)
    with pytest.raises(NotFoundError):
        await state(stage, view)
    async with stage.services.db.reading() as tx:
        assert not await listeners.consenting(tx, DIRECT_MESSAGES)
    assert await stage.services.db.integrity() == []


async def test_a_channel_that_refuses_ends_the_duel(archive):
    archive.sink.refuse = Undeliverable("I may not post there.", permanent=True)
    started = await archive.services.duels.start(MOD)
    assert await archive.services.duels.problem(started.duel.id, 5.0) == "I may not post there."
    archive.sink.refuse = None
    await begin(archive)


async def test_it_goes_on_after_a_restart_and_is_posted_once(settings):
    clock, device, sink = FakeClock(), FakeDevice(), FakeSink()
    async with open_services(settings, clock=clock, device=device) as services:
        before = Stage(services=services, clock=clock, device=device, sink=sink, settings=settings)
        await services.outbox.attach(sink)
        await before.start()
        await before.rate(ANN, 1, Grade.LOVE)
        await before.next()
        sent = len(sink.sent) + 1
        sink.lose_answer = True  # posted, and the process dies before it knows
        started = await services.duels.start(MOD)
        async with asyncio.timeout(20):
            while len(sink.sent) < sent:
                await asyncio.sleep(0.01)
    async with open_services(settings, clock=clock, device=device) as services:
        after = Stage(services=services, clock=clock, device=device, sink=sink, settings=settings)
        await services.outbox.attach(sink)
        await after.settle()
        assert len(sink.sent) == sent
        for event, who in enumerate((ANN, BOB), start=70_000):
            await services.duels.vote(who, started.duel.id, Choice.A, event)
    async with open_services(settings, clock=clock, device=device) as services:
        after = Stage(services=services, clock=clock, device=device, sink=sink, settings=settings)
        await services.outbox.attach(sink)
        await services.duels.wake()
        clock.advance(11)
        await verdict_of(after)


async def test_audio_of_compared_clips_is_kept(archive):
    view = await begin(archive)
    async with archive.services.db.reading() as tx:
        keep = await clips.audio_to_keep(tx, closed_before=archive.clock.now() + 1e9)
    assert {one.clip.sha256 for one in view.clips} <= keep


async def test_the_rules_of_the_run_are_those_of_the_duel(stage):
    await stage.start(settings=RunSettings(candidates=8, quorum=1, timer=60.0))
    await stage.rate(ANN, 1, Grade.GOOD)
    await stage.next()
    view = await begin(stage)
    assert (view.duel.quorum, view.duel.timer) == (1, 60.0)
