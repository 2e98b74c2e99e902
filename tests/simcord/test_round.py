from __future__ import annotations

import dataclasses

import discord
import pytest

from domain.errors import BusyError
from tests.bot.fakes import make_post, reveal_view, round_view


async def test_a_round_is_one_message_with_four_files_and_25_buttons(stage):
    message = await stage.start(vibe="rainy lofi")
    assert [file.filename[:2] for file in message.attachments] == ["A-", "B-", "C-", "D-"]
    rows = [row.children for row in message.components]
    assert [len(row) for row in rows] == [5, 5, 5, 5, 5]
    assert (rows[0][0].label, str(rows[0][0].emoji)) == ("A", "😖")
    assert [str(item.emoji) for item in rows[0][1:]] == ["😐", "🙂", "😍", "⭐"]
    assert [item.label for item in rows[4]] == ["Next", "Vary", "Cross", "Remix", "More"]
    assert "rainy lofi" in message.content
    assert "AI-made" in message.content
    assert "built-in composer" in message.content
    assert (
        "expected to please" not in message.content
    )  # why a clip was chosen is said after the votes


async def test_the_status_line_says_how_far_it_is_and_goes_away(stage):
    await stage.start()
    edits = [
        str(entry.json.get("content"))
        for entry in stage.env.http_requests
        if entry.method == "PATCH" and isinstance(entry.json, dict)
    ]
    assert any("2nd in line, about 40 s" in text for text in edits)
    assert any("3 of 12 candidates ready" in text for text in edits)
    left = [message for message in stage.channel.history() if not message.attachments]
    assert left == []


async def test_a_failed_round_leaves_its_reason_and_no_button(stage):
    stage.world.runs.error = "Cancelled."
    await stage.mod.slash(stage.channel, "evolve start")
    (line,) = stage.channel.history()
    assert line.content.endswith("· Cancelled.")
    assert line.components == []


async def test_options_reach_the_run_and_the_rest_are_the_hosts(stage):
    await stage.start(seconds=10, candidates=8, quorum=3, timer=0, searcher="snes-anchors")
    assert stage.world.runs.by_id(1).searcher == "snes-anchors"
    settings = stage.world.runs.by_id(1).settings
    assert (settings.seconds, settings.candidates, settings.quorum) == (10.0, 8, 3)
    assert settings.timer == 0.0
    assert settings.unattended_limit == 3


async def test_no_options_mean_the_hosts_defaults(stage):
    await stage.start()
    assert stage.world.runs.calls[0] == ("start", None)


async def test_a_prompt_of_4000_emoji_is_shown_in_part(stage):
    message = await stage.start(vibe="🎷" * 4000)
    assert len(message.content) <= 2000
    assert "🎷🎷🎷" in message.content
    assert len(message.attachments) == 4


async def test_a_second_start_is_answered_privately(stage):
    await stage.start()
    result = await stage.mod.slash(stage.channel, "evolve start")
    assert result.ephemeral
    assert "breeds already" in result.response.content


async def test_whoever_starts_a_run_hears_which_words_change_nothing(stage):
    await stage.mod.slash(stage.channel, "evolve start", vibe="dub about the qwxsea")
    told = stage.private(stage.mod)[-1].content
    assert "I do not know them: qwxsea." in told.replace("\\", "")


async def test_whoever_starts_a_run_hears_nothing_of_words_that_a_language_model_knows(stage):
    stage.world.language.model = object()
    await stage.mod.slash(stage.channel, "evolve start", vibe="dub about the qwxsea")
    assert not stage.private(stage.mod)


async def test_for_me_breeds_in_a_private_thread(stage):
    await stage.ann.slash(stage.channel, "evolve start", **{"for": "me", "vibe": "dub"})
    (thread,) = stage.channel.threads
    run = stage.world.runs.by_id(1)
    assert (run.for_listener, run.channel_id) == (stage.ann.id, thread.id)
    assert run.guild_id == stage.guild.id
    assert [message for message in thread.history() if message.attachments]
    assert f"<#{thread.id}>" in stage.private(stage.ann)[0].content


async def test_a_failed_private_start_leaves_no_thread_behind(stage):
    stage.world.runs.fail = BusyError("You have 2 rounds waiting already.")
    await stage.ann.slash(stage.channel, "evolve start", **{"for": "me"})
    assert stage.channel.threads == []
    assert "2 rounds waiting" in stage.private(stage.ann)[0].content


