from __future__ import annotations

import asyncio
import dataclasses

import pytest

from domain.candidate import Directive
from domain.clip import ClipRequest
from domain.description import Description
from domain.errors import BusyError, ForbiddenError, NotFoundError, UsageError, UserError
from domain.facets import Facets
from domain.features import Features
from domain.run import GenerationState, RunState
from domain.vote import Consent, Grade
from generation.composer import Composer, account
from generation.planning.plan import make_plan
from generation.writing.arrange import arrange
from service import mood_session as of
from service.mood import LONGER, request_of
from service.mood_session import Kind, Session
from service.posting import Undeliverable
from service.retention import DAY
from storage import clips, listeners, runs, votes
from tests.fakes import FakeDevice
from tests.service.conftest import ANN, BOB, EVENTS, GUILD, MOD, MUSIC, actor


def composed(request: ClipRequest) -> dict:
    """What the composer would say about a clip, without playing it."""
    plan = make_plan(Facets(genre="swing", family="swing"), request.seed, request.seconds)
    return {**account(plan, arrange(plan), "none"), "family": "swing"}


@pytest.fixture
def described(stage):
    """Let the device describe what it renders, as the composer does."""
    plain = FakeDevice.clip

    def clip(request):
        description = composed(request)
        if request.description is not None:
            description["genome"] = dict(request.description)
        return dataclasses.replace(plain(stage.device, request), description=description)

    stage.device.clip = clip


@pytest.fixture
def session() -> Session:
    return Session(start="x", base=Features(), features=Features(), seed=1, seconds=8.0)


async def heard(stage, who, panel_id):
    """Press Listen, wait, and return the panel."""
    ticket = await stage.services.moods.listen(who, panel_id)
    assert ticket is not None
    assert (await ticket.done()).error is None
    return await stage.services.moods.look(who, panel_id)


# What is set ------------------------------------------------------------------------------------------


def test_every_step_of_every_feature_stays_in_range_and_ends_with_words(session):
    for name, (low, high) in of.ENDS.items():
        for amount, word in ((1, high), (2, high), (-1, low), (-2, low)):
            now, _ = of.choose(session, name)
            for _ in range(60):
                before = getattr(now.features, name)
                now, note = of.step(now, amount)
                if note:
                    assert getattr(now.features, name) == before
                    break
                assert (getattr(now.features, name) - before) * amount > 0
            assert note == f"This is as {word} as it gets."


def test_undo_goes_back_press_by_press_and_reset_is_a_press(session):
    one, _ = of.step(session, -2)
    two, _ = of.tone(one, "mode", 0)
    gone, _ = of.reset(two)
    assert gone.features == session.features
    assert [of.undo(gone)[0], of.undo(of.undo(gone)[0])[0]] == [two, one]
    assert of.undo(session) == (session, "There is nothing to undo.")
    assert of.reset(session)[1]


def test_words_change_what_they_ask_for_and_nothing_else(session):
    now, note = of.say(session, "slower, in d minor, no drums")
    assert note == ""
    assert {one.feature for one in now.net()} == {"tempo", "key", "mode"}
    assert of.said_words(now.words) == ["no drums"]
    assert Facets.from_json(of.request_of(now).facets).without == ("drums",)
    assert of.undo(now)[0] == session


def test_words_that_mean_nothing_are_named(session):
    now, note = of.say(session, "fnord")
    assert now is session
    assert "I found no change" in note
    assert "fnord" in note


def test_where_the_tune_stays_players_do_not_change(session):
    now, note = of.say(dataclasses.replace(session, keeps_tune=True), "sadder, with a flute")
    assert [one.feature for one in now.net()] == ["valence"]
    assert "Not from here" in note
    assert "flute" in note


@pytest.mark.parametrize(
    ("words", "lost"),
    [
        ("darker", "darker"),
        ("less drums", "less drums"),
        ("jazzier and slower", "jazzy"),
        ("slower, sadder, more acoustic, calmer", ""),
        ("no vocals", ""),
    ],
)
def test_what_a_kept_tune_cannot_become_is_named(session, words, lost):
    warm = of.say(session, "lofi with drums and vocals")[0]
    kept = dataclasses.replace(warm, keeps_tune=True)
    note = of.say(kept, words)[1]
    assert of.is_beyond(kept, words) == bool(lost)
    assert note == (of.TUNE_STAYS.format(words=lost) if lost else "")


def test_minor_is_minor_whatever_mode_there_was(session):
    odd = of.say(session, "in D phrygian")[0]
    assert of.is_beyond(dataclasses.replace(odd, keeps_tune=True), "in D minor")
    assert of.say(odd, "in D minor")[0].facets().mode == "minor"


