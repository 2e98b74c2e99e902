"""Interactions end to end: page -> server -> gateway -> discord.py -> REST -> page."""

import aiohttp
import discord
import pytest

from playground.start import FIRST_LISTENER_ID, LOUNGE_ID, MUSIC_ID
from tests.playground.pageclient import Page
from tests.playground.testbot import Pad, Rating

EPHEMERAL = 64


@pytest.fixture
async def pad(bot):
    return await bot.get_channel(MUSIC_ID).send("pad", view=Pad())


def as_page(message: discord.Message) -> dict[str, str]:
    return {"id": str(message.id), "channel_id": str(message.channel.id)}


async def test_ephemeral_answer_is_seen_by_one_person_only(bot, ada, bix, rest):
    nonce = await ada.command(MUSIC_ID, "hello")
    await ada.saw("INTERACTION_PENDING", nonce=nonce)
    await ada.saw("INTERACTION_DONE", nonce=nonce)
    message = await ada.saw("MESSAGE_UPDATE")
    bits = (await ada.call("GET", f"/state?user={ada.user}"))["channels"][0]["permissions"]
    assert message["content"] == f"hi True {bits}"
    assert message["flags"] & EPHEMERAL
    assert [one["id"] for one in await ada.messages(MUSIC_ID)] == [message["id"]]
    assert await bix.messages(MUSIC_ID) == []
    assert not [one for one in bix.events if one["t"].startswith("MESSAGE")]
    assert not [name for name, _ in bot.events if name in ("message", "raw_message_edit")]
    await rest("GET", f"/channels/{MUSIC_ID}/messages/{message['id']}", status=404)


async def test_deferred_command_with_options_and_upload(bot, ada, bix):
    form = aiohttp.FormData(quote_fields=False)
    options = [
        {"name": "vibe", "value": "dark"},
        {"name": "person", "value": bix.user},
        {"name": "where", "value": str(LOUNGE_ID)},
        {"name": "track", "value": "0"},
        {"name": "count", "value": 7},
    ]
    body = {"user": ada.user, "channel": str(MUSIC_ID), "name": "evolve", "path": ["start"]}
    form.add_field(
        "payload_json", discord.utils._to_json({**body, "options": options, "nonce": "x"})
    )
    form.add_field("files[0]", b"z" * 1234, filename="mine.ogg")
    await ada.call("POST", "/command", data=form)
    await ada.saw("INTERACTION_DONE", nonce="x")
    loading = await bix.saw("MESSAGE_CREATE")
    assert loading["flags"] & 128
    assert loading["interaction"]["name"] == "evolve start"
    second = await bix.saw("MESSAGE_CREATE", content="second")
    found = await bix.messages(MUSIC_ID)
    assert [one["id"] for one in found] == [loading["id"], second["id"]]
    assert found[0]["content"] == "started ['dark', 'Bix', 'lounge', 7, 1234] done"
    assert found[0]["flags"] == 0
    assert [one["filename"] for one in found[0]["attachments"]] == ["clip-0.mp3", "clip-1.mp3"]
    assert found[0]["attachments"][0]["content_type"] == "audio/mpeg"
    async with ada.http.get(found[0]["attachments"][1]["url"]) as response:
        assert await response.read() == b"\x01" * 500


async def test_autocomplete(bot, ada):
    asked = {
        "name": "evolve",
        "path": ["start"],
        "focused": "vibe",
        "options": [{"name": "vibe", "value": "d"}],
    }
    found = await ada.post("/autocomplete", MUSIC_ID, **asked)
    assert [(each["name"], each["value"]) for each in found["choices"]] == [
        ("Dark", "dark"),
        ("Dreamy", "dreamy"),
    ]
    assert not [one for one in ada.events if one["t"].startswith("INTERACTION")]


async def test_buttons_update_defer_and_rate(bot, ada, pad):
    await ada.saw("INTERACTION_DONE", nonce=await ada.click(as_page(pad), "t:update"))
    assert (await ada.saw("MESSAGE_UPDATE", id=str(pad.id)))["content"] == "updated"
    await ada.saw("INTERACTION_DONE", nonce=await ada.click(as_page(pad), "t:quiet"))
    whisper = await ada.saw("MESSAGE_CREATE", content="whisper")
    assert whisper["flags"] & EPHEMERAL
    assert whisper["message_reference"]["message_id"] == str(pad.id)
    view = discord.ui.View(timeout=None)
    view.add_item(Rating(7))
    rated = await pad.channel.send("rate", view=view)
    await ada.saw("INTERACTION_DONE", nonce=await ada.click(as_page(rated), "t:rate:7"))
    await ada.saw("MESSAGE_CREATE", content="You rated 7.")


