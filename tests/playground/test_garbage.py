"""Whatever is sent to the server, it answers with a reason and lives on."""

import asyncio
import json

import aiohttp
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from playground.drafts import read_draft
from playground.forms import Form
from playground.options import PlaygroundOptions
from playground.people import CommandCall, Place
from playground.server import PlaygroundServer
from playground.start import BOT_ID, FIRST_LISTENER_ID, GUILD_ID, MUSIC_ID

LEAVES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**70), 2**70),
    st.floats(allow_nan=True),
    st.text(max_size=8),
    st.sampled_from(
        [
            str(MUSIC_ID),
            FIRST_LISTENER_ID,
            "MESSAGE",
            "hello",
            "x",
            "0",
            "x" * 2100,
            "\ud800",
            "🔥",
            "",
        ]
    ),
)
VALUES = st.recursive(
    LEAVES,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=6,
)
KEYS = st.sampled_from(
    [
        *(
            "content",
            "embeds",
            "components",
            "flags",
            "attachments",
            "message_reference",
            "allowed_mentions",
        ),
        *(
            "nonce",
            "enforce_nonce",
            "tts",
            "type",
            "data",
            "name",
            "description",
            "options",
            "choices",
            "value",
        ),
        *(
            "default_member_permissions",
            "recipient_id",
            "messages",
            "archived",
            "locked",
            "topic",
            "custom_id",
        ),
        *(
            "title",
            "values",
            "user",
            "channel",
            "message",
            "emoji",
            "path",
            "focused",
            "target",
            "modal",
            "kind",
        ),
        *(
            "count",
            "route",
            "seconds",
            "reply_to",
            "id",
            "auto_archive_duration",
            "invitable",
            "allow",
            "deny",
        ),
        *("label", "style", "url", "min_values", "max_values", "fields"),
    ]
)
COMPONENT = st.fixed_dictionaries(
    {"type": st.integers(0, 25)},
    optional={
        "components": st.lists(
            st.fixed_dictionaries(
                {"type": st.integers(0, 25)},
                optional={
                    "custom_id": LEAVES,
                    "label": LEAVES,
                    "style": LEAVES,
                    "options": VALUES,
                    "emoji": LEAVES,
                },
            ),
            max_size=6,
        ),
        "component": st.dictionaries(KEYS, LEAVES, max_size=3),
    },
)
OBJECTS = st.dictionaries(KEYS, VALUES, max_size=6) | st.fixed_dictionaries(
    {"content": st.just("x"), "components": st.lists(COMPONENT, max_size=3)},
    optional={
        "flags": st.sampled_from([64, 8192, 32768]),
        "attachments": VALUES,
        "message_reference": VALUES,
    },
)
OBJECTS |= st.fixed_dictionaries(
    {"type": st.integers(0, 12)},
    optional={
        "data": OBJECTS
        | st.fixed_dictionaries(
            {"custom_id": LEAVES, "title": LEAVES, "components": st.lists(COMPONENT, max_size=3)}
        )
    },
)
OBJECTS |= st.fixed_dictionaries(
    {"user": st.just(str(FIRST_LISTENER_ID)), "channel": st.just(str(MUSIC_ID))},
    optional={
        "message": st.just("MESSAGE"),
        "custom_id": st.just("x") | LEAVES,
        "emoji": LEAVES,
        "values": VALUES,
        "name": st.just("hello") | LEAVES,
        "path": VALUES,
        "options": VALUES,
        "type": st.integers(0, 4),
        "target": VALUES,
        "content": LEAVES,
        "reply_to": LEAVES,
        "focused": LEAVES,
    },
)
OBJECTS |= st.fixed_dictionaries(
    {"name": st.just("fine") | LEAVES, "description": st.just("fine") | LEAVES},
    optional={
        "options": st.lists(st.dictionaries(KEYS, LEAVES | VALUES, max_size=6), max_size=3),
        "type": st.integers(0, 4),
    },
)
BODIES = st.one_of(
    OBJECTS.map(json.dumps).map(str.encode),
    VALUES.map(json.dumps).map(str.encode),
    st.lists(OBJECTS, max_size=3).map(json.dumps).map(str.encode),
    OBJECTS.map(json.dumps).map(str.encode),
    OBJECTS.map(json.dumps).map(str.encode),
    st.binary(max_size=40),
    st.just(b"[" * 3000),
)
IDS = st.sampled_from(
    ["FIT"] * 20
    + [MUSIC_ID, BOT_ID, 0, -1, 2**64, "@me", "@original", "x", "%F0%9F%94%A5", "%00", "TOKEN"]
)
FIRE = "%F0%9F%94%A5"
FITTING = {
    "/channels/{}": [MUSIC_ID],
    "/channels/{}/messages": [MUSIC_ID],
    "/channels/{}/messages/{}": [MUSIC_ID, "MESSAGE"],
    "/channels/{}/messages/bulk-delete": [MUSIC_ID],
    "/channels/{}/messages/{}/reactions/{}/@me": [MUSIC_ID, "MESSAGE", FIRE],
    "/channels/{}/messages/{}/reactions/{}": [MUSIC_ID, "MESSAGE", FIRE],
    "/channels/{}/messages/{}/threads": [MUSIC_ID, "MESSAGE"],
    "/channels/{}/messages/pins": [MUSIC_ID],
    "/channels/{}/threads": [MUSIC_ID],
    "/channels/{}/thread-members/{}": ["MESSAGE", FIRST_LISTENER_ID],
    "/channels/{}/permissions/{}": [MUSIC_ID, BOT_ID],
    "/channels/{}/typing": [MUSIC_ID],
    "/guilds/{}/members": [GUILD_ID],
    "/guilds/{}/members/{}": [GUILD_ID, FIRST_LISTENER_ID],
    "/guilds/{}/channels": [GUILD_ID],
    "/users/{}": [BOT_ID],
    "/users/@me/channels": [],
    "/applications/{}/commands": [BOT_ID],
    "/applications/{}/commands/{}": [BOT_ID, "COMMAND"],
    "/applications/{}/guilds/{}/commands": [BOT_ID, GUILD_ID],
    "/interactions/{}/{}/callback": ["INTERACTION", "ASKED"],
    "/webhooks/{}/{}": [BOT_ID, "TOKEN"],
    "/webhooks/{}/{}/messages/{}": [BOT_ID, "TOKEN", "@original"],
    "/{}/{}/{}": ["x", "y", "z"],
}
ROUTES = st.sampled_from(list(FITTING))
REQUESTS = st.tuples(
    st.sampled_from(["GET", "POST", "PUT", "PATCH", "DELETE"]),
    ROUTES,
    st.tuples(IDS, IDS, IDS),
    BODIES,
    st.sampled_from(
        ["application/json"] * 6
        + ["multipart/form-data; boundary=b", "multipart/form-data", "text/plain", "multipart/x"]
    ),
    st.dictionaries(
        st.sampled_from(["limit", "before", "after", "around", "with_response"]),
        st.text(max_size=4),
        max_size=2,
    ),
)
PAGE_ROUTES = st.sampled_from(
    [
        *(
            "state",
            "messages",
            "click",
            "command",
            "autocomplete",
            "modal",
            "reactions",
            "dm",
            "threads",
        ),
        *("listeners", "listeners/reveal", "health", "nothing"),
    ]
)


