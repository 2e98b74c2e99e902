from __future__ import annotations

import re
from pathlib import Path

import discord
import pytest
from discord import app_commands

from bot.app import TunebreederBot, intents
from bot.room import Room
from bot.sink import DiscordSink
from bot.sync import commands_of, differs
from tests.bot.fakes import World


@pytest.fixture
def tree():
    world = World(lambda: 0.0)
    return TunebreederBot(Room(services=world), DiscordSink()).tree


async def test_the_commands_there_are(tree):
    assert sorted(commands_of(tree)) == [
        "about",
        "duel",
        "evolve branch",
        "evolve next",
        "evolve reset",
        "evolve resume",
        "evolve start",
        "evolve status",
        "evolve stop",
        "health",
        "help",
        "like-this",
        "mood",
        "mydata delete",
        "mydata export",
        "mydata pause",
        "mydata show",
        "operators add",
        "operators audit",
        "operators disable",
        "operators edit",
        "operators enable",
        "operators export",
        "operators history",
        "operators import",
        "operators list",
        "operators reset",
        "operators rollback",
        "operators show",
        "operators try",
        "prompts edit",
        "prompts history",
        "prompts list",
        "prompts rollback",
        "prompts show",
        "prompts try",
        "taste reset",
        "taste show",
        "top",
    ]


async def test_names_and_descriptions_are_what_discord_takes(tree):
    for command in tree.walk_commands():
        assert re.fullmatch(r"[a-z-]{1,32}", command.name)
        assert 3 <= len(command.description) <= 100
        if isinstance(command, app_commands.Command):
            for option in command.parameters:
                assert re.fullmatch(r"[a-z-]{1,32}", option.display_name)
                assert 3 <= len(str(option.description)) <= 100
    for payload in payloads(tree):
        assert texts(payload) <= 8000


async def test_every_command_is_open_and_guarded_in_code(tree):
    for payload in payloads(tree):
        tuning = payload["name"] in {"operators", "prompts"}
        manage_guild = str(1 << 5)
        wanted = payload.get("default_member_permissions")
        assert (wanted if wanted is None else str(wanted)) == (manage_guild if tuning else None)
        assert payload["contexts"] == ([0] if tuning else [0, 1])
        assert payload["integration_types"] == [0]


async def test_names_and_descriptions_can_be_translated(tree):
    for command in tree.walk_commands():
        assert command._locale_name is not None
        assert command._locale_description is not None


def test_no_privileged_intent():
    wanted = intents()
    assert not wanted.members
    assert not wanted.presences
    assert not wanted.message_content
    assert wanted.guild_reactions
    assert wanted.dm_reactions


async def test_unchanged_commands_are_not_registered_again(tree):
    want = payloads(tree)
    have = [as_discord_has_it(payload, number) for number, payload in enumerate(reversed(want))]
    assert not differs(want, have)
    assert differs(want, have[1:])
    assert differs(want, [*have, {**have[0], "name": "old"}])


@pytest.mark.parametrize(
    "change",
    [
        {"description": "something else"},
        {"options": []},
        {"default_member_permissions": "8"},
    ],
)
async def test_a_changed_command_is_registered(tree, change):
    want = payloads(tree)
    have = [as_discord_has_it(payload, number) for number, payload in enumerate(want)]
    index = next(i for i, payload in enumerate(want) if payload["name"] == "evolve")
    have[index] = {**have[index], **change}
    assert differs(want, have)


async def test_a_changed_option_is_noticed(tree):
    want = payloads(tree)
    have = [as_discord_has_it(payload, number) for number, payload in enumerate(payloads(tree))]
    evolve = next(payload for payload in have if payload["name"] == "evolve")
    start = next(option for option in evolve["options"] if option["name"] == "start")
    start["options"] = [
        {**option, "max_value": 99} if option["name"] == "candidates" else option
        for option in start["options"]
    ]
    assert differs(want, have)


def payloads(tree):
    return [command.to_dict(tree) for command in tree.get_commands()]


def as_discord_has_it(payload, number):
    return {
        **payload,
        "id": str(number),
        "version": "1",
        "application_id": "5",
        "nsfw": False,
        "dm_permission": True,
        "name_localizations": None,
    }


def texts(node) -> int:
    if isinstance(node, dict):
        return sum(
            len(value)
            if key in {"name", "description", "value"} and isinstance(value, str)
            else texts(value)
            for key, value in node.items()
        )
    return sum(texts(one) for one in node) if isinstance(node, list) else 0


def test_discord_internals_are_touched_in_one_file():
    for path in Path("bot").glob("*.py"):
        if path.name != "endpoints.py":
            assert not re.search(
                r"(from|import) discord\.(http|gateway|state)|\._connection", path.read_text()
            )


def test_the_bot_needs_no_member_cache():
    assert discord.MemberCacheFlags.none().value == 0
