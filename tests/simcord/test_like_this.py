from __future__ import annotations

import discord

from domain.errors import BusyError, UploadError, UploadFault
from tests.bot.fakes import World

SONG = ("My Song.mp3", b"ID3 song")


def said_to(stage, who) -> str:
    return stage.private(who)[-1].content


async def test_a_track_starts_a_run_towards_it(stage, world: World):
    await stage.ann.slash(stage.channel, "like-this", track=SONG, vibe="slower", seconds=12)
    assert world.like_this.heard == [b"ID3 song"]
    track = world.runs.tracks[-1]
    assert track.title == "My Song"
    run = world.runs.here(stage.channel.id)
    assert run.vibe == "slower, fast techno"
    assert run.settings.seconds == 12.0
    assert len(stage.round().attachments) == 4
    assert not any("ID3" in message.content for message in stage.channel.history())


async def test_for_me_breeds_in_private(stage, world):
    await stage.ann.slash(stage.channel, "like-this", track=SONG, **{"for": "me"})
    run = list(world.runs.all.values())[-1]
    assert run.for_listener == stage.ann.id
    assert run.channel_id != stage.channel.id
    assert world.runs.tracks[-1] is not None


async def test_what_cannot_be_heard_is_told_to_its_sender_alone(stage, world):
    world.like_this.fail = UploadError(UploadFault.SILENT, "The file is silent.")
    await stage.ann.slash(stage.channel, "like-this", track=SONG)
    assert said_to(stage, stage.ann) == "The file is silent."
    assert stage.private(stage.bob) == []
    assert world.runs.tracks == []


async def test_who_may_not_start_is_told_before_the_file_is_fetched(stage, world):
    world.runs.fail = BusyError("You have 2 rounds waiting already.")
    await stage.ann.slash(stage.channel, "like-this", track=SONG)
    assert "2 rounds waiting" in said_to(stage, stage.ann)
    assert world.like_this.heard == []


async def test_where_rounds_cannot_be_posted_nothing_is_fetched(stage, world):
    closed = stage.guild.create_text_channel(
        "closed",
        overwrites={stage.guild.default_role: discord.PermissionOverwrite(attach_files=False)},
    )
    await stage.mod.slash(closed, "like-this", track=SONG)
    assert "Attach Files" in closed.history(viewer=stage.mod)[-1].content
    assert world.like_this.heard == []


def test_the_option_is_a_file(simcord_bot):
    command = simcord_bot.tree.get_command("like-this")
    assert command.parameters[0].type is discord.AppCommandOptionType.attachment
    assert command.parameters[0].required