def test_a_session_survives_storage(session):
    now, _ = of.say(of.step(session, 1)[0], "jazz in 3/4")
    assert Session.from_json(now.to_json()) == now


def test_what_cannot_be_set_is_refused(session):
    for bad in (("key", 12), ("mode", 2), ("time_signature", 8), ("energy", 1), ("nonsense", 1)):
        with pytest.raises(UsageError):
            of.tone(session, *bad)
    with pytest.raises(UsageError):
        of.choose(session, "key")


# Starting ---------------------------------------------------------------------------------------------


async def test_starting_from_nothing_and_from_words(stage):
    view = await stage.services.moods.open(ANN)
    assert view.session.features.energy == Features().energy
    view = await stage.services.moods.open(ANN, "fast techno fnord")
    assert "fnord" in view.note
    assert view.session.features.tempo > 121
    assert "techno" in view.words
    with pytest.raises(UsageError, match="I know neither"):
        await stage.services.moods.open(ANN, "fnord")


async def test_starting_from_a_clip_by_letter_number_id_lineage_and_link(stage, described):
    await stage.start()
    shown = await stage.shown()
    message = await stage.message_of(1)
    wanted = shown[1]
    link = f"https://discord.com/channels/{GUILD}/{MUSIC}/{message}"
    for text in (
        *("B", "b", "2", "clip B", f"#{wanted.candidate_id}", f"{link} B"),
        *([f"{wanted.id}"] if wanted.id > 4 else []),
    ):
        view = await stage.services.moods.open(ANN, text)
        assert view.session.start_clip == wanted.id, text
        assert view.session.keeps_tune
    assert (await stage.services.moods.open(ANN, link)).session.start_clip == shown[0].id


@pytest.mark.parametrize("text", ["B", "#1", "99999", "https://discord.com/channels/1/10/77"])
async def test_a_clip_that_is_not_there(stage, text):
    with pytest.raises(NotFoundError):
        await stage.services.moods.open(ANN, text)


async def test_a_clip_of_another_channel_or_of_somebody_else_is_not_shown(stage):
    await stage.start()
    clip = (await stage.shown())[0]
    with pytest.raises(NotFoundError):
        await stage.services.moods.open(actor(2, channel=11), f"#{clip.candidate_id}")
    made = await heard(stage, ANN, (await stage.services.moods.open(ANN)).panel_id)
    with pytest.raises(NotFoundError):
        await stage.services.moods.open_on(BOB, made.clip.id)


async def test_a_panel_belongs_to_one_person(stage):
    view = await stage.services.moods.open(ANN)
    for press in (
        stage.services.moods.step(BOB, view.panel_id, 1),
        stage.services.moods.look(BOB, view.panel_id),
        stage.services.moods.listen(BOB, view.panel_id),
    ):
        with pytest.raises(ForbiddenError, match="somebody else's"):
            await press


# Hearing ----------------------------------------------------------------------------------------------


async def test_a_clip_made_by_hand_remembers_what_was_changed(stage, described):
    await stage.start()
    start = (await stage.shown())[0]
    moods = stage.services.moods
    view = await moods.open(ANN, "A")
    await moods.step(ANN, view.panel_id, -1)
    await moods.choose(ANN, view.panel_id, "tempo")
    await moods.step(ANN, view.panel_id, 2)
    made = await heard(stage, ANN, view.panel_id)
    assert made.session.fresh
    request = stage.device.requests[-1]
    before, after = (
        Description.from_json(one) for one in (start.description["genome"], request.description)
    )
    assert after.tempo == pytest.approx(made.session.features.tempo)
    assert after.levels.energy == pytest.approx(made.session.features.energy)
    assert after.levels.valence == before.levels.valence
    assert [voice.tune for voice in after.voices] == [voice.tune for voice in before.voices]
    lineage = await stage.services.clips.lineage(ANN, made.clip.id)
    own, *ancestors = lineage.ancestors
    assert (own.operator, own.parents) == ("mood", (start.candidate_id,))
    assert [edit[0] for edit in own.genome["edits"]] == ["energy", "tempo"]
    assert own.genome["description"] == request.description
    assert ancestors[0].id == start.candidate_id


