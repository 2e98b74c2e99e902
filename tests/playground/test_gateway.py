"""The gateway, spoken to by hand."""

import json
import zlib
from contextlib import asynccontextmanager

import aiohttp
import pytest
from aiohttp import WSMsgType

from playground.forms import Form
from playground.intents import Intent
from playground.people import Place
from playground.start import BOT_ID, FIRST_LISTENER_ID, GUILD_ID, MUSIC_ID
from tests.playground.pageclient import Page

ALL = (1 << 16) - 1


class Wire:
    """One raw gateway connection."""

    def __init__(self, socket, *, inflate=False):
        self.socket = socket
        self.inflate = zlib.decompressobj() if inflate else None

    async def send(self, op, data=None):
        await self.socket.send_str(json.dumps({"op": op, "d": data}))

    async def next(self):
        frame = await self.socket.receive(timeout=5)
        if frame.type is WSMsgType.BINARY:
            assert frame.data.endswith(b"\x00\x00\xff\xff")
            return json.loads(self.inflate.decompress(frame.data))
        assert frame.type is WSMsgType.TEXT, frame
        return json.loads(frame.data)

    async def closed(self):
        while True:
            frame = await self.socket.receive(timeout=5)
            if frame.type in (WSMsgType.CLOSE, WSMsgType.CLOSED, WSMsgType.CLOSING):
                return self.socket.close_code

    async def identify(self, intents=ALL, token="playground"):  # noqa: S107
        hello = await self.next()
        await self.send(2, {"token": token, "intents": intents, "properties": {}})
        return hello

    async def ready(self, intents=ALL):
        await self.identify(intents)
        return await self.next(), await self.next()


@pytest.fixture
async def wire():
    """Open raw connections."""
    async with aiohttp.ClientSession() as http:

        @asynccontextmanager
        async def connect(server, query="?v=10&encoding=json"):
            async with http.ws_connect(server.gateway_url + query) as socket:
                yield Wire(socket, inflate="zlib" in query)

        yield connect


def say(server, text):
    server.people.say(
        Place(user_id=FIRST_LISTENER_ID, channel_id=MUSIC_ID), Form(payload={"content": text})
    )


@pytest.mark.parametrize(
    "query", ["?v=10&encoding=json", "?v=10&encoding=json&compress=zlib-stream"]
)
async def test_hello_ready_guild(server, wire, query):
    async with wire(server, query) as one:
        hello = await one.identify()
        assert hello["op"] == 10
        assert hello["d"]["heartbeat_interval"] == 41250
        ready, guild = await one.next(), await one.next()
        assert (ready["t"], ready["s"], ready["d"]["user"]["id"]) == ("READY", 1, str(BOT_ID))
        assert ready["d"]["resume_gateway_url"] == server.gateway_url
        assert (guild["t"], guild["s"], len(guild["d"]["members"])) == ("GUILD_CREATE", 2, 5)
        await one.send(1, 2)
        assert (await one.next())["op"] == 11
        say(server, "hi")
        assert (await one.next())["d"]["content"] == "hi"


async def test_members_are_private_without_their_intent_and_sent_on_request(server, wire):
    async with wire(server) as one:
        _, guild = await one.ready(int(Intent.GUILDS))
        assert [each["user"]["id"] for each in guild["d"]["members"]] == [str(BOT_ID)]
        assert guild["d"]["member_count"] == 5
        await one.send(
            8,
            {"guild_id": GUILD_ID, "user_ids": [FIRST_LISTENER_ID, "7"], "limit": 0, "nonce": "n"},
        )
        chunk = (await one.next())["d"]
        assert [each["user"]["username"] for each in chunk["members"]] == ["ada"]
        assert (chunk["not_found"], chunk["nonce"], chunk["chunk_count"]) == (["7"], "n", 1)
        await one.send(8, {"guild_id": str(GUILD_ID), "query": "", "limit": 0})
        assert len((await one.next())["d"]["members"]) == 5
        say(server, "not asked for")
        await one.send(1, None)
        assert (await one.next())["op"] == 11


