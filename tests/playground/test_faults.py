"""What goes wrong on purpose, and how the real client takes it."""

import asyncio
import io

import aiohttp
import discord
import pytest
import yarl
from discord.gateway import DiscordWebSocket

from playground.permissions import Permission
from playground.start import FIRST_LISTENER_ID, LOUNGE_ID, MUSIC_ID
from tests.playground.pageclient import Page
from tests.playground.testbot import Bot, Pad


@pytest.fixture
def music(bot):
    return bot.get_channel(MUSIC_ID)


async def fault(ada: Page, kind: str, **details) -> None:
    await ada.call("POST", "/faults", {"kind": kind, **details})


@pytest.mark.parametrize("kind", ["429", "429-global"])
async def test_429_is_waited_out(bot, music, ada, kind):
    await fault(ada, kind, count=2, route=f"/channels/{MUSIC_ID}", seconds=0.05)
    assert (await music.send("patience")).content == "patience"


async def test_502_is_retried_and_503_raised(music, ada):
    await fault(ada, "502", method="POST")
    assert (await music.send("again")).content == "again"
    await fault(ada, "503")
    with pytest.raises(discord.DiscordServerError):
        await music.send("no")
    assert [one["content"] for one in await ada.messages(MUSIC_ID)] == ["again"]


async def test_work_that_was_done_before_the_fault_is_not_done_twice(music, ada):
    await fault(ada, "502", method="POST", after=True)
    sent = await music.send("once", nonce="n1")
    assert [one["id"] for one in await ada.messages(MUSIC_ID)] == [str(sent.id)]


async def test_dropped_and_slow_requests(music, ada):
    await fault(ada, "drop", route=f"/channels/{MUSIC_ID}")
    with pytest.raises(aiohttp.ClientConnectionError):
        await music.send("lost")
    await fault(ada, "slow", seconds=0.02)
    assert (await music.send("late")).content == "late"


@pytest.mark.parametrize("kind", ["drop", "op7", "op9-resumable", "close4000"])
async def test_the_client_resumes_and_loses_nothing(bot, music, ada, kind):
    await music.send("before")
    await bot.saw("message")
    await fault(ada, kind)
    for number in range(3):
        await ada.post("/messages", MUSIC_ID, content=f"while away {number}")
    await bot.saw("resumed")
    heard = await bot.saw("message", lambda one: one.content == "while away 2")
    assert heard.author.id == FIRST_LISTENER_ID
    contents = [one.content for name, one in bot.events if name == "message"]
    assert contents == ["before", *(f"while away {number}" for number in range(3))]
    assert [name for name, _ in bot.events].count("ready") == 1


@pytest.mark.parametrize("kind", ["op9", "close4009"])
async def test_the_client_carries_on(bot, music, ada, kind):
    await fault(ada, kind)
    await bot.saw("ready" if kind == "op9" else "resumed", times=2 if kind == "op9" else 1)
    await ada.post("/messages", MUSIC_ID, content="still there")
    await bot.saw("message", lambda one: one.content == "still there")


async def test_unacknowledged_heartbeats_make_the_client_resume(start_server, log_in):
    server = await start_server(heartbeat_seconds=0.1)
    async with log_in(server) as bot:
        await server.faults.raise_fault("silence", count=1000)
        bot.ws._keep_alive.heartbeat_timeout = 0.2
        async with asyncio.timeout(10):
            await bot.saw("resumed")
        server.parts.gateway_faults.silent_beats = 0


async def test_close_4014_and_wrong_tokens_end_the_login(start_server, monkeypatch):
    server = await start_server(members_intent=False)
    monkeypatch.setattr(discord.http.Route, "BASE", server.api_url)
    monkeypatch.setattr(DiscordWebSocket, "DEFAULT_GATEWAY", yarl.URL(server.gateway_url))
    async with Bot(discord.Intents.all()) as client:
        with pytest.raises(discord.PrivilegedIntentsRequired):
            await client.start("playground")
    async with Bot(discord.Intents.all()) as client:
        with pytest.raises(discord.LoginFailure):
            await client.start("wrong")


async def test_duplicates_and_malformed_dispatches(bot, music, ada, server):
    await fault(ada, "duplicate", count=1)
    await ada.post("/messages", MUSIC_ID, content="twice")
    await bot.saw("message", times=2)
    await ada.call("POST", "/faults", {"kind": "inject", "event": "NO_SUCH_EVENT", "data": [1]})
    await ada.post("/messages", MUSIC_ID, content="fine")
    await bot.saw("message", lambda one: one.content == "fine")


