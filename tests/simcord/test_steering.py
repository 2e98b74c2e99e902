from __future__ import annotations

import asyncio
import dataclasses

import pytest

from domain.candidate import Directive
from domain.errors import UserError
from domain.run import RunState
from tests.bot.fakes import make_post, pause_view


def last_call(stage):
    return stage.world.runs.calls[-1]


async def test_next_by_a_listener_is_refused_with_a_reason(stage, ids):
    message = await stage.start()
    await stage.ann.click(message, custom_id=ids(message, "tb:do:"))
    (answer,) = stage.private(stage.ann)
    assert "Only moderators can ask for the next round" in answer.content
    assert "2 listeners voted" in answer.content
    assert stage.world.runs.by_id(1).generation == 1


async def test_next_by_a_moderator_posts_the_next_round(stage, ids):
    message = await stage.start()
    await stage.mod.click(message, custom_id=ids(message, "tb:do:"))
    assert last_call(stage) == ("next", (Directive.NEXT, (), ""))
    assert "**Round 2**" in stage.round().content
    assert stage.private(stage.mod) == []  # the placeholder went away
    old = await stage.mod.click(message, custom_id=ids(message, "tb:do:"))
    assert old.acknowledged
    assert "newer round" in stage.private(stage.mod)[0].content
    assert stage.world.runs.by_id(1).generation == 2


async def test_anybody_may_go_on_where_one_voter_is_a_quorum(stage, ids):
    message = await stage.start(quorum=1)
    await stage.ann.click(message, custom_id=ids(message, "tb:do:"))
    assert stage.world.runs.by_id(1).generation == 2


@pytest.mark.parametrize("verb", ["next", "stop", "reset"])
async def test_moderator_commands_are_refused_to_listeners(stage, verb):
    await stage.start()
    await stage.ann.slash(stage.channel, f"evolve {verb}")
    (answer,) = stage.private(stage.ann)
    assert answer.content.startswith("Only moderators can")
    assert stage.world.runs.by_id(1).state is RunState.ACTIVE


async def test_stop_and_reset(stage):
    await stage.start(vibe="dub")
    await stage.mod.slash(stage.channel, "evolve reset")
    assert stage.world.runs.by_id(1).state is RunState.STOPPED
    assert stage.world.runs.by_id(2).vibe == "dub"
    result = await stage.mod.slash(stage.channel, "evolve stop")
    assert (
        "Stopped the run of “dub” after 1 round"
        in stage.channel.history(viewer=stage.bob)[-1].content
    )
    assert result.response is None  # the placeholder went away
    await stage.mod.slash(stage.channel, "evolve next")
    assert "Nothing is being bred here" in stage.private(stage.mod)[-1].content


async def test_status_is_private_and_says_how_it_stands(stage):
    await stage.start(vibe="dub")
    result = await stage.ann.slash(stage.channel, "evolve status")
    assert result.ephemeral
    assert "1 voter so far. It closes when 2 have voted" in result.response.content
    assert "lofi (3)" in result.response.content


async def test_status_where_nothing_was_bred(stage):
    result = await stage.ann.slash(stage.channel, "evolve status")
    assert "Start with /evolve start" in result.response.content


async def test_a_private_run_belongs_to_its_listener(stage, ids):
    await stage.ann.slash(stage.channel, "evolve start", **{"for": "me"})
    (thread,) = stage.channel.threads
    message = next(one for one in thread.history() if one.attachments)
    await stage.ann.click(message, custom_id=ids(message, "tb:do:"))
    assert stage.world.runs.by_id(1).generation == 2


async def test_vary_breeds_from_the_best_clip_of_the_presser(stage, ids):
    message = await stage.start(quorum=1)
    await stage.ann.click(message, custom_id=ids(message, "tb:rate:", 6))  # B good
    await stage.ann.click(message, custom_id=ids(message, "tb:rate:", 11))  # C love
    await stage.bob.click(message, custom_id=ids(message, "tb:fav:", 0))
    await stage.ann.click(message, custom_id=ids(message, "tb:do:", 1))
    assert last_call(stage) == ("next", (Directive.VARY, (1013,), ""))


async def test_cross_takes_all_liked_clips(stage, ids):
    message = await stage.start(quorum=1)
    await stage.ann.click(message, custom_id=ids(message, "tb:rate:", 6))
    await stage.ann.click(message, custom_id=ids(message, "tb:fav:", 3))
    await stage.ann.click(message, custom_id=ids(message, "tb:do:", 2))
    assert last_call(stage) == ("next", (Directive.CROSS, (1014, 1012), ""))


async def test_cross_without_two_liked_clips_asks_which(stage, ids):
    message = await stage.start(quorum=1)
    await stage.ann.click(message, custom_id=ids(message, "tb:do:", 2))
    (question,) = stage.private(stage.ann)
    assert "not liked two clips" in question.content
    await stage.ann.select(question, ["1011", "1014"])
    assert last_call(stage) == ("next", (Directive.CROSS, (1011, 1014), ""))