async def test_resume_replays_exactly_what_was_missed(server, wire):
    async with wire(server) as two:
        ready, _ = await two.ready()
        session = ready["d"]["session_id"]
        say(server, "heard")
        assert (await two.next())["s"] == 3
        server.parts.gateway.drop()
        assert await two.closed() in (1006, None)
    for text in ("lost 1", "lost 2"):
        say(server, text)
    async with wire(server) as three:
        await three.next()
        await three.send(6, {"token": "playground", "session_id": session, "seq": 3})
        replayed = [await three.next() for _ in range(3)]
        assert [(each["t"], each["s"]) for each in replayed] == [
            ("MESSAGE_CREATE", 4),
            ("MESSAGE_CREATE", 5),
            ("RESUMED", 6),
        ]
        assert [each["d"].get("content") for each in replayed[:2]] == ["lost 1", "lost 2"]


@pytest.mark.parametrize(
    ("session", "sequence"), [("unknown", 1), (None, 1), ("known", 99), ("known", "x"), ({}, [])]
)
async def test_a_resume_that_cannot_work_is_invalid(server, wire, session, sequence):
    async with wire(server) as one:
        ready, _ = await one.ready()
        known = ready["d"]["session_id"]
        async with wire(server) as two:
            await two.next()
            asked = known if session == "known" else session
            await two.send(6, {"token": "playground", "session_id": asked, "seq": sequence})
            answer = await two.next()
            assert (answer["op"], answer["d"]) == (9, False)
            await two.send(2, {"token": "playground", "intents": 1})
            assert (await two.next())["t"] == "READY"


async def test_what_is_no_longer_kept_cannot_be_resumed(start_server, wire):
    server = await start_server(replay_kept=3)
    async with wire(server) as one:
        ready, _ = await one.ready()
        server.parts.gateway.drop()
        await one.closed()
    for number in range(4):
        say(server, str(number))
    async with wire(server) as two:
        await two.next()
        await two.send(6, {"token": "playground", "session_id": ready["d"]["session_id"], "seq": 2})
        assert (await two.next())["op"] == 9


async def test_missing_heartbeats_close_the_connection(start_server, wire):
    server = await start_server(heartbeat_seconds=0.05)
    async with wire(server) as one:
        await one.ready()
        assert await one.closed() == 4009


@pytest.mark.parametrize(
    ("code", "frames"),
    [
        (4001, ["ready", {"op": 99}]),
        (4002, ["not json"]),
        (4002, ["[]"]),
        (4002, ['{"op": "x"}']),
        (4002, ["[" * 4000]),
        (4002, ['{"op": 1, "d": "' + "x" * 5000 + '"}']),
        (4002, [{"op": 2, "d": None}]),
        (4003, [{"op": 8, "d": {}}]),
        (4004, [{"op": 2, "d": {"token": "wrong", "intents": 1}}]),
        (4004, [{"op": 6, "d": {"token": 5, "session_id": "x", "seq": 1}}]),
        (4005, ["ready", {"op": 2, "d": {"token": "playground", "intents": 1}}]),
        (4010, [{"op": 2, "d": {"token": "playground", "intents": 1, "shard": [1]}}]),
        (4013, [{"op": 2, "d": {"token": "playground", "intents": 1 << 40}}]),
        (4013, [{"op": 2, "d": {"token": "playground"}}]),
        (4008, [{"op": 1, "d": None}] * 121),
    ],
)
async def test_close_codes(server, wire, code, frames):
    async with wire(server) as one:
        if frames[0] == "ready":
            await one.ready()
            frames = frames[1:]
        for frame in frames:
            await one.socket.send_str(frame if isinstance(frame, str) else json.dumps(frame))
        assert await one.closed() == code


async def test_disallowed_intents_and_versions(start_server, wire):
    server = await start_server(content_intent=False)
    async with wire(server) as one:
        await one.identify()
        assert await one.closed() == 4014
    async with wire(server, "?v=4") as two:
        assert await two.closed() == 4012


async def test_bot_status_reaches_the_page(server, wire, ada):
    async with wire(server) as one:
        await one.ready()
        await ada.saw("BOT_STATUS", online=True)
        assert (await ada.call("GET", "/health"))["bot_online"] is True
    await ada.saw("BOT_STATUS", online=False)


async def test_sessions_without_a_connection_are_forgotten_in_time(start_server, wire):
    now = [1_800_000_000.0]
    server = await start_server(clock=lambda: now[0], session_seconds=60)
    async with wire(server) as one, Page(server.page_url, FIRST_LISTENER_ID) as page:
        ready, _ = await one.ready()
        server.parts.gateway.drop()
        await page.saw("BOT_STATUS", online=False)
    assert server.parts.sessions.get(ready["d"]["session_id"]) is not None
    now[0] += 61
    assert server.parts.sessions.get(ready["d"]["session_id"]) is None
