"""Messages, files, reactions, threads and direct messages as discord.py uses them."""

import asyncio
import base64
import io

import aiohttp
import discord
import pytest

from playground.drafts import FileDraft
from playground.forms import Upload
from playground.start import EMOJI_ID, FIRST_LISTENER_ID, LOUNGE_ID, MODERATOR_ID, MUSIC_ID
from tests.playground.pageclient import Page


@pytest.fixture
def music(bot):
    return bot.get_channel(MUSIC_ID)


def audio(name: str = "clip.mp3", size: int = 900) -> discord.File:
    return discord.File(io.BytesIO(b"a" * size), name, description="a clip")


async def test_the_client_sees_the_world(bot, music):
    guild = bot.guilds[0]
    assert (guild.name, [each.name for each in guild.text_channels]) == (
        "The Playground",
        ["music", "lounge"],
    )
    assert {each.display_name for each in guild.members} == {
        "Tunebreeder",
        "Mo",
        "Ada",
        "Bix",
        "Cleo",
    }
    assert guild.owner.id == MODERATOR_ID
    assert guild.get_member(MODERATOR_ID).guild_permissions.administrator
    ada = await guild.fetch_member(FIRST_LISTENER_ID)
    assert music.permissions_for(ada).send_messages
    assert not music.permissions_for(ada).manage_messages
    assert music.permissions_for(guild.me).attach_files
    assert (await bot.fetch_user(ada.id)).global_name == "Ada"
    assert (await bot.fetch_guild(guild.id)).approximate_member_count == 5
    assert {each.id async for each in guild.fetch_members()} == {each.id for each in guild.members}
    assert [each.name for each in await guild.fetch_roles()] == [
        "@everyone",
        "Moderator",
        "Tunebreeder",
    ]
    assert (await bot.application_info()).flags.gateway_message_content_limited
    assert [each.name for each in await bot.tree.fetch_commands()] != []


async def test_edit_keeps_replaces_and_removes_attachments(music, ada):
    sent = await music.send("two", files=[audio("a.mp3"), audio("b.mp3")])
    first, second = sent.attachments
    assert (first.description, first.size, first.content_type) == ("a clip", 900, "audio/mpeg")
    edited = await sent.edit(content="one", attachments=[second, audio("c.ogg")])
    assert [each.filename for each in edited.attachments] == ["b.mp3", "c.ogg"]
    assert await second.read() == b"a" * 900
    with pytest.raises(discord.NotFound):
        await first.read()
    seen = await ada.saw("MESSAGE_UPDATE", id=str(sent.id))
    assert seen["content"] == "one"
    assert seen["edited_timestamp"] is not None
    await edited.edit(attachments=[], content="none")
    assert (await music.fetch_message(sent.id)).attachments == []
    await edited.delete()
    await ada.saw("MESSAGE_DELETE", id=str(sent.id))
    with pytest.raises(discord.NotFound) as gone:
        await music.fetch_message(sent.id)
    assert gone.value.code == 10008
    with pytest.raises(discord.NotFound):
        await second.read()


async def test_waveform_and_length_pass_through(server, rest):
    wave = base64.b64encode(bytes(range(8))).decode()
    entry = {
        "id": 0,
        "filename": "v.ogg",
        "duration_secs": 8.5,
        "waveform": wave,
        "title": "Clip A",
    }
    form = aiohttp.FormData(quote_fields=False)
    form.add_field("payload_json", discord.utils._to_json({"content": "x", "attachments": [entry]}))
    form.add_field("files[0]", b"1234", filename="v.ogg")
    sent = (await rest("POST", f"/channels/{MUSIC_ID}/messages", 200, data=form)).body_json
    kept = sent["attachments"][0]
    assert (kept["duration_secs"], kept["waveform"], kept["title"]) == (8.5, wave, "Clip A")


async def test_nonce_is_sent_once(music):
    sent = await music.send("once", nonce="abc")
    again = await music.send("once", nonce="abc")
    assert again.id == sent.id
    assert (await music.send("other", nonce="abd")).id != sent.id
    assert [each.content async for each in music.history()] == ["other", "once"]


async def test_history_in_every_direction(music):
    sent = [await music.send(str(number)) for number in range(7)]
    anchor = sent[3]

    async def contents(**where):
        return [each.content async for each in music.history(**where)]

    assert await contents(limit=3) == ["6", "5", "4"]
    assert await contents(before=anchor) == ["2", "1", "0"]
    assert await contents(after=anchor, oldest_first=True) == ["4", "5", "6"]
    assert await contents(around=anchor, limit=3) == ["4", "3", "2"]
    assert await contents(limit=None, oldest_first=True) == [str(number) for number in range(7)]