async def test_listening_twice_makes_one_clip(stage):
    moods = stage.services.moods
    view = await moods.open(ANN, "lofi")
    await heard(stage, ANN, view.panel_id)
    assert await moods.listen(ANN, view.panel_id) is None
    await moods.step(ANN, view.panel_id, 1)
    assert not (await moods.look(ANN, view.panel_id)).session.fresh
    await moods.undo(ANN, view.panel_id)
    assert await moods.listen(ANN, view.panel_id) is None
    assert len(stage.device.requests) == 1


async def test_pressing_listen_again_while_it_is_made_is_refused_and_it_can_be_cancelled(stage):
    moods, runs_ = stage.services.moods, stage.services.runs

    stage.device.hold = asyncio.Event()
    view = await moods.open(ANN)
    ticket = await moods.listen(ANN, view.panel_id)
    assert (await moods.look(ANN, view.panel_id)).ticket_id == ticket.id
    with pytest.raises(BusyError, match="being made already"):
        await moods.listen(ANN, view.panel_id)
    await runs_.cancel(ANN, ticket.id)
    assert ticket.progress.error == "Cancelled."
    stage.device.hold = None
    assert (await heard(stage, ANN, view.panel_id)).clip is not None


async def test_a_clip_that_fails_says_why(stage):
    stage.device.fail = lambda _: "no strings attached"
    view = await stage.services.moods.open(ANN)
    ticket = await stage.services.moods.listen(ANN, view.panel_id)
    assert "no strings attached" in (await ticket.done()).error
    assert (await stage.services.moods.look(ANN, view.panel_id)).clip is None


async def test_it_disturbs_no_run_and_is_private(stage):
    await stage.start()
    before = await stage.run()
    made = await heard(stage, ANN, (await stage.services.moods.open(ANN, "B")).panel_id)
    assert (await stage.run()).id == before.id
    async with stage.services.db.reading() as tx:
        own = await runs.get_run(tx, made.clip.run_id)
        assert (own.state, own.for_listener) == (RunState.STOPPED, ANN.user_id)
        held = await listeners.export(tx, ANN.user_id)
        assert made.clip.id not in await clips.guild_clip_ids(tx, GUILD)
    assert [one["id"] for one in held["private_clips"]] == [made.clip.id]
    assert await stage.services.db.integrity() == []
    with pytest.raises(ForbiddenError):
        await stage.services.clips.keep(BOB, made.clip.id)
    await stage.services.listeners.erase(ANN)
    with pytest.raises(NotFoundError):
        await stage.services.moods.look(ANN, made.panel_id)


# For others -------------------------------------------------------------------------------------------


async def test_posted_it_is_rated_like_any_other(stage):
    await stage.start()
    moods = stage.services.moods
    made = await heard(stage, ANN, (await moods.open(ANN, "C")).panel_id)
    with pytest.raises(ForbiddenError):
        await moods.post(BOB, made.panel_id, made.clip.id)
    with pytest.raises(NotFoundError):
        await moods.post(actor(2, channel=11), made.panel_id, made.clip.id)
    with pytest.raises(ForbiddenError):
        await moods.post(ANN, made.panel_id, (await stage.shown())[0].id)
    after = await moods.post(ANN, made.panel_id, made.clip.id)
    assert after.posted
    again = await moods.post(ANN, made.panel_id, made.clip.id)
    assert "already" in again.note
    views = [one for one in stage.rounds() if one.made is not None]
    assert len(views) == 1
    assert views[0].made.operator == "mood"
    await stage.services.listeners.set_consent(BOB, Consent.TASTE)
    receipt = await stage.services.feedback.rate(BOB, made.clip.id, Grade.GOOD, next(EVENTS))
    assert receipt.by_hand
    assert not receipt.late
    await stage.settle()
    async with stage.services.db.reading() as tx:
        cast = await votes.votes_of_channel(tx, MUSIC)
        assert [one.clip_id for one in cast] == [made.clip.id]
        own = await runs.generation(tx, made.clip.run_id, 1)
    assert own.state is GenerationState.CLOSED
    assert (await stage.state(1)) is GenerationState.OPEN
    assert await stage.services.db.integrity() == []


async def test_a_clip_that_the_channel_refuses_stays_private_and_can_be_tried_again(stage):
    moods = stage.services.moods
    made = await heard(stage, ANN, (await moods.open(ANN)).panel_id)
    stage.sink.refuse = Undeliverable("I may not post there.", permanent=True)
    with pytest.raises(UserError, match="I may not post there"):
        await moods.post(ANN, made.panel_id, made.clip.id)
    assert not (await moods.look(ANN, made.panel_id)).posted
    with pytest.raises(NotFoundError):
        await moods.open_on(BOB, made.clip.id)
    assert await stage.services.db.integrity() == []
    stage.sink.refuse = None
    assert (await moods.post(ANN, made.panel_id, made.clip.id)).posted


