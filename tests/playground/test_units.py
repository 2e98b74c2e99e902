"""Small parts on their own."""

import discord
import pytest
from hypothesis import given
from hypothesis import strategies as st

from playground import components, emoji
from playground.command_checks import check
from playground.drafts import CONTENT_LIMIT, read_draft, safe_name
from playground.errors import ApiError, form_error
from playground.forms import Form, Upload
from playground.media import MediaStore, content_type
from playground.model import Channel, ChannelType, Emoji, Overwrite
from playground.options import PlaygroundOptions
from playground.permissions import Permission, in_channel
from playground.ratelimits import RateLimits
from playground.refusals import refused
from playground.snowflakes import Snowflakes, at, parse, seconds_of
from playground.start import BOT_ID, FIRST_LISTENER_ID, GUILD_ID, MODERATOR_ID, MUSIC_ID, new_world

KNOWN = {name.upper(): value for name, value in discord.Permissions.VALID_FLAGS.items()}
RENAMED = {
    "VIEW_CHANNEL": "READ_MESSAGES",
    "MODERATE_MEMBERS": "MODERATE_MEMBERS",
    "USE_EXTERNAL_EMOJIS": "EXTERNAL_EMOJIS",
    "USE_APPLICATION_COMMANDS": "USE_APPLICATION_COMMANDS",
    "SEND_POLLS": "SEND_POLLS",
}


@pytest.mark.parametrize("permission", list(Permission))
def test_permission_bits_are_discords(permission):
    name = RENAMED.get(permission.name, permission.name)
    assert KNOWN.get(name, permission.value if name == "PIN_MESSAGES" else None) == permission.value


@pytest.fixture
def world(tmp_path):
    return new_world(PlaygroundOptions(), clock=lambda: 1_800_000_000.0, media=MediaStore(tmp_path))


def test_who_may_do_what(world):
    music = world.channel(MUSIC_ID)
    assert world.permissions(MODERATOR_ID, music) & Permission.ADMINISTRATOR
    assert world.permissions(FIRST_LISTENER_ID, music) & Permission.SEND_MESSAGES
    assert not world.permissions(FIRST_LISTENER_ID, music) & Permission.MANAGE_MESSAGES
    assert world.permissions(BOT_ID, music) & Permission.MANAGE_THREADS
    assert world.permissions(12345, music) == 0
    dm = world.dm_with(FIRST_LISTENER_ID)
    assert world.can_see(BOT_ID, dm)
    assert not world.can_see(MODERATOR_ID, dm)


BITS = st.integers(0, (1 << 52) - 1).map(lambda bits: bits & ~int(Permission.ADMINISTRATOR))


@given(
    base=BITS, overwrites=st.lists(st.tuples(st.sampled_from([1, 2, 3, 9]), BITS, BITS), max_size=4)
)
def test_overwrites_add_up_as_discord_says(base, overwrites):
    channel = Channel(id=5, kind=ChannelType.TEXT, name="x", guild_id=1)
    for number, allow, deny in overwrites:
        channel.overwrites[number] = Overwrite(
            id=number, kind=1 if number == 9 else 0, allow=allow, deny=deny
        )
    got = in_channel(base, channel, everyone=1, roles=[2, 3], user_id=9)
    expected = discord.Permissions(base)
    everyone = channel.overwrites.get(1)
    if everyone:
        expected.handle_overwrite(everyone.allow, everyone.deny)
    allow = deny = 0
    for number in (2, 3):
        if number in channel.overwrites:
            allow |= channel.overwrites[number].allow
            deny |= channel.overwrites[number].deny
    expected.handle_overwrite(allow, deny)
    own = channel.overwrites.get(9)
    if own:
        expected.handle_overwrite(own.allow, own.deny)
    if not expected.view_channel:
        assert got == 0
        return
    if not expected.send_messages:
        expected.update(
            send_tts_messages=False, mention_everyone=False, embed_links=False, attach_files=False
        )
    assert got == expected.value


