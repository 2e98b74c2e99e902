"""The page's side: its files, its API, live events, and who is kept out."""

import asyncio
import io
import json
import time

import aiohttp
import discord
import pytest

from playground.page_files import PageFiles
from playground.server import PlaygroundServer
from playground.start import FIRST_LISTENER_ID, LOUNGE_ID, MODERATOR_ID, MUSIC_ID
from tests.playground.pageclient import Page


async def test_state_for_a_person_and_for_nobody(bot, ada):
    state = await ada.call("GET", f"/state?user={ada.user}")
    assert [one["global_name"] or one["username"] for one in state["users"]] == [
        "Tunebreeder",
        "Mo",
        "Ada",
        "Bix",
        "Cleo",
    ]
    assert [one["moderator"] for one in state["users"]] == [False, True, False, False, False]
    assert state["guild"]["name"] == "The Playground"
    assert [(one["name"], one["type"]) for one in state["channels"]] == [
        ("music", 0),
        ("lounge", 0),
    ]
    assert {one["name"] for one in state["commands"]} >= {
        "evolve",
        "hello",
        "reset",
        "Breed from this",
    }
    assert state["bot_online"] is True
    nobody = await ada.call("GET", "/state")
    assert (nobody["users"], nobody["channels"]) == (state["users"], [])


async def test_messages_page_by_page(ada, bix):
    for number in range(5):
        await ada.post("/messages", MUSIC_ID, content=str(number))
    newest = await bix.call("GET", f"/messages?user={bix.user}&channel={MUSIC_ID}&limit=2")
    assert [one["content"] for one in newest] == ["3", "4"]
    older = await bix.call(
        "GET", f"/messages?user={bix.user}&channel={MUSIC_ID}&limit=2&before={newest[0]['id']}"
    )
    assert [one["content"] for one in older] == ["1", "2"]
    await bix.saw("MESSAGE_CREATE", count=5)


async def test_a_person_uploads_and_deletes(ada, bix, mo):
    form = aiohttp.FormData(quote_fields=False)
    form.add_field(
        "payload_json",
        json.dumps({"user": ada.user, "channel": str(LOUNGE_ID), "content": "listen"}),
    )
    form.add_field("files[0]", b"music", filename="my tune?.ogg")
    sent = await ada.call("POST", "/messages", data=form)
    attachment = sent["attachments"][0]
    assert (attachment["filename"], attachment["content_type"]) == ("my_tune.ogg", "audio/ogg")
    async with bix.http.get(attachment["url"]) as response:
        assert await response.read() == b"music"
    body = {"channel": str(LOUNGE_ID), "message": sent["id"]}
    assert (
        "only what you wrote"
        in (await bix.call("DELETE", "/messages", {"user": bix.user, **body}, 403))["error"]
    )
    await mo.call("DELETE", "/messages", {"user": mo.user, **body})
    await bix.saw("MESSAGE_DELETE", id=sent["id"])
    async with bix.http.get(attachment["url"]) as response:
        assert response.status == 404


async def test_moderators_clear_reactions(bot, ada, mo):
    sent = await ada.post("/messages", MUSIC_ID, content="x")
    body = {"channel": str(MUSIC_ID), "message": sent["id"], "emoji": "🔥"}
    await ada.call("PUT", "/reactions", {**body, "user": ada.user})
    refusal = await ada.call(
        "DELETE", "/reactions", {**body, "user": ada.user, "everyone": True}, 403
    )
    assert "moderators" in refusal["error"]
    await mo.call("DELETE", "/reactions", {**body, "user": mo.user, "everyone": True})
    assert (await bot.saw("raw_reaction_clear_emoji")).emoji.name == "🔥"
    await mo.call(
        "DELETE", "/reactions", {**body, "user": mo.user, "everyone": True, "emoji": None}
    )
    assert (await bot.saw("raw_reaction_clear")).message_id == int(sent["id"])


@pytest.mark.parametrize(
    ("route", "body", "status", "words"),
    [
        ("/messages", {"content": ""}, 400, "nothing to send"),
        ("/messages", {"content": "x" * 2001}, 400, "2000 or fewer"),
        ("/messages", {"content": "x", "channel": "5"}, 404, "does not exist"),
        ("/messages", {"content": "x", "user": "5"}, 404, "nobody"),
        ("/messages", {"content": "x", "user": "x"}, 400, "user must be an id"),
        ("/command", {"name": "nothing"}, 404, "no command called 'nothing'"),
        ("/command", {"name": "evolve"}, 400, "needs one of these after it: start"),
        ("/command", {"name": "evolve", "path": ["fly"]}, 404, "nothing called 'fly'"),
        (
            "/command",
            {"name": "hello", "options": [{"name": "x", "value": 1}]},
            400,
            "no option called 'x'",
        ),
        (
            "/command",
            {"name": "evolve", "path": ["start"], "options": [{"name": "count", "value": 99}]},
            400,
            "at most 9",
        ),
        (
            "/command",
            {"name": "evolve", "path": ["start"], "options": [{"name": "count", "value": "x"}]},
            400,
            "whole number",
        ),
        (
            "/command",
            {"name": "evolve", "path": ["start"], "options": [{"name": "person", "value": "7"}]},
            400,
            "exists here",
        ),
        (
            "/command",
            {"name": "evolve", "path": ["start"], "options": [{"name": "track", "value": "0"}]},
            400,
            "file is needed",
        ),
        ("/command", {"name": "Breed from this", "type": 3}, 400, "message or person"),
        ("/modal", {"modal": "5", "custom_id": "x", "values": {}}, 404, "not open any more"),
        ("/click", {"message": "5", "custom_id": "x"}, 404, "does not exist"),
    ],
)
async def test_refusals_say_why(bot, ada, route, body, status, words):
    whole = {"user": ada.user, "channel": str(MUSIC_ID), **body}
    assert words in (await ada.call("POST", route, whole, status))["error"]