async def test_for_me_in_direct_messages_stays_there(stage):
    user = stage.ann.user
    await user.slash("evolve start", **{"for": "me"})
    run = stage.world.runs.by_id(1)
    assert (run.for_listener, run.channel_id) == (user.id, user.dm_channel.id)
    assert run.guild_id == 0


async def test_for_me_goes_to_direct_messages_where_there_are_no_private_threads(stage):
    stage.env.inject_error("POST", "/channels/*/threads", status=403, code=50013)
    await stage.ann.slash(stage.channel, "evolve start", **{"for": "me"})
    run = stage.world.runs.by_id(1)
    assert (run.channel_id, run.guild_id) == (stage.ann.user.dm_channel.id, 0)
    assert "our direct messages" in stage.private(stage.ann)[0].content


async def test_in_direct_messages_anybody_may_steer(stage):
    user = stage.ann.user
    await user.slash("evolve start", vibe="ambient")
    run = stage.world.runs.by_id(1)
    assert run.guild_id == 0
    await user.slash("evolve next")
    assert stage.world.runs.by_id(1).generation == 2


async def test_start_says_which_permission_is_missing(stage):
    quiet = stage.guild.create_text_channel(
        "quiet",
        overwrites={stage.guild.default_role: discord.PermissionOverwrite(attach_files=False)},
    )
    await stage.ann.slash(quiet, "evolve start")
    (answer,) = quiet.history(viewer=stage.ann)
    assert "Attach Files" in answer.content
    assert stage.world.runs.all == {}


async def test_a_revoked_permission_is_said_and_nothing_is_lost(stage):
    stage.env.inject_error("POST", "/channels/*/messages", status=403, code=50013)
    await stage.mod.slash(stage.channel, "evolve start")
    (error,) = stage.world.outbox.errors
    assert error.permanent
    assert "Grant me" in str(error)
    told = [message.content for message in stage.private(stage.mod)]
    assert any("could not be posted. I may not post in that channel" in text for text in told)
    await stage.mod.slash(stage.channel, "evolve status")
    assert "could not be posted: I may not" in stage.private(stage.mod)[-1].content


@pytest.mark.parametrize(
    ("status", "code", "permanent", "words"),
    [
        (400, 160005, True, "locked"),
        (400, 50083, True, "archived"),
        (404, 10003, True, "channel is gone"),
        (413, 40005, True, "too large"),
        (500, 0, False, "just now"),
        (503, 0, False, "just now"),
    ],
)
async def test_what_stops_a_post_and_whether_it_is_tried_again(
    stage, status, code, permanent, words
):
    stage.env.inject_error("POST", "/channels/*/messages", status=status, code=code)
    await stage.mod.slash(stage.channel, "evolve start")
    (error,) = stage.world.outbox.errors
    assert error.permanent is permanent
    assert words in str(error)


async def test_a_message_lost_in_a_crash_is_found_again(stage):
    message = await stage.start()
    run = stage.world.runs.by_id(1)
    clips = stage.world.runs.rounds[1, 1]
    post = make_post(
        run_id=1, channel_id=stage.channel.id, created_at=message.created_at.timestamp()
    )
    assert await stage.sink.find(round_view(run, post, clips)) == message.id
    other = [dataclasses.replace(clips[0], id=77)]
    assert await stage.sink.find(round_view(run, post, other)) is None


async def test_the_runs_of_deleted_channels_are_told(stage):
    await stage.start()
    stage.env.backend.delete_channel(stage.channel.id)
    await stage.env.settle()
    assert stage.world.runs.gone == [stage.channel.id]


async def test_the_runs_of_servers_that_removed_the_bot_are_told(stage):
    guild = stage.guild.id
    stage.env.backend.emit("GUILD_DELETE", {"id": str(guild), "unavailable": True})
    await stage.env.settle()
    assert stage.world.runs.gone == []
    stage.env.backend.remove_guild(guild)
    await stage.env.settle()
    assert stage.world.runs.gone == [guild]


async def test_a_reveal_is_posted_and_found_again(stage):
    message = await stage.start()
    run = stage.world.runs.by_id(1)
    post = make_post(
        run_id=1, channel_id=stage.channel.id, created_at=message.created_at.timestamp()
    )
    view = reveal_view(run=run, post=post)
    assert await stage.sink.find(view) is None
    sent = await stage.sink.send(view)
    assert "won among 2 listeners" in stage.channel.last_message.content
    assert await stage.sink.find(view) == sent
    assert await stage.sink.find(dataclasses.replace(view, number=2)) is None