def _something_to_hit(server):
    """A message with buttons and two interactions, by the names that stand for them in a request."""
    parts = server.parts
    parts.commands.put(None, {"name": "hello", "description": "x"})
    button = {"type": 2, "style": 1, "label": "x", "custom_id": "x"}
    draft = read_draft(
        Form(payload={"content": "x", "components": [{"type": 1, "components": [button]}]})
    )
    message = parts.messages.send(parts.world.channel(MUSIC_ID), parts.world.bot, draft)
    place = Place(user_id=FIRST_LISTENER_ID, channel_id=MUSIC_ID)
    asked = server.people.command(place, CommandCall(name="hello"))
    pressed = server.people.click(place, message.id, "x")
    parts.answers.respond(pressed.id, pressed.token, Form(payload={"type": 5}))
    command = parts.commands.listed(None)[0]["id"]
    return {
        "COMMAND": command,
        "MESSAGE": message.id,
        "INTERACTION": asked.id,
        "TOKEN": pressed.token,
        "ASKED": asked.token,
    }


def _named(server, ids, fitting):
    chosen = [fit if each == "FIT" else each for each, fit in zip(ids, fitting, strict=False)]
    return [server.named.get(each, each) for each in chosen]


async def _send(requests, build):
    server = PlaygroundServer(PlaygroundOptions(global_limit=0, route_limit=0, response_seconds=5))
    await server.start()
    server.named = _something_to_hit(server)
    statuses = []
    try:
        async with aiohttp.ClientSession() as http:
            for request in requests:
                method, url, arguments = build(server, request)
                async with http.request(method, url, **arguments) as response:
                    body = await response.read()
                    assert response.status < 500, (method, url, body[:200])
                    if response.status >= 400:
                        assert response.headers["Content-Type"] == "application/json", (
                            method,
                            url,
                            body[:200],
                        )
                        told = json.loads(body)
                        assert told.get("error") or isinstance(told["code"], int)
                    statuses.append(response.status)
            async with http.get(server.page_url + "playground/api/health") as response:
                assert (await response.json())["ok"] is True
    finally:
        await server.close()
    return statuses