async def test_foreign_sites_and_names_are_kept_out(server, ada):
    url = f"{server.page_url}playground/api/messages"
    body = {"user": ada.user, "channel": str(MUSIC_ID), "content": "x"}
    port = server.page_url.rstrip("/").rpartition(":")[2]

    async def status(method="POST", where=url, **headers):
        async with ada.http.request(method, where, json=body, headers=headers) as response:
            return response.status

    assert await status() == 200
    assert await status(Origin=f"http://127.0.0.1:{port}") == 200
    assert await status(Host=f"localhost:{port}", Origin=f"http://localhost:{port}") == 200
    assert await status(Origin="http://evil.example") == 403
    assert await status(Origin="null") == 403
    assert await status(Origin=f"http://127.0.0.1:{int(port) - 1}") == 403
    assert await status(Host="evil.example") == 403
    assert await status(Host=f"127.0.0.1.evil.example:{port}") == 403
    assert await status("GET", server.page_url, Host="evil.example") == 403
    assert await status("GET", f"{server.api_url}/gateway", Host="evil.example") == 403
    assert await status(**{"Sec-Fetch-Site": "cross-site"}) == 403
    assert (
        await status(
            "GET", server.page_url, **{"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate"}
        )
        == 200
    )
    with pytest.raises(aiohttp.WSServerHandshakeError):
        await ada.http.ws_connect(
            f"{ada.base}/playground/api/events?user={ada.user}", origin="http://evil.example"
        )
    async with ada.http.post(
        url, data=json.dumps(body), headers={"Content-Type": "text/plain"}
    ) as response:
        assert response.status == 415


async def test_a_server_on_every_address_answers_under_addresses_but_not_under_foreign_names(
    tmp_path,
):
    server = PlaygroundServer(media_folder=tmp_path)
    await server.start("0.0.0.0")  # noqa: S104
    try:
        assert server.page_url.startswith("http://127.0.0.1:")
        async with aiohttp.ClientSession() as http:
            for host, status in (
                ("192.168.1.5:8080", 200),
                ("evil.example", 403),
                ("localhost", 200),
            ):
                async with http.get(server.page_url, headers={"Host": host}) as response:
                    assert response.status == status, host
    finally:
        await server.close()


async def test_a_taken_port_is_an_error_and_leaves_nothing_behind(server, tmp_path):
    other = PlaygroundServer(media_folder=tmp_path / "other")
    with pytest.raises(OSError, match="address already in use"):
        await other.start(port=int(server.page_url.rstrip("/").rpartition(":")[2]))


async def test_wrong_methods_and_routes_in_discords_shape(rest):
    wrong = await rest("PATCH", "/gateway", 405)
    assert wrong.body_json == {"message": "405: Method Not Allowed", "code": 0}
    nothing = await rest("GET", "/nothing/here", 404)
    assert nothing.body_json == {"message": "404: Not Found", "code": 0}
    assert (await rest("GET", "/users/@me", 401, headers={})).body_json[
        "message"
    ] == "401: Unauthorized"
    await rest("GET", "/users/@me", 401, headers={"Authorization": "Bot wrong"})
    broken = await rest("POST", f"/channels/{MUSIC_ID}/messages", 400, data=b"{")
    assert broken.body_json["code"] == 50109


async def test_the_page_is_served_and_checked_again(server, ada):
    async with ada.http.get(server.page_url) as response:
        assert response.headers["Content-Type"] == "text/html; charset=utf-8"
        assert response.headers["Cache-Control"] == "no-cache"
        tag = response.headers["ETag"]
    async with ada.http.get(server.page_url, headers={"If-None-Match": tag}) as response:
        assert response.status == 304
    async with ada.http.get(f"{server.page_url}static/app.js") as response:
        assert response.headers["Content-Type"].startswith("text/javascript")
    for path in (
        "static/../server.py",
        "static/%2e%2e/server.py",
        "static//etc/passwd",
        "static/none.js",
        "static/%00.js",
    ):
        async with ada.http.get(
            aiohttp.client.URL(server.page_url + path, encoded=True)
        ) as response:
            assert response.status == 404, path