async def test_replies_and_mentions(bot, music, ada):
    said = await ada.post("/messages", MUSIC_ID, content=f"hi <@{bot.user.id}>")
    heard = await bot.saw("message", lambda one: one.id == int(said["id"]))
    assert bot.user in heard.mentions
    reply = await heard.reply("hello", mention_author=False)
    assert reply.reference.resolved.content == heard.content
    assert reply.type is discord.MessageType.reply
    seen = await ada.saw("MESSAGE_CREATE", content="hello")
    assert seen["referenced_message"]["id"] == said["id"]
    assert seen["mentions"] == []
    quiet = await music.send(f"<@{ada.user}>", allowed_mentions=discord.AllowedMentions.none())
    assert quiet.mentions == []
    answer = await ada.post("/messages", MUSIC_ID, content="thanks", reply_to=str(reply.id))
    assert [one["username"] for one in answer["mentions"]] == ["Tunebreeder"]


async def test_content_is_hidden_without_the_intent(server, log_in, ada):
    async with log_in(server, discord.Intents.default()) as bot:
        await ada.post("/messages", MUSIC_ID, content="secret")
        assert (await bot.saw("message")).content == ""
        await ada.post("/messages", MUSIC_ID, content=f"<@{bot.user.id}> hello")
        assert (await bot.saw("message", times=2)).content.endswith("hello")
        dm = await ada.call("POST", "/dm", {"user": ada.user})
        await ada.post("/messages", int(dm["id"]), content="direct")
        heard = await bot.saw("message", times=3)
        assert (heard.content, heard.guild) == ("direct", None)


async def test_direct_messages(bot, ada, bix):
    person = await bot.fetch_user(FIRST_LISTENER_ID)
    sent = await person.send("psst")
    assert sent.channel.recipient == person
    seen = await ada.saw("MESSAGE_CREATE", content="psst")
    assert seen["channel_id"] == str(sent.channel.id)
    assert "psst" not in [one["d"].get("content") for one in bix.events]
    assert str(sent.channel.id) not in [
        one["id"] for one in (await bix.call("GET", f"/state?user={bix.user}"))["channels"]
    ]
    await bix.call("GET", f"/messages?user={bix.user}&channel={sent.channel.id}", status=403)


async def test_reactions(bot, music, ada, bix):
    sent = await music.send("rate me")
    await sent.add_reaction("🔥")
    where = {"message": str(sent.id), "emoji": "🔥", "user": ada.user, "channel": str(MUSIC_ID)}
    for _ in range(2):
        await ada.call("PUT", "/reactions", where)
    payload = await bot.saw("raw_reaction_add", lambda one: one.user_id == FIRST_LISTENER_ID)
    assert (payload.emoji.name, payload.message_author_id, payload.member.display_name) == (
        "🔥",
        bot.user.id,
        "Ada",
    )
    await bix.call("PUT", "/reactions", {**where, "emoji": f"banger:{EMOJI_ID}", "user": bix.user})
    fetched = await music.fetch_message(sent.id)
    assert [(str(one.emoji), one.count, one.me) for one in fetched.reactions] == [
        ("🔥", 2, True),
        (f"<:banger:{EMOJI_ID}>", 1, False),
    ]
    assert {one.id async for one in fetched.reactions[0].users()} == {
        bot.user.id,
        FIRST_LISTENER_ID,
    }
    seen = (await ada.messages(MUSIC_ID))[0]["reactions"]
    assert [one["me"] for one in seen] == [True, False]
    await ada.call("DELETE", "/reactions", where)
    assert (await bot.saw("raw_reaction_remove")).user_id == FIRST_LISTENER_ID
    await sent.remove_reaction("🔥", bot.user)
    await sent.clear_reaction(f"<:banger:{EMOJI_ID}>")
    await ada.saw("MESSAGE_REACTION_REMOVE_EMOJI")
    await sent.add_reaction("👍")
    await sent.clear_reactions()
    await ada.saw("MESSAGE_REACTION_REMOVE_ALL")
    assert (await music.fetch_message(sent.id)).reactions == []


async def test_twenty_different_reactions_at_most(music, ada):
    sent = await music.send("many")
    for number in range(20):
        emoji = chr(0x1F400 + number)
        await ada.call(
            "PUT",
            "/reactions",
            {"user": ada.user, "channel": str(MUSIC_ID), "message": str(sent.id), "emoji": emoji},
        )
    with pytest.raises(discord.HTTPException) as full:
        await sent.add_reaction("🎵")
    assert full.value.code == 30010
    await sent.add_reaction(chr(0x1F400))
    with pytest.raises(discord.HTTPException) as unknown:
        await sent.add_reaction("nonsense")
    assert unknown.value.code == 10014