@given(st.lists(st.floats(1.5e9, 2e9), min_size=2, max_size=30))
def test_snowflakes_always_grow(times):
    moments = iter(times)
    maker = Snowflakes(lambda: next(moments))
    made = [maker.next() for _ in times]
    assert made == sorted(set(made))
    assert abs(seconds_of(made[0]) - times[0]) < 0.002
    assert all(parse(str(each)) == parse(each) == each for each in made)
    assert discord.utils.snowflake_time(at(times[0])).timestamp() == pytest.approx(
        times[0], abs=0.002
    )


@pytest.mark.parametrize(
    "text", ["x", "-1", "1.0", "", " 5", "٣", "9" * 21, None, True, 1.5, -1, 1 << 63, [], {}]
)
def test_what_is_no_id(text):
    assert parse(text) is None


@pytest.mark.parametrize(
    "text",
    ["🔥", "❤️", "❤", "👍🏽", "👩‍🎤", "🇩🇪", "3️⃣", "#️⃣", "⭐", "☎️", "▶️", "‼️", "\u2139\ufe0f", "🏴󠁧󠁢󠁥󠁮󠁧󠁿"],
)
def test_unicode_emoji(text):
    assert emoji.read(text, {}).name == text


@pytest.mark.parametrize(
    "text", ["", "x", "fire", "🔥x", "🔥" * 17, "3", "\u200d", "banger:5", "a:b:c", "\ud800", " 🔥"]
)
def test_what_is_no_emoji(text):
    with pytest.raises(ApiError) as caught:
        emoji.read(text, {7: Emoji(name="banger", id=7)})
    assert caught.value.code == 10014


def test_emoji_are_equal_with_and_without_variation_selector():
    assert emoji.read("❤️", {}).key == emoji.read("❤", {}).key
    own = {7: Emoji(name="banger", id=7)}
    assert (
        emoji.read("banger:7", own)
        is emoji.read("<:old_name:7>", own)
        is emoji.read("<a:x:7>", own)
    )


def button(**more):
    return {"type": 2, "style": 1, "label": "x", "custom_id": "x", **more}


def row(*parts):
    return {"type": 1, "components": list(parts)}


@pytest.mark.parametrize(
    ("parts", "place"),
    [
        ([button()], "0.type"),
        ([row()], "0.components"),
        ([row(*(button(custom_id=str(each)) for each in range(6)))], "0.components"),
        ([row(button(custom_id=str(each))) for each in range(6)], ""),
        ([row(button(), button())], "0.components.1.custom_id"),
        ([row(button(custom_id="x" * 101))], "0.components.0.custom_id"),
        ([row(button(label="x" * 81))], "0.components.0.label"),
        ([row(button(style=9))], "0.components.0.style"),
        ([row(button(label=None))], "0.components.0"),
        ([row(button(style=5))], "0.components.0.url"),
        ([row({"type": 3, "custom_id": "s", "options": []})], "0.components.0.options"),
        ([row({"type": 5, "custom_id": "s"}, button())], "0.components"),
        ([row({"type": 4, "custom_id": "t"})], "0.components.0.type"),
        ([{"type": 10, "content": "x"}], "0.type"),
    ],
)
def test_wrong_components_are_named(parts, place):
    with pytest.raises(ApiError) as caught:
        components.checked(parts, layout=False)
    errors = caught.value.errors["components"]
    for key in [each for each in place.split(".") if each]:
        errors = errors[key]
    assert errors["_errors"]


def test_five_rows_of_five_buttons_are_numbered_and_found():
    parts = [row(*(button(custom_id=f"{line}:{each}") for each in range(5))) for line in range(5)]
    numbered = components.checked(parts, layout=False)
    assert sorted(each["id"] for each in components.walk(numbered)) == list(range(1, 31))
    assert components.find(numbered, "3:2")["custom_id"] == "3:2"
    assert components.find(numbered, "nothing") is None