async def test_selects(bot, ada, bix, pad):
    await ada.click(as_page(pad), "t:select", values=["two"])
    await ada.saw("MESSAGE_CREATE", content="chose two")
    await ada.click(as_page(pad), "t:who", values=[bix.user])
    await ada.saw("MESSAGE_CREATE", content="picked Bix")
    body = {"message": str(pad.id), "custom_id": "t:select"}
    assert (
        "not offered"
        in (await ada.post("/click", MUSIC_ID, 400, values=["three"], **body))["error"]
    )
    assert "Choose 1" in (await ada.post("/click", MUSIC_ID, 400, values=[], **body))["error"]
    gone = {"message": str(pad.id), "custom_id": "t:nothing"}
    assert "no such button" in (await ada.post("/click", MUSIC_ID, 404, **gone))["error"]


async def test_modal_with_classic_and_labelled_inputs(bot, ada, pad):
    nonce = await ada.click(as_page(pad), "t:open")
    modal = await ada.saw("MODAL_OPEN", nonce=nonce)
    assert modal["custom_id"] == "t:form"
    assert [each["type"] for each in modal["components"]] == [1, 18, 18]
    values = {"classic": "a", "labelled": "", "pick": ["blue"]}
    sent = {"modal": modal["id"], "custom_id": "t:form", "values": values}
    assert "2 to" in (await ada.post("/modal", MUSIC_ID, 400, nonce="m", **sent))["error"]
    values["classic"] = "hello"
    await ada.post("/modal", MUSIC_ID, nonce="m", **sent)
    await ada.saw("INTERACTION_DONE", nonce="m")
    assert (await ada.saw("MESSAGE_CREATE", content="hello//blue"))["flags"] & EPHEMERAL


async def test_context_menus(bot, ada, bix):
    said = await bix.post("/messages", MUSIC_ID, content="a loop")
    await ada.command(MUSIC_ID, "Breed from this", type=3, target=said["id"])
    await ada.saw("MESSAGE_CREATE", content="from a loop")
    await ada.command(MUSIC_ID, "Who is this", type=2, target=bix.user)
    await ada.saw("MESSAGE_CREATE", content="this is Bix")


async def test_default_member_permissions_are_enforced(bot, ada, mo):
    body = {"name": "reset", "path": [], "nonce": "1"}
    assert "not allowed" in (await ada.post("/command", MUSIC_ID, 403, **body))["error"]
    await mo.saw("INTERACTION_DONE", nonce=await mo.command(MUSIC_ID, "reset"))
    dm = await mo.call("POST", "/dm", {"user": mo.user})
    refusal = await mo.post("/command", int(dm["id"]), 403, **body)
    assert refusal["error"] == "/reset works only in a server channel."


async def test_commands_work_in_direct_messages(bot, ada):
    dm = await ada.call("POST", "/dm", {"user": ada.user})
    await ada.command(int(dm["id"]), "hello")
    assert (await ada.saw("MESSAGE_UPDATE"))["channel_id"] == dm["id"]


async def test_silence_fails_and_a_late_answer_is_unknown(start_server, log_in):
    server = await start_server(response_seconds=0.05)
    async with log_in(server) as bot, Page(server.page_url, FIRST_LISTENER_ID) as ada:
        pad = await bot.get_channel(MUSIC_ID).send("pad", view=Pad())
        failed = await ada.saw(
            "INTERACTION_FAILED", nonce=await ada.click(as_page(pad), "t:silent")
        )
        assert failed["message"] == "This application did not respond."
        with pytest.raises(discord.NotFound) as caught:
            await (await bot.saw("kept")).response.send_message("late")
        assert caught.value.code == 10062


async def test_second_answer_and_dead_token(start_server, log_in):
    now = [1_800_000_000.0]
    server = await start_server(clock=lambda: now[0])
    async with log_in(server) as bot, Page(server.page_url, FIRST_LISTENER_ID) as ada:
        pad = await bot.get_channel(MUSIC_ID).send("pad", view=Pad())
        await ada.click(as_page(pad), "t:silent")
        interaction = await bot.saw("kept")
        with pytest.raises(discord.NotFound) as caught:
            await interaction.followup.send("too early")
        assert caught.value.code == 10015
        await interaction.response.send_message("first")
        interaction.response._response_type = None
        with pytest.raises(discord.HTTPException) as twice:
            await interaction.response.send_message("again")
        assert twice.value.code == 40060
        await interaction.followup.send("in time")
        await interaction.delete_original_response()
        now[0] += 901
        with pytest.raises(discord.HTTPException) as dead:
            await interaction.followup.send("too late")
        assert (dead.value.status, dead.value.code) == (401, 50027)


async def test_a_wrong_answer_can_be_corrected_in_time(bot, ada, pad):
    await ada.click(as_page(pad), "t:silent")
    interaction = await bot.saw("kept")
    with pytest.raises(discord.HTTPException) as wrong:
        await interaction.response.send_message("x" * 2001)
    assert (wrong.value.status, wrong.value.code) == (400, 50035)
    assert "content" in str(wrong.value)
    await interaction.response.send_message("short")
    await ada.saw("MESSAGE_CREATE", content="short")
