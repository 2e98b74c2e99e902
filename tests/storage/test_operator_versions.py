"""Versions of operators and prompts."""

import pytest

from domain.errors import BusyError
from domain.ids import GuildId
from storage import listeners, operator_versions
from tests.storage.samples import ALICE, BOB, GUILD, tuned


async def test_the_latest_counts_and_history_is_newest_first(db):
    async with db.transaction() as tx:
        assert await operator_versions.latest(tx, GUILD, "template", "novel") is None
        for number in (1, 2, 3):
            await operator_versions.add_version(tx, tuned(number, content=f"text {number}"))
        newest = await operator_versions.latest(tx, GUILD, "template", "novel")
        assert newest == tuned(3, content="text 3")
        found = await operator_versions.history(tx, GUILD, "template", "novel", most=2)
        assert [one.number for one in found] == [3, 2]
        first = await operator_versions.version(tx, GUILD, "template", "novel", 1)
        assert first.content == "text 1"
        assert await operator_versions.version(tx, GUILD, "template", "novel", 9) is None


async def test_servers_kinds_and_names_are_apart(db):
    async with db.transaction() as tx:
        await operator_versions.add_version(tx, tuned())
        await operator_versions.add_version(tx, tuned(guild_id=GuildId(1), content="elsewhere"))
        await operator_versions.add_version(tx, tuned(kind="operators", name="", content="{}"))
        await operator_versions.add_version(tx, tuned(name="full", content="first"))
        await operator_versions.add_version(tx, tuned(2, name="full", content=None))
        here = await operator_versions.latest_of_kind(tx, GUILD, "template")
        assert [(one.name, one.number, one.content) for one in here] == [
            ("full", 2, None),
            ("novel", 1, "Write {num_generate} prompts."),
        ]


async def test_a_number_is_taken_once(db):
    async with db.transaction() as tx:
        await operator_versions.add_version(tx, tuned())
        with pytest.raises(BusyError, match="Somebody else"):
            await operator_versions.add_version(tx, tuned(author_id=BOB))


async def test_erasing_an_author_keeps_the_text_and_forgets_who(db):
    async with db.transaction() as tx:
        await operator_versions.add_version(tx, tuned())
        held = await listeners.export(tx, ALICE)
        assert [one["content"] for one in held["tuned"]] == ["Write {num_generate} prompts."]
        erased = await listeners.erase(tx, ALICE)
        assert erased.counts["tuned"] == 1
        kept = await operator_versions.latest(tx, GUILD, "template", "novel")
        assert (kept.author_id, kept.comment) == (0, "")
        assert kept.content == "Write {num_generate} prompts."
