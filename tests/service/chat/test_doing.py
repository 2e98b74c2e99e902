from __future__ import annotations

from dataclasses import replace

import pytest

from domain.errors import BusyError, ForbiddenError, NotFoundError, UsageError, UserError
from domain.ids import ChannelId
from domain.run import RunState
from domain.vote import Consent, Grade
from service.chat import intents
from service.chat.tools import TOOLS, Need
from service.chat.turns import Personal
from service.duel_views import DuelView
from service.like_this import Upload
from service.mood_session import NOTHING_SAID
from storage import runs
from tests.service.chat.conftest import speaker
from tests.service.conftest import ANN, BOB, MOD, MUSIC, actor
from tests.service.test_mood import described  # noqa: F401 - a fixture

ARGUMENTS = {
    "vary": {"clip": "A"},
    "cross": {"clips": ["A", "B"]},
    "remix": {"clip": "A", "words": "darker"},
    "mood": {"clip": "A", "words": "darker"},
    "rate": {"clip": "A", "grade": "love"},
    **{
        name: {"clip": "A"}
        for name in ("longer", "branch", "favourite", "broken", "keep", "why", "lineage", "play")
    },
}
STRANGER = actor(9, channel=99)


async def use(talk, who, name, **arguments):
    outcome = await talk.doer.do(who, name, arguments)
    if outcome.ticket is not None:
        await outcome.ticket.done()
        if outcome.after is not None:
            await outcome.after()
    await talk.stage.settle()
    return outcome


async def what_is(talk) -> tuple[RunState, int]:
    run = await talk.stage.run()
    return run.state, run.generation


@pytest.mark.parametrize("name", [one for one in TOOLS if TOOLS[one].need is not Need.ANYONE])
async def test_members_may_neither_steer_nor_end(talk, name):
    await talk.stage.start()
    before = await what_is(talk)
    if name == "remix":  # one clip instead of a round, as with /mood
        outcome = await use(talk, speaker(ANN), name, **ARGUMENTS[name])
        assert "Rounds are for moderators" in outcome.text
    else:
        with pytest.raises(ForbiddenError, match="Only moderators"):
            await talk.doer.do(speaker(ANN), name, ARGUMENTS.get(name, {}))
        with pytest.raises(ForbiddenError):
            await talk.doer.check(speaker(ANN), name)
    assert await what_is(talk) == before


@pytest.mark.parametrize("name", [one for one in TOOLS if one != "start"])
async def test_moderators_may_use_every_tool(talk, name):
    await talk.stage.start()
    if name == "resume":
        await use(talk, speaker(MOD), "pause")
    if name == "for_me":
        await talk.stage.rate(MOD, 1, Grade.LOVE)
    if name == "play":
        with pytest.raises(UserError):  # the fake device writes nothing down
            await use(talk, speaker(MOD), name, **ARGUMENTS[name])
        return
    outcome = await use(talk, speaker(MOD), name, **ARGUMENTS.get(name, {}))
    assert outcome.text or outcome.view is not None
    assert bool(outcome.did) == TOOLS[name].acts


@pytest.mark.parametrize("name", [one for one in TOOLS if one in ARGUMENTS])
async def test_nobody_reaches_the_clips_of_another_channel(talk, name):
    await talk.stage.start()
    clip = (await talk.stage.shown())[0]
    for reference in ("A", str(clip.id)):
        given = {"clip": reference} if name != "cross" else {"clips": [reference, "B"]}
        with pytest.raises(UserError):
            await talk.doer.do(speaker(STRANGER), name, {**ARGUMENTS[name], **given})
    outsider = replace(STRANGER, is_moderator=True)
    with pytest.raises(UserError):
        await talk.doer.do(
            speaker(outsider, clips=(clip.id,)),
            name,
            {k: v for k, v in ARGUMENTS[name].items() if k != "clip"},
        )


async def test_somebodys_private_run_is_theirs(talk):
    await talk.stage.start(ANN, for_listener=ANN.user_id)
    for name in ("rate", "keep", "why"):
        with pytest.raises(UserError):
            await talk.doer.do(speaker(BOB), name, ARGUMENTS[name])
    await use(talk, speaker(ANN), "next")
    assert await what_is(talk) == (RunState.ACTIVE, 2)