def test_static_files_stay_in_their_folder(tmp_path):
    (tmp_path / "in").mkdir()
    (tmp_path / "secret.js").write_text("x")
    (tmp_path / "in" / "link.js").symlink_to(tmp_path / "secret.js")
    for name in ("../secret.js", "link.js", "/etc/hostname"):
        with pytest.raises(aiohttp.web.HTTPNotFound):
            PageFiles(tmp_path / "in")._serve(name)


@pytest.fixture
async def clip(bot):
    data = bytes(range(256)) * 4
    sent = await bot.get_channel(MUSIC_ID).send(file=discord.File(io.BytesIO(data), "clip.mp3"))
    return sent.attachments[0].url, data


@pytest.mark.parametrize(
    ("asked", "status", "part"),
    [
        ("bytes=0-", 206, slice(None)),
        ("bytes=10-19", 206, slice(10, 20)),
        ("bytes=1000-5000", 206, slice(1000, None)),
        ("bytes=-24", 206, slice(1000, None)),
        ("bytes=2000-", 416, None),
        ("lines=1-2", 416, None),
    ],
)
async def test_ranges(clip, ada, asked, status, part):
    url, data = clip
    async with ada.http.get(url, headers={"Range": asked}) as response:
        assert response.status == status
        if part is None:
            assert response.headers["Content-Range"] == "bytes */1024"
        else:
            assert await response.read() == data[part]
            assert response.headers["Content-Type"] == "audio/mpeg"


async def test_head_and_headers_of_a_file(clip, ada, server):
    url, _ = clip
    async with ada.http.head(url) as response:
        assert (response.status, response.headers["Content-Length"]) == (200, "1024")
        assert response.headers["Accept-Ranges"] == "bytes"
        assert response.headers["X-Content-Type-Options"] == "nosniff"
    form = aiohttp.FormData(quote_fields=False)
    form.add_field("payload_json", json.dumps({"user": ada.user, "channel": str(MUSIC_ID)}))
    form.add_field("files[0]", b"<script>", filename="page.html")
    sent = await ada.call("POST", "/messages", data=form)
    async with ada.http.get(sent["attachments"][0]["url"]) as response:
        assert response.headers["Content-Disposition"].startswith("attachment")
        assert "sandbox" in response.headers["Content-Security-Policy"]
    async with ada.http.get(url.replace("clip.mp3", "other.mp3")) as response:
        assert response.status == 404


async def test_listeners_are_a_seam(server, ada):
    assert await ada.call("GET", "/listeners") == []
    await ada.call("POST", "/listeners", {"count": 2, "seed": 1}, status=409)

    class Two:
        def __init__(self):
            self.ids, self.shown = [], []

        async def add(self, count, seed):
            self.ids += [
                server.parts.world.add_person(f"L{seed}{n}", synthetic=True).id
                for n in range(count)
            ]
            return self.ids

        def rows(self):
            return [
                {"user": str(uid), "votes": 0, "revealed": uid in self.shown} for uid in self.ids
            ]

        async def reveal(self, user_id):
            self.shown = self.ids if user_id is None else [user_id]

        async def clear(self):
            for uid in self.ids:
                server.parts.world.remove_person(uid)
            self.ids = []

    server.use_listeners(Two())
    added = await ada.call("POST", "/listeners", {"count": 2, "seed": 1})
    assert [(one["global_name"], one["synthetic"]) for one in added] == [
        ("L10", True),
        ("L11", True),
    ]
    await ada.saw("USERS_UPDATE")
    await ada.call("POST", "/listeners/reveal", {"user": added[0]["id"]})
    assert [one["revealed"] for one in await ada.call("GET", "/listeners")] == [True, False]
    await ada.call("POST", "/listeners/reveal", {"user": None})
    await ada.call("POST", "/listeners", {"count": 51}, status=400)
    await ada.call("POST", "/listeners", {"count": 49}, status=409)
    await ada.call("DELETE", "/listeners")
    assert await ada.call("GET", "/listeners") == []
    assert len((await ada.call("GET", "/state"))["users"]) == 5


async def test_closing_is_quick_with_everybody_connected(start_server, log_in):
    server = await start_server()
    async with log_in(server) as bot, Page(server.page_url, FIRST_LISTENER_ID) as ada:
        assert bot.is_ready()
        begun = time.monotonic()
        await server.close()
        assert time.monotonic() - begun < 1.0
        await asyncio.wait_for(ada._reader, 1)
        with pytest.raises(aiohttp.ClientError):
            await ada.http.get(server.page_url)
        assert not bot.is_closed()
    assert not list(server._media._folder.glob("*"))


async def test_ids_are_the_same_in_every_playground(start_server):
    one, two = await start_server(), await start_server()
    assert list(one.parts.world.channels) == list(two.parts.world.channels) == [MUSIC_ID, LOUNGE_ID]
    assert one.parts.world.owner_id == MODERATOR_ID
    assert one.parts.world.dm_with(MODERATOR_ID).id == two.parts.world.dm_with(MODERATOR_ID).id
