"""The documents are true: what they name (settings, variables, commands, make targets, links) exists."""

from __future__ import annotations

import re
from pathlib import Path

import discord
import pytest

from bot.app import TunebreederBot
from bot.room import Room
from bot.sink import DiscordSink
from cli.main import COMMANDS, parser
from service.settings import ENVIRONMENT, Settings, example, keys
from tests.bot.fakes import World

ROOT = Path(__file__).parents[2]
DOCUMENTS = sorted([ROOT / "README.md", ROOT / "CHANGELOG.md", *(ROOT / "docs").rglob("*.md")])
TEXT = {path: path.read_text(encoding="utf-8") for path in DOCUMENTS}
EVERYTHING = "\n".join(TEXT.values())


def test_the_example_settings_are_generated():
    assert (ROOT / "config.example.yaml").read_text(encoding="utf-8") == example(), (
        "Run: python -c 'from service.settings import example; print(example(), end=\"\")' > config.example.yaml"
    )


def test_every_setting_has_a_meaning():
    for section in Settings.model_fields.values():
        assert section.description or section.annotation.__doc__
        for field in getattr(section.annotation, "model_fields", {}).values():
            assert field.description


def test_settings_named_in_the_documents_exist():
    sections = set(Settings.model_fields)
    named = {
        name
        for name in re.findall(r"`([a-z_]+\.[a-z_]+)`", EVERYTHING)
        if name.split(".")[0] in sections
    }
    modules = {f"{path.parent.name}.{path.stem}" for path in ROOT.glob("*/*.py")}
    assert named
    assert named - set(keys()) - modules == set()


def test_environment_variables_are_documented_and_exist():
    known = {*ENVIRONMENT, "DISCORD_TOKEN"}
    assert set(re.findall(r"TUNEBREEDER_[A-Z_]+", EVERYTHING)) <= known
    host = TEXT[ROOT / "docs" / "host.md"]
    assert {name for name in known if name not in host} == set()


def test_commands_are_documented_and_exist():
    named = set(re.findall(r"bot\.py(?: --\S+(?: FILE)?)? ([a-z]+(?:-[a-z]+)*)\b", EVERYTHING)) - {
        "launcher"
    }
    assert named <= set(COMMANDS)
    readme = TEXT[ROOT / "README.md"]
    assert {name for name in COMMANDS if f"bot.py {name}" not in readme} == set()


def test_make_targets_named_exist():
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), flags=re.MULTILINE))
    assert (
        set(
            re.findall(
                r"make ([a-z]+)\b", "\n".join(re.findall(r"`[^`\n]+`|```.*?```", EVERYTHING, re.S))
            )
        )
        <= targets
    )


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_lead_somewhere(path):
    for target in re.findall(r"\]\(([^)#\s]+)", TEXT[path]):
        if not target.startswith(("http://", "https://")):
            assert (path.parent / target).exists(), f"{path.name} links to {target}"


def test_the_readme_shows_the_two_commands_first():
    first_screen = (
        TEXT[ROOT / "README.md"].split("\n## ")[0] + TEXT[ROOT / "README.md"].split("\n## ")[1]
    )
    assert "make run" in first_screen
    assert "make test" in first_screen
    assert "![" in first_screen


def test_help_names_every_command():
    text = parser().format_help()
    assert all(name in text for name in COMMANDS)


async def test_slash_commands_are_documented_and_exist():
    room = Room(services=World(lambda: 0.0))
    client = TunebreederBot(room, DiscordSink())
    groups = {
        group.name
        for group in client.tree.get_commands()
        if isinstance(group, discord.app_commands.Group)
    }
    real = {
        f"/{one.qualified_name}"
        for one in client.tree.walk_commands()
        if one.qualified_name not in groups
    }
    listed = set(
        re.findall(r"^\| `(/[a-z -]+)`", TEXT[ROOT / "docs" / "commands.md"], flags=re.MULTILINE)
    )
    assert listed == real
    for name in set(re.findall(r"`(/(?:evolve|taste|mydata) [a-z]+)", EVERYTHING)):
        assert name in real, name