async def test_a_vote_is_the_speakers_own_and_is_never_taken_back_by_saying_it_twice(talk):
    await talk.stage.start()
    first = await use(talk, speaker(ANN), "rate", clip="B", grade="love")
    again = await use(talk, speaker(ANN), "rate", clip="B", grade="love")
    assert (first.personal, again.did) == (Personal.CONSENT, "")
    run = await talk.stage.run()
    mine = await talk.stage.services.feedback.receipt(ANN, run.id, 1)
    others = await talk.stage.services.feedback.receipt(BOB, run.id, 1)
    assert [one.grade for one in mine.ratings] == [None, Grade.LOVE, None, None]
    assert not any(one.grade for one in others.ratings)


async def test_votes_of_who_paused_collection_are_not_recorded(talk):
    await talk.stage.start()
    await talk.stage.services.listeners.set_consent(ANN, Consent.PAUSED)
    for name, more in (
        ("rate", {"clip": "A", "grade": "good"}),
        ("favourite", {"clip": "A"}),
        ("all_bad", {}),
    ):
        assert (await use(talk, speaker(ANN), name, **more)).failed


async def test_what_somebody_voted_before_they_paused_collection_steers_nothing(talk):
    await talk.stage.start()
    await use(talk, speaker(MOD), "rate", clip="C", grade="awful")
    bad = (await talk.stage.shown())[2]
    await talk.stage.services.listeners.set_consent(MOD, Consent.PAUSED)
    done = await use(talk, speaker(MOD, focus=bad.id), "remix", words="something jazzy")
    assert "from clip C" in done.text


async def test_where_nothing_changes_the_tune_is_not_said_to_change(talk, described):  # noqa: F811
    await talk.stage.start()
    with pytest.raises(UsageError) as refused:
        await use(talk, speaker(ANN), "mood", clip="B", words="in swing")
    assert str(refused.value) == NOTHING_SAID


async def test_a_paused_run_rests_until_it_is_resumed(talk):
    await talk.stage.start()
    await use(talk, speaker(MOD), "pause")
    assert await what_is(talk) == (RunState.PAUSED, 1)
    talk.stage.clock.advance(10_000)
    await talk.stage.settle()
    assert await what_is(talk) == (RunState.PAUSED, 1)
    with pytest.raises(UserError, match="rests already"):
        await use(talk, speaker(MOD), "pause")
    await use(talk, speaker(ANN), "resume")
    assert await what_is(talk) == (RunState.ACTIVE, 2)


async def test_references_mean_clips(talk):
    await talk.stage.start()
    await talk.stage.rate(ANN, 3, Grade.LOVE)
    shown = await talk.stage.shown()
    meant = talk.agent._meant
    assert (await meant.clip(speaker(ANN), "C")).id == shown[2].id
    assert (await meant.clip(speaker(ANN), "best")).id == shown[2].id
    assert (await meant.clip(speaker(ANN), f"#{shown[1].candidate_id}")).id == shown[1].id
    assert (await meant.clip(speaker(ANN, clips=(shown[3].id,)))).id == shown[3].id
    assert (await meant.clip(speaker(ANN, focus=shown[0].id))).id == shown[0].id
    with pytest.raises(NotFoundError):
        await meant.clip(speaker(ANN), "winner")
    with pytest.raises(UsageError, match="Which clip"):
        await meant.clip(speaker(ANN))
    await talk.stage.next()
    assert (await meant.clip(speaker(ANN), "winner")).id == shown[2].id
    assert (await meant.clip(speaker(ANN), "C of previous")).id == shown[2].id
    assert (await meant.clip(speaker(ANN), "C of 1")).id == shown[2].id
    assert (await meant.clip(speaker(ANN), "C")).id != shown[2].id
    message = await talk.stage.message_of(1)
    about = await talk.agent.about(message)
    old = speaker(ANN, clips=about.clips, round=about.round)
    assert (await meant.clip(old, "C")).id == shown[2].id
    with pytest.raises(NotFoundError):
        await meant.clip(speaker(ANN), "C of 7")
    with pytest.raises(NotFoundError):
        await meant.clip(speaker(ANN), "@3")


async def test_a_version_of_a_clip_is_posted_and_found_by_its_maker(talk):
    await talk.stage.start()
    await use(talk, speaker(ANN), "mood", clip="A", words="slower")
    made = await talk.agent._meant.clip(speaker(BOB), f"@{ANN.user_id}")
    async with talk.stage.services.db.reading() as tx:
        run = await runs.get_run(tx, made.run_id)
    assert (run.searcher, run.started_by, run.for_listener) == (runs.BY_HAND, ANN.user_id, None)
    with pytest.raises(UsageError):
        await use(talk, speaker(ANN), "mood", clip="A", words="qwertz")


