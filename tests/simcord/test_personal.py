from __future__ import annotations

import json

from domain.vote import Consent
from tests.bot.test_taste_picture import taste_map


async def test_taste_show_and_reset(stage):
    result = await stage.ann.slash(stage.channel, "taste show")
    assert result.ephemeral
    assert "no taste to show" in result.response.content
    stage.world.listeners.said[stage.ann.id] = Consent.TASTE
    result = await stage.ann.slash(stage.channel, "taste show")
    assert "slower (90% sure)" in result.response.content


async def test_taste_show_asks_who_has_no_taste_whether_to_learn_one(stage):
    result = await stage.ann.slash(stage.channel, "taste show")
    await stage.ann.click(result.response, label="Yes, learn my taste")
    assert stage.world.listeners.said[stage.ann.id] is Consent.TASTE


async def test_taste_reset_asks_first(stage):
    result = await stage.ann.slash(stage.channel, "taste reset")
    assert result.ephemeral
    await stage.ann.click(result.response, label="Keep them")
    assert stage.world.listeners.forgot == []
    result = await stage.ann.slash(stage.channel, "taste reset")
    await stage.ann.click(result.response, label="Forget them")
    assert stage.world.listeners.forgot == [stage.ann.id]
    assert "4 votes" in result.response.content
    assert result.response.components == []


async def test_a_taste_comes_with_its_picture(stage):
    stage.world.listeners.said[stage.ann.id] = Consent.TASTE
    stage.world.listeners.map = taste_map()
    result = await stage.ann.slash(stage.channel, "taste show")
    assert result.ephemeral
    (file,) = result.response.attachments
    assert file.filename == "your-taste.png"
    assert file.description.startswith("A map of 60 clips")
    assert stage.env.backend.cdn.get(file.url).startswith(b"\x89PNG")


async def test_my_data_show_and_export(stage):
    result = await stage.ann.slash(stage.channel, "mydata show")
    assert result.ephemeral
    assert "· 1 vote" in result.response.content
    result = await stage.ann.slash(stage.channel, "mydata export")
    assert result.ephemeral
    (file,) = result.response.attachments
    assert file.filename == "tunebreeder-my-data.json"
    held = json.loads(stage.env.backend.cdn.get(file.url))
    assert held["listener"] == str(stage.ann.id)


async def test_delete_asks_first(stage):
    result = await stage.ann.slash(stage.channel, "mydata delete")
    assert result.ephemeral
    await stage.ann.click(result.response, label="Keep it")
    assert stage.world.listeners.erased == []
    result = await stage.ann.slash(stage.channel, "mydata delete")
    await stage.ann.click(result.response, label="Delete everything")
    assert stage.world.listeners.erased == [stage.ann.id]
    assert (
        result.response.content
        == "Deleted: 3 votes · 1 version of your taste. Nothing about you is left here."
    )
    assert result.response.components == []


async def test_pause_and_again(stage):
    result = await stage.ann.slash(stage.channel, "mydata pause")
    assert "paused" in result.response.content
    assert stage.world.listeners.said[stage.ann.id] is Consent.PAUSED
    result = await stage.ann.slash(stage.channel, "mydata pause")
    assert stage.world.listeners.said[stage.ann.id] is Consent.CHANNEL_ONLY
    await stage.ann.click(result.response, label="Yes, learn my taste")
    assert stage.world.listeners.said[stage.ann.id] is Consent.TASTE


async def test_about_and_help(stage):
    result = await stage.ann.slash(stage.channel, "about")
    assert result.ephemeral
    assert "composer 1" in result.response.content
    assert "offline breeder writes" in result.response.content
    assert "MIT" in result.response.content
    result = await stage.ann.slash(stage.channel, "help")
    assert "/evolve start" in result.response.content