async def test_old_panels_are_forgotten_and_used_ones_stay(stage):
    moods, retention = stage.services.moods, stage.services.retention
    old, used = await moods.open(ANN), await moods.open(ANN)
    stage.clock.advance(20 * DAY)
    await moods.step(ANN, used.panel_id, 1)
    stage.clock.advance(15 * DAY)
    await retention.forget_panels()
    with pytest.raises(NotFoundError, match="/mood opens a new one"):
        await moods.step(ANN, old.panel_id, 1)
    assert (await moods.look(ANN, used.panel_id)).session.steps


async def test_it_can_be_bred_from_by_whoever_may_hear_it(stage):
    await stage.start()
    made = await heard(stage, ANN, (await stage.services.moods.open(ANN, "C")).panel_id)
    with pytest.raises(NotFoundError, match="Branch it instead"):
        await stage.next(MOD, directive=Directive.VARY, clip_ids=[made.clip.id])
    await stage.services.moods.post(ANN, made.panel_id, made.clip.id)
    assert (await stage.next(MOD, directive=Directive.VARY, clip_ids=[made.clip.id])).error is None
    run = await stage.run()
    async with stage.services.db.reading() as tx:
        bred = await runs.candidates_of_generation(tx, run.id, 2)
    assert any(made.clip.candidate_id in one.parents for one in bred)


# Longer -----------------------------------------------------------------------------------------------


async def test_a_longer_version_keeps_tune_and_players(stage, described):
    await stage.start()
    start = (await stage.shown())[0]
    view = await stage.services.moods.open_on(ANN, start.id, Kind.LONGER)
    made = await heard(stage, ANN, view.panel_id)
    piece = Description.from_json(stage.device.requests[-1].description)
    own = Description.from_json(start.description["genome"])
    assert 20 < piece.seconds <= LONGER + 1
    assert {voice.tune for voice in own.voices} <= {voice.tune for voice in piece.voices}
    lineage = await stage.services.clips.lineage(ANN, made.clip.id)
    assert lineage.ancestors[0].operator == "extend"


def test_a_clip_without_a_description_is_made_from_its_words_and_seed(session):
    longer = dataclasses.replace(session, kind=Kind.LONGER, words={"genre": "lofi"})
    request = request_of(longer, None)
    assert (request.seconds, request.seed, request.description) == (LONGER, 1, None)
    assert request.facets["genre"] == "lofi"


async def test_a_title_is_cut_after_a_word_and_says_so(stage, described):
    long = "warm " + "velvet " * 30 + "lofi"
    panel = await stage.services.moods.open(ANN, long)
    made = await heard(stage, ANN, panel.panel_id)
    async with stage.services.db.reading() as tx:
        run = await runs.get_run(tx, made.clip.run_id)
    assert len(run.vibe) <= 120
    assert run.vibe.endswith("velvet…")


async def test_words_that_need_other_players_let_the_tune_go(stage, described):
    await stage.start()
    moods, clip = stage.services.moods, (await stage.shown())[0]
    kept = await moods.open_on(ANN, clip.id, words="slower")
    loose = await moods.open_on(ANN, clip.id, words="darker, and lose the drums")
    assert (kept.session.keeps_tune, loose.session.keeps_tune) == (True, False)
    assert "tune changes" in loose.note
    said = await moods.say(ANN, loose.panel_id, "darker, and lose the drums")
    assert "drums" in said.session.facets().without
    await heard(stage, ANN, loose.panel_id)
    request = stage.device.requests[-1]
    assert request.description is None
    assert "drums" in request.facets["without"]
    await moods.say(ANN, kept.panel_id, "slower")
    await heard(stage, ANN, kept.panel_id)
    assert stage.device.requests[-1].description is not None


async def test_the_composer_leaves_the_drums_out_where_they_are_to_go(stage, described):
    await stage.start()
    moods, clip = stage.services.moods, (await stage.shown())[0]
    words = "darker, and lose the drums"
    panel = await moods.open_on(ANN, clip.id, words=words)
    await moods.say(ANN, panel.panel_id, words)
    await heard(stage, ANN, panel.panel_id)
    before = Description.from_json(clip.description["genome"])
    made = Composer(renderer="numpy").generate([stage.device.requests[-1]])[0]
    piece = Description.from_json(made.description["genome"])
    assert any(voice.role == "drums" for voice in before.voices)
    assert not any(voice.role == "drums" for voice in piece.voices)