async def test_private_runs_and_branches_get_a_place_of_their_own(talk):
    await talk.stage.start()
    who = speaker(ANN)
    begun = await use(talk, who, "start", vibe="sad piano", private=True)
    grown = await use(talk, who, "branch", clip="A")
    assert ("<#77>" in begun.text, "<#78>" in grown.text) == (True, True)
    assert (await talk.stage.run(ChannelId(77))).for_listener == ANN.user_id
    assert (await talk.stage.run(ChannelId(78))).parent_clip_id is not None
    assert (await talk.stage.run(MUSIC)).generation == 1


async def test_a_duel_is_posted_once_at_a_time(talk):
    await talk.stage.start()
    await talk.stage.next()
    outcome = await use(talk, speaker(ANN), "duel")
    assert (outcome.ticket, outcome.did) == (None, "started a duel")
    assert [one for one in talk.stage.sink.sent if isinstance(one, DuelView)]
    with pytest.raises(BusyError, match="going on here already"):
        await talk.doer.do(speaker(BOB), "duel", {})


async def test_what_is_personal_is_not_told_to_a_channel(talk):
    await talk.stage.start()
    await talk.stage.rate(ANN, 1, Grade.LOVE)
    for name, personal in (
        ("taste", Personal.TASTE),
        ("my_data", Personal.DATA),
        ("for_me", Personal.FOR_ME),
    ):
        outcome = await use(talk, speaker(ANN), name)
        assert (outcome.view, outcome.personal) == (None, personal)
    why = await use(talk, speaker(ANN), "why", clip="A")
    assert (why.view.liking, why.view.reasons, why.view.nearest) == (None, (), ())
    assert why.personal is Personal.WHY


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("drop_tables", {}),
        ("rate", {"clip": "A"}),
        ("rate", {"clip": "A", "grade": "ten"}),
        ("rate", {"clip": ["A"], "grade": "love"}),
        ("rate", {"clip": "A", "grade": "love", "as": "bob"}),
        ("cross", {"clips": ["A"]}),
        ("cross", {"clips": ["A", 3]}),
        ("remix", {"words": "x" * 301}),
        ("start", {"private": "yes"}),
        ("keep", {"clip": "x" * 61}),
    ],
)
async def test_malformed_calls_change_nothing(talk, name, arguments):
    await talk.stage.start()
    with pytest.raises(UsageError):
        await talk.doer.do(speaker(MOD), name, arguments)
    assert await what_is(talk) == (RunState.ACTIVE, 1)


# A track in the message ------------------------------------------------------------------------------------


def track(content: bytes = b"RIFFtechno") -> Upload:
    async def fetch() -> bytes:
        return content

    return Upload(filename="Night_Drive.mp3", size=len(content), fetch=fetch)


@pytest.mark.parametrize(
    "said",
    ["like this", "breed towards this, please", "make something like my song!", "more like it"],
)
async def test_a_file_and_a_wish_breed_towards_it(talk, said):
    reply = await talk.say(speaker(ANN, upload=track()), said)
    assert "towards your track" in reply.text
    await talk.finish(reply)
    status = await talk.stage.services.runs.status(ANN.channel_id)
    assert status.target.title == "Night Drive"


async def test_a_start_in_words_takes_the_file_along(talk):
    reply = await talk.say(speaker(ANN, upload=track()), "start slow lofi")
    await talk.finish(reply)
    status = await talk.stage.services.runs.status(ANN.channel_id)
    assert status.target is not None
    assert status.run.vibe.startswith("slow lofi")


async def test_a_file_that_is_no_sound_is_refused_in_a_sentence(talk):
    reply = await talk.say(speaker(ANN, upload=track(b"%PDF")), "like this")
    assert reply.text == "That is no sound. Send an MP3."
    assert talk.stage.device.requests == []


async def test_without_a_file_the_words_mean_what_they_always_did(talk):
    assert not intents.read("like this").calls or intents.read("like this").calls[0].name != "start"
    for text in ("what is this like?", "I like this", "more like B"):
        assert all(call.name != "start" for call in intents.read(text, with_file=True).calls)