@pytest.mark.parametrize(
    ("command", "place"),
    [
        ({"name": "Upper", "description": "d"}, "name"),
        ({"name": "two words", "description": "d"}, "name"),
        ({"name": "x", "description": ""}, "description"),
        ({"name": "x", "description": "d" * 101}, "description"),
        ({"name": "x", "description": "d", "type": 9}, "type"),
        ({"name": "menu", "description": "d", "type": 3}, "description"),
        (
            {
                "name": "x",
                "description": "d",
                "options": [{"name": "o", "description": "d", "type": 99}],
            },
            "options.0.type",
        ),
        (
            {
                "name": "x",
                "description": "d",
                "options": [
                    {"name": "o", "description": "d", "type": 3},
                    {"name": "p", "description": "d", "type": 3, "required": True},
                ],
            },
            "options.1",
        ),
        (
            {
                "name": "x",
                "description": "d",
                "options": [{"name": "o", "description": "d", "type": 5, "autocomplete": True}],
            },
            "options.0",
        ),
    ],
)
def test_wrong_commands_are_named(command, place):
    with pytest.raises(ApiError) as caught:
        check(command)
    errors = caught.value.errors
    for key in place.split("."):
        errors = errors[key]
    assert errors["_errors"]


def test_a_draft_reads_files_and_limits():
    entry = {"id": "1", "filename": "b.mp3", "description": "second"}
    old = {"id": str(BOT_ID)}
    files = {0: Upload(filename="a b.mp3", data=b"x"), 1: Upload(filename="x", data=b"y")}
    draft = read_draft(Form(payload={"attachments": [entry, old]}, files=files))
    assert [(each.filename, each.description) for each in draft.files] == [
        ("a_b.mp3", None),
        ("b.mp3", "second"),
    ]
    assert draft.kept == {BOT_ID}
    assert read_draft(Form(payload={"content": "🔥" * CONTENT_LIMIT})).content
    for body in (
        {"content": "x" * 2001},
        {"content": []},
        {"embeds": [1]},
        {"attachments": [{"id": 3}]},
        {"nonce": "x" * 26},
    ):
        with pytest.raises(ApiError) as caught:
            read_draft(Form(payload=body))
        assert caught.value.code == 50035


@pytest.mark.parametrize(
    ("name", "safe"),
    [
        ("../../etc/passwd", "passwd"),
        ("a b?.mp3", "a_b.mp3"),
        ("...", "file"),
        ("ü.ogg", "ü.ogg"),
        ("C:\\x.wav", "x.wav"),
    ],
)
def test_file_names_are_made_safe(name, safe):
    assert safe_name(name) == safe


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("a.mp3", "audio/mpeg"),
        ("a.OGG", "audio/ogg"),
        ("a.opus", "audio/ogg"),
        ("a.wav", "audio/x-wav"),
        ("a", "application/octet-stream"),
    ],
)
def test_content_types(name, kind):
    assert content_type(name) == kind


def test_windows_of_the_rate_limit():
    now = [0.0]
    limits = RateLimits(
        PlaygroundOptions(route_limit=2, route_seconds=10, global_limit=3), lambda: now[0]
    )
    first, second, third = (limits.take("GET /x", "1", exempt=False) for _ in range(3))
    assert (first.allowed, second.allowed, third.allowed, third.everywhere) == (
        True,
        True,
        False,
        False,
    )
    assert second.headers["X-RateLimit-Remaining"] == "0"
    assert limits.take("GET /x", "2", exempt=False).everywhere
    assert limits.take("GET /x", "2", exempt=True).allowed
    now[0] = 10.5
    assert limits.take("GET /x", "1", exempt=False).allowed


def test_errors_become_sentences():
    nested = form_error("components.0.label", "X", "Must be shorter.")
    assert nested.payload()["errors"] == {
        "components": {"0": {"label": {"_errors": [{"code": "X", "message": "Must be shorter."}]}}}
    }
    assert refused(nested).sentence == "components.0.label: Must be shorter."
    assert GUILD_ID != MUSIC_ID