def _rest(server, request):
    method, route, ids, body, kind, query = request
    headers = {"Authorization": "Bot playground", "Content-Type": kind}
    route = route.format(*_named(server, ids, FITTING[route]))
    return method, server.api_url + route, {"data": body, "headers": headers, "params": query}


def _page(server, request):
    method, route, ids, body, kind, query = request
    url = f"{server.page_url}playground/api/{route}"
    user, channel = _named(server, ids, [FIRST_LISTENER_ID, MUSIC_ID])
    body = body.replace(b'"MESSAGE"', str(server.named["MESSAGE"]).encode())
    params = {**query, "user": str(user), "channel": str(channel)}
    return method, url, {"data": body, "headers": {"Content-Type": kind}, "params": params}


RULES = settings(
    max_examples=50,
    deadline=None,
    phases=[Phase.generate],
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)


@RULES
@given(st.lists(REQUESTS, min_size=4, max_size=10))
def test_rest_never_breaks(requests):
    asyncio.run(_send(requests, _rest))


@RULES
@given(
    st.lists(
        st.tuples(REQUESTS, PAGE_ROUTES).map(lambda pair: (pair[0][0], pair[1], *pair[0][2:])),
        min_size=4,
        max_size=10,
    )
)
def test_the_page_api_never_breaks(requests):
    asyncio.run(_send(requests, _page))


BUTTON = {"type": 2, "style": 1, "label": "x", "custom_id": "y", "emoji": {"name": "x"}}
SELECT = {
    "type": 3,
    "custom_id": "z",
    "options": [{"label": "a", "value": "b"}],
    "min_values": 1,
    "max_values": 1,
}
MESSAGE = {
    "content": "hi <@1> <@&1> @everyone",
    "tts": False,
    "flags": 0,
    "nonce": "n",
    "enforce_nonce": False,
    "embeds": [{"title": "t", "description": "d", "fields": [{"name": "n", "value": "v"}]}],
    "components": [{"type": 1, "components": [BUTTON]}, {"type": 1, "components": [SELECT]}],
    "allowed_mentions": {"parse": ["users"], "users": [], "roles": [], "replied_user": True},
    "message_reference": {
        "message_id": "MESSAGE",
        "channel_id": str(MUSIC_ID),
        "fail_if_not_exists": False,
    },
    "attachments": [],
}
SMALL = {
    "content": "hi",
    "embeds": [],
    "components": MESSAGE["components"][:1],
    "attachments": [],
    "flags": 0,
}
TEXT_INPUT = {
    "type": 4,
    "custom_id": "t",
    "label": "l",
    "style": 1,
    "required": True,
    "min_length": 1,
    "max_length": 9,
}
LABEL = {"type": 18, "label": "l", "component": {**TEXT_INPUT, "custom_id": "u"}}
MODAL = {
    "custom_id": "m",
    "title": "t",
    "components": [{"type": 1, "components": [TEXT_INPUT]}, LABEL],
}
OPTION = {
    "type": 3,
    "name": "o",
    "description": "d",
    "required": True,
    "choices": [{"name": "n", "value": "v"}],
}
COMMAND = {
    "name": "fine",
    "description": "d",
    "type": 1,
    "default_member_permissions": 32,
    "contexts": [0, 1],
    "integration_types": [0],
    "dm_permission": True,
    "nsfw": False,
    "options": [{"type": 1, "name": "s", "description": "d", "options": [OPTION]}],
}
PLACE = {"user": str(FIRST_LISTENER_ID), "channel": str(MUSIC_ID), "nonce": "n"}
ROUND = {"type": 7, "data": {"content": "x", "components": []}}
WELL_FORMED = [
    ("POST", f"/channels/{MUSIC_ID}/messages", MESSAGE),
    ("PATCH", f"/channels/{MUSIC_ID}/messages/MESSAGE", SMALL),
    (
        "POST",
        f"/channels/{MUSIC_ID}/messages/MESSAGE/threads",
        {"name": "t", "auto_archive_duration": 60},
    ),
    (
        "POST",
        f"/channels/{MUSIC_ID}/threads",
        {"name": "t", "type": 12, "invitable": True, "rate_limit_per_user": 0},
    ),
    ("PATCH", f"/channels/{MUSIC_ID}", {"name": "t", "topic": "x", "nsfw": False, "position": 1}),
    ("POST", f"/channels/{MUSIC_ID}/messages/bulk-delete", {"messages": ["MESSAGE", 5]}),
    ("POST", "/users/@me/channels", {"recipient_id": str(FIRST_LISTENER_ID)}),
    ("PUT", f"/applications/{BOT_ID}/commands", [COMMAND]),
    ("POST", f"/applications/{BOT_ID}/guilds/{GUILD_ID}/commands", COMMAND),
    ("PATCH", f"/applications/{BOT_ID}/commands/COMMAND", COMMAND),
    ("POST", "/interactions/INTERACTION/ASKED/callback", {"type": 4, "data": SMALL}),
    ("POST", "/interactions/INTERACTION/ASKED/callback", {"type": 9, "data": MODAL}),
    ("POST", "/interactions/INTERACTION/ASKED/callback", ROUND),
    ("POST", f"/webhooks/{BOT_ID}/TOKEN", SMALL),
    ("PATCH", f"/webhooks/{BOT_ID}/TOKEN/messages/@original", SMALL),
    ("POST", "page/messages", {**PLACE, "content": "x", "reply_to": "MESSAGE"}),
    ("POST", "page/click", {**PLACE, "message": "MESSAGE", "custom_id": "x", "values": []}),
    (
        "POST",
        "page/command",
        {**PLACE, "name": "hello", "path": [], "options": [], "type": 1, "target": "MESSAGE"},
    ),
    (
        "POST",
        "page/modal",
        {**PLACE, "modal": "INTERACTION", "custom_id": "m", "values": {"t": "x"}},
    ),
    ("PUT", "page/reactions", {**PLACE, "message": "MESSAGE", "emoji": "🔥"}),
    ("DELETE", "page/reactions", {**PLACE, "message": "MESSAGE", "emoji": "🔥", "everyone": False}),
    ("POST", "page/threads", {**PLACE, "name": "t", "message": "MESSAGE"}),
    ("POST", "page/dm", {"user": str(FIRST_LISTENER_ID)}),
    (
        "POST",
        "page/faults",
        {"kind": "429", "count": 1, "route": "/nothing", "seconds": 0.1, "method": "PUT"},
    ),
]