async def test_threads(bot, music, ada, bix):
    sent = await music.send("start here")
    thread = await sent.create_thread(name="branch")
    assert thread.id == sent.id
    created = await ada.saw("THREAD_CREATE", id=str(thread.id))
    assert created["parent_id"] == str(MUSIC_ID)
    assert (await ada.saw("MESSAGE_UPDATE", id=str(sent.id)))["thread"]["id"] == str(thread.id)
    await thread.send("inside")
    assert [one["content"] for one in await ada.messages(thread.id)] == ["", "inside"]
    assert (await thread.fetch_members())[0].id == bot.user.id
    with pytest.raises(discord.HTTPException) as twice:
        await sent.create_thread(name="again")
    assert twice.value.code == 160004
    private = await music.create_thread(name="for ada", type=discord.ChannelType.private_thread)
    body = {"user": bix.user, "channel": str(private.id), "content": "let me in"}
    await bix.call("POST", "/messages", body, status=403)
    await private.add_user(discord.Object(FIRST_LISTENER_ID))
    await ada.saw("THREAD_CREATE", id=str(private.id))
    await private.send("only us")
    await ada.saw("MESSAGE_CREATE", content="only us")
    assert "only us" not in [one["d"].get("content") for one in bix.events]
    await private.edit(archived=True, locked=True)
    assert (await ada.saw("THREAD_UPDATE", id=str(private.id)))["thread_metadata"]["locked"] is True
    refusal = await ada.post("/messages", private.id, 403, content="too late")
    assert "archived" in refusal["error"]
    archived = [one.id async for one in music.archived_threads(private=True)]
    assert archived == [private.id]
    own = await ada.post("/threads", MUSIC_ID, name="ada's")
    assert (await bot.saw("thread_create", lambda one: one.name == "ada's")).id == int(own["id"])


async def test_typing_and_pins(music, ada):
    await music.typing()
    await ada.saw("TYPING_START", channel_id=str(MUSIC_ID))
    sent = await music.send("keep")
    await sent.pin()
    assert [one.id async for one in music.pins()] == [sent.id]


async def test_old_messages_go_with_their_files(start_server, log_in):
    server = await start_server(messages_kept=3)
    async with log_in(server) as bot, Page(server.page_url, FIRST_LISTENER_ID) as ada:
        lounge = bot.get_channel(LOUNGE_ID)
        first = await lounge.send(file=audio())
        for number in range(3):
            await lounge.send(str(number))
        assert [one["content"] for one in await ada.messages(LOUNGE_ID)] == ["0", "1", "2"]
        with pytest.raises(discord.NotFound):
            await first.attachments[0].read()


async def test_the_client_learns_of_changes(bot, server, ada):
    channel = await bot.guilds[0].fetch_channel(LOUNGE_ID)
    with pytest.raises(discord.Forbidden) as denied:
        await channel.edit(name="elsewhere")
    assert denied.value.code == 50013
    server.parts.threads.delete(server.parts.world.channel(LOUNGE_ID))
    assert (await bot.saw("guild_channel_delete")).id == LOUNGE_ID
    await ada.saw("CHANNEL_DELETE", id=str(LOUNGE_ID))
    with pytest.raises(discord.NotFound) as gone:
        await channel.send("nobody hears")
    assert gone.value.code == 10003
    new = server.parts.world.add_person("Dot", synthetic=True)
    assert (await bot.saw("member_join")).id == new.id
    await ada.saw("USERS_UPDATE")


async def test_many_at_once(bot, music, ada):
    sent = await asyncio.gather(*(music.send(str(number)) for number in range(40)))
    assert len({one.id for one in sent}) == 40
    await ada.saw("MESSAGE_CREATE", count=40)
    ids = [int(one["d"]["id"]) for one in ada.events if one["t"] == "MESSAGE_CREATE"]
    assert ids == sorted(ids)


async def test_files_of_commands_are_kept_for_a_while(server):
    file = FileDraft(upload=Upload(filename="a.ogg", data=b"x"), filename="a.ogg")
    stored = [server.parts.messages.store_loose(file) for _ in range(51)]
    media = server.parts.world.media
    assert media.read(stored[1].id) == media.read(stored[-1].id) == b"x"
    with pytest.raises(FileNotFoundError):
        media.read(stored[0].id)


async def test_halves_of_characters_are_replaced(rest):
    body = b'{"content": "a\\ud800b"}'
    sent = await rest("POST", f"/channels/{MUSIC_ID}/messages", 200, data=body)
    assert sent.body_json["content"] == "a?b"


@pytest.mark.parametrize(
    "allowed", [{"parse": 5}, {"parse": ["all"]}, {"parse": ["users"], "users": ["1"]}]
)
async def test_allowed_mentions_are_checked(rest, allowed):
    body = {"content": "x", "allowed_mentions": allowed}
    refused = await rest("POST", f"/channels/{MUSIC_ID}/messages", 400, json=body)
    assert refused.body_json["code"] == 50035