async def test_vary_by_a_listener_is_for_moderators_where_more_people_vote(stage, ids):
    message = await stage.start()
    await stage.ann.click(message, custom_id=ids(message, "tb:do:", 1))
    assert "Only moderators can steer" in stage.private(stage.ann)[0].content


async def test_remix_asks_for_words_and_breeds_from_them(stage, ids):
    message = await stage.start(quorum=1)
    await stage.ann.click(message, custom_id=ids(message, "tb:rate:", 11))
    shown = await stage.ann.click(message, custom_id=ids(message, "tb:do:", 3))
    assert shown.modal["custom_id"] == "tb:do:1:1:remix"
    default = [
        option["value"]
        for option in shown.modal["components"][0]["component"]["options"]
        if option.get("default")
    ]
    assert default == ["1013"]
    await stage.ann.submit_modal(shown, {"clip": ["1012"], "words": "slower, no *drums*"})
    assert last_call(stage) == ("next", (Directive.REMIX, (1012,), "slower, no *drums*"))


async def test_a_remix_form_survives_a_restart_and_another_persons_form(stage, ids):
    message = await stage.start(quorum=1)
    one = await stage.ann.click(message, custom_id=ids(message, "tb:do:", 3))
    other = await stage.bob.click(message, custom_id=ids(message, "tb:do:", 3))
    await stage.bob.submit_modal(other, {"clip": ["1011"], "words": "faster"})
    await stage.env.restart_bot(stage.new_bot())
    await stage.ann.submit_modal(one, {"clip": ["1012"], "words": "slower"})
    assert last_call(stage) == ("next", (Directive.REMIX, (1012,), "slower"))


async def test_remix_is_refused_before_the_form(stage, ids):
    message = await stage.start()
    shown = await stage.ann.click(message, custom_id=ids(message, "tb:do:", 3))
    assert shown.modal is None
    assert "Only moderators can steer" in stage.private(stage.ann)[0].content


async def test_buttons_of_a_run_that_is_over(stage, ids):
    message = await stage.start()
    await stage.mod.slash(stage.channel, "evolve stop")
    await stage.mod.click(message, custom_id=ids(message, "tb:do:", 1))
    assert "That run is over" in stage.private(stage.mod)[0].content


@pytest.mark.parametrize(
    ("code", "words"), [(50013, "Create Public Threads"), (160006, "as many open threads")]
)
async def test_a_branch_that_cannot_be_made_leaves_nothing_behind(stage, code, words):
    await stage.start()
    before = [message.id for message in stage.channel.history()]
    stage.env.inject_error("POST", "/channels/*/messages/*/threads", status=400, code=code)
    await stage.ann.slash(stage.channel, "evolve branch", clip="B")
    assert words in stage.private(stage.ann)[0].content
    after = [message.id for message in stage.channel.history() if not message.flags.ephemeral]
    assert after == before


@pytest.mark.parametrize(
    ("error", "left"), [(asyncio.CancelledError(), 1), (UserError("There is none."), 0)]
)
async def test_the_thread_of_a_branch_stays_for_who_gave_up_and_goes_where_it_was_refused(
    stage, monkeypatch, error, left
):
    await stage.start()

    async def branch(_actor, _clip_id):
        raise error

    monkeypatch.setattr(stage.world.runs, "branch", branch)
    await stage.ann.slash(stage.channel, "evolve branch", clip="B")
    assert len(stage.channel.threads) == left


async def test_a_pause_has_one_button_that_anybody_may_press(stage, ids):
    await stage.start()
    run = dataclasses.replace(stage.world.runs.by_id(1), state=RunState.PAUSED)
    stage.world.runs.put(run)
    view = dataclasses.replace(
        pause_view(), run=run, post=dataclasses.replace(make_post(), channel_id=run.channel_id)
    )
    await stage.sink.send(view)
    await stage.env.settle()
    message = stage.channel.last_message
    assert "3 rounds" in message.content
    await stage.ann.click(message, label="Resume")
    assert stage.world.runs.by_id(1).state is RunState.ACTIVE
    assert stage.world.runs.by_id(1).generation == 2


async def test_branch_by_letter_grows_in_a_thread_of_its_own(stage):
    await stage.start()
    await stage.ann.slash(stage.channel, "evolve branch", clip="B")
    (thread,) = stage.channel.threads
    assert last_call(stage) == ("branch", 1012)
    assert stage.world.runs.by_id(2).channel_id == thread.id
    assert [message for message in thread.history() if message.attachments]
    assert f"<#{thread.id}>" in stage.private(stage.ann)[0].content


async def test_no_branch_in_direct_messages(stage):
    user = stage.ann.user
    await user.slash("evolve start")
    result = await user.slash("evolve branch", clip="A")
    assert "text channel of a server" in result.response.content


async def test_who_may_not_remix_hears_how_to_get_a_changed_clip(stage):
    message = await stage.start()
    await stage.ann.click(message, label="Remix")
    told = stage.private(stage.ann)[-1].content
    assert told.startswith("Only moderators can steer")
    assert "say “B darker”" in told
