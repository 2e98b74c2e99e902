from __future__ import annotations

import discord

from service.top import Scope


async def test_top_is_private_and_comes_with_the_sound(stage):
    result = await stage.ann.slash(stage.channel, "top")
    assert result.ephemeral
    assert "Best of this channel" in result.response.content
    assert "liked by 9 of 10" in result.response.content
    (file,) = result.response.attachments
    assert file.filename == "1-lofi-84bpm.mp3"
    assert stage.env.backend.cdn.get(file.url) == b"mp3"
    assert "AI-made" in file.description
    await stage.ann.slash(stage.channel, "top", where="server", **{"for": "me"})
    assert stage.world.top.asked == [(Scope.CHANNEL, False), (Scope.SERVER, True)]


async def test_top_asks_about_channels_as_the_person_sees_them(stage):
    everyone = stage.guild.default_role
    closed = stage.guild.create_text_channel(
        "staff", overwrites={everyone: discord.PermissionOverwrite(view_channel=False)}
    )
    stage.world.top.seen = {stage.channel.id: False, closed.id: False, 1234: True}
    await stage.ann.slash(stage.channel, "top", where="server")
    assert stage.world.top.seen == {stage.channel.id: True, closed.id: False, 1234: False}