async def test_a_malformed_dispatch_ends_a_client_without_supervisor(server, monkeypatch):
    monkeypatch.setattr(discord.http.Route, "BASE", server.api_url)
    monkeypatch.setattr(DiscordWebSocket, "DEFAULT_GATEWAY", yarl.URL(server.gateway_url))
    async with Bot(discord.Intents.all()) as client:
        task = asyncio.ensure_future(client.start("playground"))
        await client.saw("ready")
        await server.faults.raise_fault("malformed")
        with pytest.raises(TypeError, match="NoneType"):
            await task


async def test_upload_limits(bot, music, start_server):
    with pytest.raises(discord.HTTPException) as big:
        await music.send(file=discord.File(io.BytesIO(bytes(20 * 1024 * 1024)), "big.wav"))
    assert (big.value.status, big.value.code) == (413, 40005)
    nine = [discord.File(io.BytesIO(bytes(9 * 1024 * 1024)), f"{each}.wav") for each in range(3)]
    with pytest.raises(discord.HTTPException) as total:
        await music.send(files=nine)
    assert (total.value.status, total.value.code) == (413, 40005)
    assert [one async for one in music.history()] == []


async def test_revoked_permissions(bot, music, ada, server):
    where = {"channel": str(MUSIC_ID), "permission": "attach_files"}
    await fault(ada, "revoke", **where)
    await music.send("words are fine")
    with pytest.raises(discord.Forbidden) as denied:
        await music.send(file=discord.File(io.BytesIO(b"x"), "a.mp3"))
    assert denied.value.code == 50013
    await bot.saw("guild_channel_update")
    assert not music.permissions_for(music.guild.me).attach_files
    await fault(ada, "grant", **where)
    await music.send(file=discord.File(io.BytesIO(b"x"), "a.mp3"))
    await fault(ada, "revoke", channel=str(MUSIC_ID), permission="view_channel")
    with pytest.raises(discord.Forbidden) as hidden:
        await music.send("anyone?")
    assert hidden.value.code == 50001


async def test_locked_thread_and_deleted_channel(bot, music, ada, mo, server):
    thread = await music.create_thread(name="t", type=discord.ChannelType.public_thread)
    pad = await thread.send("pad", view=Pad())
    server.faults.revoke(server.parts.world.channel(MUSIC_ID), int(Permission.MANAGE_THREADS))
    await fault(ada, "lock", channel=str(thread.id))
    with pytest.raises(discord.Forbidden) as locked:
        await thread.send("closed")
    assert locked.value.code == 160005
    body = {"message": str(pad.id), "custom_id": "t:update"}
    assert "locked" in (await ada.post("/click", thread.id, 403, **body))["error"]
    assert "locked" in (await ada.post("/messages", thread.id, 403, content="x"))["error"]
    await mo.post("/messages", thread.id, content="moderators may")
    await fault(ada, "delete-channel", channel=str(LOUNGE_ID))
    with pytest.raises(discord.NotFound) as gone:
        await bot.http.send_message(LOUNGE_ID, params=discord.http.handle_message_parameters("x"))
    assert gone.value.code == 10003


async def test_real_limits_answer_429_with_headers(start_server):
    server = await start_server(route_limit=2, route_seconds=30)
    async with aiohttp.ClientSession(headers={"Authorization": "Bot playground"}) as http:
        url = f"{server.api_url}/channels/{MUSIC_ID}/messages"
        left = []
        for _ in range(2):
            async with http.get(url) as response:
                left.append(response.headers["X-RateLimit-Remaining"])
        assert left == ["1", "0"]
        async with http.get(url) as response:
            assert response.status == 429
            assert response.headers["Via"]
            assert 0 < (await response.json())["retry_after"] <= 30
        async with http.get(f"{server.api_url}/channels/{LOUNGE_ID}/messages") as response:
            assert response.status == 200


async def test_unknown_faults_are_named(ada):
    answer = await ada.call("POST", "/faults", {"kind": "earthquake"}, status=400)
    assert "earthquake" in answer["error"]
    await ada.call(
        "POST",
        "/faults",
        {"kind": "revoke", "channel": str(MUSIC_ID), "permission": "fly"},
        status=400,
    )
    await ada.call("DELETE", "/faults")