def _spots(value, path=()):
    """Every place in a JSON value."""
    yield path
    if isinstance(value, dict | list):
        for key, inner in value.items() if isinstance(value, dict) else enumerate(value):
            yield from _spots(inner, (*path, key))


def _with(value, path, junk):
    if not path:
        return junk
    copy = dict(value) if isinstance(value, dict) else list(value)
    copy[path[0]] = _with(value[path[0]], path[1:], junk)
    return copy


SPOTS = [
    (method, route, body, path) for method, route, body in WELL_FORMED for path in _spots(body)
]


JUNK = [
    None,
    True,
    0,
    -1,
    2**70,
    1.5,
    "",
    "x",
    "x" * 2100,
    "\ud800",
    "5",
    [],
    [None],
    [[]],
    [1],
    {},
    {"a": 1},
]


def _spoiled(server, request):
    method, route, body, path, junk = request
    server.named = _something_to_hit(server)
    text = json.dumps(_with(body, path, junk))
    for name, value in server.named.items():
        route, text = route.replace(name, str(value)), text.replace(f'"{name}"', f'"{value}"')
    base = server.api_url if route.startswith("/") else server.page_url + "playground/api"
    headers = {"Authorization": "Bot playground", "Content-Type": "application/json"}
    return method, base + route.removeprefix("page"), {"data": text.encode(), "headers": headers}


@pytest.mark.parametrize(("method", "route", "body"), WELL_FORMED)
def test_no_spoiled_field_breaks_anything(method, route, body):
    requests = [(method, route, body, path, junk) for path in _spots(body) for junk in JUNK]
    statuses = asyncio.run(_send([(method, route, body, (), body), *requests], _spoiled))
    refused_on_purpose = (f"/channels/{MUSIC_ID}", "page/modal")  # no permission; no form open
    assert statuses[0] < 300 or route in refused_on_purpose or body is ROUND
    assert any(each >= 400 for each in statuses)
