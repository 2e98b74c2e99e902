from __future__ import annotations


async def test_health_is_private_and_for_moderators(stage):
    result = await stage.mod.slash(stage.channel, "health")
    assert result.ephemeral
    assert "**How I do**" in result.response.content
    assert "**composer** is loaded" in result.response.content
    refused = await stage.ann.slash(stage.channel, "health")
    assert refused.ephemeral
    assert "Only moderators can see how I do" in refused.response.content


async def test_health_is_not_told_in_direct_messages_where_everybody_is_a_moderator(stage):
    result = await stage.ann.user.slash("health")
    assert "How I do" not in result.response.content
    assert "a server that they moderate" in result.response.content
